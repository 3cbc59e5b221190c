/*
 * ap_start.S - first instructions of a second CPU. On bare metal it wakes up in
 * real mode at the start of the page that the startup IPI names, and there finds
 * a copy of ap_trampoline; Xen starts it where the context says.
 */
#include "arch.h"

#define PHYS(sym)	((sym) - KERNEL_BASE)

	.text
	.globl	ap_trampoline, ap_trampoline_end
	.code16
ap_trampoline:				/* CS = page, IP = 0 */
	cli
	lgdtl	%cs:(1f - ap_trampoline)
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	$GDT_KERNEL_CS32, $PHYS(ap_start32)
1:	.word	GDT_SIZE - 1
	.long	PHYS(gdt)
ap_trampoline_end:

	.code32
ap_start32:
	mov	$GDT_KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$PHYS(ap_stack_top), %esp
	call	enter_long_mode
	.code64
	.globl	ap_start
	.type	ap_start, @function
ap_start:
	mov	$ap_stack_top, %rsp
	xor	%ebp, %ebp
	call	ap_main
	ud2
	.size	ap_start, . - ap_start
