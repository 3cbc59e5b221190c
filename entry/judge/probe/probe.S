/*
 * Does this QEMU have the faults that are known of its TCG? A kernel that raises
 * one exception after the other and prints what the processor made of it:
 *
 *	int-n-code: vec=13 code=019a
 *
 * The names and the right answers are in quirk.go. Entered through the PVH note:
 * 32-bit protected mode, paging off. The first 2 MiB are mapped twice: at 0 for
 * the kernel, at USER for ring 3.
 */
#define COM1	0x3f8
#define USER	0x200000
#define KCODE	0x08
#define KDATA	0x10
#define UDATA	0x1b
#define UCODE	0x23
#define TSS	0x28
#define TF	0x100

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18				/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	mov $pml4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax				/* PAE */
	mov %eax, %cr4
	mov $0xc0000080, %ecx			/* EFER */
	rdmsr
	or $0x100, %eax				/* LME */
	wrmsr
	mov %cr0, %eax
	or $0x80010001, %eax			/* PG, WP, PE */
	mov %eax, %cr0
	lgdt gdtr
	ljmp $KCODE, $start64

	.code64
start64:
	mov $KDATA, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	mov $stack_top, %esp

	/* The IDT: gates for 0-31 with IST 1, and what the probes need beyond. */
	xor %ecx, %ecx
1:	mov %ecx, %eax
	imul $STUB_SIZE, %eax
	add $stubs, %eax
	mov %ecx, %edi
	shl $4, %edi
	add $idt, %edi
	movw %ax, (%rdi)
	movw $KCODE, 2(%rdi)
	movb $1, 4(%rdi)			/* IST 1 */
	movb $0xee, 5(%rdi)			/* present, DPL 3, interrupt gate */
	shr $16, %eax
	movw %ax, 6(%rdi)
	inc %ecx
	cmp $32, %ecx
	jb 1b
	movb $0x8e, idt + 0x33 * 16 + 5		/* present, DPL 0 */
	movb $0x0e, idt + 0x34 * 16 + 5		/* not present */
	lidt idtr
	mov $tss, %eax
	movw %ax, gdt_tss + 2
	shr $16, %eax
	movb %al, gdt_tss + 4
	mov $TSS, %eax
	ltr %ax

/*
 * PROBE name: what follows raises one exception, whose handler comes back to the
 * line "report" in ring 0 with vec and code, or with code = offset of RIP from
 * `from` when that is not 0.
 */
	.macro PROBE name:req, from=0
	.pushsection .rodata
9:	.asciz "\name: vec="
	.popsection
	mov $9b, %ebp
	movl $\from, from
	movl $8f, resume
	.endm
	.macro REPORT
	ud2					/* nothing was raised: vec=6 */
8:	call report
	.endm
	/* on to ring 3 at the alias of the label, with a stack there */
	.macro TO_USER label:req
	pushq $UDATA
	pushq $user_stack_top + USER
	pushq $2
	pushq $UCODE
	pushq $\label + USER
	iretq
	.endm

	PROBE "int-n-code"
	TO_USER 1f
1:	int $0x33
	REPORT

	PROBE "absent-gate-code"
	int $0x34
	REPORT

	/* #UD is a hardware exception; with its own gate gone #NP has EXT set. */
	PROBE "ext-bit"
	movb $0x6e, idt + 6 * 16 + 5
	ud2
8:	movb $0xee, idt + 6 * 16 + 5
	call report

	PROBE "ss-non-canonical"
	mov $0x8000000000000000, %rsp
	mov (%rsp), %rax
	REPORT

	/* SMAP on; ring 3 runs IRETQ to itself, then INT3. */
	PROBE "iret-smap"
	mov $7, %eax
	xor %ecx, %ecx
	cpuid
	bt $20, %ebx
	jnc 3f
	mov %cr4, %rax
	bts $21, %rax
	mov %rax, %cr4
3:	TO_USER 1f
1:	pushq $UDATA
	pushq $user_stack_top + USER
	pushq $2
	pushq $UCODE
	pushq $2f + USER
	iretq
2:	int3
	REPORT

	PROBE "pause-step", 2f
	pushfq
	orl $TF, (%rsp)
	popfq
2:	pause
	nop
	nop
	REPORT

	/* DR0: data breakpoint on the selector that MOV SS reads. */
	PROBE "movss-data-breakpoint", 2f
	mov $selector, %eax
	mov %rax, %dr0
	mov $0xf0303, %eax			/* 4 bytes, read or write */
	mov %rax, %dr7
	mov selector_value, %ecx
	mov %ss:selector, %ss
2:	nop
	nop
	nop
	REPORT

	/* Soft off through the PIIX4's power management. */
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
	mov $0x604, %edx
	mov $0x2000, %eax
	outw %ax, %dx
1:	hlt
	jmp 1b

/* One stub a vector: the error code, real or 0, then the vector, pushed. */
	.set STUB_SIZE, 16
	.balign 16
stubs:
	.set v, 0
	.rept 32
	.balign STUB_SIZE
	.if (0x00227d00 >> v) & 1 == 0		/* 8, 10-14, 17, 21 push one */
	pushq $0
	.endif
	pushq $v
	jmp raised
	.set v, v + 1
	.endr

raised:	pop %rax
	mov %eax, vector
	pop %rax
	mov %eax, code
	mov from, %ecx
	test %ecx, %ecx
	jz 1f
	mov (%rsp), %rax
	sub %ecx, %eax
	mov %eax, code
1:	xor %eax, %eax
	mov %rax, %dr7
	mov %cr4, %rax
	btr $21, %rax
	mov %rax, %cr4
	mov resume, %eax
	pushq $KDATA
	pushq $stack_top
	pushq $2
	pushq $KCODE
	push %rax
	iretq

/* print the name at rbp, the vector and the code */
report:
	mov %ebp, %esi
	call print
	mov vector, %eax
	xor %edx, %edx
	mov $10, %ecx
	div %ecx
	mov %edx, %ebx
	test %eax, %eax
	jz 1f
	call digit
1:	mov %ebx, %eax
	call digit
	mov $text_code, %esi
	call print
	mov $12, %ecx
1:	mov code, %eax
	shr %cl, %eax
	and $15, %eax
	call digit
	sub $4, %ecx
	jns 1b
	mov $'\n', %eax
	jmp putc

digit:	movb digits(%rax), %al
putc:	mov %eax, %r8d
	mov $COM1 + 5, %edx
1:	inb %dx, %al
	test $0x20, %al
	jz 1b
	mov $COM1, %edx
	mov %r8d, %eax
	outb %al, %dx
	ret
print:	lodsb
	test %al, %al
	jz 1f
	call putc
	jmp print
1:	ret

	.section .rodata
text_code:	.asciz " code="
digits:		.ascii "0123456789abcdef"
idtr:		.word 256 * 16 - 1
		.quad idt
gdtr:		.word gdt_end - gdt - 1
		.quad gdt

	.data
selector_value:
selector:	.long KDATA
vector:		.long 0
code:		.long 0
from:		.long 0
resume:		.long 0
	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff		/* KCODE */
	.quad 0x00cf93000000ffff		/* KDATA */
	.quad 0x00cff3000000ffff		/* UDATA */
	.quad 0x00affb000000ffff		/* UCODE */
gdt_tss:
	.word 103, 0
	.byte 0, 0x89, 0, 0
	.quad 0
gdt_end:
	.balign 16
tss:	.long 0
	.quad stack_top, 0, 0			/* RSP0-2 */
	.quad 0, ist_top			/* reserved, IST 1 */
	.fill 104 - 4 - 40
	.balign 4096
pml4:	.quad pdpt + 7
	.fill 4088
pdpt:	.quad pd + 7
	.fill 4088
pd:	.quad 0x83				/* 0: kernel */
	.quad 0x87				/* USER: the same frames for ring 3 */
	.fill 4080
idt:	.fill 4096
	.fill 1024
user_stack_top:
	.fill 1024
stack_top:
	.fill 1024
ist_top:
