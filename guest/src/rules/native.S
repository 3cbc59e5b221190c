/* native.S - entry stubs of bare metal that demos of NAT look at. */
#include "arch.h"
#include "nat_stubs.h"

	.text

/* NAT-05: INT3 whose handler takes an INT3. Behind that it counts, and returns by
   what RSP points to. If it is this handler's own frame no more, it comes back
   behind its INT3, and stops after the third time. */
	.globl	nest_stub, nest_stub_behind, nest_stub_stop, nest_stub_end
	.type	nest_stub, @function
nest_stub:
	incl	nest_depth(%rip)
	cmpl	$1, nest_depth(%rip)
	jne	1f
	int3
nest_stub_behind:
	incl	nest_turns(%rip)
	cmpl	$3, nest_turns(%rip)
	je	nest_stub_stop
1:	iretq
nest_stub_stop:
	ud2
nest_stub_end:
	.size	nest_stub, . - nest_stub

/* NAT-06: the first NMI makes a second one pending, and may take an INT3. */
	.globl	nmi_stub
	.type	nmi_stub, @function
nmi_stub:
	incl	nmis(%rip)
	cmpl	$1, nmis(%rip)
	jne	1f
	push	%rax
	push	%rcx
	mov	apic_registers(%rip), %rax
	movl	$NMI_COMMAND, APIC_COMMAND(%rax)
	SPIN
	mov	nmis(%rip), %eax
	mov	%eax, nmis_pending(%rip)
	cmpl	$0, nmi_int3(%rip)
	je	2f
	int3
	SPIN
2:	mov	nmis(%rip), %eax
	mov	%eax, nmis_at_end(%rip)
	pop	%rcx
	pop	%rax
1:	iretq
	.size	nmi_stub, . - nmi_stub

/* NAT-01: a handler that raises an interrupt. */
	.globl	self_stub
	.type	self_stub, @function
self_stub:
	push	%rax
	push	%rcx
	pushfq
	pop	%rax
	shr	$9, %eax
	and	$1, %eax
	mov	%eax, if_in_handler(%rip)
	mov	apic_registers(%rip), %rax
	movl	$INTERRUPT, APIC_COMMAND(%rax)
	SPIN
	mov	interrupts(%rip), %eax
	mov	%eax, interrupts_at_end(%rip)
	pop	%rcx
	pop	%rax
	iretq
	.size	self_stub, . - self_stub

	.globl	interrupt_stub
	.type	interrupt_stub, @function
interrupt_stub:
	incl	interrupts(%rip)
	push	%rax
	mov	apic_registers(%rip), %rax
	movl	$0, APIC_END(%rax)
	pop	%rax
	iretq
	.size	interrupt_stub, . - interrupt_stub

	.globl	plain_iretq
	.type	plain_iretq, @function
plain_iretq:
	iretq
	.size	plain_iretq, . - plain_iretq

/* Sends itself an NMI by the command in EBX to the address in RAX, and waits until
   two have come. */
	.globl	native_nmi_code
	.type	native_nmi_code, @function
native_nmi_code:
	mov	%ebx, (%rax)
1:	pause
	cmpl	$2, nmis(%rip)
	jb	1b
	ud2
	.size	native_nmi_code, . - native_nmi_code

	.bss
	.balign	8
	.globl	nest_depth, nest_turns, nmis, nmis_pending, nmis_at_end, nmi_int3, apic_registers
	.globl	interrupts, interrupts_at_end, if_in_handler
apic_registers:	.skip 8
interrupts:	.skip 4
interrupts_at_end: .skip 4
if_in_handler:	.skip 4
nest_depth:	.skip 4
nest_turns:	.skip 4
nmis:		.skip 4
nmis_pending:	.skip 4
nmis_at_end:	.skip 4
nmi_int3:	.skip 4
