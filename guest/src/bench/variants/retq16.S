/* retq16: a helper loads rcx and r11, and takes both off as it returns. */
#include "stub.h"

STUB(retq16)
	call	1f
	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	RETURN

1:	mov	8(%rsp), %rcx	/* 0(%rsp) is the return address */
	mov	16(%rsp), %r11
	retq	$0x10
END_STUB(retq16)
