/* extradrop: one word more than the error code is taken off. */
#include "stub.h"

STUB(extradrop)
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	add	$8, %rsp	/* this was the saved rip */
	RETURN
END_STUB(extradrop)
