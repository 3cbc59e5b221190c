/*
 * raise.S - one small function for each way of raising an exception, in kernel
 * text and once more in user text. RDI is the operand of those that have one.
 */
#include "arch.h"
#include "user_abi.h"

/* NAME_insn raises; the handler sends the program to NAME_resume. */
.macro RAISE name, insn:vararg
	.globl	\name
	.type	\name, @function
\name:
\name\()_insn:
	\insn
\name\()_resume:
	ret
	.size	\name, . - \name
.endm

.macro RAISE_ALL mode
	.type	\mode\()_raise_de, @function
\mode\()_raise_de:
	xor	%eax, %eax
	xor	%edx, %edx
	xor	%ecx, %ecx
\mode\()_raise_de_insn:
	div	%ecx
\mode\()_raise_de_resume:
	ret
	.type	\mode\()_raise_db, @function
\mode\()_raise_db:
	pushfq
	orl	$FLAG_TF, (%rsp)
	popfq
\mode\()_raise_db_insn:
	nop
\mode\()_raise_db_resume:
	ret
	RAISE	\mode\()_raise_bp, int3
	RAISE	\mode\()_raise_of, int $4
	RAISE	\mode\()_raise_ud, ud2
	RAISE	\mode\()_raise_nm, fninit
	RAISE	\mode\()_raise_np, mov %edi, %fs
	RAISE	\mode\()_raise_ss, mov %edi, %ss
	RAISE	\mode\()_raise_gp, mov (%rdi), %eax
	RAISE	\mode\()_raise_hlt, hlt
	RAISE	\mode\()_raise_read, mov (%rdi), %eax
	RAISE	\mode\()_raise_write, mov %eax, (%rdi)
	RAISE	\mode\()_raise_int30, int $0x30
	RAISE	\mode\()_raise_int31, int $0x31
	RAISE	\mode\()_raise_int80, int $0x80
	/* The instruction that cannot be fetched is the one at RDI; the return
	   address shows where to go on. */
	.type	\mode\()_raise_fetch, @function
\mode\()_raise_fetch:
\mode\()_raise_fetch_insn:
	call	*%rdi
\mode\()_raise_fetch_resume:
	ret
.endm

	.text
	RAISE_ALL kernel
	.section .user.text, "ax"
	RAISE_ALL user

/* RDI = struct of function and operand */
	.globl	user_raise_main
	.type	user_raise_main, @function
user_raise_main:
	mov	(%rdi), %rax
	mov	8(%rdi), %rdi
	call	*%rax
	mov	$SYS_EXIT, %eax
	xor	%edi, %edi
	syscall
	ud2
	.size	user_raise_main, . - user_raise_main

	.section .user.data, "aw"
	.balign	8
	.globl	user_raise_args
user_raise_args:
	.quad	0, 0

	.section .rodata
	.balign	8
	.globl	kernel_raise, user_raise
.macro	ROW name
	.quad	\name, \name\()_insn, \name\()_resume
.endm
.macro	TABLE mode
\mode\()_raise:				/* order of enum raise in selftest.h */
	ROW	\mode\()_raise_de
	ROW	\mode\()_raise_db
	ROW	\mode\()_raise_bp
	ROW	\mode\()_raise_of
	ROW	\mode\()_raise_ud
	ROW	\mode\()_raise_nm
	ROW	\mode\()_raise_np
	ROW	\mode\()_raise_ss
	ROW	\mode\()_raise_gp
	ROW	\mode\()_raise_hlt
	ROW	\mode\()_raise_read
	ROW	\mode\()_raise_write
	ROW	\mode\()_raise_fetch
	ROW	\mode\()_raise_int30
	ROW	\mode\()_raise_int31
	ROW	\mode\()_raise_int80
.endm
	TABLE	kernel
	TABLE	user
