# pvhdump.S: a PVH guest that prints memory as its loader left it, for the
# comparison with QEMU. Flat, 32-bit, entered at its first byte at 1 MiB.
#
#   regs ebx cr0 cr4
#   ADDRESS 16 BYTES            for each range of the table at the end
#
# Lines that are all zero are left out. Ends by powering off. Rebuild:
# as --32 pvhdump.S -o pvhdump.o && objcopy -O binary -j .text pvhdump.o pvhdump.bin
	.code32
	.text
start:
	mov	$0x104000, %esp
	mov	$'r', %al
	call	putc
	mov	%ebx, %eax
	call	hex
	mov	%cr0, %eax
	call	hex
	mov	%cr4, %eax
	call	hex
	call	newline
	call	1f
1:	pop	%ebp
	lea	ranges-1b(%ebp), %ebp
2:	mov	(%ebp), %esi
	mov	4(%ebp), %edi
	cmp	%edi, %esi
	je	6f
3:	mov	(%esi), %eax
	or	4(%esi), %eax
	or	8(%esi), %eax
	or	12(%esi), %eax
	jz	5f
	mov	%esi, %eax
	call	hex
	xor	%ebx, %ebx
4:	mov	(%esi,%ebx), %eax
	bswap	%eax
	call	hex
	add	$4, %ebx
	cmp	$16, %ebx
	jb	4b
	call	newline
5:	add	$16, %esi
	cmp	%edi, %esi
	jb	3b
	add	$8, %ebp
	jmp	2b
6:	mov	$0x604, %edx			# PM1a control: S5
	mov	$0x2000, %eax
	out	%ax, %dx
7:	hlt
	jmp	7b

newline:
	mov	$'\n', %al
	jmp	putc

# eax as eight hexadecimal digits and a blank.
hex:
	mov	$8, %ecx
1:	rol	$4, %eax
	push	%eax
	and	$15, %eax
	cmp	$10, %al
	sbb	$0x69, %al			# the old trick for a hexadecimal digit
	das
	call	putc
	pop	%eax
	loop	1b
	mov	$' ', %al

putc:
	push	%edx
	push	%eax
	mov	$0x3fd, %edx
1:	in	%dx, %al
	test	$0x20, %al
	jz	1b
	pop	%eax
	mov	$0x3f8, %edx
	out	%al, %dx
	pop	%edx
	ret

	.balign	8
ranges:	.fill	16, 4, 0			# start, end; patched by the test
