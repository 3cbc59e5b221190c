/*
 * boot_pvh.S - first instruction on bare metal, by the PVH entry: 32-bit
 * protected mode, flat segments, paging off, EBX = physical address of struct
 * hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h).
 */
#include "arch.h"

#define PHYS(sym)	((sym) - KERNEL_BASE)
#define HVM_START_MAGIC	0x336ec578
#define HVM_CMDLINE	24		/* offset of cmdline_paddr */
#define CMDLINE_MAX	1023

	.text
	.code32
	.globl	start_pvh
	.type	start_pvh, @function
start_pvh:
	cld
	cli
	cmpl	$HVM_START_MAGIC, (%ebx)
	jne	bad_start
	mov	$PHYS(main_stack_top), %esp

	/* The command line lies in memory that the tables below do not map. */
	mov	HVM_CMDLINE(%ebx), %esi
	test	%esi, %esi
	jz	2f
	mov	$PHYS(pvh_cmdline), %edi
	mov	$CMDLINE_MAX, %ecx
1:	lodsb
	stosb
	test	%al, %al
	loopnz	1b
2:
	/* First 2 MiB at KERNEL_BASE by small pages, and at 0 by a large one. */
	mov	$PHYS(kern_l1), %edi
	mov	$(PTE_P | PTE_RW), %eax
	mov	$512, %ecx
3:	mov	%eax, (%edi)
	add	$PAGE_SIZE, %eax
	add	$8, %edi
	loop	3b
	movl	$(PHYS(kern_l1) + PTE_P + PTE_RW), PHYS(kern_l2)
	movl	$(PHYS(kern_l2) + PTE_P + PTE_RW), PHYS(kern_l3 + 510 * 8)
	movl	$(PHYS(kern_l3) + PTE_P + PTE_RW), PHYS(boot_l4 + 511 * 8)
	movl	$(PHYS(boot_l3) + PTE_P + PTE_RW), PHYS(boot_l4)
	movl	$(PHYS(boot_l2) + PTE_P + PTE_RW), PHYS(boot_l3)
	movl	$(PTE_P | PTE_RW | PTE_PS), PHYS(boot_l2)

	call	enter_long_mode
	.code64
	mov	$main_stack_top, %rsp
	xor	%ebp, %ebp
	call	main_native
	ud2
	.size	start_pvh, . - start_pvh

	/* Called in 32-bit mode with paging off, returns in 64-bit mode, to the
	   kernel's own address of the caller. Also the way of a second CPU. */
	.code32
	.globl	enter_long_mode
	.type	enter_long_mode, @function
enter_long_mode:
	pop	%ebp			/* return address, physical */
	mov	$(CR4_PAE | CR4_PGE | CR4_OSFXSR), %eax
	mov	%eax, %cr4
	mov	$PHYS(boot_l4), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$(EFER_LME | EFER_NXE | EFER_SCE), %eax
	wrmsr
	mov	%cr0, %eax
	or	$(CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG), %eax
	mov	%eax, %cr0
	lgdt	PHYS(gdt_pointer32)
	ljmp	$GDT_KERNEL_CS, $PHYS(1f)
	.code64
1:	mov	$GDT_KERNEL_DS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$KERNEL_BASE, %rax
	mov	%ebp, %ebp
	add	%rax, %rbp
	jmp	*%rbp
	.size	enter_long_mode, . - enter_long_mode

	.code32
bad_start:				/* nothing is known to write to */
	hlt
	jmp	bad_start
	.code64

	.section .data
	.balign	8
	.globl	gdt, gdt_pointer
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08 kernel code, 32-bit */
	.quad	0x00af9b000000ffff	/* 0x10 kernel code */
	.quad	0x00cf93000000ffff	/* 0x18 kernel data */
	.quad	0x00cffb000000ffff	/* 0x23 user code, 32-bit */
	.quad	0x00cff3000000ffff	/* 0x2b user data */
	.quad	0x00affb000000ffff	/* 0x33 user code */
	.quad	0
	.quad	0, 0			/* 0x40 TSS, written by cpu_native.c */
	.quad	DESC_ABSENT_DS		/* 0x50 data, not present, DPL 3 */
	.quad	0x00cf13000000ffff	/* 0x58 data, not present, DPL 0 */
	.quad	0, 0			/* 0x60 TSS of the second CPU */
gdt_pointer32:
	.word	GDT_SIZE - 1
	.long	PHYS(gdt)
	.balign	8
	.skip	6
gdt_pointer:
	.word	GDT_SIZE - 1
	.quad	gdt

	.bss
	.globl	pvh_cmdline
pvh_cmdline:
	.skip	CMDLINE_MAX + 1
