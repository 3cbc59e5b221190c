/* bareiretq3: as bareiretq, with the saved cs brought back to ring 3. */
#include "stub.h"

STUB(bareiretq3)
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	orb	$3, 8(%rsp)	/* RPL of the saved cs */
	iretq
END_STUB(bareiretq3)
