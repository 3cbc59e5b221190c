/* evt.c - EVT: when an event is marked, and when it is delivered. */
#include "evt.h"

/* EVT-01: what changes in shared_info when each field is used. */
static u8 *const before = test_pages[0];

static void remember(void)
{
	memcpy(before, (const void *)shared_info, PAGE_SIZE);
}

/* The clock moves by itself; it is bytes 32 to 63 of each vcpu_info. */
static void say_changes(const char *what)
{
	volatile u8 *now = (volatile u8 *)shared_info;

	for (u32 i = 0; i < 3072; i++)
		if (now[i] != before[i] && (i >= 32 * 64 || i % 64 < 32))
			say("%s: byte %u went from %x to %x", what, i, before[i], now[i]);
}

static void on_trap_remembering(struct pt_regs *regs, long vector)
{
	say_changes("entry through a masking gate");
}

static void on_read_fault(struct pt_regs *regs, long vector)
{
	regs->ip += 2;			/* mov (%rax), %eax */
}

static void evt_01(void)
{
	u64 *words = (u64 *)shared_info;
	u32 port, first = port_open();

	for (port = first; port < 70; port = port_open())
		;
	say("sizes: vcpu_info %lu, shared_info to the end of evtchn_mask %lu",
	    sizeof(struct vcpu_info), sizeof(struct shared_info));
	remember();
	port_send(port);
	say("port is 64 + %u", port - 64);
	say_changes("send");
	events_quiet();
	port_clear(port);

	port_mask(port, true);
	remember();
	port_unmask(port);
	say_changes("EVTCHNOP_unmask");

	trap_handle(3, on_trap_remembering);
	mask_store(0);
	remember();
	asm volatile("int3");
	mask_store(1);
	trap_handle(3, NULL);

	trap_handle(14, on_read_fault);
	asm volatile("mov (%0), %%eax" : : "a"(NOWHERE_KERNEL) : "memory");
	trap_handle(14, NULL);
	for (u32 i = 0; i < 8; i++)
		if (words[i] == NOWHERE_KERNEL)
			say("the fault's address is at byte %u", i * 8);
	say("time: version even %d, nonzero %d", !(vcpu_info()->time.version & 1),
	    vcpu_info()->time.version != 0);
	say("wall clock: version at 3072 even %d, nonzero %d; seconds nonzero %d",
	    !(((u32 *)words)[768] & 1), ((u32 *)words)[768] != 0, ((u32 *)words)[769] != 0);
	say_result("send to port 0", port_send(0));
	say_result("send to port 4096", port_send(4096));
	for (u32 p = first; p <= port; p++)
		port_close(p);
}

/* EVT-02 */
static void deliver_once(struct pt_regs *regs)
{
	pending_store(0);
}

static void try_delivery(u8 mask, u8 pending)
{
	upcalls = 0;
	mask_store(mask);
	pending_store(pending);
	enter_xen();
	say("mask %x, pending %x: upcalls %lu, pending now %x", mask, pending, upcalls,
	    vcpu_info()->evtchn_upcall_pending);
	events_quiet();
}

static void evt_02(void)
{
	upcall_use(deliver_once);
	mask_store(0);
	pending_store(1);
	say("after the stores, before any entry to Xen: upcalls %lu", upcalls);
	try_delivery(0, 0);
	try_delivery(0, 1);
	try_delivery(0, 0x80);
	try_delivery(1, 1);
}

static void evt_02_bad(void)
{
	static const u8 flags[] = { 2, 0x10, 0x80, 0xfe };

	upcall_use(deliver_once);
	for (u32 i = 0; i < ARRAY_LEN(flags); i++)
		try_delivery(flags[i], 1);
}

/* EVT-03 */
static u32 demo_port;

static void acknowledge(struct pt_regs *regs)
{
	upcall_acknowledge(demo_port);
}

static void send_open(const char *what)
{
	mask_store(0);
	port_send(demo_port);
	mask_store(1);
	say_port(what, demo_port);
}

static void evt_03(void)
{
	demo_port = port_open();
	upcall_use(NULL);
	port_send(demo_port);
	say_port("sent with events masked", demo_port);
	port_send(demo_port);
	say_port("sent again", demo_port);
	events_quiet();
	port_clear(demo_port);
	pending_store(0x80);
	port_send(demo_port);
	say_port("sent with upcall_pending 80", demo_port);
	events_quiet();
	port_clear(demo_port);

	upcall_use(acknowledge);
	send_open("first event");
	send_open("second event");
	send_open("third event");
	port_close(demo_port);
}

/* The port's bit goes, the selector's stays. */
static void forget_selector(struct pt_regs *regs)
{
	pending_store(0);
	port_clear(demo_port);
}

/* The other way round. */
static void forget_bit(struct pt_regs *regs)
{
	pending_store(0);
	vcpu_info()->evtchn_pending_sel = 0;
}

static void evt_03_bad(void)
{
	demo_port = port_open();
	upcall_use(forget_selector);
	send_open("first event, selector left");
	send_open("second event");
	events_quiet();
	port_clear(demo_port);
	upcall_use(forget_bit);
	send_open("first event, pending bit left");
	send_open("second event");
	events_quiet();
	port_close(demo_port);
}

/* EVT-04 */
static void evt_04(void)
{
	demo_port = port_open();
	upcall_use(acknowledge);
	port_mask(demo_port, true);
	send_open("sent to a masked port");
	mask_store(0);
	say_result("EVTCHNOP_unmask", port_unmask(demo_port));
	mask_store(1);
	say_port("unmasked by Xen", demo_port);
	port_close(demo_port);
}

static void evt_04_bad(void)
{
	demo_port = port_open();
	upcall_use(acknowledge);
	port_mask(demo_port, true);
	send_open("sent to a masked port");
	port_mask(demo_port, false);
	mask_store(0);
	enter_xen();
	mask_store(1);
	say_port("unmasked by a store", demo_port);
	send_open("sent again");
	mask_store(0);
	port_unmask(demo_port);		/* finds nothing to unmask */
	mask_store(1);
	say_port("EVTCHNOP_unmask of an open port", demo_port);
	port_clear(demo_port);
	events_quiet();
	port_close(demo_port);
}

/* EVT-05: the stores alone, so short a time that nothing else enters Xen. */
static u64 unmask_and_spin(u32 rounds)
{
	u64 seen;

	mask_store(0);
	while (rounds--)
		relax();
	seen = upcalls;
	mask_store(1);
	return seen;
}

static void evt_05(void)
{
	demo_port = port_open();
	upcall_use(acknowledge);
	port_send(demo_port);
	mask_store(0);
	if (vcpu_info()->evtchn_upcall_pending)
		enter_xen();
	mask_store(1);
	say_port("unmasked, then looked", demo_port);
	port_close(demo_port);
}

static void evt_05_bad(void)
{
	u64 seen;

	demo_port = port_open();
	upcall_use(acknowledge);
	port_send(demo_port);
	seen = unmask_and_spin(50);
	say("upcalls while unmasked: %lu", seen);
	say_port("unmasked by a store alone", demo_port);
	mask_store(0);
	enter_xen();
	mask_store(1);
	say_port("at the next entry to Xen", demo_port);
	port_close(demo_port);
}

/* EVT-06: each upcall finds that the next event has come already. */
#define STORM	1000			/* the stack has room for far fewer frames */

static u64 first_frame, lowest_frame;

static void storm(struct pt_regs *regs)
{
	u64 frame = (u64)regs;

	upcall_acknowledge(demo_port);
	if (upcalls == 1)
		first_frame = lowest_frame = frame;
	if (frame < lowest_frame)
		lowest_frame = frame;
	if (upcalls < STORM)
		port_send(demo_port);
}

/* It starts at an entry with events open: the hypercall of RBX. */
KERNEL_CODE(storm_start, "xor %edi, %edi\nxor %esi, %esi\ncall hypercall_page + 17 * 32\nint3");

static void begin_storm(void)
{
	struct start s = kernel_code(storm_start);

	catch_vector(3, 3 | TI_EVENT_MASK);
	port_send(demo_port);
	mask_store(0);
	go(&s, NULL);
	mask_store(1);
	say("upcalls %lu, nested below the first by %lu bytes", upcalls, first_frame - lowest_frame);
}

static void evt_06(void)
{
	demo_port = port_open();
	upcall_use(storm);
	begin_storm();
	events_quiet();
	port_close(demo_port);
}

struct evtchn_send upcall_send;		/* what upcall_unmasking sends */

static void evt_06_bad(void)
{
	extern char upcall_unmasking[];
	struct callback_register reg = { CALLBACKTYPE_event, 0, (u64)upcall_unmasking };

	demo_port = port_open();
	upcall_use(acknowledge);
	upcall_send.port = demo_port;
	HYPERVISOR_callback_op(CALLBACKOP_register, &reg);
	say("a storm of events, each in the window of a stub that unmasks before it returns");
	begin_storm();
}

/* EVT-17: the pair of bytes read, an event, the pair written back. */
static void mask_with_event_between(bool as_pair)
{
	volatile u16 *pair = (volatile u16 *)vcpu_info();
	u16 old;

	demo_port = port_open();
	upcall_use(acknowledge);
	old = *pair;
	port_send(demo_port);
	if (as_pair)
		*pair = old | 0x100;
	else
		mask_store(1);
	say_port("an event between load and store", demo_port);
	mask_store(0);
	enter_xen();
	mask_store(1);
	say_port("unmasked", demo_port);
	events_quiet();
	port_clear(demo_port);
	port_close(demo_port);
}

static void evt_17(void) { mask_with_event_between(false); }
static void evt_17_bad(void) { mask_with_event_between(true); }

const struct demo evt_demos[] = {
	{ "EVT-01", FACT, evt_01 },
	{ "EVT-02", BREAKABLE, evt_02, evt_02_bad },
	{ "EVT-03", BREAKABLE, evt_03, evt_03_bad },
	{ "EVT-04", BREAKABLE, evt_04, evt_04_bad },
	{ "EVT-05", BREAKABLE, evt_05, evt_05_bad },
	{ "EVT-06", BREAKABLE, evt_06, evt_06_bad, BAD_DIES },
	{ "EVT-17", BREAKABLE, evt_17, evt_17_bad },
	{}
};
