/*
 * A kernel that runs the cases of cases.inc one after the other, at the
 * privilege level and with the registers each asks for, and writes every
 * exception they meet to COM1, one line each. The same image runs on QEMU and
 * on the model. Entered through the PVH note.
 */
#define COM1 0x3f8
#define BASE_CR0 0x80010033	/* PG WP NE ET MP PE */
#define BASE_CR4 0x2a0		/* OSFXSR PGE PAE */
#define BASE_EFER 0x901		/* NXE LME SCE */

/* Where a case finds things; the Go test has the same numbers. */
#define AREA_CODE 0x200000	/* user, executable */
#define AREA_DATA 0x201000	/* user */
#define AREA_STACK 0x203000	/* top; user */

/* struct of a case */
#define C_CODE 0
#define C_CS 40
#define C_SS 48
#define C_FLAGS 56
#define C_RSP 64
#define C_REGS 72		/* rax rbx rcx rdx rsi rdi */
#define C_CR0 120		/* bits to toggle */
#define C_CR4 128		/* bits to set */
#define C_DR7 136
#define C_DR0 144
#define C_WORDS 152		/* five words at RSP */
#define C_SIZE 192

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
	cli
	cld
	xor %eax, %eax			/* whatever the firmware left there */
	mov $AREA_CODE, %edi
	mov $0x8000 / 4, %ecx
	rep stosl
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0x20, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	rdmsr
	or $BASE_EFER, %eax
	wrmsr
	mov $BASE_CR0, %eax
	mov %eax, %cr0
	mov $gdt_master, %esi
	mov $gdt, %edi
	mov $(gdt_end - gdt_master) / 4, %ecx
	rep movsl
	lgdt gdtr
	ljmp $8, $start64

	.code64
start64:
	mov $0xff, %al			/* no interrupt from the 8259s */
	out %al, $0x21
	out %al, $0xa1
	mov $tss, %eax			/* addresses that the linker cannot split */
	mov %ax, gdt_master + 0x62
	shr $16, %eax
	mov %al, gdt_master + 0x64
	mov $ldt, %eax
	mov %ax, gdt_master + 0x72
	shr $16, %eax
	mov %al, gdt_master + 0x74
	mov $target, %eax
	mov %ax, gdt_master + 0x80
	shr $16, %eax
	mov %ax, gdt_master + 0x86
	mov $handlers, %rsi		/* all gates on IST 1, DPL 0 but for INT3 and INTO */
	mov $idt, %rdi
	xor %ecx, %ecx
1:	mov %rsi, %rax
	mov %ax, (%rdi)
	movw $8, 2(%rdi)
	movw $0x8e01, 4(%rdi)
	shr $16, %rax
	mov %ax, 6(%rdi)
	movq $0, 8(%rdi)
	add $16, %rsi
	add $16, %rdi
	inc %ecx
	cmp $32, %ecx
	jne 1b
	movw $0xee01, idt + 3 * 16 + 4
	movw $0xee01, idt + 4 * 16 + 4
	xor %r15d, %r15d
	mov $cases, %r14

next_case:
	mov $kstack_top, %esp
	pushq $2
	popfq
	mov $BASE_CR0, %eax
	mov %rax, %cr0
	mov $BASE_CR4, %eax
	mov %rax, %cr4
	mov $gdt_master, %esi
	mov $gdt, %edi
	mov $(gdt_end - gdt_master) / 8, %ecx
	rep movsq
	lgdt gdtr
	lidt idtr
	mov $0x70, %eax
	lldt %ax
	mov $0x60, %eax
	ltr %ax
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	xor %eax, %eax
	mov %rax, %dr7
	mov $0xffff0ff0, %eax
	mov %rax, %dr6
	mov $msrs, %esi
2:	mov (%rsi), %ecx
	mov 4(%rsi), %eax
	mov 8(%rsi), %edx
	add $12, %esi
	test %ecx, %ecx
	jz 3f
	wrmsr
	jmp 2b
3:	cmp $cases_end, %r14
	jne 4f
	jmp power_off
4:	mov $0xcccccccccccccccc, %rax	/* fill the code, clear data and stack */
	mov $AREA_CODE, %edi
	mov $512, %ecx
	rep stosq
	xor %eax, %eax
	mov $AREA_DATA, %edi
	mov $1024, %ecx
	rep stosq
	lea C_CODE(%r14), %rsi
	mov $AREA_CODE, %edi
	mov $40, %ecx
	rep movsb
	mov C_RSP(%r14), %rdi
	mov $AREA_STACK - 0x1000, %eax
	cmp %rax, %rdi
	jb 5f
	mov $AREA_STACK - 40, %eax
	cmp %rax, %rdi
	ja 5f
	lea C_WORDS(%r14), %rsi
	mov $5, %ecx
	rep movsq
5:	mov C_DR0(%r14), %rax
	mov %rax, %dr0
	mov C_DR7(%r14), %rax
	mov %rax, %dr7
	mov C_CR4(%r14), %rax
	or $BASE_CR4, %rax
	mov %rax, %cr4
	mov C_CR0(%r14), %rax
	mov $BASE_CR0, %edx
	xor %rdx, %rax
	mov %rax, %cr0
	movl $0, events
	push C_SS(%r14)
	push C_RSP(%r14)
	push C_FLAGS(%r14)
	push C_CS(%r14)
	pushq $AREA_CODE
	testb $3, C_CS(%r14)		/* data segments of the level */
	jz 6f
	mov $0x2b, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
6:	xor %ebp, %ebp
	xor %r11d, %r11d
	mov C_REGS+0(%r14), %rax
	mov C_REGS+8(%r14), %rbx
	mov C_REGS+16(%r14), %rcx
	mov C_REGS+24(%r14), %rdx
	mov C_REGS+32(%r14), %rsi
	mov C_REGS+40(%r14), %rdi
	iretq

	/* 16 bytes each: push a zero where there is no error code, the vector */
	.balign 16
handlers:
	vector = 0
	.rept 32
	.balign 16
	.if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp common
	vector = vector + 1
	.endr
	.balign 16

common:
	cld
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rbx
	push %rax
	/* rsp: rax rbx rcx rdx rsi rdi vector error rip cs rflags rsp ss */
	mov %ds, %eax
	mov %ax, segs
	mov %es, %eax
	mov %ax, segs + 2
	mov %fs, %eax
	mov %ax, segs + 4
	mov %gs, %eax
	mov %ax, segs + 6
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov $'#', %al
	call putc
	mov %r15, %rax
	call hex
	mov %rsp, %rsi
	mov $13, %ecx
1:	mov (%rsi), %rax
	call hex
	add $8, %rsi
	dec %ecx
	jnz 1b
	mov %cr2, %rax
	call hex
	mov %dr6, %rax
	call hex
	mov segs, %rax
	call hex
	mov $0xc0000100, %ecx
	call msr
	mov $0xc0000101, %ecx
	call msr
	mov %cr0, %rax
	call hex
	mov $'\n', %al
	call putc
	xor %eax, %eax
	mov %rax, %cr2
	cmpq $1, 48(%rsp)		/* a #DB: go on, up to six of them */
	jne 2f
	incl events
	cmpl $6, events
	je 2f
	mov %dr6, %rax
	test $15, %al
	jz 4f
	orl $0x10000, 80(%rsp)		/* RF: past the breakpoint */
4:	mov $0xffff0ff0, %eax
	mov %rax, %dr6
	testb $3, 72(%rsp)
	jz 3f
	mov $0x2b, %eax
	mov %eax, %ds
	mov %eax, %es
3:	pop %rax
	pop %rbx
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	add $16, %rsp
	iretq
2:	inc %r15d
	add $C_SIZE, %r14
	jmp next_case

msr:	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	jmp hex

hex:	push %rcx			/* rax and a space */
	push %rdx
	mov %rax, %rdx
	mov $16, %ecx
1:	rol $4, %rdx
	mov %edx, %eax
	and $15, %eax
	movzbl digits(%rax), %eax
	call putc
	dec %ecx
	jnz 1b
	mov $' ', %al
	call putc
	pop %rdx
	pop %rcx
	ret

putc:	push %rdx
	push %rax
	mov $COM1 + 5, %edx
1:	in %dx, %al
	test $0x20, %al
	jz 1b
	pop %rax
	mov $COM1, %edx
	out %al, %dx
	pop %rdx
	ret

power_off:
	mov $0x604, %edx
	mov $0x2000, %eax
	out %ax, %dx
1:	hlt
	jmp 1b

/* Targets of system calls and gates: an INT3 says that they were reached. */
	.balign 16
	.globl target
target:	int3
	.balign 16
target32: int3

	.data
digits:	.ascii "0123456789abcdef"
	.balign 8
segs:	.quad 0
events:	.long 0
	.balign 8
cases:
#include "cases.inc"
cases_end:

msrs:	.long 0xc0000080, BASE_EFER, 0
	.long 0xc0000081, 0, 0x00200008
	.long 0xc0000082, target, 0
	.long 0xc0000083, target32, 0
	.long 0xc0000084, 0x700, 0	/* TF IF DF */
	.long 0xc0000100, 0, 0
	.long 0xc0000101, 0, 0
	.long 0xc0000102, 0x77777000, 0
	.long 0x174, 8, 0
	.long 0x175, kstack_top, 0
	.long 0x176, target, 0
	.long 0

	.balign 16
gdt_master:
	.quad 0
	.quad 0x00af9b000000ffff	/* 08 64-bit code */
	.quad 0x00cf93000000ffff	/* 10 data */
	.quad 0x00cf9b000000ffff	/* 18 32-bit code */
	.quad 0x00cffb000000ffff	/* 23 32-bit user code */
	.quad 0x00cff3000000ffff	/* 2b user data */
	.quad 0x00affb000000ffff	/* 33 64-bit user code */
	.quad 0x00cf91000000ffff	/* 38 read-only data */
	.quad 0x00af1b000000ffff	/* 40 64-bit code, not present */
	.quad 0x00cf73000000ffff	/* 4b user data, not present */
	.quad 0x00af9f000000ffff	/* 50 conforming 64-bit code */
	.quad 0x00af7b000000ffff	/* 5b 64-bit user code, not present */
	.quad 0x0000890000000067	/* 60 TSS; base filled in at start */
	.quad 0
	.quad 0x000082000000000f	/* 70 LDT */
	.quad 0
	.quad 0x0000ec0000080000	/* 83 call gate to target */
	.quad 0
	.quad 0x00ef9b000000ffff	/* 90 L and D */
	.quad 0x00cff9000000ffff	/* 9b execute-only 32-bit user code */
	.quad 0x008ff3000000ffff	/* a3 16-bit user data */
	.quad 0x00cf13000000ffff	/* a8 data, not present */
	.quad 0x00afff000000ffff	/* b3 conforming 64-bit user code */
	.quad 0x008f9b000000ffff	/* b8 16-bit code */
	.quad 0x0040f32010000fff	/* c3 user data, base 0x201000, limit 0xfff */
gdt_end:
	.balign 16
gdt:	.space gdt_end - gdt_master
gdtr:	.word gdt_end - gdt_master - 1
	.quad gdt
idtr:	.word 32 * 16 - 1
	.quad idt
	.balign 16
ldt:	.quad 0
	.quad 0x00cff3000000ffff	/* 0f user data */
tss:	.long 0
	.quad kstack_top		/* RSP0 */
	.quad 0, 0, 0
	.quad istack_top		/* IST1 */
	.quad 0, 0, 0, 0, 0, 0
	.quad 0
	.word 0, 0x68
	.balign 4096
pml4:	.quad pdpt + 7
	.space 4088
pdpt:	.quad pd + 7
	.space 4088
pd:	.quad ptk + 7
	.quad pt + 7
	.space 4080
	.balign 4096
ptk:	.space 2048			/* 0-1 MiB absent, then the kernel, supervisor */
	page = 0x100003
	.rept 256
	.quad page
	page = page + 0x1000
	.endr
pt:	.quad 0x200007			/* code */
	.quad 0x201007			/* data */
	.quad 0x202007			/* stack */
	.quad 0x203003			/* 203000 supervisor */
	.quad 0x204005			/* 204000 read-only */
	.quad 0				/* 205000 not present */
	.quad 0x8000000000206007	/* 206000 NX */
	.quad 0x0008000000207007	/* 207000 reserved bit */
	.space 4096 - 64

	.bss
	.balign 4096
idt:	.space 4096
	.space 8192
kstack_top:
	.space 8192
istack_top:
