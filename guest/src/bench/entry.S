/*
 * entry.S - the kernel's own stubs. One source: each block of blocks.h has a
 * form for Xen and one for bare metal, and both sets are in the image.
 *
 * The kernel's C code uses nothing behind GS, so that traps need no swapgs on
 * bare metal; the native system call does, to find its stack.
 */
#include "arch.h"
#include "blocks.h"

	.text

/* The vectors that have a stub: exceptions, int n of the self-test (0x30 for the
   kernel only, 0x31 for all, 0x80), and of the local APIC 0xec timer, 0xfd IPI,
   0xff spurious. */
.macro FOR_VECTORS macro, args:vararg
	.irp	vector, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0x30,0x31,0x80,0xec,0xfd,0xff
	\macro	\vector, \args
	.endr
.endm

.macro KERNEL_STUB vector, platform, xen
	STUB_BEGIN \xen, \vector
	.globl	kernel_\platform\()_\vector
	.type	kernel_\platform\()_\vector, @function
kernel_\platform\()_\vector:
	ADJUST
	SAVE_REGS
	CALL_HANDLER do_trap
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
	.size	kernel_\platform\()_\vector, . - kernel_\platform\()_\vector
.endm

	FOR_VECTORS KERNEL_STUB, xen, 1
	FOR_VECTORS KERNEL_STUB, native, 0

/* vector, native stub, Xen stub; ends at a null stub. */
.macro STUB_ROW vector, unused
	.quad	\vector, kernel_native_\vector, kernel_xen_\vector
.endm
	.section .rodata
	.balign	8
	.globl	kernel_stubs
kernel_stubs:
	FOR_VECTORS STUB_ROW, 0
	.quad	0, 0, 0
	.text

/* A vector's good stub of the platform in use, for stubs that hand a trap on. No
   register is touched. */
.macro CHAIN_TARGET name, vector
	.globl	kernel_handler_\name
	.type	kernel_handler_\name, @function
kernel_handler_\name:
	jmp	*chain_\name(%rip)
	.size	kernel_handler_\name, . - kernel_handler_\name
	.pushsection .bss
	.globl	chain_\name
	.balign	8
chain_\name: .skip 8
	.popsection
.endm
	CHAIN_TARGET pf
	CHAIN_TARGET bp
	CHAIN_TARGET db
	CHAIN_TARGET gp

	.globl	empty_function
	.type	empty_function, @function
empty_function:
	ret
	.size	empty_function, . - empty_function

/* Xen: event upcall. */
	STUB_BEGIN 1, 256
	.globl	upcall_xen
	.type	upcall_xen, @function
upcall_xen:
	ADJUST
	SAVE_REGS
	CALL_HANDLER do_upcall
	RESTORE_REGS
	DROP_ERRCODE
	RETURN
	.size	upcall_xen, . - upcall_xen

/* Xen: failsafe, a segment register that could not be loaded (CB-08). Between
   the two words and the frame lie ds, es, fs and gs. */
	STUB_BEGIN 1, 256
	.globl	failsafe_xen
	.type	failsafe_xen, @function
failsafe_xen:
	ADJUST
	add	$32, %rsp
	SAVE_REGS
	CALL_HANDLER panic_trap
	.size	failsafe_xen, . - failsafe_xen

/* Xen: SYSCALL from user mode comes as a frame like any other (CB-05). The word
   of the error code takes the number of the call. */
	STUB_BEGIN 1, 256
	.globl	syscall_xen
	.type	syscall_xen, @function
	.set	stub_errcode, 1
syscall_xen:
	ADJUST
	push	%rax
	SAVE_REGS
	CALL_HANDLER do_syscall
	RESTORE_REGS
	DROP_ERRCODE
	RETURN	VGCF_IN_SYSCALL
	.size	syscall_xen, . - syscall_xen

/* Bare metal: SYSCALL changes neither stack nor GS. */
	STUB_BEGIN 0, 256
	.set	stub_errcode, 1
	.globl	syscall_native
	.type	syscall_native, @function
syscall_native:
	swapgs
	mov	%rsp, %gs:16		/* percpu.user_sp */
	mov	%gs:8, %rsp		/* percpu.kernel_sp */
	push	$GDT_USER_DS
	push	%gs:16
	push	%r11
	push	$GDT_USER_CS
	push	%rcx
	push	%rax
	SAVE_REGS
	CALL_HANDLER do_syscall
	RESTORE_REGS
	DROP_ERRCODE
	pop	%rcx
	add	$8, %rsp
	pop	%r11
	pop	%rsp
	swapgs
	sysretq
	.size	syscall_native, . - syscall_native
