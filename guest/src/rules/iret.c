/* iret.c - IRET: what HYPERVISOR_iret takes from the stack. */
#include "rules.h"
#include "code.h"

#define KERNEL_CS	(FLAT_CS & ~3)

/* A way back into the kernel by the hypercall. */
static struct start iret_to(const void *ip)
{
	struct start s = kernel_code(ip);

	s.how = START_IRET;
	s.at.cs = KERNEL_CS;
	return s;
}

static void show_registers(const struct record *r)
{
	static const struct { const char *name; enum gpr reg; } live[] = {
		{ "rax", RAX }, { "rbx", RBX }, { "rdx", RDX }, { "rsi", RSI }, { "rdi", RDI }, { "rbp", RBP },
		{ "r8", R8 }, { "r9", R9 }, { "r10", R10 }, { "r12", R12 }, { "r13", R13 }, { "r14", R14 },
		{ "r15", R15 },
	};

	say("at the target: rcx = %s, r11 = %s", named(r->frame[0]), named(r->frame[1]));
	for (u32 i = 0; i < ARRAY_LEN(live); i++)
		if (r->gpr[live[i].reg] != sentinel(live[i].reg))
			say("at the target: %s = %s", live[i].name, named(r->gpr[live[i].reg]));
}

/* IRET-01 */
static void iret_01(void)
{
	struct start s = iret_to(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	go(&s, NULL);
	show_registers(&seen[0]);
	show_frame("the target's trap", &seen[0]);
}

/* The five words of a frame, and the jump, but not the word of flags, whose place
   RIP takes. */
KERNEL_CODE(iret_no_flags, "pushq $0xe02b\npush %rbx\npushq $0x202\npushq $0xe030\n"
			   "push %rax\njmp hypercall_page + 23*32");

static void iret_01_bad(void)
{
	struct start s = kernel_code(iret_no_flags);

	catch_all();
	/* Addresses that are no flags: neither VGCF_IN_SYSCALL nor of RFLAGS. */
	s.gpr[RAX] = KERNEL_BASE;
	s.gpr[RBX] = 0x200000000;
	say("iret without the word of flags");
	go(&s, NULL);
	show_frame("what came", &seen[0]);
}

/* IRET-02: the stub's SYSCALL with the nine words of RSP prepared. */
KERNEL_CODE(iret_syscall, "mov $23, %eax\nsyscall\nud2");
static u64 nine_words[9] __attribute__((aligned(16)));

static void iret_from(u64 sp)
{
	struct start s = kernel_code(iret_syscall);

	catch_all();
	NAME_CODE(kernel_int3);
	s.at.sp = sp;
	go(&s, NULL);
	show_entry("iret", &seen[0]);
}

static void iret_02(void)
{
	u64 words[9] = { 1, 2, 3, 0, (u64)kernel_int3, KERNEL_CS, CODE_FLAGS, (u64)cell_stack_top - 256, FLAT_DS };

	memcpy(nine_words, words, sizeof(words));
	iret_from((u64)nine_words);
	say("rax %lx, r11 %lx, rcx %lx", seen[0].gpr[RAX], seen[0].frame[1], seen[0].frame[0]);
}

static void iret_02_bad(void)
{
	say("iret with rsp at nothing");
	iret_from(NOWHERE_KERNEL);
}

/* IRET-03 */
static void iret_03(void)
{
	catch_all();
	NAME_CODE(user_int3);
	for (u64 rpl = 0; rpl < 4; rpl++) {
		struct start s = user_code(user_int3);

		s.at.cs = KERNEL_CS | rpl;
		go(&s, NULL);
		say("cs with RPL %lu: vector %lx, frame's cs %lx, ss %lx, on the stack at %s", rpl,
		    seen[0].kind, seen[0].back.cs & 0xffff, seen[0].back.ss, named(seen[0].rsp));
	}
}

/* OR-ing 3 into CS is for the instruction; with the hypercall it is user mode. */
static int both_recipes(struct record *r)
{
	r->back.cs |= 3;
	return back_once(r);
}

static void iret_03_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	go(&s, both_recipes);
	show_frame("what came", &seen[1]);
}

/* IRET-04 */
static void iret_04(void)
{
	struct start s = user_code(user_int3);

	catch_all();
	NAME_CODE(user_int3);
	go(&s, NULL);
	show_entry("with a user page table", &seen[0]);
}

static void iret_04_bad(void)
{
	struct start s = user_code(user_int3);
	struct mmuext_op none = { MMUEXT_NEW_USER_BASEPTR, 0 };
	u32 done;

	catch_all();
	say_result("new user page table 0", HYPERVISOR_mmuext_op(&none, 1, &done));
	go(&s, NULL);
	show_entry("without a user page table", &seen[0]);
}

/* IRET-05 */
static void iret_05(void)
{
	struct start s = iret_to(kernel_int3);

	catch_all();
	go(&s, NULL);
	show_registers(&seen[0]);
	s.at.cs = 0x1230;
	go(&s, NULL);
	show_entry("cs 1230", &seen[0]);
}

static void iret_05_bad(void)
{
	struct start s = iret_to(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	s.vgcf = VGCF_IN_SYSCALL;
	go(&s, NULL);
	show_registers(&seen[0]);
	s.at.cs = 0x1230;
	s.at.ss = 0x55;
	go(&s, NULL);
	show_entry("cs 1230, ss 55", &seen[0]);
	say("at the target: cs %lx, ss %lx", seen[0].back.cs & 0xffff, seen[0].back.ss);
}

/* IRET-06 */
static void iret_06(void)
{
	struct start k = iret_to((void *)0x800000000000), u = user_code((void *)0x800000000000);

	catch_all();
	k.vgcf = u.vgcf = VGCF_IN_SYSCALL;
	go(&k, NULL);
	show_frame("kernel", &seen[0]);
	go(&u, NULL);
	show_frame("user", &seen[0]);
}

/* IRET-07 */
static void iret_07(void)
{
	static const struct { const char *name; u64 flag; } flags[] = {
		{ "none", 0 }, { "cf", FLAG_CF }, { "bit 1 too", FLAG_FIXED }, { "bit 3", 8 }, { "if", FLAG_IF },
		{ "df", FLAG_DF }, { "of", FLAG_OF }, { "iopl", FLAG_IOPL }, { "nt", FLAG_NT },
		{ "vm", FLAG_VM }, { "ac", FLAG_AC }, { "id", FLAG_ID },
	};

	catch_all();
	catch_vector(3, 3);
	for (u32 i = 0; i < ARRAY_LEN(flags); i++) {
		struct start k = iret_to(kernel_int3), u = user_code(user_int3);
		u64 kernel;
		u8 mask;

		k.at.flags = u.at.flags = flags[i].flag;
		go(&k, NULL);
		kernel = seen[0].back.flags;
		mask = seen[0].mask;
		go(&u, NULL);
		say("%s: kernel rflags %lx, mask %d, user rflags %lx, mask %d", flags[i].name, kernel, mask,
		    seen[0].back.flags, seen[0].mask);
	}
}

/* IRET-15 */
static void iret_15(void)
{
	struct start s = user_code(user_int3);

	catch_all();
	go(&s, NULL);
	show_registers(&seen[0]);
	say("at the target: rax = %s", named(seen[0].gpr[RAX]));
}

/* IRET-16 */
KERNEL_CODE(iret_cli, "cli\nud2");

static void iopl_after(u64 iopl)
{
	struct start s = iret_to(kernel_int3);

	s.at.flags = CODE_FLAGS | iopl << 12;
	go(&s, NULL);
	say("iret with iopl %lu: iopl in the next frame %lu", iopl, (seen[0].back.flags & FLAG_IOPL) >> 12);
}

static void iret_16(void)
{

	struct start s = iret_to(iret_cli);

	catch_all();
	iopl_after(3);
	say_result("vm_assist(architectural_iopl)",
		   HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl));
	for (u64 iopl = 0; iopl < 4; iopl++)
		iopl_after(iopl);
	for (u64 iopl = 0; iopl < 2; iopl++) {
		s.at.flags = CODE_FLAGS | iopl << 12;
		go(&s, NULL);
		say("cli with iopl %lu: vector %lx", iopl, seen[0].kind);
	}
}

const struct demo iret_demos[] = {
	{ "IRET-01", BREAKABLE, iret_01, iret_01_bad, BAD_DIES },
	{ "IRET-02", BREAKABLE, iret_02, iret_02_bad, BAD_DIES },
	{ "IRET-03", BREAKABLE, iret_03, iret_03_bad },
	{ "IRET-04", BREAKABLE, iret_04, iret_04_bad, BAD_DIES },
	{ "IRET-05", BREAKABLE, iret_05, iret_05_bad },
	{ "IRET-06", FACT, iret_06 },
	{ "IRET-07", FACT, iret_07 },
	{ "IRET-15", FACT, iret_15 },
	{ "IRET-16", FACT, iret_16 },
	{}
};
