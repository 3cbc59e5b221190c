/* twocalls: two calls of a function that does nothing come first. */
#include "stub.h"

STUB(twocalls)
	call	empty_function
	call	empty_function
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(twocalls)
