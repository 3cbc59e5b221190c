/* boot_first.S - the first instruction of this image under Xen: what the
   registers had (BOOT-04), then the kernel's own start. The linker's --wrap puts
   it before start_xen. */
#include "arch.h"

	.text
	.globl	__wrap_start_xen
	.type	__wrap_start_xen, @function
__wrap_start_xen:
	mov	%r15, boot_first + 0(%rip)
	mov	%r14, boot_first + 8(%rip)
	mov	%r13, boot_first + 16(%rip)
	mov	%r12, boot_first + 24(%rip)
	mov	%rbp, boot_first + 32(%rip)
	mov	%rbx, boot_first + 40(%rip)
	mov	%r11, boot_first + 48(%rip)
	mov	%r10, boot_first + 56(%rip)
	mov	%r9, boot_first + 64(%rip)
	mov	%r8, boot_first + 72(%rip)
	mov	%rax, boot_first + 80(%rip)
	mov	%rcx, boot_first + 88(%rip)
	mov	%rdx, boot_first + 96(%rip)
	mov	%rsi, boot_first + 104(%rip)
	mov	%rdi, boot_first + 112(%rip)
	mov	%rsp, boot_first + 120(%rip)
	pushfq
	pop	boot_first + 128(%rip)
	xor	%eax, %eax
	.set	offset, 136
	.irp	seg, cs, ss, ds, es, fs, gs
	mov	%\seg, %eax
	mov	%rax, boot_first + offset(%rip)
	.set	offset, offset + 8
	.endr
	mov	$main_stack_top, %rsp
	mov	%rsi, %rbx
	mov	%rsi, %rdi
	call	boot_begin
	mov	%rbx, %rsi
	jmp	__real_start_xen
	.size	__wrap_start_xen, . - __wrap_start_xen

	.data				/* before anything clears .bss */
	.balign	8
	.globl	boot_first
boot_first:
	.fill	23, 8, 0
