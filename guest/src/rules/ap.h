/* ap.h - a second vCPU for a demo. It cannot be taken back, so that such a demo
   runs alone (RUN_DIES) and asks for TWO_VCPUS. */
#ifndef AP_H
#define AP_H

#include "rules.h"

/* A context that vCPU 1 can start with, at entry on the stack of its own; traps
   by the kernel's stubs. The demo may change it before ap_initialise. */
struct vcpu_guest_context *ap_context(const void *entry);
long ap_initialise(const struct vcpu_guest_context *c);	/* 0 or -errno */
long ap_up(void);

static inline volatile struct vcpu_info *ap_info(void) { return &shared_info->vcpu_info[1]; }

/* Sleeps until the other vCPU has set the word, some seconds at most. */
bool ap_wait(volatile u32 *word);
void sleep_until(u64 ns);		/* on either vCPU, in Xen's time */

#endif /* AP_H */
