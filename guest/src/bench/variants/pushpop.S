/* pushpop: rax is pushed and popped before the adjustment. */
#include "stub.h"

STUB(pushpop)
	push	%rax
	pop	%rax
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(pushpop)
