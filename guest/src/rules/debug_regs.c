/* debug_regs.c - DBG, second part: debug registers and breakpoints. */
#include "rules.h"
#include "code.h"

#define DR7_L0		0x1UL
#define DR7_L0_EXEC	DR7_L0
#define DR7_L0_WRITE8	(DR7_L0 | 0x90000UL)
#define DR7_L0_IO	(DR7_L0 | 0x20000UL)
#define DR7_GD		0x2000UL
#define CR4_DE		0x8UL

static u64 watched;

/* The bits of DR6 that a #DB may set. */
static u64 dr6(void)
{
	return HYPERVISOR_get_debugreg(6) & 0xe00f;
}

static int say_dr6(struct record *r)
{
	if (r->kind != 1) {
		show_entry("ended by", r);
		return LEAVE;
	}
	say("#DB at %s: dr6 %lx", named(r->back.ip), dr6());
	r->back.flags &= ~(u64)FLAG_TF;
	return BACK_IRET;
}

/* DBG-10: a step, then a watchpoint, with DR6 cleared in between or not. */
KERNEL_CODE(step_and_store, "nop\nnop\nmov %rbx, (%rax)\nnop\nud2");

static int say_and_clear_dr6(struct record *r)
{
	int decision = say_dr6(r);

	HYPERVISOR_set_debugreg(6, 0);
	return decision;
}

static void step_then_watch(record_handler *handler)
{
	struct start s = kernel_code(step_and_store);

	catch_all();
	NAME_CODE(step_and_store);
	say_result("set_debugreg(0)", HYPERVISOR_set_debugreg(0, (u64)&watched));
	say_result("set_debugreg(7)", HYPERVISOR_set_debugreg(7, DR7_L0_WRITE8));
	s.gpr[RAX] = (u64)&watched;
	s.at.flags |= FLAG_TF;
	go(&s, handler);
}

static void dbg_10(void) { step_then_watch(say_and_clear_dr6); }
static void dbg_10_bad(void) { step_then_watch(say_dr6); }

/* DBG-11 */
static void dbg_11(void)
{
	static const struct { const char *name; u64 reg, value; } rows[] = {
		{ "dr0 = kernel address", 0, (u64)&watched }, { "dr1 = 0", 1, 0 },
		{ "dr0 in the hole", 0, 0xffff820000000000 }, { "dr3 not canonical", 3, 0x800000000000 },
		{ "dr4 alias of dr6", 4, 0 }, { "dr5 alias of dr7", 5, 0 }, { "dr8", 8, 0 },
		{ "dr6 with high bits", 6, 1UL << 32 }, { "dr7 with high bits", 7, 1UL << 32 },
		{ "dr7 with gd", 7, DR7_GD }, { "dr7 with an i/o breakpoint", 7, DR7_L0_IO },
		{ "dr7 with a write breakpoint", 7, DR7_L0_WRITE8 }, { "dr7 = 0", 7, 0 },
	};
	u64 cr4 = read_cr4();

	for (u32 i = 0; i < ARRAY_LEN(rows); i++)
		say_result(rows[i].name, HYPERVISOR_set_debugreg(rows[i].reg, rows[i].value));
	say_result("get dr8", HYPERVISOR_get_debugreg(8));
	HYPERVISOR_set_debugreg(0, 0x1234);
	HYPERVISOR_set_debugreg(7, DR7_L0_EXEC);
	say("read back: dr0 %lx, dr7 %lx", HYPERVISOR_get_debugreg(0), HYPERVISOR_get_debugreg(7));
	HYPERVISOR_set_debugreg(7, 0);
	write_cr4(cr4 | CR4_DE);
	say_result("with cr4.de: dr4", HYPERVISOR_set_debugreg(4, 0));
	say_result("with cr4.de: get dr4", HYPERVISOR_get_debugreg(4));
	say_result("with cr4.de: dr7 with an i/o breakpoint", HYPERVISOR_set_debugreg(7, DR7_L0_IO));
	HYPERVISOR_set_debugreg(7, 0);
	write_cr4(cr4);
}

/* DBG-12: a watchpoint under the frame that Xen writes. */
static void dbg_12(void)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	HYPERVISOR_set_debugreg(0, s.at.sp - 16);
	say_result("watch the word of rsp in the frame", HYPERVISOR_set_debugreg(7, DR7_L0_WRITE8));
	go(&s, NULL);
	HYPERVISOR_set_debugreg(7, 0);
	show_entry("the first entered", &seen[0]);
	say("entries %lu, dr6 %lx", seen_count, dr6());
}

/* DBG-14: a breakpoint put over the first byte of an instruction of three. The
   text is read-only, so two copies of the code: with the breakpoint and without. */
KERNEL_CODE(patched, ".byte 0xcc, 0xff, 0xc0\nud2");	/* 48 ff c0: inc %rax */
KERNEL_CODE(original, ".byte 0x48, 0xff, 0xc0\nud2");
static int resume_behind;

static int at_breakpoint(struct record *r)
{
	if (seen_count > 1)
		return LEAVE;
	if (resume_behind)
		return BACK_IRET;
	r->back.ip = (u64)original + (r->back.ip - 1 - (u64)patched);
	return BACK_IRET;
}

static void probe(int behind)
{
	struct start s = kernel_code(patched);

	catch_all();
	resume_behind = behind;
	s.gpr[RAX] = 0xffffffff;
	go(&s, at_breakpoint);
	say("int3: rip is the breakpoint's + %lu", seen[0].frame[2] - (u64)patched);
	say("inc rax of ffffffff gave %lx", seen[1].gpr[RAX]);
}

static void dbg_14(void) { probe(false); }
static void dbg_14_bad(void) { probe(true); }

const struct demo debug_reg_demos[] = {
	{ "DBG-10", BREAKABLE, dbg_10, dbg_10_bad },
	{ "DBG-11", FACT, dbg_11 },
	{ "DBG-12", FACT, dbg_12 },
	{ "DBG-14", BREAKABLE, dbg_14, dbg_14_bad },
	{}
};
