/* syscall.c - the few calls that user code has. */
#include "cell.h"

struct pt_regs syscall_regs;
u64 syscall_count;

void do_syscall(struct pt_regs *regs)
{
	syscall_count++;
	switch (regs->orig) {
	case SYS_EXIT:
		syscall_regs = *regs;
		user_exit(regs->di);
	case SYS_COUNT:
		regs->ax = syscall_count;
		break;
	default:
		regs->ax = -38;		/* ENOSYS */
	}
}
