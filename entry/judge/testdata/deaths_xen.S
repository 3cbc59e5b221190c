/*
 * A Xen PV kernel that ends in the way its command line names, so that the
 * judge can be tried against every end that real Xen reports. Rule ids as in
 * the rule book (CRASH-01 and so on).
 *
 * Built by: cc -nostdlib -static -Wl,--build-id=none -Wl,-N ... (see build_test.go)
 */
#define HYPERCALL(nr) mov $(nr), %eax; syscall
#define SET_TRAP_TABLE    0
#define UPDATE_VA_MAPPING 14
#define XEN_VERSION       17
#define CONSOLE_IO        18
#define IRET              23
#define SCHED_OP          29

#define STACK_TOP stack + 4096

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
	note 6, .asciz "pvlab-deaths"
	note 9, .asciz "yes"
	note 3, .quad 0xffffffff80000000
	note 1, .quad start

	.text
	.globl start
start:
	mov %rsi, %r15			/* start_info (BOOT-04) */
	lea STACK_TOP, %rsp
	lea 128(%r15), %rbx		/* its cmd_line (BOOT-05) */

	/* Find the row of the table that the command line names. */
	lea cases, %rbp
1:	mov (%rbp), %rsi
	test %rsi, %rsi
	jz unknown
	mov %rbx, %rdi
2:	movb (%rsi), %al
	cmpb (%rdi), %al
	jne 3f
	inc %rsi
	inc %rdi
	test %al, %al
	jnz 2b
	jmp found
3:	add $16, %rbp
	jmp 1b

unknown:
	lea msg_unknown, %rsi
	call print
	jmp do_poweroff

found:
	lea msg_case, %rsi
	call print
	mov (%rbp), %rsi
	call print
	lea msg_nl, %rsi
	call print
	mov 8(%rbp), %rax
	push %rax

	/* Recognisable values in all registers, so that a dump can be read. */
	mov $0x1111111111110001, %rbx
	mov $0x1111111111110002, %rcx
	mov $0x1111111111110003, %rdx
	mov $0x1111111111110004, %rsi
	mov $0x1111111111110005, %rdi
	mov $0x1111111111110006, %rbp
	mov $0x1111111111110008, %r8
	mov $0x1111111111110009, %r9
	mov $0x1111111111110010, %r10
	mov $0x1111111111110011, %r11
	mov $0x1111111111110012, %r12
	mov $0x1111111111110013, %r13
	mov $0x1111111111110014, %r14
	ret				/* rax = the case, r15 = start_info */

/* print the string at rsi; keeps rbx, rbp, r12-r15 */
print:
	mov %rsi, %rdx
	xor %esi, %esi
1:	cmpb $0, (%rdx,%rsi)
	je 2f
	inc %rsi
	jmp 1b
2:	xor %edi, %edi			/* CONSOLEIO_write */
	HYPERCALL(CONSOLE_IO)
	ret

/* announce the trap at trigger */
plan:
	lea trigger, %rax
	mov $16, %ecx
1:	mov %eax, %edx
	and $15, %edx
	movb digits(%rdx), %dl
	movb %dl, plan_rip - 1(%rcx)
	shr $4, %rax
	loop 1b
	lea msg_plan, %rsi
	jmp print

/* shutdown with the reason in edi */
shutdown:
	mov %edi, reason
	lea reason, %rsi
	mov $2, %edi
	HYPERCALL(SCHED_OP)
	ud2

do_poweroff:	mov $0, %edi; jmp shutdown
do_reboot:	mov $1, %edi; jmp shutdown
do_suspend:	mov $2, %edi; jmp shutdown
do_crash:	mov $3, %edi; jmp shutdown
do_watchdog:	mov $4, %edi; jmp shutdown
do_softreset:	mov $5, %edi; jmp shutdown
do_panic:
	lea msg_panic, %rsi
	call print
	jmp do_crash

do_partial:				/* no line end before Xen speaks */
	lea msg_partial, %rsi
	call print
	int3
do_partialoff:
	lea msg_partial, %rsi
	call print
	jmp do_poweroff
do_block:
	mov $1, %edi			/* SCHEDOP_block: opens the mask, nothing is bound */
	xor %esi, %esi
	HYPERCALL(SCHED_OP)
	jmp do_block
do_spin:
	jmp do_spin

/* CRASH-02: no trap table at all */
do_bp:	int3
do_ud:	ud2
do_pf:	cmpb $0, 0x10
do_pfw:	movb $0, start			/* text is writable at boot, so: */
	mov 88(%r15), %rax		/* a page table is not (BOOT-08) */
	movb $0, (%rax)
do_pfx:	mov $0x7fff00001000, %rax	/* fetch from nowhere */
	jmp *%rax
do_pfhigh:
	mov $0xffffc90000001238, %rax	/* hole at L4 in the guest's upper half */
	cmpb $0, (%rax)
do_pfxen:
	mov $0xffff830000000000, %rax	/* Xen's own */
	cmpb $0, (%rax)
do_gp:	mov $0x8000000000000000, %rax
	cmpb $0, (%rax)
do_gpsel:
	mov $0x18, %eax
	mov %eax, %ds
do_db:	pushf
	orl $0x100, (%rsp)
	popf
	nop
do_de:	xor %ecx, %ecx
	xor %edx, %edx
	mov $1, %eax
	div %ecx
do_intn:
	int $0x33

/* CRASH-02 without an Unhandled line: an event with no callback */
do_callback:
	mov 40(%r15), %rsi		/* shared_info, a machine address */
	or $0x67, %rsi
	lea shared_info, %rdi
	mov $2, %edx			/* UVMF_INVLPG, this vCPU */
	HYPERCALL(UPDATE_VA_MAPPING)
	movb $1, shared_info		/* evtchn_upcall_pending */
	movb $0, shared_info + 1	/* evtchn_upcall_mask */
	xor %edi, %edi
	HYPERCALL(XEN_VERSION)
	ud2

/* CRASH-01: the stack lies in Xen's part of the address space */
do_hole:
	mov $0xffff820000000000, %rsp
	int3
/* CRASH-03 */
do_stackgone:
	mov $0x7fff00002000, %rsp
	int3
do_stacknoncanon:
	mov $0x8000000000002000, %rsp
	int3
do_stackro:
	mov 88(%r15), %rsp		/* into a page table, which is read-only */
	add $2048, %rsp
	int3
do_stackedge:
	mov 0x18(%r15), %rax
	mov $0xffffffff7ffffff8, %rsp	/* mapped L4, hole at L3 or below */
	int3
do_stackzero:
	xor %esp, %esp
	int3
/* with a handler this time, so that only the stack is at fault; then #PF */
do_stackpf:
	lea traps, %rdi
	HYPERCALL(SET_TRAP_TABLE)
	mov $0x7fff00002010, %rsp
	mov $0x123450, %eax
	cmpb $0, (%rax)
/* a handler that faults at its first instruction: CRASH-15 */
do_recurse:
	lea traps_bad, %rdi
	HYPERCALL(SET_TRAP_TABLE)
	lea guarded, %rdi
	xor %esi, %esi			/* unmap the page below the stack */
	mov $2, %edx
	HYPERCALL(UPDATE_VA_MAPPING)
	lea guarded + 8192, %rsp
	cmpb $0, 0x10

/* CRASH-04 */
do_badiret:
	mov $0x7fff00002000, %rsp
	HYPERCALL(IRET)
/* CRASH-05 */
do_iretuser:
	push $0x2b | 0xe000		/* ss */
	push $0x1234			/* rsp */
	push $0x202			/* rflags */
	push $0xe033			/* cs: RPL 3 = user mode (IRET-03) */
	lea do_spin, %rax
	push %rax			/* rip */
	push $0				/* flags */
	push %rcx
	push %r11
	push %rax
	HYPERCALL(IRET)

/* a full stack page below words that can be told apart */
do_stackdump:
	mov $64, %ecx
1:	push %rcx
	loop 1b
	ud2
/* the dump runs into the end of the mapping */
do_stackend:
	lea guarded, %rdi
	xor %esi, %esi
	mov $2, %edx
	HYPERCALL(UPDATE_VA_MAPPING)
	lea guarded - 40, %rsp
	ud2

/* where a dump stops: at a multiple of 32 KiB, Xen's own stack size */
do_stack32k:
	mov $0xffffffff80308000, %rsp
	mov $IRET, %eax
	movl $0xe033, 40(%rsp)		/* user mode without tables: RSP stays */
	syscall
do_stack32kbelow:
	mov $0xffffffff80307fd0, %rsp
	mov $IRET, %eax
	movl $0xe033, 40(%rsp)
	syscall
do_stack16k:
	mov $0xffffffff80303fd0, %rsp
	mov $IRET, %eax
	movl $0xe033, 40(%rsp)
	syscall
do_stackodd:
	lea STACK_TOP - 253, %rsp	/* not even aligned to 8 */
	movq $-1, (%rsp)
	mov $IRET, %eax
	movl $0xe033, 40(%rsp)
	syscall
do_stackhole:				/* just at and about the hole */
	mov $0xffff800000000000, %rsp
	int3
do_stackholeend:
	mov $0xffff880000000038, %rsp
	int3
do_stackhole40:
	mov $0xffff880000000040, %rsp
	int3
do_iretnoncanon:
	mov $0x8000000000002000, %rsp
	HYPERCALL(IRET)
do_irethole:
	mov $0xffff820000000000, %rsp
	HYPERCALL(IRET)
do_iretedge:				/* the first words can be read, the last not */
	lea guarded, %rdi
	xor %esi, %esi
	mov $2, %edx
	HYPERCALL(UPDATE_VA_MAPPING)
	lea guarded - 40, %rsp
	HYPERCALL(IRET)
/* iret to a bad selector, to a kernel with no #GP handler */
do_iretbadcs:
	push $0xe02b
	push $0x1234
	push $0x202
	push $0x1230
	lea do_spin, %rax
	push %rax
	push $0
	push %rcx
	push %r11
	push %rax
	HYPERCALL(IRET)
/* Unmask by the iret with an event pending and no callback */
do_walk2m:				/* L2 and L1 present but the last not */
	movb $0, 0xffffffff803ff000
	movb $0, 0xffffffff80400000
do_sysenter:
	sysenter
do_fpu: fninit
	mov $0x3f, %eax
	push %rax
	fldcw (%rsp)
	ud2
do_bigframe:
	lea traps, %rdi
	HYPERCALL(SET_TRAP_TABLE)
	mov $0xffffffff80400000, %rsp
	mov $0x123450, %eax
	cmpb $0, (%rax)
	ud2

/* the frame straddles the end of the mapping: which slot faults first */
do_slot3:
	mov $16, %ebp
	jmp straddle_bp
do_slot2:
	mov $32, %ebp
	jmp straddle_bp
do_slot0:
	mov $48, %ebp
	jmp straddle_bp
do_slotec1:
	mov $48, %ebp
	jmp straddle_pf
do_slotec2:
	mov $32, %ebp
	jmp straddle_pf
straddle_bp:
	call straddle
	lea guarded + 4096(%rbp), %rsp
	int3
straddle_pf:
	call straddle
	lea guarded + 4096(%rbp), %rsp
	cmpb $0, 0x10
straddle:
	lea guarded, %rdi
	xor %esi, %esi
	mov $2, %edx
	HYPERCALL(UPDATE_VA_MAPPING)
	ret

/* One trap, announced and survived. */
do_survive:
	lea traps, %rdi
	HYPERCALL(SET_TRAP_TABLE)
	call plan
	.globl trigger
trigger:
	cmpb $0, 0x10
after:	lea msg_ok, %rsi
	call print
	jmp do_poweroff
/* The plan names an instruction that is never reached. */
do_misplanned:
	call plan
	jmp do_poweroff

on_pf:	add $24, %rsp			/* rcx, r11, error code */
	lea after, %rax
	mov %rax, (%rsp)
	orb $3, 8(%rsp)
	iretq

	.section .rodata
	.macro case name:req, target:req
	.pushsection .rodata.names, "a"
9:	.asciz "\name"
	.popsection
	.quad 9b, \target
	.endm
	.balign 8
cases:
	case poweroff, do_poweroff
	case reboot, do_reboot
	case suspend, do_suspend
	case crash, do_crash
	case watchdog, do_watchdog
	case softreset, do_softreset
	case panic, do_panic
	case block, do_block
	case spin, do_spin
	case bp, do_bp
	case ud, do_ud
	case pf, do_pf
	case pfw, do_pfw
	case pfx, do_pfx
	case pfhigh, do_pfhigh
	case pfxen, do_pfxen
	case gp, do_gp
	case gpsel, do_gpsel
	case db, do_db
	case de, do_de
	case intn, do_intn
	case callback, do_callback
	case hole, do_hole
	case stackgone, do_stackgone
	case stacknoncanon, do_stacknoncanon
	case stackro, do_stackro
	case stackedge, do_stackedge
	case stackzero, do_stackzero
	case stackpf, do_stackpf
	case recurse, do_recurse
	case badiret, do_badiret
	case iretuser, do_iretuser
	case stackdump, do_stackdump
	case stackend, do_stackend
	case stack32k, do_stack32k
	case stack32kbelow, do_stack32kbelow
	case stack16k, do_stack16k
	case stackodd, do_stackodd
	case stackhole, do_stackhole
	case stackholeend, do_stackholeend
	case stackhole40, do_stackhole40
	case iretnoncanon, do_iretnoncanon
	case irethole, do_irethole
	case iretedge, do_iretedge
	case iretbadcs, do_iretbadcs
	case walk2m, do_walk2m
	case sysenter, do_sysenter
	case fpu, do_fpu
	case bigframe, do_bigframe
	case slot3, do_slot3
	case slot2, do_slot2
	case slot0, do_slot0
	case slotec1, do_slotec1
	case slotec2, do_slotec2
	case partial, do_partial
	case partialoff, do_partialoff
	case survive, do_survive
	case misplanned, do_misplanned
	.quad 0, 0
traps:
	.byte 14, 0
	.word 0xe033, 0, 0
	.quad on_pf
	.quad 0, 0
traps_bad:
	.byte 14, 0
	.word 0xe033, 0, 0
	.quad 0x20
	.quad 0, 0
digits:		.ascii "0123456789abcdef"
msg_case:	.asciz "case "
msg_nl:		.asciz "\n"
msg_unknown:	.asciz "unknown case\n"
msg_partial:	.asciz "half a line"
msg_panic:	.asciz "PANIC: as asked\n"
msg_ok:		.asciz "survived intact\n"

	.data
msg_plan:
	.ascii "plan vec=14 err=0 rip="
plan_rip:
	.ascii "0000000000000000"
	.asciz " rsp=0 cr2=0000000000000010\n"
	.balign 4096
shared_info:	.fill 4096
stack:		.fill 4096
guarded:	.fill 8192
reason:		.long 0
