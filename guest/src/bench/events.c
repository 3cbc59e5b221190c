/* events.c - interrupts on bare metal, event channels on Xen, under one set of
   names. The kernel runs with them masked but for the waits. */
#include "bench.h"
#include "xen_guest.h"

volatile u64 timer_ticks, ipi_count, nmi_count;
void (*timer_hook)(struct pt_regs *regs);

static u32 timer_port, ipi_port;
static u64 ipi_ports;			/* all that count as IPI; port numbers below 64 */

void timer_tick(struct pt_regs *regs)
{
	timer_ticks++;
	if (timer_hook)
		timer_hook(regs);
}

void events_mask(void)
{
	if (on_xen())
		shared_info->vcpu_info[this_cpu()].evtchn_upcall_mask = 1;
	else
		asm volatile("cli" : : : "memory");
}

/* A store alone delivers nothing: what came meanwhile is fetched by entering
   Xen (EVT-05). */
void events_unmask(void)
{
	if (!on_xen()) {
		asm volatile("sti" : : : "memory");
		return;
	}
	vcpu_info()->evtchn_upcall_mask = 0;
	barrier();
	if (vcpu_info()->evtchn_upcall_pending)
		HYPERVISOR_xen_version(0, NULL);
}

bool events_masked(void)
{
	return on_xen() ? vcpu_info()->evtchn_upcall_mask : !(read_flags() & FLAG_IF);
}

void events_wait(void)
{
	if (on_xen())
		HYPERVISOR_sched_op(SCHEDOP_block, NULL);	/* unmasks (EVT-07) */
	else
		asm volatile("sti; hlt" : : : "memory");
	events_mask();
}

static void port_unmask(u32 port)
{
	struct evtchn_send arg = { port };

	HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &arg);
}

u32 events_bind_ipi(u32 vcpu)
{
	struct evtchn_bind_ipi ipi = { vcpu, 0 };

	if (HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &ipi) < 0 || ipi.port >= 64)
		panic("an event channel was refused");
	ipi_ports |= 1UL << ipi.port;
	port_unmask(ipi.port);
	return ipi.port;
}

void events_init(void)
{
	struct evtchn_bind_virq virq = { VIRQ_TIMER, 0, 0 };

	if (!on_xen()) {
		apic_init();
		return;
	}
	/* The tick that every PV vCPU starts with (EVT-10) would make no two
	   runs alike. */
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	if (HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &virq) < 0)
		panic("an event channel was refused");
	timer_port = virq.port;
	port_unmask(timer_port);
	ipi_port = events_bind_ipi(0);
}

/* The upcall: Xen sets, we clear, top down (EVT-03, CB-04). */
void do_upcall(struct pt_regs *regs)
{
	volatile struct vcpu_info *v = &shared_info->vcpu_info[this_cpu()];
	u64 words;

	v->evtchn_upcall_pending = 0;
	words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (u32 w = 0; w < 64; w++) {
		u64 ports;

		if (!(words >> w & 1))
			continue;
		ports = shared_info->evtchn_pending[w] & ~shared_info->evtchn_mask[w];
		__atomic_fetch_and(&shared_info->evtchn_pending[w], ~ports, __ATOMIC_SEQ_CST);
		for (u32 b = 0; b < 64; b++) {
			u32 port = w * 64 + b;

			if (!(ports >> b & 1))
				continue;
			if (port == timer_port)
				timer_tick(regs);
			else if (port < 64 && ipi_ports >> port & 1)
				ipi_count++;
		}
	}
}

/* Xen's clock in ns: the last value it published, and the TSC since. */
static u64 system_time(void)
{
	volatile struct vcpu_time_info *t = &vcpu_info()->time;
	u64 ns;
	u32 version;

	do {
		u64 delta;

		version = t->version;
		barrier();
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		ns = t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
		barrier();
	} while ((version & 1) || version != t->version);
	return ns;
}

#define TICK_NS		1000000

void timer_arm(void)
{
	if (on_xen())
		HYPERVISOR_set_timer_op(system_time() + TICK_NS);
	else
		apic_timer_arm();
}

void ipi_self(void)
{
	struct evtchn_send send = { ipi_port };

	if (on_xen())
		HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
	else
		apic_self(APIC_VECTOR_IPI);
}

void nmi_self(void)
{
	if (on_xen())
		HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL);
	else
		apic_self(APIC_NMI);
}
