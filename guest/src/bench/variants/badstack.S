/* badstack: a good stub, but the stack that the frame has to go to is not
   mapped (cell.c sees to that), so not one instruction of it runs. */
#include "stub.h"

STUB(badstack)
	ADJUST
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
END_STUB(badstack)
