/*
 * probe.S - a PVH guest that does what a table says to the devices of a PC and
 * prints what it read: the same table is run on the model, and must read the
 * same. Entered in 32-bit protected mode without paging (PVH note), so device
 * memory is reached directly.
 *
 * The table comes from "ops.inc", made by the test: entries of `op kind, size,
 * addr, value`. Everything read goes to a buffer first, because the serial port
 * itself may be what is tested.
 */
#define COM1 0x3f8
#define STACK_SIZE 4096

	.macro op kind, size, addr, value
	.byte \kind, \size
	.word 0
	.long \addr, \value
	.endm

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	mov $stack + STACK_SIZE, %esp
	lgdt gdtr
	ljmp $8, $1f
1:	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stubs, %eax		/* an interrupt gate for each vector */
	mov $idt, %edi
	mov $256, %ecx
1:	mov %ax, (%edi)
	movl $0x8e00, 4(%edi)
	movw $8, 2(%edi)
	mov %eax, %edx
	shr $16, %edx
	mov %dx, 6(%edi)
	add $16, %eax
	add $8, %edi
	loop 1b
	lidt idtr
	mov $results, %edi
	mov $ops, %esi

next:	movzbl (%esi), %eax
	movzbl 1(%esi), %ecx
	mov 4(%esi), %edx
	mov 8(%esi), %ebx
	add $12, %esi
	jmp *actions(,%eax,4)

op_in:	cmp $2, %ecx
	je 2f
	ja 4f
	inb %dx, %al
	movzbl %al, %eax
	jmp record
2:	inw %dx, %ax
	movzwl %ax, %eax
	jmp record
4:	inl %dx, %eax
	jmp record
op_out:	mov %ebx, %eax
	cmp $2, %ecx
	je 2f
	ja 4f
	outb %al, %dx
	jmp next
2:	outw %ax, %dx
	jmp next
4:	outl %eax, %dx
	jmp next
op_read:
	mov (%edx), %eax
	jmp record
op_write:
	mov %ebx, (%edx)
	jmp next
op_rdmsr:
	mov %edx, %ecx
	rdmsr
	jmp record
op_window:				/* take the interrupts that are due */
	sti
	.rept 16
	nop
	.endr
	cli
	jmp next
op_halt:				/* sleep until one interrupt came */
	sti
	hlt
	cli
	jmp next
record:	stosl
	jmp next

	.balign 16
stubs:
	vector = 0
	.rept 256
	.balign 16
	pushl $vector
	jmp taken
	vector = vector + 1
	.endr
	.balign 16
taken:	xchg %eax, (%esp)		/* an interrupt: record its vector, marked */
	or $0x80000000, %eax
	stosl
	pop %eax
	iret

op_end:	mov $ready, %esi		/* serial port to 8N1, no loopback, and print */
1:	lodsw
	test %ax, %ax
	jz 2f
	movzbl %ah, %edx
	add $COM1, %edx
	outb %al, %dx
	jmp 1b
2:	mov $results, %esi
	mov %edi, %ebp
	mov $'\n', %al
	call putc
3:	cmp %ebp, %esi
	jae off
	lodsl
	mov %eax, %ebx
	mov $8, %ecx
4:	rol $4, %ebx
	mov %ebx, %eax
	and $15, %eax
	movb digits(%eax), %al
	call putc
	loop 4b
	mov $'\n', %al
	call putc
	jmp 3b
off:	mov $'.', %al
	call putc
	mov $'\n', %al
	call putc
	mov $0x604, %edx		/* PM1a control: soft off */
	mov $0x2000, %eax
	outw %ax, %dx
1:	cli
	hlt
	jmp 1b

putc:	mov %al, %ah
	mov $COM1 + 5, %edx
1:	inb %dx, %al
	test $0x20, %al
	jz 1b
	mov %ah, %al
	mov $COM1, %edx
	outb %al, %dx
	ret

	.data
	.balign 8
actions:
	.long op_end, op_in, op_out, op_read, op_write, op_rdmsr, op_window, op_halt
ready:	.byte 0x83, 3, 1, 0, 0, 1, 3, 3, 7, 2, 3, 4, 0, 1, 0, 0	/* value, register */
digits:	.ascii "0123456789abcdef"
	.balign 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word . - gdt - 1
	.long gdt
idtr:	.word 256 * 8 - 1
	.long idt
	.balign 4
ops:
	.include "ops.inc"
	op 0, 0, 0, 0
	.bss
	.balign 4096
idt:	.fill 2048
stack:	.fill STACK_SIZE
results:
	.fill 65536
