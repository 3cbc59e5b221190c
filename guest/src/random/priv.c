/*
 * priv.c - privileged instructions in kernel mode, and the same in user mode: what
 * Xen does for the guest, and what it leaves to it. Only where the answer does not
 * depend on the machine.
 */
#include "random.h"

#define HYP_SET_SEGMENT_BASE	25
#define HYP_PHYSDEV_OP		33
#define PHYSDEVOP_SET_IOPL	6
#define UNUSED_PORT		0x5678	/* no device on any machine of ours */

#define PREFIX	".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n"
#define BOTH_CODE(name, text)				\
	KERNEL_CODE(priv_##name##_k, text "\nud2");	\
	USER_CODE(priv_##name##_u, text "\nud2")

BOTH_CODE(cli, "cli\npushfq\npop %rbx");
BOTH_CODE(sti, "sti\npushfq\npop %rbx");
BOTH_CODE(popf, "push %rbx\npopfq\npushfq\npop %rbx\npush $2\npopfq");
BOTH_CODE(popf2, "push %rbx\npopfw\npushfq\npop %rbx\npush $2\npopfq");
BOTH_CODE(clts, "clts");
BOTH_CODE(hlt, "hlt");
BOTH_CODE(wbinvd, "wbinvd");
BOTH_CODE(invd, "invd");
BOTH_CODE(swapgs, "swapgs");
BOTH_CODE(invlpg, "invlpg (%rdi)");
BOTH_CODE(lgdt, "lgdt (%rdi)");
BOTH_CODE(lidt, "lidt (%rdi)");
BOTH_CODE(lldt, "lldt %bx");
BOTH_CODE(ltr, "ltr %bx");
BOTH_CODE(lmsw, "lmsw %bx");
BOTH_CODE(sysret, "sysretq");
BOTH_CODE(sysexit, "sysexitq");
BOTH_CODE(read_cr0, "mov %cr0, %rbx\nand $8, %ebx");
BOTH_CODE(read_cr2, "mov %cr2, %rbx");
BOTH_CODE(read_cr8, "mov %cr8, %rbx");
BOTH_CODE(write_cr0, "mov %rbx, %cr0\nmov %cr0, %rbx\nand $8, %ebx");
BOTH_CODE(write_cr2, "mov %rbx, %cr2\nmov %cr2, %rbx");
BOTH_CODE(write_cr3, "mov %rbx, %cr3");
BOTH_CODE(write_cr4, "mov %rbx, %cr4\nmov %cr4, %rbx");
BOTH_CODE(write_cr8, "mov %rbx, %cr8");
BOTH_CODE(dr0, "mov %rbx, %dr0\nmov %dr0, %rbx");
BOTH_CODE(dr3, "mov %rbx, %dr3\nmov %dr3, %rbx");
BOTH_CODE(dr4, "mov %dr4, %rbx");
BOTH_CODE(dr6, "mov %rbx, %dr6\nmov %dr6, %rbx");
BOTH_CODE(dr7, "mov %rbx, %dr7\nmov %dr7, %rbx");
BOTH_CODE(rdmsr, "rdmsr");
BOTH_CODE(rdmsr_value, "rdmsr");
BOTH_CODE(wrmsr, "wrmsr");
BOTH_CODE(xgetbv, "xgetbv");
BOTH_CODE(xsetbv, "xsetbv\nxor %ecx, %ecx\nxgetbv");
BOTH_CODE(inb, "inb %dx, %al");
BOTH_CODE(inw, "inw %dx, %ax");
BOTH_CODE(inl, "inl %dx, %eax");
BOTH_CODE(outb, "outb %al, %dx");
BOTH_CODE(outl, "outl %eax, %dx");
BOTH_CODE(insb, "insb");
BOTH_CODE(outsl, "outsl");
BOTH_CODE(cpuid, PREFIX "cpuid");
BOTH_CODE(prefix_nop, PREFIX "nop");
BOTH_CODE(rdfsbase, "rdfsbase %rbx");
BOTH_CODE(wrgsbase, "wrgsbase %rbx");

/* What the instruction takes. */
enum operand { NONE, FLAGS, MEMORY, SELECTOR, CR0, CR2, CR3, CR4, DR, DR6, DR7, MSR, MSR_VALUE, MSR_WRITE, XCR, PORT, LEAF };

static const struct priv {
	const char *name, *code, *end, *user, *user_end;
	enum operand operand;
} list[] = {
#define ROW(name, operand) { "priv " #name, priv_##name##_k, priv_##name##_k_end, priv_##name##_u, priv_##name##_u_end, operand }
	ROW(cli, NONE), ROW(sti, NONE), ROW(popf, FLAGS), ROW(popf2, FLAGS), ROW(clts, NONE), ROW(hlt, NONE),
	ROW(wbinvd, NONE), ROW(invd, NONE), ROW(swapgs, NONE), ROW(invlpg, MEMORY), ROW(lgdt, MEMORY),
	ROW(lidt, MEMORY), ROW(lldt, SELECTOR), ROW(ltr, SELECTOR), ROW(lmsw, SELECTOR), ROW(sysret, NONE),
	ROW(sysexit, NONE), ROW(read_cr0, NONE), ROW(read_cr2, NONE), ROW(read_cr8, NONE), ROW(write_cr0, CR0),
	ROW(write_cr0, CR0), ROW(write_cr2, CR2), ROW(write_cr3, CR3), ROW(write_cr3, CR3), ROW(write_cr4, CR4),
	ROW(write_cr4, CR4), ROW(write_cr8, CR2), ROW(dr0, DR), ROW(dr0, DR), ROW(dr3, DR), ROW(dr4, NONE),
	ROW(dr6, DR6), ROW(dr7, DR7), ROW(dr7, DR7), ROW(rdmsr, MSR), ROW(rdmsr, MSR), ROW(rdmsr_value, MSR_VALUE),
	ROW(wrmsr, MSR_WRITE), ROW(wrmsr, MSR_WRITE), ROW(wrmsr, MSR_WRITE), ROW(xgetbv, NONE), ROW(xsetbv, XCR),
	ROW(xsetbv, XCR), ROW(inb, PORT), ROW(inw, PORT), ROW(inl, PORT), ROW(outb, PORT), ROW(outl, PORT),
	ROW(insb, PORT), ROW(outsl, PORT), ROW(cpuid, LEAF), ROW(cpuid, LEAF), ROW(prefix_nop, NONE),
	ROW(rdfsbase, NONE), ROW(wrgsbase, CR2),
#undef ROW
};

/* Bits that a kernel may have set or not, but for FSGSBASE, which QEMU does not do
   well for a processor of many models. */
#define CR4_TSD		(1UL << 2)
#define CR4_DE		(1UL << 3)
#define CR4_OSXSAVE	(1UL << 18)
#define CR4_FSGSBASE	(1UL << 16)

static u64 msr_base_value(void)
{
	static const u64 edges[] = { 0, 0x7fffffffffff, 0x800000000000, 0xffff7fffffffffff, 0xffff800000000000, ~0UL };

	return chance(50) ? pool_va(below(POOL)) + below(PAGE_SIZE) : chance(60) ? pick(edges) : draw_word();
}

static void draw_msr(struct start *s, enum operand operand)
{
	static const u32 bases[] = { MSR_FS_BASE, MSR_USER_GS_BASE, MSR_GS_BASE };
	static const u32 others[] = {
		0x1b, 0xfe, 0x174, 0x175, 0x176, 0x277, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
		0x1234, 0x40000100, 0xc0011234, 0xdeadbeef,
	};
	u64 value = 0;

	if (operand == MSR_VALUE || chance(50)) {
		s->gpr[RCX] = pick(bases);
		value = msr_base_value();
	} else {
		s->gpr[RCX] = pick(others);
		value = draw_word();
	}
	note(" %lx", s->gpr[RCX]);
	s->gpr[RAX] = s->gpr[RDX] = 0;
	if (operand == MSR_WRITE) {
		s->gpr[RAX] = (u32)value;
		s->gpr[RDX] = value >> 32;
		note(" <- %lx", value);
	}
}

static void draw_operand(struct start *s, enum operand operand)
{
	static const u16 ports[] = { UNUSED_PORT, UNUSED_PORT, UNUSED_PORT + 4, 0x21, 0xa1, 0x20 };
	static const u32 leaves[] = { 0x40000000, 0x40000001, 0x40000002, 0x400000ff, 0x2fffffff };
	u64 v = 0;

	switch (operand) {
	case NONE:
		return;
	case MSR: case MSR_VALUE: case MSR_WRITE:
		draw_msr(s, operand);
		return;
	case FLAGS:		/* without TF, and AC, which a handler would run with */
		v = draw() & (FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_ID | FLAG_CF | FLAG_ZF | FLAG_PF);
		break;
	case MEMORY:
		v = s->gpr[RDI] = draw_address();
		note(" at");
		break;
	case SELECTOR:
		v = draw() & 0xffff;
		break;
	case CR0:
		v = read_cr0() ^ (chance(60) ? below(2) * CR0_TS : 1UL << below(64));
		note(" ^");
		s->gpr[RBX] = v;
		note(" %lx", v ^ read_cr0());
		return;
	case CR2:
		v = chance(50) ? draw_address() : draw_word();
		break;
	case CR3: {
		u64 frames[] = { root_frame, frame_of(pte_of(pool_va(0))), start_info->shared_info / PAGE_SIZE, FAR + below(99) };
		u64 frame = pick(frames);

		if (current_root != root_frame && frame == root_frame)
			frame = FAR;	/* the loaded root is the tables' affair */
		note(" %s", frame_name(frame));
		s->gpr[RBX] = frame * PAGE_SIZE;
		return;
	}
	case CR4: {
		static const u64 bits[] = { CR4_TSD, CR4_DE, CR4_OSXSAVE, CR4_TSD | CR4_DE };

		v = chance(70) ? pick(bits) : draw_word() & ~CR4_FSGSBASE & ~CR4_TSD;
		s->gpr[RBX] = read_cr4() ^ v;
		note(" ^ %lx", v);
		return;
	}
	case DR:
		v = msr_base_value();
		break;
	case DR6:
		v = draw() & 0xfffff;
		break;
	case DR7:		/* no breakpoint at what runs: DR0 to DR3 are 0 */
		v = chance(60) ? (draw() & 0xffff0300) | 0x400 : draw_word() & ~0xffUL;
		break;
	case XCR: {
		static const u64 values[] = { 3, 3, 1, 0, 2, 7, 3 | 1UL << 62, ~0UL, 4 };

		v = pick(values);
		s->gpr[RCX] = chance(85) ? 0 : draw_word();
		s->gpr[RAX] = (u32)v;
		s->gpr[RDX] = v >> 32;
		note(" %lx", s->gpr[RCX]);
		break;
	}
	case PORT:
		v = s->gpr[RDX] = pick(ports);
		s->gpr[RSI] = s->gpr[RDI] = chance(70) ? (u64)pool_view(0) : draw_bad_pointer();
		if (s->gpr[RSI] < 0x1000)
			s->gpr[RSI] = s->gpr[RDI] = AREA_BASE + AREA_HOLE * PAGE_SIZE;
		note(" rsi %s", s->gpr[RSI] == (u64)pool_view(0) ? "view" : named(s->gpr[RSI]));
		break;
	case LEAF:
		v = s->gpr[RAX] = pick(leaves);
		s->gpr[RCX] = 0;
		break;
	}
	if (operand != XCR && operand != PORT && operand != LEAF && operand != MEMORY)
		s->gpr[RBX] = v;
	note(" %lx", v);
}

static void put_back(u64 cr4, bool xcr)
{
	u32 iopl = 0;

	if (xcr) {
		write_cr4(cr4 | CR4_OSXSAVE);
		asm volatile("xsetbv" : : "a"(3), "d"(0), "c"(0));
	}
	write_cr4(cr4);
	for (u32 i = 0; i < 3; i++)
		hypercall(HYP_SET_SEGMENT_BASE, i, 0, 0, 0, 0);
	HYPERVISOR_set_debugreg(7, 0);
	HYPERVISOR_set_debugreg(6, 0);
	for (u32 i = 0; i < 4; i++)
		HYPERVISOR_set_debugreg(i, 0);
	HYPERVISOR_fpu_taskswitch(0);
	hypercall(HYP_PHYSDEV_OP, PHYSDEVOP_SET_IOPL, (u64)&iopl, 0, 0, 0);
	vcpu_info()->cr2 = 0;
}

/* What the instruction gave: the registers that are not as they were. Where the
   answer is the machine's, only that there was one. */
static void note_answer(const struct priv *p, const struct start *s)
{
	static const char *const names[GPRS] = {
		"r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
	};
	struct record *r = &seen[0];
	u64 now[GPRS];

	memcpy(now, r->gpr, sizeof(now));
	now[RCX] = r->frame[0];
	now[R11] = r->frame[1];
	if (p->operand == MSR || p->operand == CR4 || p->operand == CR3)
		return;
	for (u32 i = 0; i < GPRS; i++)
		if (now[i] != s->gpr[i])
			note(" %s=%lx", names[i], now[i]);
}

static bool op_priv(void)
{
	const struct priv *p = &pick(list);
	bool user = chance(20) && current_user_root == user_root_frame;
	struct start s = user ? user_code(p->user) : kernel_code(p->code);
	u64 cr4 = read_cr4();
	u32 iopl = chance(40) ? 0 : below(4);
	u64 with = p->operand == XCR && chance(80) ? CR4_OSXSAVE : chance(10) ? CR4_DE : 0;
	bool ok;

	note(" %s iopl %u cr4 %lx", user ? "user" : "kernel", iopl, with);
	hypercall(HYP_PHYSDEV_OP, PHYSDEVOP_SET_IOPL, (u64)&iopl, 0, 0, 0);
	if (with)
		write_cr4(cr4 | with);
	vcpu_info()->cr2 = 0;
	draw_operand(&s, p->operand);
	ok = run_code(p->name, &s, user ? p->user_end : p->end, 0);
	note(" fl %lx", seen[0].back.flags & (FLAG_IF | FLAG_IOPL | FLAG_DF | FLAG_NT | FLAG_ID));
	note_answer(p, &s);
	if (ok && p->operand == CR4)
		note(" cr4 ^ %lx", seen[0].gpr[RBX] ^ cr4);
	put_back(cr4, p->operand == XCR);
	return ok;
}

const struct operation priv_operations[] = {
	{ "priv", 12, op_priv },
	{}
};
