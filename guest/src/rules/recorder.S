/*
 * recorder.S - recorders: handlers that write down everything at their first
 * instruction, ask C how to go on, and do so; and the way into the code that is
 * to be interrupted, and out of it.
 */
#include "arch.h"
#include "blocks.h"
#include "record.h"

#define RECORDER_STACK	8192

	.text

/* The registers that the recorder needs go to one fixed place first: nothing can
   come between, as no instruction of it faults and a nested event frame is
   built before the first one or at an unmasked one. */
.macro RECORDER kind
	.globl	recorder_\kind
	.type	recorder_\kind, @function
recorder_\kind:
	mov	%rax, saved_rax(%rip)
	mov	$\kind, %eax
	jmp	recorder
	.size	recorder_\kind, . - recorder_\kind
.endm

.macro FOR_KINDS macro
	.irp	kind, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0x30,0x31,0x32,0x80,256,257,258,259,260,261
	\macro	\kind
	.endr
.endm

	FOR_KINDS RECORDER

	.type	recorder, @function
recorder:
	mov	%rcx, saved_rcx(%rip)
	mov	next_record(%rip), %rcx
	mov	%rax, REC_KIND(%rcx)
	mov	saved_rax(%rip), %rax
	mov	%rax, REC_RAX(%rcx)
	mov	saved_rcx(%rip), %rax
	mov	%rax, REC_RCX(%rcx)
	pushfq
	pop	REC_FLAGS(%rcx)
	mov	%rsp, REC_RSP(%rcx)
	mov	%r15, REC_GPR + 0(%rcx)
	mov	%r14, REC_GPR + 8(%rcx)
	mov	%r13, REC_GPR + 16(%rcx)
	mov	%r12, REC_GPR + 24(%rcx)
	mov	%rbp, REC_GPR + 32(%rcx)
	mov	%rbx, REC_RBX(%rcx)
	mov	%r11, REC_R11(%rcx)
	mov	%r10, REC_GPR + 56(%rcx)
	mov	%r9, REC_GPR + 64(%rcx)
	mov	%r8, REC_GPR + 72(%rcx)
	mov	%rdx, REC_GPR + 96(%rcx)
	mov	%rsi, REC_GPR + 104(%rcx)
	mov	%rdi, REC_GPR + 112(%rcx)
	xor	%eax, %eax
	.set	word, 0
	.irp	seg, cs, ss, ds, es, fs, gs
	mov	%\seg, %eax
	mov	%rax, REC_CS + word * 8(%rcx)
	.set	word, word + 1
	.endr
	.set	word, 0
	.rept	REC_FRAME_WORDS
	mov	word * 8(%rsp), %rax
	mov	%rax, REC_FRAME + word * 8(%rcx)
	.set	word, word + 1
	.endr
	cld
	mov	%rcx, %rbx
	mov	%rcx, %rdi
	add	$REC_SIZE, %rcx
	cmp	$seen + RECORDS * REC_SIZE, %rcx
	jae	1f
	mov	%rcx, next_record(%rip)
	/* C runs on a stack of its own, so that the interrupted one is written to
	   as little as can be: one word below the frame. */
1:	mov	%rsp, %rax
	sub	$recorder_stack, %rax
	cmp	$RECORDER_STACK, %rax
	jb	4f
	mov	$recorder_stack_top, %rsp
4:	and	$-16, %rsp
	call	record_decide		/* RAX: LEAVE or BACK_* */
	test	%eax, %eax
	jz	leave_code

	push	REC_IP + 32(%rbx)
	push	REC_IP + 24(%rbx)
	push	REC_IP + 16(%rbx)
	push	REC_IP + 8(%rbx)
	push	REC_IP(%rbx)
	mov	REC_GPR + 0(%rbx), %r15
	mov	REC_GPR + 8(%rbx), %r14
	mov	REC_GPR + 16(%rbx), %r13
	mov	REC_GPR + 24(%rbx), %r12
	mov	REC_GPR + 32(%rbx), %rbp
	mov	REC_GPR + 56(%rbx), %r10
	mov	REC_GPR + 64(%rbx), %r9
	mov	REC_GPR + 72(%rbx), %r8
	mov	REC_GPR + 96(%rbx), %rdx
	mov	REC_GPR + 104(%rbx), %rsi
	mov	REC_GPR + 112(%rbx), %rdi
	cmp	$BACK_NATIVE, %eax
	jne	5f
	mov	REC_RCX(%rbx), %rcx
	mov	REC_R11(%rbx), %r11
	jmp	3f
5:	mov	REC_FRAME(%rbx), %rcx
	mov	REC_FRAME + 8(%rbx), %r11
	cmp	$BACK_IRET, %eax
	jne	2f
	push	REC_VGCF(%rbx)
	mov	REC_RAX(%rbx), %rax
	mov	REC_RBX(%rbx), %rbx
	jmp	hypercall_page + HYPERCALL_IRET * 32
2:	cmp	$BACK_IRETQ, %eax
	jne	3f
	orb	$3, 8(%rsp)
3:	mov	REC_RAX(%rbx), %rax
	mov	REC_RBX(%rbx), %rbx
	.globl	recorder_iretq
recorder_iretq:
	iretq
	.size	recorder, . - recorder

/* void enter_code(const struct start *): returns when a recorder leaves. */
	.globl	enter_code
	.type	enter_code, @function
enter_code:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, entered_sp(%rip)
	push	START_IP + 32(%rdi)
	push	START_IP + 24(%rdi)
	push	START_IP + 16(%rdi)
	push	START_IP + 8(%rdi)
	push	START_IP(%rdi)
	mov	START_GPR + 0(%rdi), %r15
	mov	START_GPR + 8(%rdi), %r14
	mov	START_GPR + 16(%rdi), %r13
	mov	START_GPR + 24(%rdi), %r12
	mov	START_GPR + 32(%rdi), %rbp
	mov	START_GPR + 40(%rdi), %rbx
	mov	START_GPR + 48(%rdi), %r11
	mov	START_GPR + 56(%rdi), %r10
	mov	START_GPR + 64(%rdi), %r9
	mov	START_GPR + 72(%rdi), %r8
	mov	START_GPR + 80(%rdi), %rax
	mov	START_GPR + 88(%rdi), %rcx
	mov	START_GPR + 96(%rdi), %rdx
	mov	START_GPR + 104(%rdi), %rsi
	cmpq	$START_IRET, START_HOW(%rdi)
	jne	1f
	push	START_VGCF(%rdi)
	mov	START_GPR + 112(%rdi), %rdi
	jmp	hypercall_page + HYPERCALL_IRET * 32
1:	mov	START_GPR + 112(%rdi), %rdi
	iretq
leave_code:
	mov	entered_sp(%rip), %rsp
	pushq	$FLAG_FIXED		/* no TF, DF, AC or NT goes back to C */
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	enter_code, . - enter_code

	.section .rodata
	.balign	8
	.globl	recorders
.macro	RECORDER_ROW kind
	.quad	\kind, recorder_\kind
.endm
recorders:				/* kind, address; ends at a null address */
	FOR_KINDS RECORDER_ROW
	.quad	0, 0

	.data
	.balign	8
	.globl	next_record
next_record:
	.quad	seen
	.bss
	.balign	8
saved_rax: .skip 8
saved_rcx: .skip 8
entered_sp: .skip 8
	.balign	16
recorder_stack:
	.skip	RECORDER_STACK
recorder_stack_top:
	.globl	seen
seen:	.skip	RECORDS * REC_SIZE

	.section .user.data, "aw"
	.balign	16
	.skip	4096
	.globl	user_code_stack
user_code_stack:
	.skip	256
