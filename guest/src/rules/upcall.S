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

/* The mask goes off while the frame is still on the stack, and the next event
   comes in that window: sent here, it is delivered as the hypercall returns. */
	STUB_BEGIN 1, 256
	.globl	upcall_unmasking
	.type	upcall_unmasking, @function
upcall_unmasking:
	ADJUST
	SAVE_REGS
	CALL_HANDLER upcall_seen
	mov	upcall_mask_byte(%rip), %rbx
	movb	$0, (%rbx)
	mov	$4, %edi			/* EVTCHNOP_send */
	mov	$upcall_send, %rsi
	call	hypercall_page + 32 * 32	/* event_channel_op */
	.globl	upcall_window
upcall_window:
	RESTORE_REGS
	DROP_ERRCODE
	orb	$3, 8(%rsp)
	iretq
	.size	upcall_unmasking, . - upcall_unmasking
