/* evt_port.c - ports, bits and the counting upcall of the EVT demos. */
#include "evt.h"

u64 upcalls;
volatile u8 *upcall_mask_byte;
static void (*hook)(struct pt_regs *);

u32 port_open(void)
{
	struct evtchn_bind_ipi ipi = { 0, 0 };

	if (HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &ipi) < 0)
		panic("an event channel was refused");
	return ipi.port;
}

void port_close(u32 port)
{
	struct evtchn_send arg = { port };

	HYPERVISOR_event_channel_op(EVTCHNOP_close, &arg);
}

long port_send(u32 port)
{
	struct evtchn_send arg = { port };

	return HYPERVISOR_event_channel_op(EVTCHNOP_send, &arg);
}

long port_unmask(u32 port)
{
	struct evtchn_send arg = { port };

	return HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &arg);
}

bool port_pending(u32 port)
{
	return shared_info->evtchn_pending[port / 64] >> port % 64 & 1;
}

bool port_selected(u32 port)
{
	return vcpu_info()->evtchn_pending_sel >> port / 64 & 1;
}

void port_clear(u32 port)
{
	__atomic_fetch_and(&shared_info->evtchn_pending[port / 64], ~(1UL << port % 64),
			   __ATOMIC_SEQ_CST);
}

void port_mask(u32 port, bool masked)
{
	if (masked)
		__atomic_fetch_or(&shared_info->evtchn_mask[port / 64], 1UL << port % 64,
				  __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&shared_info->evtchn_mask[port / 64], ~(1UL << port % 64),
				   __ATOMIC_SEQ_CST);
}

/* From upcall.S. */
void upcall_seen(struct pt_regs *regs)
{
	upcalls++;
	if (hook)
		hook(regs);
}

void upcall_use(void (*on_upcall)(struct pt_regs *))
{
	extern char upcall_counting[];
	struct callback_register reg = { CALLBACKTYPE_event, 0, (u64)upcall_counting };

	upcalls = 0;
	hook = on_upcall;
	upcall_mask_byte = &vcpu_info()->evtchn_upcall_mask;
	if (HYPERVISOR_callback_op(CALLBACKOP_register, &reg) < 0)
		panic("a callback was refused");
}

void upcall_acknowledge(u32 port)
{
	vcpu_info()->evtchn_upcall_pending = 0;
	__atomic_exchange_n(&vcpu_info()->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	port_clear(port);
}

void mask_store(u8 v)
{
	vcpu_info()->evtchn_upcall_mask = v;
	barrier();
}

void pending_store(u8 v)
{
	vcpu_info()->evtchn_upcall_pending = v;
	barrier();
}

void enter_xen(void)
{
	HYPERVISOR_xen_version(0, NULL);
}

void events_quiet(void)
{
	mask_store(1);
	pending_store(0);
	vcpu_info()->evtchn_pending_sel = 0;
}

void say_port(const char *what, u32 port)
{
	say("%s: pending bit %d, selector bit %d, upcall_pending %x, upcalls %lu", what,
	    port_pending(port), port_selected(port), vcpu_info()->evtchn_upcall_pending, upcalls);
}

u64 now_ns(void)
{
	volatile struct vcpu_time_info *t = &vcpu_info()->time;
	u32 version;
	u64 ns;

	do {
		u64 ticks;

		version = t->version;
		barrier();
		ticks = rdtsc() - t->tsc_timestamp;
		ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
		ns = t->system_time + (u64)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
		barrier();
	} while ((version & 1) || version != t->version);
	return ns;
}
