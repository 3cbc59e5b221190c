/*
 * Reads a page, has Xen map another frame there without asking for a flush, and reads it again: what it
 * prints depends on whether the processor kept the translation. A PV guest that is wrong in this way
 * works on one machine and not on the next.
 */
#define BASE 0xffffffff80000000
#define HYPERCALL(nr) mov $nr, %eax; syscall
#define UPDATE_VA_MAPPING 14
#define CONSOLE_IO 18
#define SCHED_OP 29

	.macro note type:req, desc:vararg
	.balign 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\desc
2:	.balign 4
	.endm

	.section .note.Xen, "a", @note
	note 5, .asciz "xen-3.0"
	note 8, .asciz "generic"
	note 9, .asciz "yes"
	note 3, .quad BASE
	note 1, .quad start

	.text
	.globl start
start:
	lea stack_top, %rsp
	mov 104(%rsi), %rbx		/* mfn_list */
	mov old, %al			/* now the translation is known */
	lea new, %rcx
	sub $BASE, %rcx
	shr $12, %rcx
	mov (%rbx,%rcx,8), %rsi
	shl $12, %rsi
	or $0x7, %rsi			/* present, writable, user */
	lea old, %rdi
	xor %edx, %edx			/* UVMF_NONE */
	HYPERCALL(UPDATE_VA_MAPPING)
	test %rax, %rax
	jnz 1f
	xor %edi, %edi			/* CONSOLEIO_write */
	mov $4, %esi
	lea old, %rdx
	mov (%rdx), %eax
	mov %eax, text
	lea text, %rdx
	HYPERCALL(CONSOLE_IO)
1:	mov $2, %edi			/* SCHEDOP_shutdown, poweroff */
	lea zero, %rsi
	HYPERCALL(SCHED_OP)
	ud2

	.data
	.balign 4096
old:	.ascii "old\n"
	.balign 4096
new:	.ascii "new\n"
	.balign 4096
text:	.long 0
zero:	.long 0
	.skip 4096
stack_top:
