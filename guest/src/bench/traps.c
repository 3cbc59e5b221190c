/* traps.c - the C half of the kernel's own exception handlers. */
#include "bench.h"
#include "xen_guest.h"

static trap_handler *handlers[256];

trap_handler *trap_handle(long vector, trap_handler *fn)
{
	trap_handler *old = handlers[vector];

	handlers[vector] = fn;
	return old;
}

/* Entered from each of the good stubs (entry.S) with all registers stored. */
void do_trap(struct pt_regs *regs, long vector)
{
	trap_handler *fn = handlers[vector];

	if (!fn)
		panic_trap(regs, vector);
	fn(regs, vector);
}

/* Only the saved CS tells; SS has RPL 3 in both modes on Xen (FRAME-06). */
bool from_user(const struct pt_regs *regs)
{
	return (regs->cs & 3) == 3;
}

u64 fault_address(void)
{
	if (!on_xen())
		return read_cr2();
	return shared_info ? vcpu_info()->cr2 : 0;
}
