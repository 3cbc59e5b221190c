/* selftest_exceptions.c - every exception that integer code can raise here, from
   kernel and from user mode. */
#include "selftest.h"
#include "cell.h"
#include "xen_guest.h"

struct user_raise_args { u64 run, operand; };
extern struct user_raise_args user_raise_args;
extern char user_raise_main[];

static struct expectation expected;

static void catch(struct pt_regs *regs, long vector)
{
	if (expected.seen)
		panic_trap(regs, vector);
	expected.seen = true;
	expected.vector = vector;
	expected.error = regs->orig;
	expected.regs = *regs;
	expected.address = vector == 14 ? fault_address() : 0;
	/* A fetch that failed left its return address on the stack. */
	if (expected.code == &kernel_raise[RAISE_FETCH] || expected.code == &user_raise[RAISE_FETCH])
		regs->sp += 8;
	regs->ip = expected.code->resume;
	regs->flags &= ~(u64)FLAG_TF;
}

struct expectation raise_and_catch(enum raise what, bool user, u64 operand)
{
	trap_handler *old[256];
	struct user_raise_args *args = user_alias(&user_raise_args);

	for (u32 v = 0; v < 256; v++)
		old[v] = trap_handle(v, v < 0xe0 ? catch : NULL);
	memset(&expected, 0, sizeof(expected));
	expected.code = user ? &user_raise[what] : &kernel_raise[what];
	if (user) {
		*args = (struct user_raise_args){ (u64)expected.code->run, operand };
		run_user((u64)user_raise_main, (u64)user_main_stack_top, FLAG_IF | FLAG_FIXED,
			 (u64)&user_raise_args);
	} else {
		expected.code->run(operand);
	}
	for (u32 v = 0; v < 256; v++)
		trap_handle(v, old[v]);
	return expected;
}

enum { AT_INSN, BEHIND, AT_OPERAND };	/* where the saved RIP points */
#define NO_ERROR	(-1UL)
#define NONE		255

struct row {
	const char *name;
	enum raise what;
	u64 operand_kernel, operand_user;
	u8 where;
	/* vector and error code: kernel on bare metal, on Xen, user */
	struct { u8 vector; u64 error; } native, xen, user;
};

#define SAME(v, e)	{ v, e }, { v, e }, { v, e }
#define NOWHERE		0x4242424242424242
#define HOLE_KERNEL	(AREA_BASE + AREA_HOLE * PAGE_SIZE)
#define HOLE_USER	0x4ff000

static const struct row rows[] = {
	{ "divide error", RAISE_DE, 0, 0, AT_INSN, SAME(0, NO_ERROR) },
	{ "single step", RAISE_DB, 0, 0, BEHIND, SAME(1, NO_ERROR) },
	{ "int3", RAISE_BP, 0, 0, BEHIND, SAME(3, NO_ERROR) },
	{ "int $4", RAISE_OF, 0, 0, BEHIND, SAME(4, NO_ERROR) },
	{ "ud2", RAISE_UD, 0, 0, AT_INSN, SAME(6, NO_ERROR) },
	{ "x87 with TS set", RAISE_NM, 0, 0, AT_INSN, SAME(7, NO_ERROR) },
	{ "absent segment in fs", RAISE_NP, GDT_ABSENT_DS | 3, GDT_ABSENT_DS | 3, AT_INSN,
	  SAME(11, GDT_ABSENT_DS) },
	{ "absent segment in ss", RAISE_SS, 0, GDT_ABSENT_DS | 3, AT_INSN,
	  { 12, GDT_ABSENT_DS0 }, { 12, GDT_ABSENT_DS }, { 12, GDT_ABSENT_DS } },
	{ "non-canonical read", RAISE_GP, NOWHERE, NOWHERE, AT_INSN, SAME(13, 0) },
	{ "hlt", RAISE_HLT, 0, 0, AT_INSN, { NONE, 0 }, { 13, 0 }, { 13, 0 } },
	{ "read of an unmapped page", RAISE_READ, HOLE_KERNEL, HOLE_USER, AT_INSN,
	  { 14, 0 }, { 14, 0 }, { 14, 4 } },
	{ "write to text", RAISE_WRITE, (u64)text_start, (u64)user_raise_main, AT_INSN,
	  { 14, 3 }, { 14, 3 }, { 14, 7 } },
	{ "fetch from data", RAISE_FETCH, (u64)&expected, (u64)&user_raise_args, AT_OPERAND,
	  { 14, 0x11 }, { 14, 0x11 }, { 14, 0x15 } },
	/* DPL 0: only native kernel code has the right; Xen counts its kernel as
	   ring 1 (FRAME-22). */
	{ "int $0x30 with DPL 0", RAISE_INT30, 0, 0, BEHIND,
	  { 0x30, NO_ERROR }, { 13, 0x30 * 8 + 2 }, { 13, 0x30 * 8 + 2 } },
	{ "int $0x31 with DPL 3", RAISE_INT31, 0, 0, BEHIND, SAME(0x31, NO_ERROR) },
	{ "int $0x80", RAISE_INT80, 0, 0, BEHIND, SAME(0x80, NO_ERROR) },
};

static void task_switched(void)
{
	if (on_xen())
		HYPERVISOR_fpu_taskswitch(1);
	else
		write_cr0(read_cr0() | CR0_TS);
}

static void task_switched_done(void)
{
	if (on_xen())
		HYPERVISOR_fpu_taskswitch(0);
	else
		asm volatile("clts");
}

static void run_row(const struct row *r, bool user)
{
	u8 vector = user ? r->user.vector : on_xen() ? r->xen.vector : r->native.vector;
	u64 error = user ? r->user.error : on_xen() ? r->xen.error : r->native.error;
	u64 operand = user ? r->operand_user : r->operand_kernel, rip;
	struct expectation e;
	bool holds;

	if (vector == NONE)
		return;
	if (r->what == RAISE_SS && !user)
		operand = on_xen() ? GDT_ABSENT_DS | 3 : GDT_ABSENT_DS0;
	if (r->what == RAISE_NM)
		task_switched();
	e = raise_and_catch(r->what, user, operand);
	if (r->what == RAISE_NM)
		task_switched_done();

	rip = r->where == AT_OPERAND ? operand : r->where == AT_INSN ? e.code->insn : e.code->resume;
	if (vector == 13)
		rip = e.code->insn;	/* a refused int n has not run */
	holds = e.seen && e.vector == vector && e.regs.ip == rip && from_user(&e.regs) == user;
	/* QEMU's TCG has 16n+2 instead of 8n+2 for a refused int n. */
	if (e.error != error && !(r->what == RAISE_INT30 && e.error == 0x30 * 16 + 2))
		holds = false;
	if (vector == 14 && e.address != operand)
		holds = false;

	print("%s, %s: %s vec=%ld ", user ? "user" : "kernel", r->name, vector_name(e.vector), e.vector);
	if (e.error == NO_ERROR)
		print("err=none ");
	else
		print("err=%lx ", e.error);
	check(holds, r->where == BEHIND && vector != 13 ? "trap" : "fault");
}

/* A real double fault: the stack for the first exception is not there. Only bare
   metal has a way out, a stack of its own for #DF. */
static u64 df_resume_sp;

static void on_double_fault(struct pt_regs *regs, long vector)
{
	expected.seen = true;
	expected.error = regs->orig;
	regs->ip = expected.code->resume;
	regs->sp = df_resume_sp;
}

static void double_fault(void)
{
	static struct raise_code code;
	trap_handler *old = trap_handle(8, on_double_fault);

	expected.seen = false;
	expected.code = &code;
	asm volatile("lea	1f(%%rip), %%rax\n"
		     "mov	%%rax, %[resume]\n"
		     "mov	%%rsp, %[sp]\n"
		     "mov	%[guard], %%rsp\n"
		     "int3\n"
		     "1:"
		     : [resume] "=m"(code.resume), [sp] "=m"(df_resume_sp)
		     : [guard] "r"(cell_stack) : "rax", "memory");
	trap_handle(8, old);
	print("kernel, int3 without a stack: #DF vec=8 err=%lx ", expected.error);
	check(expected.seen && !expected.error, "abort");
}

void selftest_exceptions(void)
{
	for (u32 user = 0; user < 2; user++)
		for (u32 i = 0; i < ARRAY_LEN(rows); i++)
			run_row(&rows[i], user);
	if (!on_xen())
		double_fault();
}
