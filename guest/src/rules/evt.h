/*
 * evt.h - event channels for demos: ports of their own, an upcall of their own,
 * and the bits that Xen and the guest share about them.
 */
#ifndef EVT_H
#define EVT_H

#include "rules.h"

#define EVTCHNOP_bind_interdomain	0
#define EVTCHNOP_close			3
#define EVTCHNOP_status			5
#define EVTCHNOP_alloc_unbound		6
#define SCHEDOP_poll			3

struct evtchn_alloc_unbound { u16 dom, remote_dom; u32 port; };
struct evtchn_bind_interdomain { u16 remote_dom; u32 remote_port, local_port; };
struct evtchn_status { u16 dom; u32 port, status, vcpu; u64 of_kind; };
struct sched_poll { const u32 *ports; u32 nr_ports; u64 timeout; };

/* A new port that a vCPU interrupts itself with; the demo closes it. */
u32 port_open(void);
void port_close(u32 port);
long port_send(u32 port);
long port_unmask(u32 port);

/* The port's bits in shared_info, and the selector bit of its word. */
bool port_pending(u32 port);
bool port_selected(u32 port);
void port_clear(u32 port);		/* pending bit */
void port_mask(u32 port, bool masked);	/* by a store */

/* An upcall of the demo's own, which counts, and calls on_upcall (or not). It
   returns by the iret hypercall and clears nothing itself. */
extern u64 upcalls;
void upcall_use(void (*on_upcall)(struct pt_regs *));
/* What a right upcall does first: pending byte, selector, the port's bit. */
void upcall_acknowledge(u32 port);

/* Stores to the bytes that an upcall depends on. */
void mask_store(u8 v);
void pending_store(u8 v);
/* Any hypercall: on its way out Xen looks for events. */
void enter_xen(void);
/* Masks events, and forgets what is marked in vcpu_info. */
void events_quiet(void);

/* One line: what became of a port and of the upcall. */
void say_port(const char *what, u32 port);

/* The port of VIRQ_TIMER, which the kernel bound when it started. */
u32 timer_port(void);
/* Xen's clock in ns (vcpu_time_info). */
u64 now_ns(void);

#endif /* EVT_H */
