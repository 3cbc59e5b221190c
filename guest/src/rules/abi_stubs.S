/* abi_stubs.S - ABI-03: stubs of #BP that call a function which uses all registers
   it may. */
#include "arch.h"
#include "blocks.h"

	.text
	.type	uses_all, @function
uses_all:
	mov	$0xc10bbe5, %eax
	.irp	reg, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	mov	%rax, %\reg
	.endr
	ret
	.size	uses_all, . - uses_all

.macro STUB name, xen, saved:vararg
	STUB_BEGIN \xen, 3
	.globl	\name
	.type	\name, @function
\name:
	ADJUST
	.set	pushed, 0
	.irp	reg, \saved
	push	%\reg
	.set	pushed, pushed + 1
	.endr
	call	uses_all
	.set	slot, pushed
	.irp	reg, \saved
	.set	slot, slot - 1
	mov	slot * 8(%rsp), %\reg
	.endr
	add	$pushed * 8, %rsp
	RETURN
	.size	\name, . - \name
.endm

	STUB	saving_native, 0, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	STUB	saving_xen, 1, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	STUB	lazy_native, 0, rax, rcx, r11
	STUB	lazy_xen, 1, rax, rcx, r11
