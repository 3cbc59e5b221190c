/* auto: one and the same stub for both platforms; it finds out where it runs. */
#include "stub.h"

STUB(auto)
	push	%rax
	mov	%cs, %eax	/* a Xen PV kernel runs in ring 3, a native one in ring 0 */
	test	$3, %al
	pop	%rax
	jz	1f
	pop	%rcx
	pop	%r11
1:	SAVE_REGS
	CALL_HANDLER
	RESTORE_REGS
	DROP_ERRCODE
	push	%rax
	mov	%cs, %eax
	test	$3, %al
	pop	%rax
	jz	2f
	push	$0
	jmp	hypercall_page + HYPERCALL_IRET * 32
2:	iretq
END_STUB(auto)
