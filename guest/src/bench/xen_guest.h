/* xen_guest.h - what the Xen side of the kernel keeps from its start of day. */
#ifndef XEN_GUEST_H
#define XEN_GUEST_H

#include "xen.h"

extern struct start_info *start_info;
extern volatile struct shared_info *shared_info;	/* NULL until mapped */
/* This vCPU's part of it; the kernel uses it on vCPU 0 alone. */
static inline volatile struct vcpu_info *vcpu_info(void) { return &shared_info->vcpu_info[0]; }

#endif /* XEN_GUEST_H */
