/*
 * stubs.S - entry stubs that do as little as the platform allows. What is
 * measured is the way in and out, not the saving of registers.
 */
#include "arch.h"
#include "blocks.h"
#include "user_abi.h"

	.text
.macro COUNTING_STUB name, xen, vector, change:vararg
	STUB_BEGIN \xen, \vector
	.globl	\name
	.type	\name, @function
\name:
	ADJUST
	incq	stub_traps(%rip)
	\change
	RETURN
	.size	\name, . - \name
.endm

	COUNTING_STUB bp_xen, 1, 3
	COUNTING_STUB bp_native, 0, 3
	/* #BP asks for one step, #DB ends it: RFLAGS is the frame's third word. */
	COUNTING_STUB bp_step_xen, 1, 3, orl $FLAG_TF, 16(%rsp)
	COUNTING_STUB bp_step_native, 0, 3, orl $FLAG_TF, 16(%rsp)
	COUNTING_STUB db_step_xen, 1, 1, andl $~FLAG_TF, 16(%rsp)
	COUNTING_STUB db_step_native, 0, 1, andl $~FLAG_TF, 16(%rsp)

/* Event upcall. */
	STUB_BEGIN 1, 256
	.globl	upcall_counting
	.type	upcall_counting, @function
upcall_counting:
	ADJUST
	SAVE_REGS
	CALL_HANDLER upcall_fetch
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
	.size	upcall_counting, . - upcall_counting

/* User code: RDI system calls; leaves with how many the kernel counted. */
	.section .user.text, "ax"
	.globl	user_calls
	.type	user_calls, @function
user_calls:
	mov	%rdi, %rbx
	mov	$SYS_COUNT, %eax
	syscall
	mov	%rax, %rbp
1:	mov	$SYS_COUNT, %eax
	syscall
	dec	%rbx
	jnz	1b
	sub	%rbp, %rax
	mov	%rax, %rdi
	mov	$SYS_EXIT, %eax
	syscall
	ud2
	.size	user_calls, . - user_calls

	.section .user.data, "aw"
	.balign	16
	.skip	1024
	.globl	user_main_stack_top
user_main_stack_top:

	.bss
	.balign	8
	.globl	stub_traps
stub_traps:
	.skip	8
