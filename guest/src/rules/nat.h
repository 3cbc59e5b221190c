/*
 * nat.h - the processor's tables on bare metal, as demos of NAT bend them. All of
 * it is as the kernel wants it again after reset_native().
 */
#ifndef NAT_H
#define NAT_H

#include "rules.h"

struct gate {				/* of the IDT (SDM vol. 3, 6.14.1) */
	u16 offset0, selector;
	u8 ist;				/* 0: none, else 1 to 7 */
	u8 type;			/* P | DPL << 5 | GATE_* */
	u16 offset1;
	u32 offset2, zero;
};
#define GATE_INTERRUPT	14
#define GATE_TRAP	15

struct __attribute__((packed)) task_state {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];			/* [n - 1] is IST n */
};

/* The IST of the demos' own choice; 1 and 2 are those of #DF and NMI. */
#define IST_DEMO	3

struct gate *gate(u8 vector);
struct task_state *task_state(void);
void reset_native(void);

/* SYSCALL enters the recorder of KIND_SYSCALL; RFLAGS bits to clear. */
#define ALL_MASKED	0x47700
void catch_syscall(u64 mask);

static inline void write_dr0(u64 v) { asm volatile("mov %0, %%dr0" : : "r"(v)); }
static inline void write_dr7(u64 v) { asm volatile("mov %0, %%dr7" : : "r"(v)); }

#endif /* NAT_H */
