/* nat_stubs.h - the entry stubs of native.S and their variables. */
#ifndef NAT_STUBS_H
#define NAT_STUBS_H

/* The local APIC's registers: a store to APIC_COMMAND (the low half of ICR) makes
   an interrupt, of this vector or an NMI, for the CPU that the other half names:
   its only one. */
#define APIC_COMMAND	0x300
#define APIC_END	0x0b0
#define INTERRUPT	0x30
#define NMI_COMMAND	0x400

#ifdef __ASSEMBLER__
/* Long enough for what is pending to come. */
.macro SPIN
	mov	$2000, %ecx
9:	pause
	loop	9b
.endm
#else
extern char nest_stub[], nest_stub_behind[], nest_stub_stop[], nest_stub_end[];
extern u32 nest_depth;			/* handlers entered */
extern u32 nest_turns;			/* how often the first came behind its INT3 */
extern char nmi_stub[], plain_iretq[], native_nmi_code[];
extern u64 apic_registers;		/* where they are mapped: for the stubs */
extern char self_stub[], interrupt_stub[];
extern u32 if_in_handler;		/* of self_stub */
extern volatile u32 interrupts;		/* taken */
extern u32 interrupts_at_end;		/* taken when self_stub returned */
extern u32 nmi_int3;			/* it takes an INT3 */
extern u32 nmis;			/* taken */
extern volatile u32 nmis_pending;	/* taken when the second was pending */
extern volatile u32 nmis_at_end;	/* taken when the first handler returned */
#endif

#endif /* NAT_STUBS_H */
