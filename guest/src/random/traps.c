/*
 * traps.c - exceptions of every origin, in kernel and in user mode: what the handler
 * finds on its stack and in its registers. Also single steps and breakpoints.
 */
#include "random.h"

#define BOTH_CODE(name, text)				\
	KERNEL_CODE(trap_##name##_k, text "\nud2");	\
	USER_CODE(trap_##name##_u, text "\nud2")

BOTH_CODE(int3, "int3");
BOTH_CODE(int3_long, ".byte 0xcd, 3");
BOTH_CODE(ud2, "ud2");
BOTH_CODE(divide, "xor %edx, %edx\ndiv %rbx");
BOTH_CODE(idivide, "mov $-1, %rdx\nidiv %ebx");
BOTH_CODE(read, "mov (%rbx), %eax");
BOTH_CODE(write, "mov %eax, (%rbx)");
BOTH_CODE(jump, "jmp *%rbx");
BOTH_CODE(call, "call *%rbx");
BOTH_CODE(ret, "push %rbx\nret");
BOTH_CODE(mov_ss, "mov %ebx, %ss");
BOTH_CODE(mov_ds, "mov %ebx, %ds");
BOTH_CODE(pop_fs, "push %rbx\npop %fs");
BOTH_CODE(lret, "push %rbx\npush %rax\nlretq");
BOTH_CODE(bound, ".byte 0x62, 0x04, 0x24");
BOTH_CODE(into, ".byte 0xce");
BOTH_CODE(steps, "nop\nmov %rbx, %rcx\nadd $3, %rcx\npush %rcx\npop %rdx\nnop");
BOTH_CODE(lock_nop, ".byte 0xf0, 0x90");

/* INT n, each in its own place: 4 bytes each. */
asm(".pushsection .text\ntrap_int_k: .set n, 0\n.rept 256\n.byte 0xcd, n\nud2\n.set n, n + 1\n.endr\n.popsection\n"
    ".pushsection .user.text, \"ax\"\ntrap_int_u: .set n, 0\n.rept 256\n.byte 0xcd, n\nud2\n.set n, n + 1\n.endr\n.popsection");
extern char trap_int_k[], trap_int_u[];

enum operand { NONE, DIVISOR, ADDRESS, TARGET, SELECTOR };

static const struct trap {
	const char *name, *code, *end, *user, *user_end;
	enum operand operand;
} list[] = {
#define ROW(name, operand) { "trap " #name, trap_##name##_k, trap_##name##_k_end, trap_##name##_u, trap_##name##_u_end, operand }
	ROW(int3, NONE), ROW(int3_long, NONE), ROW(ud2, NONE), ROW(divide, DIVISOR), ROW(idivide, DIVISOR),
	ROW(read, ADDRESS), ROW(read, ADDRESS), ROW(write, ADDRESS), ROW(write, ADDRESS), ROW(jump, TARGET),
	ROW(call, TARGET), ROW(ret, TARGET), ROW(mov_ss, SELECTOR), ROW(mov_ds, SELECTOR), ROW(pop_fs, SELECTOR),
	ROW(bound, NONE), ROW(into, NONE), ROW(lock_nop, NONE),
#undef ROW
};

/* Addresses that lead nowhere, or to what neither mode may have. Reads of the
   machine-to-physical table work, and give numbers: so only above its end. */
static u64 draw_nowhere(void)
{
	static const u64 places[] = {
		0xffff800000000000, 0xffff800000000ff8, 0xffff820000000000, 0xffff820040000000, 0xffff82d080000000,
		0xffff830000000000, 0xffff840000000000, 0xffff87fffffffff8, 0x0000800000000000, 0xffff7ffffffffff8,
		0x8000000000000000, 0x0000000000000008, 0x00007ffffffffff8, AREA_BASE + AREA_HOLE * PAGE_SIZE,
		AREA_BASE + AREA_HOLE * PAGE_SIZE - 2,
	};

	return pick(places);
}

static void note_frame(const struct start *s)
{
	const struct record *r = &seen[0];

	note(" cs %lx ss %lx fl %lx", r->back.cs & 0xffff, r->back.ss,
	     r->back.flags & (FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC | FLAG_ID));
	note(" sp %ld mask %u", (long)(r->back.sp - s->at.sp), r->mask);
	mixed(0);
	for (u32 i = 0; i < GPRS; i++)
		if (i != RCX && i != R11)
			mix(r->gpr[i]);
	mix(r->frame[0]);
	mix(r->frame[1]);
	mix(r->flags & (FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_ID));
	mix(r->cs << 16 | r->ss);
	mix(r->rsp - (u64)trap_stack_top);
	note(" regs %lx", mixed(0));
}

/* User mode only as the boot tables have it. */
static bool draw_mode(void)
{
	return chance(40) && current_user_root == user_root_frame;
}

/* Flags to run with that neither change what the code does nor outlive it. */
static u64 draw_flags(void)
{
	return CODE_FLAGS | (draw() & (FLAG_DF | FLAG_CF | FLAG_ID | FLAG_IOPL)) | (chance(20) ? FLAG_NT : 0);
}

static bool op_trap(void)
{
	const struct trap *t = &pick(list);
	bool user = draw_mode();
	struct start s = user ? user_code(t->user) : kernel_code(t->code);
	u64 v = 0;

	switch (t->operand) {
	case NONE:
		break;
	case DIVISOR:
		v = chance(50) ? 0 : draw_word();
		break;
	case ADDRESS:
	case TARGET:
		v = draw_nowhere();
		if (t->operand == TARGET && (long)v >> 47 != 0 && (long)v >> 47 != -1)
			v = 0x00007ffffffffff8;	/* of these, QEMU faults elsewhere */
		break;
	case SELECTOR: {
		static const u16 selectors[] = { 0, 3, 8, 0xe008, 0xe02b, 0xe033, 0xe010, 0x13, 0xfffb, 0x7, 0xe02a, 0xe038 };

		v = pick(selectors);
		break;
	}
	}
	s.at.flags = draw_flags();
	s.gpr[RBX] = v;
	note(" %s %lx", user ? "user" : "kernel", v);
	vcpu_info()->cr2 = 0;
	run_code(t->name, &s, user ? t->user_end : t->end, t->operand == TARGET ? v : 0);
	note_frame(&s);
	return true;
}

static bool op_int(void)
{
	bool user = draw_mode();
	u32 n = chance(50) ? below(33) : below(256);
	struct start s;
	char *at;

	if (n == 0x82)
		n = 0x81;		/* Xen's own */
	at = (user ? trap_int_u : trap_int_k) + n * 4;
	s = user ? user_code(at) : kernel_code(at);
	s.at.flags = draw_flags();
	note(" %s %x", user ? "user" : "kernel", n);
	run_code("int", &s, at + 4, 0);
	note_frame(&s);
	return true;
}

static u32 steps, steps_max;
static u64 steps_digest;

static int step(struct record *r)
{
	if (r->kind != 1 || ++steps > steps_max)
		return LEAVE;
	steps_digest = steps_digest * 31 + (r->back.ip & 0xfff);
	steps_digest = steps_digest * 31 + (HYPERVISOR_get_debugreg(6) & 0xe00f);
	HYPERVISOR_set_debugreg(6, 0);
	if (steps == steps_max)
		r->back.flags &= ~(u64)FLAG_TF;
	return BACK_IRET;
}

/* Steps through code, with or without a breakpoint in it. */
static bool op_steps(void)
{
	bool user = draw_mode(), step_it = chance(60);
	struct start s = user ? user_code(trap_steps_u) : kernel_code(trap_steps_k);
	struct record *last;
	u64 base = s.at.ip;

	steps = 0;
	steps_digest = 0;
	steps_max = 1 + below(6);
	if (step_it)
		s.at.flags |= FLAG_TF;
	note(" %s %s of %u", user ? "user" : "kernel", step_it ? "steps" : "run", steps_max);
	if (chance(50)) {
		static const u8 offsets[] = { 1, 4, 8, 9, 10 };	/* of instructions */
		u32 offset = pick(offsets), reg = below(4);

		if (!step_it) {
			HYPERVISOR_set_debugreg(reg, s.at.sp - 8);
			HYPERVISOR_set_debugreg(7, 1UL << reg * 2 | 0x9UL << (16 + reg * 4));
			note(" watch");
		} else {
			HYPERVISOR_set_debugreg(reg, base + offset + 0x100);
			HYPERVISOR_set_debugreg(7, 1UL << reg * 2);
			note(" breakpoint beyond");
		}
		note(" dr%u", reg);
	}
	run(&s, step);
	HYPERVISOR_set_debugreg(7, 0);
	HYPERVISOR_set_debugreg(6, 0);
	for (u32 i = 0; i < 4; i++)
		HYPERVISOR_set_debugreg(i, 0);
	last = &seen[seen_count <= RECORDS ? seen_count - 1 : RECORDS - 1];
	note(" entries %lu steps %lx last %lx at +%lx rcx %lx rdx %lx", seen_count, steps_digest, last->kind,
	     last->back.ip - base, last->frame[0], last->gpr[RDX]);
	note_count("steps", 0);
	return true;
}

const struct operation trap_operations[] = {
	{ "trap", 8, op_trap },
	{ "int", 4, op_int },
	{ "steps", 3, op_steps },
	{}
};
