/*
 * A kernel without Xen that ends in the way its command line names, for trying
 * the judge on plain QEMU. Entered through the PVH note: 32-bit protected mode,
 * paging off, EBX = hvm_start_info. Built as deaths_xen.S is.
 */
#define COM1 0x3f8

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.text
	.code32
	.globl start
start:
start32:
	mov 24(%ebx), %ebx		/* cmdline_paddr, low half */
	mov $pml4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax			/* PAE */
	mov %eax, %cr4
	mov $0xc0000080, %ecx		/* EFER */
	rdmsr
	or $0x100, %eax			/* LME */
	wrmsr
	mov %cr0, %eax
	or $0x80010001, %eax		/* PG, WP, PE */
	mov %eax, %cr0
	lgdt gdtr
	ljmp $8, $start64

	.code64
start64:
	mov $16, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	mov $stack + 4096, %esp
	mov %ebx, %ebx
	mov $cases, %ebp
1:	mov (%rbp), %rsi
	test %rsi, %rsi
	jz do_poweroff
	mov %rbx, %rdi
2:	movb (%rsi), %al
	cmpb (%rdi), %al
	jne 3f
	inc %rsi
	inc %rdi
	test %al, %al
	jnz 2b
	mov $msg_case, %esi
	call print
	mov (%rbp), %rsi
	call print
	mov $msg_nl, %esi
	call print
	mov 8(%rbp), %rax
	mov $0x1111111111110001, %rbx
	mov $0x1111111111110002, %rcx
	mov $0x1111111111110012, %r12
	jmp *%rax
3:	add $16, %rbp
	jmp 1b

/* print the string at rsi on the 16550 */
print:
	mov $COM1 + 5, %edx
1:	inb %dx, %al
	test $0x20, %al
	jz 1b
	mov $COM1, %edx
	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp print
2:	ret

do_poweroff:
	call pm_enable
	mov $0x604, %edx		/* PM1a_CNT: SLP_EN, type 0 = soft off */
	mov $0x2000, %eax
	outw %ax, %dx
	hlt
pm_enable:				/* PIIX4 PM function at 00:01.3: base 0x600, enable I/O */
	mov $0x80000b40, %eax
	mov $0xcf8, %edx
	outl %eax, %dx
	mov $0x601, %eax
	mov $0xcfc, %edx
	outl %eax, %dx
	mov $0x80000b80, %eax
	mov $0xcf8, %edx
	outl %eax, %dx
	mov $1, %eax
	mov $0xcfc, %edx
	outb %al, %dx
	ret
do_panic:
	mov $msg_panic, %esi
	call print
	jmp do_poweroff
do_reboot:
	mov $0xfe, %eax
	outb %al, $0x64
1:	hlt
	jmp 1b
do_halt:
	cli
1:	hlt
	jmp 1b
do_spin:
	jmp do_spin
/* no IDT: the first exception is a triple fault */
do_bp:	push $0x1234
	int3
do_pf:	mov $0x7fff00001010, %rax
	cmpb $0, (%rax)
do_stack:				/* the stack itself is gone: #PF at delivery */
	mov $0x7fff00002000, %rsp
	int3
do_np:	movb $0x0e, idt + 3 * 16 + 5	/* an interrupt gate, but not present */
	movb $0x0e, idt + 11 * 16 + 5	/* nor is that of #NP */
	lidt idtr
	int3
do_survive:
	mov $on_pf, %eax
	movw %ax, idt + 14 * 16
	movw $8, idt + 14 * 16 + 2
	movb $0x8e, idt + 14 * 16 + 5
	shr $16, %eax
	movw %ax, idt + 14 * 16 + 6
	lidt idtr
	mov $trigger, %eax
	mov $16, %ecx
1:	mov %eax, %edx
	and $15, %edx
	movb digits(%rdx), %dl
	movb %dl, plan_rip - 1(%rcx)
	shr $4, %rax
	loop 1b
	mov $msg_plan, %esi
	call print
	mov $0x7fff00001010, %rax
	.globl trigger
trigger:
	cmpb $0, (%rax)
after:	mov $msg_ok, %esi
	call print
	jmp do_poweroff
on_pf:	add $8, %rsp
	movq $after, (%rsp)
	iretq

	.data
	.macro case name:req, target:req
	.pushsection .data.names, "aw"
9:	.asciz "\name"
	.popsection
	.quad 9b, \target
	.endm
	.balign 8
cases:
	case poweroff, do_poweroff
	case panic, do_panic
	case reboot, do_reboot
	case halt, do_halt
	case spin, do_spin
	case bp, do_bp
	case pf, do_pf
	case stack, do_stack
	case np, do_np
	case survive, do_survive
	.quad 0, 0
digits:		.ascii "0123456789abcdef"
msg_case:	.asciz "case "
msg_nl:		.asciz "\n"
msg_panic:	.asciz "PANIC: as asked\n"
msg_ok:		.asciz "survived intact\n"
msg_plan:	.ascii "plan vec=14 err=0 rip="
plan_rip:	.ascii "0000000000000000"
		.asciz " rsp=0 cr2=00007fff00001010\n"
	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:	.word . - gdt - 1
	.quad gdt
idtr:	.word 15 * 16 - 1
	.quad idt
	.balign 4096
pml4:	.quad pdpt + 7
	.fill 4088
pdpt:	.quad pd + 7
	.fill 4088
pd:	.quad 0x87			/* the first 2 MiB */
	.fill 4088
idt:	.fill 4096
stack:	.fill 4096
