/* hc.h - what the files of the HC demos share. */
#ifndef HC_H
#define HC_H

#include "rules.h"

#define EVTCHNOP_close	3
#define XENVER_version	0

/* hc.c: a raw SYSCALL; the ud2 behind it ends the code. */
CODE_NAME(hc_raw);
CODE_NAME(hc_raw_end);
CODE_NAME(hc_raw_next);
struct start raw_call(u64 number, u64 a1, u64 a2, u64 a3);
/* The result of a hypercall that was left to a record. */
static inline long result_of(const struct record *r) { return r->gpr[RAX]; }

/* A hypercall by a number that is not known at compile time. */
static inline long call_number(u64 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	register u64 r10 asm("r10") = a4, r8 asm("r8") = a5;

	asm volatile("syscall" : "+a"(number), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			       : : "rcx", "r11", "memory");
	return number;
}

/* Take back what makes an event pending. */
static inline void events_forget(void)
{
	volatile struct vcpu_info *v = vcpu_info();

	v->evtchn_upcall_pending = 0;
	v->evtchn_pending_sel = 0;
	shared_info->evtchn_pending[0] = 0;
}

#endif /* HC_H */
