/* perf.h - what the files of the perf kernel offer to each other. */
#ifndef PERF_H
#define PERF_H

#include "bench.h"
#include "xen_guest.h"

/*
 * One load: run does n rounds and returns a number that depends on all that a
 * round did, but not on n, so that two machines that ran for different times
 * can be compared. What a round is stands at each function.
 */
struct load {
	const char *name;
	u64 (*run)(u64 n);
	void (*prepare)(void);		/* or NULL */
	bool xen;			/* there is no such thing on bare metal */
};

#define MMUEXT_TLB_FLUSH_LOCAL	6

/* Which loads there are; each list ends at a null name. */
extern const struct load integer_loads[], memory_loads[], digest_loads[], flow_loads[],
	sort_loads[], string_loads[], trap_loads[], xen_loads[];

/* stubs.S: entry stubs as short as the platform allows, they save nothing but
   what they use. */
extern char bp_xen[], bp_native[], bp_step_xen[], bp_step_native[], db_step_xen[],
	db_step_native[], upcall_counting[];
extern volatile u64 stub_traps;		/* counted by those of #BP and #DB */

/* A stub of the pair for vector. */
static inline void stub_set(u8 vector, char *xen, char *native)
{
	gate_set(vector, (u64)(on_xen() ? xen : native));
}

/* xorshift64 (Marsaglia 2003) */
static inline u64 xorshift(u64 x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

#endif /* PERF_H */
