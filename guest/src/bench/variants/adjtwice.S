/* adjtwice: the two words are taken off, and then the next two as well. */
#include "stub.h"

STUB(adjtwice)
	pop	%rcx
	pop	%r11
	pop	%rcx		/* once too often: this is part of the frame */
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(adjtwice)
