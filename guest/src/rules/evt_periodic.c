/* evt_periodic.c - EVT-10: the periodic timer of each vCPU. */
#include "ap.h"
#include "evt.h"

#define VCPUOP_set_periodic_timer	6
#define MS				1000000UL

static volatile u32 ap_done;
/* A vCPU's first timer: nobody sets it; vCPU 0 binds its VIRQ. */
static u32 ap_timer;
static bool ap_ticked[3], ap_early, ap_after_stop;

static bool ap_tick(u64 ns)
{
	bool tick;

	sleep_until(now_ns() + ns);
	tick = port_pending(ap_timer);
	port_clear(ap_timer);
	ap_info()->evtchn_upcall_pending = 0;
	ap_info()->evtchn_pending_sel = 0;
	return tick;
}

static void ap_counts(void)
{
	u64 last;

	for (u32 i = 0; i < ARRAY_LEN(ap_ticked); i++)
		ap_ticked[i] = ap_tick(12 * MS);
	last = now_ns();
	ap_early = ap_tick(2 * MS) && now_ns() - last < 9 * MS;
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL);
	ap_tick(MS);
	ap_after_stop = ap_tick(25 * MS);
	ap_done = 1;
	for (;;)
		sleep_until(now_ns() + 1000 * MS);
}

static void one_from_start(void)
{
	struct evtchn_bind_virq timer = { VIRQ_TIMER, 1, 0 };

	say_result("initialise", ap_initialise(ap_context(ap_counts)));
	say_result("bind_virq", HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &timer));
	ap_timer = timer.port;
	say_result("up", ap_up());
	say("it ran: %d", ap_wait(&ap_done));
	say("a tick after 12 ms: %d, again %d, again %d; within the next 9 ms %d", ap_ticked[0],
	    ap_ticked[1], ap_ticked[2], ap_early);
	say("after stop_periodic_timer, in 25 ms: %d", ap_after_stop);
}

static u32 port;

/* Spins until so many ticks have come, or so long: a vCPU that sleeps has no
   periodic timer. */
static u32 ticks_in(u64 ns, u32 enough)
{
	u64 end = now_ns() + ns;
	u32 ticks = 0;

	while (ticks < enough && now_ns() < end)
		if (port_pending(port)) {
			ticks++;
			port_clear(port);
			events_quiet();
		}
	return ticks;
}

/* The timer that the kernel stopped when it started, set again. */
static void one_of_ours(void)
{
	static const u64 bad[] = { 0, 1, MS - 1, 1UL << 63 };
	u64 period, start;
	u32 ticks;

	port = timer_port();
	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		period = bad[i];
		say("period %lx:", period);
		say_result("set_periodic_timer", HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &period));
	}
	period = 10 * MS;		/* as at the start */
	say_result("set_periodic_timer(10 ms)",
		   HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &period));
	period = MS;
	say_result("set_periodic_timer(1 ms)",
		   HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &period));
	ticks_in(MS, 1);		/* it counts from a tick long ago */
	start = now_ns();
	ticks = ticks_in(2000 * MS, 4);
	say("ticks %u, and 3 ms have passed: %d", ticks, now_ns() - start >= 3 * MS);
	sleep_until(now_ns() + 20 * MS);
	say("asleep for 20 ms: a tick at the end %d", port_pending(port));
	say_result("stop_periodic_timer", HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL));
	port_clear(port);
	events_quiet();
	say("ticks in the next 4 ms: %u", ticks_in(4 * MS, 1));
}

static void evt_10(void)
{
	one_from_start();
	one_of_ours();
}

const struct demo evt_periodic_demos[] = {
	{ "EVT-10", FACT, evt_10, NULL, RUN_DIES | TWO_VCPUS },
	{}
};
