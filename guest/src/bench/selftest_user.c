/* selftest_user.c - system calls, and the way back. */
#include "selftest.h"
#include "cell.h"

static u64 run(void *program)
{
	return run_user((u64)program, (u64)user_main_stack_top, FLAG_IF | FLAG_FIXED, 0);
}

void selftest_user(void)
{
	extern char user_count[], user_no_such_call[], user_syscall_traces[];

	check(run(user_count) == 1, "user, system calls counted");
	check(run(user_no_such_call) == -38UL, "user, a call that does not exist");
	check(run(user_syscall_traces) == 1, "user, rcx and r11 as SYSRET leaves them");
	check(from_user(&syscall_regs) && syscall_regs.flags & FLAG_IF,
	      "user, interrupts on before the call");
	check(events_masked(), "user, events masked in the call");
	check(gs_base() == (u64)&percpus[0] && fs_base() == (u64)&fs_block, "user, the kernel's segment bases");
}
