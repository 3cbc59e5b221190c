/* swapgs: adjusted, but swapgs as on bare metal when user code was hit. */
#include "stub.h"

STUB(swapgs)
	pop	%rcx
	pop	%r11
	testb	$3, 8 + 8 * stub_errcode(%rsp)	/* RPL of the saved cs */
	jz	1f
	swapgs
1:	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	testb	$3, 8(%rsp)
	jz	2f
	swapgs
2:	RETURN
END_STUB(swapgs)
