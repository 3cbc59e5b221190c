/*
 * Reads a line from its console, prints it as "got LINE", and powers off. Before that, a line that
 * begins with "d" makes it trap without a stack, "x" makes a hypercall of dom0's tools, "s" does an x87
 * instruction. The console is that of the platform: a domU's ring, awaited by SCHEDOP_poll; for a dom0
 * console_io, and natively the serial port, both asked again and again.
 */
#define BASE 0xffffffff80000000
#define HYPERCALL(nr) mov $nr, %eax; syscall
#define CONSOLE_IO 18
#define SCHED_OP 29
#define EVENT_CHANNEL_OP 32
#define PLATFORM_OP 7

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
	note 18, .long start_pvh - BASE

	.text
	.globl start
start:
	lea stack_top, %rsp
	testl $1, 48(%rsi)		/* start_info.flags: SIF_PRIVILEGED */
	jnz dom0

domu:	mov 104(%rsi), %rdi		/* mfn_list */
	mov 72(%rsi), %rax		/* console.domU.mfn */
	mov 80(%rsi), %edx		/* console.domU.evtchn */
	mov %edx, port
	xor %ecx, %ecx
1:	cmp %rax, (%rdi,%rcx,8)		/* its place in our memory */
	je 2f
	inc %rcx
	jmp 1b
2:	shl $12, %rcx
	lea BASE(%rcx), %r15		/* in[1024], out[2048], then in_cons, in_prod, out_cons, out_prod */
	lea line, %rbx
3:	mov 3072(%r15), %eax
	cmp 3076(%r15), %eax
	je 4f
	and $1023, %eax
	mov (%r15,%rax), %cl
	incl 3072(%r15)
	mov %cl, (%rbx)
	inc %rbx
	cmp $'\n', %cl
	jne 3b
	jmp 5f
4:	mov $3, %edi			/* SCHEDOP_poll */
	lea poll, %rsi
	HYPERCALL(SCHED_OP)
	jmp 3b
5:	call judge
	lea answer, %rsi
6:	mov 3084(%r15), %eax
	and $2047, %eax
	mov (%rsi), %cl
	mov %cl, 1024(%r15,%rax)
	incl 3084(%r15)
	inc %rsi
	cmp %rbx, %rsi
	jne 6b
	mov $4, %edi			/* EVTCHNOP_send */
	lea port, %rsi
	HYPERCALL(EVENT_CHANNEL_OP)
	jmp off

dom0:	lea line, %rbx
1:	mov $1, %edi			/* CONSOLEIO_read */
	mov $1, %esi
	mov %rbx, %rdx
	HYPERCALL(CONSOLE_IO)
	cmp $1, %rax
	jne 1b
	inc %rbx
	cmpb $'\n', -1(%rbx)
	jne 1b
	call judge
	xor %edi, %edi			/* CONSOLEIO_write */
	lea answer, %rdx
	mov %rbx, %rsi
	sub %rdx, %rsi
	HYPERCALL(CONSOLE_IO)
off:	mov $2, %edi			/* SCHEDOP_shutdown, poweroff */
	lea zero, %rsi
	HYPERCALL(SCHED_OP)
	ud2

judge:	cmpb $'d', line
	jne 1f
	xor %esp, %esp
	ud2
1:	cmpb $'s', line
	jne 2f
sine:	fsin
2:	cmpb $'x', line
	jne 3f
	lea get_symbol, %rdi
unusual: HYPERCALL(PLATFORM_OP)
3:	ret

	.code32
start_pvh:
	mov $0x3fd, %edx		/* line status of the first serial port */
	mov $line - BASE, %ebx
1:	mov $0x3fd, %edx
	in %dx, %al
	test $1, %al
	jz 1b
	mov $0x3f8, %edx
	in %dx, %al
	mov %al, (%ebx)
	inc %ebx
	cmp $'\n', %al
	jne 1b
	cmpb $'d', line - BASE
	jne 2f
	ud2				/* there is no IDT */
2:	mov $answer - BASE, %esi
	mov %ebx, %ecx
	sub %esi, %ecx
	rep outsb
	mov $0x604, %edx		/* PM1a_CNT: S5, SLP_EN */
	mov $0x2000, %eax
	out %ax, %dx
	hlt

	.data
	.balign 8
poll:	.quad port, 1, 0		/* ports, nr_ports, no timeout */
get_symbol: .long 63, 0x03000001	/* cmd, XENPF_INTERFACE_VERSION */
	.skip 128
port:	.long 0
zero:	.long 0
answer:	.ascii "got "
line:	.skip 256
	.balign 16
	.skip 4096
stack_top:
