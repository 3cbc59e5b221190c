/* frame.c - FRAME: what an exception, event or system call finds on the stack,
   in registers and in flags. */
#include "rules.h"
#include "code.h"

/* FRAME-01: a stub that knows the two extra words, on #BP and #UD. */
static void frame_01(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	go(&s, back_once);
	show_frame("#BP", &seen[0]);
	show_frame("#UD", &seen[1]);
}

/* A native stub takes the first word for RIP, the next for CS. */
static int back_as_native(struct record *r)
{
	if (seen_count > 1)
		return LEAVE;
	memcpy(&r->back, &r->frame[0], sizeof(r->back));
	say("a native stub returns to rip %s, cs %s, rsp %s", named(r->back.ip),
	    named(r->back.cs), named(r->back.sp));
	return BACK_IRET;
}

static void frame_01_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	s.gpr[R11] = FLAT_CS & ~3;	/* what stands for CS: kernel, so that it gets far */
	go(&s, back_as_native);
	show_frame("what came of it", &seen[1]);
}

/* FRAME-02 */
static void show_counters(const char *when, u64 rcx, u64 r11)
{
	say("%s: rcx %s, r11 %s", when, named(rcx), named(r11));
}

static void frame_02(void)
{
	struct start s = kernel_code(kernel_int3);
	struct record *r;

	catch_all();
	r = go(&s, back_once);
	show_counters("in the handler", r->gpr[RCX], r->gpr[R11]);
	say("r11 is the handler's rflags: %d", (r->gpr[R11] & ~FLAG_IF) == (r->flags & ~FLAG_IF));
	show_counters("in the frame", r->frame[0], r->frame[1]);
	show_counters("after the return", seen[1].frame[0], seen[1].frame[1]);
}

/* A stub that stores RCX and R11 as it finds them. */
static int back_with_handlers_own(struct record *r)
{
	r->frame[0] = r->gpr[RCX];
	r->frame[1] = 0x5e7;		/* any value that is not the code's */
	return back_once(r);
}

static void frame_02_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	go(&s, back_with_handlers_own);
	show_counters("after the return", seen[1].frame[0], seen[1].frame[1]);
}

/* FRAME-03 */
static void frame_03(void)
{
	struct start kernel = kernel_code(kernel_int3), user = user_code(user_int3);

	catch_all();
	go(&kernel, NULL);
	say("from the kernel: handler's rsp %s, interrupted rsp %s", named(seen[0].rsp),
	    named(seen[0].back.sp));
	go(&user, NULL);
	say("from user mode: handler's rsp %s, interrupted rsp %s", named(seen[0].rsp),
	    named(seen[0].back.sp));
}

static void frame_03_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	s.at.sp = 0;
	say("int3 in the kernel with rsp 0");
	go(&s, NULL);
}

/* FRAME-04 */
static void frame_04(void)
{
	struct start s = kernel_code(kernel_int3);
	u64 top = s.at.sp, bad = NOWHERE_KERNEL;

	catch_all();
	for (u32 below = 0; below < 16; below += below == 5 ? 3 : 5) {
		s.at = (struct target){ (u64)kernel_int3, FLAT_CS, CODE_FLAGS, top - below, FLAT_DS };
		go(&s, NULL);
		say("rsp top-%u, no error code: frame at top-%lu, rsp mod 16 %lu, saved rsp %s", below,
		    top - seen[0].rsp, seen[0].rsp % 16, named(seen[0].back.sp));
		s.at.ip = (u64)kernel_read;
		s.gpr[RAX] = bad;
		go(&s, NULL);
		say("rsp top-%u, error code: frame at top-%lu, rsp mod 16 %lu, saved rsp %s", below,
		    top - seen[0].rsp, seen[0].rsp % 16, named(seen[0].back.sp));
	}
}

/* FRAME-05 */
KERNEL_CODE(red_zone, "mov %rbx, -8(%rsp)\nint3\nmov -8(%rsp), %rax\nud2");
KERNEL_CODE(own_zone, "sub $8, %rsp\nmov %rbx, (%rsp)\nint3\nmov (%rsp), %rax\nud2");

static void local_variable(const char *where, const void *code)
{
	struct start s = kernel_code(code);

	catch_all();
	go(&s, back_once);
	say("%s: stored %s, loaded %s", where, named(s.gpr[RBX]), named(seen[1].gpr[RAX]));
}

static void frame_05(void) { local_variable("above rsp", own_zone); }
static void frame_05_bad(void) { local_variable("below rsp", red_zone); }

/* FRAME-06 */
static void frame_06(void)
{
	struct start kernel = kernel_code(kernel_int3), user = user_code(user_int3);

	catch_all();
	go(&kernel, NULL);
	say("from the kernel: cs %lx, ss %lx", seen[0].back.cs & 0xffff, seen[0].back.ss);
	go(&user, NULL);
	say("from user mode: cs %lx, ss %lx", seen[0].back.cs & 0xffff, seen[0].back.ss);
}

/* A handler that tests SS, as the mode is not in it. */
static int mode_by_ss(struct record *r)
{
	say("by ss the trap came from %s", r->back.ss & 3 ? "user mode" : "the kernel");
	return LEAVE;
}

static void frame_06_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	say("int3 in the kernel");
	go(&s, mode_by_ss);
}

/* FRAME-07: the two bytes of padding behind the mask, and the next word. */
static void frame_07(void)
{
	volatile u8 *info = (volatile u8 *)vcpu_info();
	struct start s = kernel_code(kernel_int3);

	catch_all();
	info[2] = 0x55;
	info[3] = 0x66;
	for (u32 mask = 0; mask < 2; mask++) {
		info[1] = mask;
		say("mask %u: cs word %lx", mask, go(&s, NULL)->back.cs);
	}
	info[2] = 0;
	info[3] = 0;
}

static void frame_07_bad(void)
{
	struct start s = kernel_code(kernel_int3);
	u64 kernel = FLAT_CS & ~3;

	catch_all();
	for (u32 mask = 0; mask < 2; mask++) {
		vcpu_info()->evtchn_upcall_mask = mask;
		say("mask %u: the whole word is %lx: %d", mask, kernel, go(&s, NULL)->back.cs == kernel);
	}
}

/* FRAME-08 */
static void frame_08(void)
{
	static const u8 masks[] = { 0, 1, 2, 0x80 };
	struct start s = kernel_code(kernel_pushf_int3);
	u32 iopl = 3;

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(masks); i++) {
		vcpu_info()->evtchn_upcall_mask = masks[i];
		go(&s, NULL);
		say("mask %x: pushf says if %d, the frame %d", masks[i], !!(seen[0].gpr[RAX] & FLAG_IF),
		    !!(seen[0].back.flags & FLAG_IF));
	}
	say_result("set_iopl(3)", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
	say("iopl in the frame %lu", (go(&s, NULL)->back.flags & FLAG_IOPL) >> 12);
	say_result("vm_assist(architectural_iopl)",
		   HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl));
	say("iopl in the frame %lu", (go(&s, NULL)->back.flags & FLAG_IOPL) >> 12);
}

/* FRAME-09 */
static void frame_09(void)
{
	static const struct { const char *name; u64 flag; } flags[] = {
		{ "cf", FLAG_CF }, { "pf", FLAG_PF }, { "af", FLAG_AF }, { "zf", FLAG_ZF },
		{ "sf", FLAG_SF }, { "df", FLAG_DF }, { "of", FLAG_OF }, { "nt", FLAG_NT },
		{ "ac", FLAG_AC }, { "id", FLAG_ID },
	};
	struct start s = kernel_code(kernel_int3);

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(flags); i++) {
		s.at.flags = CODE_FLAGS | flags[i].flag;
		go(&s, NULL);
		say("%s set: in the handler %d, in the frame %d", flags[i].name,
		    !!(seen[0].flags & flags[i].flag), !!(seen[0].back.flags & flags[i].flag));
	}
	s.at.flags = CODE_FLAGS | FLAG_TF;
	s.at.ip = (u64)kernel_nop;
	go(&s, NULL);
	say("tf set: in the handler %d, in the frame %d", !!(seen[0].flags & FLAG_TF),
	    !!(seen[0].back.flags & FLAG_TF));
}

static char copied[8];

/* A handler's "rep movsb" that counts on DF clear, by the DF it was entered with. */
static int copy_without_cld(struct record *r)
{
	const char *from = "abcd";
	char *to = copied;
	u64 n = 4;

	memset(copied, '.', 7);
	if (r->flags & FLAG_DF)		/* only the last byte is safe to show */
		from += 3, to += 3;
	if (r->flags & FLAG_DF)
		asm volatile("std; rep movsb; cld" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	else
		asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
	say("rep movsb went %s", to < copied ? "backwards" : "forwards");
	return LEAVE;
}

static void frame_09_bad(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	s.at.flags = CODE_FLAGS | FLAG_DF;
	go(&s, copy_without_cld);
}

/* FRAME-10 */
static void frame_10(void)
{
	struct start kernel = kernel_code(kernel_int3), user = user_code(user_int3);
	struct trap_info table[2] = { { 3, 3 | TI_EVENT_MASK, 0x10, recorder_of(3) } };

	say_result("set_trap_table with cs 10", HYPERVISOR_set_trap_table(table));
	say_result("stack_switch with ss 18", HYPERVISOR_stack_switch(0x18, (u64)trap_stack_top - 256));
	go(&kernel, NULL);
	say("from the kernel: cs %lx, ss %lx", seen[0].cs, seen[0].ss);
	go(&user, NULL);
	say("from user mode: cs %lx, ss %lx", seen[0].cs, seen[0].ss);
}

/* FRAME-11 */
USER_CODE(user_segments, "mov %eax, %ds\nmov %ebx, %es\nint3");
static u64 read_in_handler[2];

static int read_bases(struct record *r)
{
	read_in_handler[0] = fs_base();
	read_in_handler[1] = gs_base() == (u64)&percpus[0];
	return LEAVE;
}

static void frame_11(void)
{
	struct start s = user_code(user_segments);

	catch_all();
	*user_word_at() = 0xf5ba5e;
	s.gpr[RAX] = FLAT_DS;
	s.gpr[RBX] = 0;
	say_result("set_segment_base(fs, user address)",
		   HYPERVISOR_set_segment_base(SEGBASE_FS, (u64)user_word_at()));
	go(&s, read_bases);
	say("in the handler: ds %lx, es %lx, fs %lx, gs %lx", seen[0].ds, seen[0].es, seen[0].fs,
	    seen[0].gs);
	say("in the handler: fs points to the user's word %lx, gs to the kernel's: %lu",
	    read_in_handler[0], read_in_handler[1]);
}

const struct demo frame_demos[] = {
	{ "FRAME-01", BREAKABLE, frame_01, frame_01_bad, BAD_DIES },
	{ "FRAME-02", BREAKABLE, frame_02, frame_02_bad },
	{ "FRAME-03", BREAKABLE, frame_03, frame_03_bad, BAD_DIES },
	{ "FRAME-04", FACT, frame_04 },
	{ "FRAME-05", BREAKABLE, frame_05, frame_05_bad },
	{ "FRAME-06", BREAKABLE, frame_06, frame_06_bad },
	{ "FRAME-07", BREAKABLE, frame_07, frame_07_bad },
	{ "FRAME-08", FACT, frame_08 },
	{ "FRAME-09", BREAKABLE, frame_09, frame_09_bad },
	{ "FRAME-10", FACT, frame_10 },
	{ "FRAME-11", FACT, frame_11 },
	{}
};
