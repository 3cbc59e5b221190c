/* Start of the hypercall test guests: notes, stack, and the way to C. */
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
	note 6, .asciz "pvlab-calls"
	note 9, .asciz "yes"
	note 3, .quad 0xffffffff80000000
	note 1, .quad start

	.text
	.globl start
start:
	lea stack_top(%rip), %rsp
	mov %rsi, %rdi
	call run
1:	ud2
	jmp 1b

/* The handlers save what they see and go on at resume_rip, or behind the instruction. */
	.macro handler name:req, vec:req, code:req
	.globl \name
\name:
	pop trap_rcx(%rip)
	pop trap_r11(%rip)
	.if \code
	pop trap_code(%rip)
	.endif
	movq $\vec, trap_vec(%rip)
	jmp trapped
	.endm
	handler on_db_once, 1, 0
	handler on_bp, 3, 0
	handler on_of, 4, 0
	handler on_ud, 6, 0
	handler on_nm, 7, 0
	handler on_np, 11, 1
	handler on_ss, 12, 1
	handler on_gp, 13, 1
	handler on_pf, 14, 1
/* While step_in is not 0: note RIP and go on stepping inside that page, leave it without TF. */
	.globl on_db
on_db:
	cmpq $0, step_in(%rip)
	je on_db_once
	pop trap_rcx(%rip)
	pop trap_r11(%rip)
	push %rax
	push %rbx
	mov 16(%rsp), %rax
	mov step_count(%rip), %rbx
	cmp $15, %rbx
	ja 1f
	push %rcx
	lea step_rips(%rip), %rcx
	mov %rax, (%rcx,%rbx,8)
	pop %rcx
	incq step_count(%rip)
	sub step_in(%rip), %rax
	cmp $4096, %rax
	jb 2f
1:	andl $~0x100, 32(%rsp)
2:	pop %rbx
	pop %rax
	mov trap_rcx(%rip), %rcx
	mov trap_r11(%rip), %r11
	pushq $0
	push %rcx
	push %r11
	push %rax
	mov $23, %eax
	syscall
	handler on_syscall, 0x100, 0
	handler on_sysenter, 0x101, 0
	handler on_30, 0x30, 0
	handler on_80, 0x80, 0
/* Events and NMIs: keep the frame, count, clear pending (unless told not to), go back. */
	.macro keep name:req, count:req, clear:req
	.globl \name
\name:
	push %rax
	push %rbx
	push %rcx
	incq \count(%rip)
	xor %ebx, %ebx
1:	mov 24(%rsp,%rbx,8), %rax
	lea event_frame(%rip), %rcx
	mov %rax, (%rcx,%rbx,8)
	inc %ebx
	cmp $7, %ebx
	jb 1b
	.if \clear
	mov vcpu_info(%rip), %rax
	movb $0, (%rax)
	movq $0, 8(%rax)
	.endif
	pop %rcx
	pop %rbx
	pop %rax
	pop %rcx
	pop %r11
	pushq $0
	push %rcx
	push %r11
	push %rax
	mov $23, %eax
	syscall
	.endm
	keep on_event, event_count, 1
	keep on_nmi, nmi_count, 0
	keep on_int3, int3_count, 0

/* The second vCPU. */
	.globl ap_start
ap_start:
	mov %rsp, ap_regs(%rip)
	pushf
	pop ap_regs+8(%rip)
	mov %cs, ap_regs+16(%rip)
	mov %ss, ap_regs+24(%rip)
	mov %ds, ap_regs+32(%rip)
	mov %fs, ap_regs+40(%rip)
	mov %rax, ap_regs+48(%rip)
	mov %r15, ap_regs+56(%rip)
	mov %gs:0, %rax
	mov %rax, ap_regs+64(%rip)
	mov %rdi, %rdi
	call ap_main
1:	ud2
	jmp 1b

/* int $0x81 ends user code that ran to its end. */
	.globl on_81
on_81:
	mov %rax, try_rax(%rip)
	mov %rdx, try_rdx(%rip)
	pop try_rcx(%rip)
	add $8, %rsp
	pop trap_rip(%rip)
	pop trap_cs(%rip)
	pop try_flags(%rip)
	jmp *resume_rip(%rip)
trapped:
	cmpq $0, user(%rip)
	je 1f
	/* From user code: the handler runs in the kernel, and just stays there. */
	mov %rax, try_rax(%rip)
	mov (%rsp), %rax
	mov %rax, trap_rip(%rip)
	mov 8(%rsp), %rax
	mov %rax, trap_cs(%rip)
	mov 16(%rsp), %rax
	mov %rax, trap_flags(%rip)
	mov 24(%rsp), %rax
	mov %rax, trap_rsp(%rip)
	jmp *resume_rip(%rip)
1:	push %rax
	mov 8(%rsp), %rax
	mov %rax, trap_rip(%rip)
	mov 16(%rsp), %rax
	mov %rax, trap_cs(%rip)
	mov 24(%rsp), %rax
	mov %rax, trap_flags(%rip)
	mov resume_rip(%rip), %rax
	mov %rax, 8(%rsp)
	andl $~0x100, 24(%rsp)
	orl $0x200, 24(%rsp)
	pop %rax
	mov trap_rcx(%rip), %rcx
	mov trap_r11(%rip), %r11
	pushq $0
	push %rcx
	push %r11
	push %rax
	mov $23, %eax
	syscall

/* long try_code(void *code, unsigned long rax, rcx, rdx, flags): runs code, which ends in ret,
   with these registers; a trap ends it. */
	.globl try_code
try_code:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, try_rsp(%rip)
	lea 2f(%rip), %rax
	mov %rax, resume_rip(%rip)
	mov %rsi, %rax
	mov %rdx, %r9
	mov %rcx, %rdx
	mov %r9, %rcx
	push %r8
	popf
	call *%rdi
	mov %rax, try_rax(%rip)
	mov %rcx, try_rcx(%rip)
	mov %rdx, try_rdx(%rip)
	pushf
	pop try_flags(%rip)
2:	mov try_rsp(%rip), %rsp
	cld
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* long try_user(void *code, unsigned long rax, rcx, rdx, flags): the same in user mode; the code ends in
   int $0x81. */
	.globl try_user
try_user:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, try_rsp(%rip)
	lea 3f(%rip), %rax
	mov %rax, resume_rip(%rip)
	movq $1, user(%rip)
	pushq $0xe02b
	lea user_stack(%rip), %rax
	push %rax
	push %r8
	pushq $0xe033
	push %rdi
	pushq $0
	mov %rdx, %r9
	mov %rcx, %rdx
	push %r9
	pushq $0x1111
	push %rsi
	mov $23, %eax
	syscall
3:	movq $0, user(%rip)
	jmp 2b

	.bss
	.balign 4096
	.skip 4096
user_stack:
	.skip 16384
stack_top:
	.globl stack_top
	.globl trap_vec, trap_code, trap_rip, trap_cs, trap_flags, resume_rip, try_rax, try_rcx, try_rdx, try_flags
	.globl event_frame, event_count, nmi_count, vcpu_info, ap_regs
event_frame: .skip 56
event_count: .quad 0
nmi_count: .quad 0
int3_count: .quad 0
vcpu_info: .quad 0
ap_regs: .skip 96
	.weak ap_main
	.globl user, trap_rsp
user: .quad 0
trap_rsp: .quad 0
	.globl step_in, step_count, step_rips
step_in: .quad 0
step_count: .quad 0
step_rips: .skip 128
trap_vec: .quad 0
trap_code: .quad 0
trap_rip: .quad 0
trap_cs: .quad 0
trap_flags: .quad 0
trap_rcx: .quad 0
trap_r11: .quad 0
resume_rip: .quad 0
try_rsp: .quad 0
try_rax: .quad 0
try_rcx: .quad 0
try_rdx: .quad 0
try_flags: .quad 0
	.section .note.GNU-stack, "", @progbits
