# dump.S: a PV guest that prints what its builder made, for the comparison
# with real Xen. Flat, position independent, entered at its first byte.
#
#   regs  RSP RSI               as the guest is entered
#   si    OFFSET 32 BYTES       the start_info page
#   pt    OFFSET 4 ENTRIES      the page-table frames start_info names; present
#                               entries with the MFN replaced by its PFN
#   p2m   NR_PAGES BAD          entries of mfn_list that the M2P contradicts
#   hcp   OFFSET 4 WORDS        the hypercall page, if HCP_VA was patched in
#
# Lines that are all zero are left out. Rebuild: as dump.S -o dump.o &&
# objcopy -O binary -j .text dump.o dump.bin
	.text
	.set M2P, 0xffff800000000000
start:
	mov	%rsi, %r15
	mov	%rsp, regs(%rip)
	mov	%rsi, regs+8(%rip)
	movl	$0x73676572, tag(%rip)		# "regs"
	lea	regs(%rip), %rbp
	xor	%r14d, %r14d
	call	line

	movl	$0x20206973, tag(%rip)		# "si"
	mov	%r15, %rbp
	xor	%r14d, %r14d
1:	call	line
	add	$32, %r14
	cmp	$4096, %r14
	jb	1b

	movl	$0x20207470, tag(%rip)		# "pt"
	mov	88(%r15), %rbp			# pt_base
	mov	96(%r15), %r13			# nr_pt_frames
	shl	$12, %r13
	xor	%r14d, %r14d
2:	cmp	$256*8, %r14			# Xen's own slots of the L4
	jb	3f
	cmp	$272*8, %r14
	jb	4f
3:	call	translate
	mov	%rbp, %r12
	lea	entries(%rip), %rbp
	sub	%r14, %rbp
	call	line
	mov	%r12, %rbp
4:	add	$32, %r14
	cmp	%r13, %r14
	jb	2b

	mov	104(%r15), %rbp			# mfn_list
	mov	32(%r15), %rcx			# nr_pages
	mov	%rcx, regs(%rip)
	xor	%r13d, %r13d			# bad entries
	xor	%edx, %edx
	movabs	$M2P, %r8
5:	mov	(%rbp,%rdx,8), %rax
	cmp	(%r8,%rax,8), %rdx
	setne	%al
	movzbl	%al, %eax
	add	%rax, %r13
	inc	%rdx
	cmp	%rcx, %rdx
	jb	5b
	mov	%r13, regs+8(%rip)
	movl	$0x206d3270, tag(%rip)		# "p2m"
	lea	regs(%rip), %rbp
	xor	%r14d, %r14d
	call	line

	mov	hcp_va(%rip), %rbp
	test	%rbp, %rbp
	jz	8f
	movl	$0x20706368, tag(%rip)		# "hcp"
	xor	%r14d, %r14d
7:	call	line
	add	$32, %r14
	cmp	$4096, %r14
	jb	7b
8:
	mov	$29, %eax			# sched_op(shutdown, &poweroff)
	mov	$2, %edi
	lea	reason(%rip), %rsi
	syscall
	ud2

# entries[0..3] = the four words at rbp+r14, present ones with PFN for MFN.
translate:
	xor	%ecx, %ecx
	lea	entries(%rip), %rdi
	movabs	$M2P, %r8
	movabs	$0x000ffffffffff000, %r9
1:	lea	(%rbp,%r14), %rax
	mov	(%rax,%rcx,8), %rax
	test	$1, %al
	jz	2f
	mov	%rax, %rdx
	and	%r9, %rdx
	xor	%rdx, %rax
	shr	$12, %rdx
	mov	(%r8,%rdx,8), %rdx
	shl	$12, %rdx
	or	%rdx, %rax
2:	mov	%rax, (%rdi,%rcx,8)
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	ret

# Prints tag, r14 and the 32 bytes at rbp+r14, unless they are zero.
line:
	lea	(%rbp,%r14), %rsi
	mov	(%rsi), %rax
	or	8(%rsi), %rax
	or	16(%rsi), %rax
	or	24(%rsi), %rax
	jz	1f
	lea	out+5(%rip), %rdi
	mov	%r14, %rax
	call	hex16
	mov	(%rsi), %rax
	call	hex16
	mov	8(%rsi), %rax
	call	hex16
	mov	16(%rsi), %rax
	call	hex16
	mov	24(%rsi), %rax
	call	hex16
	movb	$10, -1(%rdi)
	mov	$18, %eax			# console_io(write, length, buffer)
	lea	out(%rip), %rdx
	mov	%rdi, %rsi
	sub	%rdx, %rsi
	xor	%edi, %edi
	syscall
1:	ret

# rax as 16 hexadecimal digits and a blank at rdi, which moves on.
hex16:
	mov	$16, %ecx
1:	rol	$4, %rax
	mov	%eax, %edx
	and	$15, %edx
	lea	digits(%rip), %r8
	mov	(%r8,%rdx), %dl
	mov	%dl, (%rdi)
	inc	%rdi
	dec	%ecx
	jnz	1b
	movb	$' ', (%rdi)
	inc	%rdi
	ret

digits:	.ascii	"0123456789abcdef"
	.balign	8
reason:	.long	0, 0
regs:	.quad	0, 0, 0, 0
entries: .quad	0, 0, 0, 0
out:
tag:	.ascii	"xxxx "
	.fill	96, 1, 0
	.balign	8
hcp_va:	.quad	0				# the last word: patched by the test
