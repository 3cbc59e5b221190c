/* boot_xen.S - first instruction as a Xen PV guest: 64-bit mode, ring 3, paging
   on, RSI = start_info (BOOT-04). */
#include "arch.h"

	.section .text.page, "ax"
	.globl	hypercall_page
	.balign	PAGE_SIZE
hypercall_page:				/* Xen writes the stubs here (BOOT-03) */
	.fill	PAGE_SIZE, 1, 0xcc
	.size	hypercall_page, PAGE_SIZE

	.text
	.globl	start_xen
	.type	start_xen, @function
start_xen:
	cld
	mov	$main_stack_top, %rsp
	xor	%ebp, %ebp
	mov	%rsi, %rdi
	call	main_xen
	ud2
	.size	start_xen, . - start_xen
