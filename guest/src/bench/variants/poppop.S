/* poppop: take rcx and r11 off the stack, as Xen wants it. */
#include "stub.h"

STUB(poppop)
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(poppop)
