/* native: the stub that every operating system has on bare metal. */
#include "stub.h"

STUB(native)
	SAVE_REGS		/* on Xen, rcx and r11 are still on the stack */
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	iretq
END_STUB(native)
