/*
 * cell_trigger.S - the code that a cell interrupts, in kernel text and once more
 * in user text. MOV changes no flags, so registers can be loaded and stored
 * around the trigger without a trace.
 */
#include "arch.h"
#include "user_abi.h"
#include "cell.h"

/* All registers but RSP, from or to memory in the order of struct pt_regs. */
.macro EACH_LOAD state
	.set	.Loff, 0
	.irp	reg, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
	mov	\state + CELL_LOAD + .Loff(%rip), %\reg
	.set	.Loff, .Loff + 8
	.endr
.endm
.macro EACH_STORE state
	.set	.Loff, 0
	.irp	reg, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi
	mov	%\reg, \state + CELL_GOT + .Loff(%rip)
	.set	.Loff, .Loff + 8
	.endr
.endm

.macro TRIGGER name, state, insn:vararg
	.globl	\name, \name\()_insn, \name\()_resume
	.type	\name, @function
	.balign	64, 0xcc
\name:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, \state + CELL_SAVED_RSP(%rip)
	mov	\state + CELL_LOAD_RSP(%rip), %rsp
	EACH_LOAD \state
	pushq	\state + CELL_LOAD_FLAGS(%rip)
	popfq
\name\()_insn:
	\insn
\name\()_resume:
	EACH_STORE \state
	mov	%rsp, \state + CELL_GOT_RSP(%rip)
	mov	\state + CELL_SAVED_RSP(%rip), %rsp
	pushfq
	popq	\state + CELL_GOT_FLAGS(%rip)
	cld
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	\name, . - \name
.endm

/* Both memory reads are three bytes and change no register; the handler steps
   over them by that number (cell_seen.c). For #DB the flags hold TF, which
   traps behind the instruction after POPF. */
	.section .text.trigger, "ax"
	TRIGGER	kernel_trigger_pf, kernel_cell, cmp (%rdi), %rax
	TRIGGER	kernel_trigger_bp, kernel_cell, int3
	TRIGGER	kernel_trigger_db, kernel_cell, nop
	TRIGGER	kernel_trigger_gp, kernel_cell, cmp (%rdi), %rax

	.section .user.text, "ax"
	TRIGGER	user_trigger_pf, user_cell, cmp (%rdi), %rax
	TRIGGER	user_trigger_bp, user_cell, int3
	TRIGGER	user_trigger_db, user_cell, nop
	TRIGGER	user_trigger_gp, user_cell, cmp (%rdi), %rax

/* User program of a cell: RDI = the trigger. The exit call does not come back;
   where it does, this code is not in user mode, and says so by #UD. */
	.globl	user_cell_main, user_cell_after
	.type	user_cell_main, @function
user_cell_main:
	call	*%rdi
	mov	$SYS_EXIT, %eax
	xor	%edi, %edi
	syscall
user_cell_after:
	ud2
	.size	user_cell_main, . - user_cell_main

	.section .rodata
	.balign	8
	.globl	cell_triggers
cell_triggers:
	.irp	name, kernel_trigger_pf, kernel_trigger_bp, kernel_trigger_db, kernel_trigger_gp, user_trigger_pf, user_trigger_bp, user_trigger_db, user_trigger_gp
	.quad	\name, \name\()_insn, \name\()_resume
	.endr

	.bss
	.balign	8
	.globl	kernel_cell
kernel_cell:
	.skip	CELL_SIZE

	.section .user.data, "aw"
	.balign	16
	.globl	user_cell, user_cell_stack, user_main_stack_top
user_cell:
	.skip	CELL_SIZE
	.balign	16
user_cell_stack:
	.skip	CELL_USER_STACK
	.skip	1024
user_main_stack_top:
