/* evt_sched.c - EVT: operations about domains that are not there, and which
   processor a vCPU runs on. */
#include "evt.h"

#define EVTCHNOP_bind_vcpu		8
#define EVTCHNOP_reset			10
#define SCHEDOP_remote_shutdown		4
#define SCHEDOP_watchdog		6
#define SCHEDOP_pin_override		7
#define VCPUOP_get_physid		12
#define VIRQ_DEBUG			1
#define VIRQ_CONSOLE			2
#define VIRQ_ARCH_0			16

struct bind_vcpu { u32 port, vcpu; };
struct remote_shutdown { u16 domain; u32 reason; };
struct watchdog { u32 id, seconds; };

static const u16 domains[] = { 1, 0x7fef, 0x7ff1, 0x7ff2, 0x7ff4, 0xffff };

static void other_domain(u16 id)
{
	struct evtchn_alloc_unbound alloc = { id, DOMID_SELF }, for_it = { DOMID_SELF, id };
	struct evtchn_bind_interdomain bind = { id, 1 };
	struct evtchn_status status = { id, 1 };
	struct remote_shutdown end = { id, 0 };
	long a = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc);
	long b = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind);
	long c = HYPERVISOR_event_channel_op(EVTCHNOP_status, &status);
	long d = HYPERVISOR_event_channel_op(EVTCHNOP_reset, &id);
	long e = HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &end);
	long f = HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &for_it);

	say("domain %x: alloc_unbound %ld, bind_interdomain %ld, status %ld, reset %ld, shutdown %ld; a port for it %ld",
	    id, a, b, c, d, e, f);
	if (!f) {
		bind.remote_dom = DOMID_SELF;
		bind.remote_port = for_it.port;
		say("   bound by oneself: %ld", HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind));
		port_close(for_it.port);
	}
}

static long move(u32 port, u32 vcpu)
{
	struct bind_vcpu arg = { port, vcpu };

	return HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &arg);
}

static u32 bind_virq(u32 virq)
{
	struct evtchn_bind_virq arg = { virq, 0, 0 };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &arg);

	say("bind_virq %u: %ld", virq, ret);
	return ret ? 0 : arg.port;
}

/* EVT-25 */
static void evt_25(void)
{
	struct evtchn_alloc_unbound unbound = { DOMID_SELF, DOMID_SELF };
	u32 ipi = port_open(), debug = bind_virq(VIRQ_DEBUG), console = bind_virq(VIRQ_CONSOLE);
	u32 arch = bind_virq(VIRQ_ARCH_0), last = bind_virq(23);
	struct remote_shutdown self = { DOMID_SELF, 0 };

	for (u32 i = 0; i < ARRAY_LEN(domains); i++)
		other_domain(domains[i]);
	say("remote_shutdown of DOMID_SELF: %ld", HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &self));
	HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound);
	say("bind_vcpu to 0: IPI %ld, VIRQ_DEBUG %ld, VIRQ_CONSOLE %ld, VIRQ_ARCH_0 %ld, unbound %ld", move(ipi, 0),
	    move(debug, 0), move(console, 0), move(arch, 0), move(unbound.port, 0));
	say("to 63: unbound %ld; port 0 %ld, closed %ld, beyond the table %ld", move(unbound.port, 63), move(0, 0),
	    move(63, 0), move(9999, 0));
	say("close 0 %ld, status of 0 and 63 and 64:", HYPERVISOR_event_channel_op(EVTCHNOP_close, &(u32){ 0 }));
	for (u32 p = 0; p < 65; p += p ? 1 : 63) {
		struct evtchn_status s = { DOMID_SELF, p, 99, 99 };
		long ret = HYPERVISOR_event_channel_op(EVTCHNOP_status, &s);

		say("   %ld %u %u", ret, s.status, s.vcpu);
	}
	port_close(ipi);
	port_close(debug);
	port_close(console);
	port_close(arch);
	port_close(last);
	port_close(unbound.port);
}

static long watchdog(u32 id, u32 seconds)
{
	struct watchdog w = { id, seconds };

	return HYPERVISOR_sched_op(SCHEDOP_watchdog, &w);
}

static long pin(int cpu)
{
	return HYPERVISOR_sched_op(SCHEDOP_pin_override, &cpu);
}

/* EVT-26 */
static void evt_26(void)
{
	struct { u64 id; } phys = { -1UL };

	say("get_physid %ld", HYPERVISOR_vcpu_op(VCPUOP_get_physid, 0, &phys));
	say("   it says %lx", phys.id);
	say("get_physid, unwritable %ld", HYPERVISOR_vcpu_op(VCPUOP_get_physid, 0, (void *)NOWHERE_KERNEL));
	say("pin_override: -1 %ld, 1 %ld, 255 %ld, 256 %ld", pin(-1), pin(1), pin(255), pin(256));
	say("0 %ld, 0 again %ld, 1 %ld, -1 %ld, -1 again %ld", pin(0), pin(0), pin(1), pin(-1), pin(-5));
	say("unreadable %ld", HYPERVISOR_sched_op(SCHEDOP_pin_override, (void *)NOWHERE_KERNEL));
	say("watchdog: set 1 %ld, set 3 %ld, new %ld, new %ld, new %lx", watchdog(1, 100), watchdog(3, 100), watchdog(0, 100),
	    watchdog(0, 0x7fffffff), watchdog(0, 100));
	say("move 2 %ld, stop 1 %ld, stop 1 again %ld, stop 2 %ld", watchdog(2, 100), watchdog(1, 0), watchdog(1, 0),
	    watchdog(2, 0));
	for (u32 cmd = 0; cmd < 10; cmd++)
		if (cmd > 2)
			say("sched_op %u, unreadable: %ld", cmd, HYPERVISOR_sched_op(cmd, (void *)NOWHERE_KERNEL));
	for (u32 cmd = 0; cmd < 16; cmd++)
		if (cmd != 2 && cmd != 7 && cmd != 9 && cmd != 11)
			say("vcpu_op %u, unreadable: %ld", cmd, HYPERVISOR_vcpu_op(cmd, 0, (void *)NOWHERE_KERNEL));
}

const struct demo evt_sched_demos[] = {
	{ "EVT-25", FACT, evt_25 },
	{ "EVT-26", FACT, evt_26 },
	{}
};
