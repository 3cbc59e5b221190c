/* upcall.S - event upcalls of the EVT demos: one that returns by the iret
   hypercall, one that unmasks by a store and returns by itself. */
#include "arch.h"
#include "blocks.h"

	.text
	STUB_BEGIN 1, 256
	.globl	upcall_counting
	.type	upcall_counting, @function
upcall_counting:
	ADJUST
	SAVE_REGS
	CALL_HANDLER upcall_seen
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
	.size	upcall_counting, . - upcall_counting

/* The mask goes off while the frame is still on the stack; what came meanwhile
   has to be asked for, and is delivered right there (EVT-05). RBX points to the
   mask byte, the pending byte is before it. */
	STUB_BEGIN 1, 256
	.globl	upcall_unmasking
	.type	upcall_unmasking, @function
upcall_unmasking:
	ADJUST
	SAVE_REGS
	CALL_HANDLER upcall_seen
	mov	upcall_mask_byte(%rip), %rbx
	movb	$0, (%rbx)
	cmpb	$0, -1(%rbx)
	je	1f
	xor	%edi, %edi
	xor	%esi, %esi
	call	hypercall_page + 17 * 32	/* xen_version(0, NULL) */
	.globl	upcall_window
upcall_window:
1:	RESTORE_REGS
	DROP_ERRCODE
	orb	$3, 8(%rsp)
	iretq
	.size	upcall_unmasking, . - upcall_unmasking
