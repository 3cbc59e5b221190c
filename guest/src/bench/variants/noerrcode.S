/* noerrcode: the processor's error code is left on the stack. Vectors without
   one are handled as they should be. */
#include "stub.h"

STUB(noerrcode)
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_PLACEHOLDER	/* should be DROP_ERRCODE */
	RETURN
END_STUB(noerrcode)
