/* usermode.S - into user mode and out of it again. */
#include "arch.h"
#include "blocks.h"

	.text
/* u64 run_user(ip, sp, flags, arg): calls user code at ip with arg in RDI; returns
   what the code gives to the exit call. */
	STUB_BEGIN 1, 256
	.globl	run_user
	.type	run_user, @function
run_user:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, run_user_sp(%rip)
	mov	$FLAT_DS, %eax
	mov	$FLAT_CS, %r8d
	cmpl	$0, platform(%rip)
	jne	1f
	mov	$GDT_USER_DS, %eax
	mov	$GDT_USER_CS, %r8d
1:	push	%rax
	push	%rsi
	push	%rdx
	push	%r8
	push	%rdi
	mov	%rcx, %rdi
	xor	%eax, %eax		/* the kernel's values are no business of the user */
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	cmpl	$0, platform(%rip)
	je	2f
	RETURN				/* stub_xen is set */
2:	swapgs
	iretq
	.size	run_user, . - run_user

/* void user_exit(u64 value): the system call handler leaves by it; run_user
   returns value. */
	.globl	user_exit
	.type	user_exit, @function
user_exit:
	mov	%rdi, %rax
	mov	run_user_sp(%rip), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	user_exit, . - user_exit

	.bss
	.balign	8
run_user_sp:
	.skip	8
