/* code.S - pieces of code that more than one demo interrupts. NAME_next is the
   instruction behind the one that matters, NAME_end behind all. */

.macro CODE section, name
	.pushsection \section, "ax"
	.globl	\name, \name\()_next, \name\()_end
	.type	\name, @function
\name:
.endm
.macro END_CODE name
\name\()_end:
	.size	\name, . - \name
	.popsection
.endm

.macro BOTH name, insn:vararg
	CODE .text, kernel_\name
	\insn
kernel_\name\()_next:
	ud2
	END_CODE kernel_\name
	CODE .user.text, user_\name
	\insn
user_\name\()_next:
	ud2
	END_CODE user_\name
.endm

	BOTH	int3, int3
	BOTH	int3_long, int $3
	BOTH	int4, int $4
	BOTH	int13, int $13
	BOTH	int30, int $0x30
	BOTH	int31, int $0x31
	BOTH	int32, int $0x32
	BOTH	int80, int $0x80
	BOTH	int30_rex, .byte 0x48, 0xcd, 0x30
	BOTH	read, mov (%rax), %eax
	BOTH	write, mov %ebx, (%rax)
	BOTH	syscall, syscall
	BOTH	iretq, iretq
	BOTH	nop, .byte 0x90, 0x90, 0x90, 0x90

	CODE .text, kernel_pushf_int3
	pushfq
	pop	%rax
kernel_pushf_int3_next:
	int3
	END_CODE kernel_pushf_int3

	CODE .text, kernel_unmask_int3
	movb	$0, (%rbx)
	int3
kernel_unmask_int3_next:
	ud2
	END_CODE kernel_unmask_int3

	.section .user.data, "aw"
	.balign	8
	.globl	user_word
user_word:
	.quad	0
