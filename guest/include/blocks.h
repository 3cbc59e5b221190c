/*
 * blocks.h - assembler macros that entry stubs are made of.
 *
 * Each asks three assembler symbols about the stub it stands in:
 *	stub_xen	1: for a Xen PV guest, 0: for bare metal
 *	stub_vector	the vector number
 *	stub_errcode	1: the processor pushes an error code for it
 *
 * What the CPU, or Xen, has put on the stack when the first instruction runs
 * (lowest address first; rule FRAME-01):
 *
 *	bare metal	             [error] rip cs rflags rsp ss
 *	Xen PV		     rcx r11 [error] rip cs rflags rsp ss
 *
 * On Xen rcx and r11 must be taken from the stack, as the registers
 * themselves are destroyed on the way in (FRAME-02).
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#define HYPERCALL_IRET	23		/* slot of HYPERVISOR_iret, 32 bytes a slot */
#define VGCF_IN_SYSCALL	0x100		/* iret flag: rcx and r11 need not be restored */

	.set	stub_xen, 0
	.set	stub_vector, 0
	.set	stub_errcode, 0

/* Vectors 8, 10-14, 17 and 21 have an error code (SDM vol. 3, 6.13). */
.macro STUB_BEGIN xen, vector
	.set	stub_xen, \xen
	.set	stub_vector, \vector
	.set	stub_errcode, 0
	.if	\vector < 32
	.set	stub_errcode, (0x227d00 >> \vector) & 1
	.endif
	.balign	16, 0xcc
.endm

/* What the platform asks for before anything else: on Xen, take the two extra
   words off; on bare metal nothing. */
.macro ADJUST
	.if	stub_xen
	pop	%rcx
	pop	%r11
	.endif
.endm

/* Store all registers below the frame, as struct pt_regs (arch.h) has them.
   A vector without an error code gets -1 in its place. */
.macro SAVE_REGS
	.if	!stub_errcode
	push	$-1
	.endif
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro RESTORE_REGS
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
.endm

/* handler(struct pt_regs *regs, long vector). Xen leaves DF as the interrupted
   code had it (FRAME-09), C wants it clear. */
.macro CALL_HANDLER handler=variant_handler
	cld
	mov	%rsp, %rdi
	mov	$stub_vector, %esi
	call	\handler
.endm

/* Take off the error code, or the -1 that stands in its place. */
.macro DROP_ERRCODE
	add	$8, %rsp
.endm

/* Take off only the -1, leaving a real error code where it is: wrong before
   RETURN, and so only of use to a variant that shows it. */
.macro DROP_PLACEHOLDER
	.if	!stub_errcode
	add	$8, %rsp
	.endif
.endm

/* Go back where the frame at (%rsp) says: iretq, or Xen's iret hypercall, which
   is jumped to and wants one more word, the flags (IRET-01, HC-03). */
.macro RETURN flags=0
	.if	stub_xen
	push	$\flags
	jmp	hypercall_page + HYPERCALL_IRET * 32
	.else
	iretq
	.endif
.endm

#endif /* BLOCKS_H */
