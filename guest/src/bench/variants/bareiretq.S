/* bareiretq: adjusted, but left by iretq instead of the iret hypercall. */
#include "stub.h"

STUB(bareiretq)
	pop	%rcx
	pop	%r11
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	iretq			/* the saved cs has RPL 0, the guest runs in ring 3 */
END_STUB(bareiretq)
