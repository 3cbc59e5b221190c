/* evt_time.c - EVT: blocking, polling, timers, areas that Xen writes. */
#include "evt.h"

#define VCPUOP_set_singleshot_timer	8
#define VCPUOP_register_runstate	5
#define SSHOTTMR_future			1
#define MS				1000000UL

enum { RUNNING, RUNNABLE, BLOCKED, OFFLINE };
struct runstate { u32 state; u64 entry_time, time[4]; };
struct singleshot { u64 at; u32 flags; };

u32 timer_port(void)
{
	for (u32 p = 1; p < 64; p++) {
		struct evtchn_status s = { DOMID_SELF, p };

		if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &s) == 0 && s.status == 4 &&
		    (u32)s.of_kind == VIRQ_TIMER)
			return p;
	}
	panic("the timer has no port");
}

static u32 port;

static void acknowledge(struct pt_regs *regs)
{
	upcall_acknowledge(port);
}

static long poll(const u32 *ports, u32 n, u64 timeout)
{
	struct sched_poll p = { ports, n, timeout };

	return HYPERVISOR_sched_op(SCHEDOP_poll, &p);
}

/* Waits with events masked until the port is pending, at most this long; true if
   it is. What is pending stays so. */
static bool wait_pending(u32 p, u64 ns)
{
	u64 end = now_ns() + ns;

	while (!port_pending(p) && now_ns() < end)
		poll(&p, 1, end);
	return port_pending(p);
}

/* EVT-07 */
static void block_then(bool mask_again)
{
	port = port_open();
	upcall_use(acknowledge);
	port_send(port);
	say("mask before %x", vcpu_info()->evtchn_upcall_mask);
	say_result("block", HYPERVISOR_sched_op(SCHEDOP_block, NULL));
	say("mask after %x, upcalls %lu", vcpu_info()->evtchn_upcall_mask, upcalls);
	if (mask_again)
		mask_store(1);
	upcalls = 0;
	port_send(port);
	say("an event in what was thought a masked section: upcalls %lu", upcalls);
	mask_store(1);
	events_quiet();
	port_clear(port);
	port_close(port);
}

static void evt_07(void)
{
	u64 start;

	block_then(true);
	port = timer_port();
	upcall_use(acknowledge);
	start = now_ns();
	HYPERVISOR_set_timer_op(start + 2 * MS);
	HYPERVISOR_sched_op(SCHEDOP_block, NULL);
	mask_store(1);
	say("blocked until a timer: 2 ms have passed %d, upcalls %lu", now_ns() - start >= 2 * MS,
	    upcalls);
}

static void evt_07_bad(void) { block_then(false); }

/* EVT-08 */
static u32 many[129];

static void evt_08(void)
{
	u64 start, closed = 63;
	u32 bad[] = { 0, closed, 4096 };

	port = port_open();
	upcall_use(acknowledge);
	for (u32 i = 0; i < ARRAY_LEN(many); i++)
		many[i] = port;
	port_send(port);
	say_result("poll of 129 ports", poll(many, 129, 0));
	say_result("poll of 128 ports, one pending", poll(many, 128, 0));
	say("mask %x, upcalls %lu, still pending %d", vcpu_info()->evtchn_upcall_mask, upcalls,
	    port_pending(port));
	mask_store(0);
	say_result("poll with an upcall due", poll(many, 0, 0));
	say("mask %x, upcalls %lu", vcpu_info()->evtchn_upcall_mask, upcalls);
	mask_store(1);

	start = now_ns();
	say_result("poll of a quiet port for 3 ms", poll(&port, 1, start + 3 * MS));
	say("3 ms have passed: %d", now_ns() - start >= 3 * MS);
	start = now_ns();
	say_result("poll of no port for 3 ms", poll(NULL, 0, start + 3 * MS));
	say("3 ms have passed: %d", now_ns() - start >= 3 * MS);
	say_result("poll until time 1, which is past", poll(&port, 1, 1));
	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		say("port %u:", bad[i]);
		say_result("poll", poll(&bad[i], 1, now_ns() + MS));
	}
	say_result("poll with unreadable ports", poll((void *)NOWHERE_KERNEL, 1, now_ns() + MS));
	say_result("poll of no port, but in Xen's addresses", poll((void *)HOLE_START, 0, 1));
	say_result("poll with unreadable arguments",
		   HYPERVISOR_sched_op(SCHEDOP_poll, (void *)NOWHERE_KERNEL));
	events_quiet();
	port_close(port);
}

/* EVT-09: what is latched first is what is reported. */
static void evt_09(void)
{
	struct sched_shutdown code = { SHUTDOWN_reboot | 0x100 }, off = { SHUTDOWN_poweroff };

	say_result("shutdown with unreadable arguments",
		   HYPERVISOR_sched_op(SCHEDOP_shutdown, (void *)NOWHERE_KERNEL));
	say_result("sched_op 8", HYPERVISOR_sched_op(8, &off));
	say_result("shutdown_code(101)", HYPERVISOR_sched_op(5, &code));
	say_result("shutdown_code(0)", HYPERVISOR_sched_op(5, &off));
	say("shutdown(0)");
	HYPERVISOR_sched_op(SCHEDOP_shutdown, &off);
	say("it came back");
}

/* EVT-11 */
static void try_timer(const char *what, u64 at)
{
	u64 start = now_ns(), ns;
	bool at_once;

	HYPERVISOR_set_timer_op(at);
	at_once = port_pending(port);
	wait_pending(port, 600 * MS);
	ns = now_ns() - start;
	say("%s: at once %d, in 600 ms %d, after 90 to 600 ms %d", what, at_once, port_pending(port),
	    ns >= 90 * MS && ns < 600 * MS);
	HYPERVISOR_set_timer_op(0);
	port_clear(port);
	events_quiet();
}

static void evt_11(void)
{
	struct singleshot past = { 1 }, future = { 1, SSHOTTMR_future };

	port = timer_port();
	say_result("set_timer_op(0)", HYPERVISOR_set_timer_op(0));
	try_timer("stopped", 0);
	try_timer("a time in the past", 1);
	try_timer("a negative time", 1UL << 63);
	try_timer("the greatest time", -1UL >> 1);
	try_timer("2^51 ns ahead", now_ns() + (1UL << 51));
	say_result("singleshot in the past",
		   HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &past));
	say("pending: %d", port_pending(port));
	port_clear(port);
	events_quiet();
	say_result("singleshot in the past, to be in the future",
		   HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &future));
	say("pending: %d", port_pending(port));
	port_clear(port);
	events_quiet();
	say_result("singleshot with unreadable arguments",
		   HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)NOWHERE_KERNEL));
	say_result("singleshot of vCPU 7", HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 7, &past));
	say_result("stop_singleshot", HYPERVISOR_vcpu_op(9, 0, NULL));
}

/* EVT-18 */
static volatile struct runstate *const area = (void *)test_pages[1];

static long register_runstate(volatile void *at)
{
	u64 address = (u64)at;

	return HYPERVISOR_vcpu_op(VCPUOP_register_runstate, 0, &address);
}

/* Long enough that blocked time shows. */
static void sleep_ms(u64 ms)
{
	poll(NULL, 0, now_ns() + ms * MS);
}

static void say_area(const char *when)
{
	say("%s: state %u, blocked for at least 2 ms %d, 10 ms %d", when, area->state,
	    area->time[BLOCKED] >= 2 * MS, area->time[BLOCKED] >= 10 * MS);
}

static void evt_18(void)
{
	memset((void *)area, 0xee, sizeof(*area));
	say_result("register an address of Xen's", register_runstate((void *)(HOLE_START + 0x1000)));
	say_result("register an unmapped address", register_runstate((void *)NOWHERE_KERNEL));
	sleep_ms(20);
	say_result("register a page", register_runstate(area));
	say("state %u", area->state);
	area->time[BLOCKED] = 0;
	sleep_ms(12);
	say_area("after a sleep of 12 ms");

	page_map((u64)area, NULL, 0);
	sleep_ms(20);
	page_map((u64)area, (const void *)area, PAGE_WRITABLE);
	area->state = 9;
	say("mapped again after a sleep without it: state %u", area->state);
	sleep_ms(20);
	say("after one more sleep: state %u", area->state);
	say_result("register 0", register_runstate(NULL));
	area->state = 9;
	sleep_ms(20);
	say("after a sleep: state %u", area->state);
}

const struct demo evt_time_demos[] = {
	{ "EVT-07", BREAKABLE, evt_07, evt_07_bad },
	{ "EVT-08", FACT, evt_08 },
	{ "EVT-09", FACT, evt_09, NULL, RUN_DIES },
	{ "EVT-11", FACT, evt_11 },
	{ "EVT-18", FACT, evt_18 },
	{}
};
