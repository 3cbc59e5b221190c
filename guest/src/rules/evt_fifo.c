/* evt_fifo.c - EVT: the FIFO ABI of event channels. Going back to the 2-level ABI
   closes all ports, so that nothing runs after these demos. */
#include "evt.h"
#include "mm.h"

#define EVTCHNOP_reset		10
#define EVTCHNOP_init_control	11
#define EVTCHNOP_expand_array	12
#define EVTCHNOP_set_priority	13

#define PENDING		(1U << 31)
#define MASKED		(1U << 30)
#define LINKED		(1U << 29)
#define LINK_MASK	((1U << 17) - 1)
#define DEFAULT_QUEUE	7

struct init_control { u64 gfn; u32 offset, vcpu; u8 link_bits, pad[7]; };
struct set_priority { u32 port, priority; };
struct control_block { u32 ready, reserved, head[16]; };

#define BLOCK_OFFSET	0x100
static struct control_block *const block = (void *)&test_pages[0][BLOCK_OFFSET];
static volatile u32 *const word = (void *)test_pages[1];	/* ports 0 to 1023 */

static long init_control(u32 vcpu, u64 gfn, u32 offset)
{
	struct init_control c = { gfn, offset, vcpu };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &c);

	if (!ret)
		say("link bits %u", c.link_bits);
	return ret;
}

static long expand(u64 gfn)
{
	return HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &gfn);
}

static long priority(u32 port, u32 queue)
{
	struct set_priority p = { port, queue };

	return HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &p);
}

static long reset(u16 domain)
{
	return HYPERVISOR_event_channel_op(EVTCHNOP_reset, &domain);
}

/* The kernel's timer ticks on; its port is masked in the array. */
static void fifo_on(void)
{
	u32 timer = timer_port();

	memset(test_pages[0], 0, 2 * PAGE_SIZE);
	word[timer] = MASKED;
	say_result("init_control", init_control(0, frame_of(test_pages[0]), BLOCK_OFFSET));
	say_result("expand_array", expand(frame_of(test_pages[1])));
}

/* Port numbers as letters: the first one opened is A. */
static u32 first;

static void say_word(const char *what, u32 port)
{
	u32 w = word[port], link = w & LINK_MASK;
	char next[2] = { link ? 'A' + link - first : '-', 0 };

	say("%s: %s%s%s link %s", what, w & PENDING ? "PENDING " : "", w & MASKED ? "MASKED " : "",
	    w & LINKED ? "LINKED" : "", next);
}

static void say_queue(u32 queue)
{
	u32 h = block->head[queue];
	char head[2] = { h ? 'A' + h - first : '-', 0 };

	say("queue %u: ready %u, head %s; upcall pending %x", queue, block->ready >> queue & 1, head,
	    vcpu_info()->evtchn_upcall_pending);
}

/* Takes the first port off a queue, as a guest has to: the head moves on to the
   link, and LINKED and LINK go from the word. */
static u32 consume(u32 queue, bool unlink)
{
	u32 port = block->head[queue], w;

	if (!port)
		return 0;
	w = word[port];
	block->head[queue] = w & LINK_MASK;
	__atomic_fetch_and(&word[port], unlink ? ~(LINKED | LINK_MASK | PENDING) : ~PENDING,
			   __ATOMIC_SEQ_CST);
	return port;
}

static void say_consumed(u32 queue, bool unlink)
{
	for (u32 p; (p = consume(queue, unlink)); ) {
		char name[2] = { 'A' + p - first, 0 };

		say("consumed %s", name);
	}
}

static void quiet(void)
{
	block->ready = 0;
	events_quiet();
}

/* A page that can be written nowhere else is a table, unless Xen holds it writable. */
static void say_pin(const char *what, u8 *page)
{
	page_map((u64)page, page, PAGE_READONLY);
	say_result(what, pin(MMUEXT_PIN_L1_TABLE, page));
	unpin(page);
	page_map((u64)page, page, PAGE_WRITABLE);
}

/* EVT-19 */
static void evt_19(void)
{
	u64 page = frame_of(test_pages[0]), table = frame_of((void *)start_info->pt_base);
	u32 port = port_open();

	say_result("set_priority before init_control", priority(port, 0));
	say_result("the same, of a closed port", priority(port + 1, 0));
	say_result("expand_array before init_control", expand(page));
	memset(test_pages[0], 0, 2 * PAGE_SIZE);
	say_result("init_control of vCPU 63", init_control(63, page, 0));
	say_result("past the page", init_control(0, page, PAGE_SIZE - 64));
	say_result("not aligned", init_control(0, page, 4));
	say_result("in a page table", init_control(0, table, 0));
	say_result("in no frame", init_control(0, -1UL >> 12, 0));
	say_result("unreadable", HYPERVISOR_event_channel_op(EVTCHNOP_init_control,
							     (void *)NOWHERE_KERNEL));
	say_result("set_priority, still 2-level", priority(port, 0));
	fifo_on();
	say_result("init_control again", init_control(0, page, 0));
	say_pin("pin its page as a page table", test_pages[0]);
	say_pin("the same with another page", test_pages[3]);
	say_result("expand_array with a page table", expand(table));
	say_result("with no frame", expand(-1UL >> 12));
	say_result("with the same page again", expand(frame_of(test_pages[1])));
	say_result("priority 15", priority(port, 15));
	say_result("priority 16", priority(port, 16));
	say_result("of a closed port", priority(port + 1, 0));
	say_result("of a port beyond the table", priority(5000, 0));
	for (u32 n = 2; n < 128; n++)
		if (expand(frame_of(test_pages[2])))
			say("page %u of the array was refused", n);
	say_result("page 129 of the array", expand(frame_of(test_pages[2])));
	say_result("reset of another domain", reset(5));
	say_result("reset", reset(DOMID_SELF));
	say_result("expand_array after it", expand(page));
	say_result("send to the port of before", port_send(port));
}

/* EVT-20 */
static void open_three(void)
{
	first = port_open();
	port_open();
	port_open();
	fifo_on();
}

static void say_three(void)
{
	say_word("A", first);
	say_word("B", first + 1);
	say_word("C", first + 2);
	say_queue(DEFAULT_QUEUE);
}

static void evt_20(void)
{
	open_three();
	port_send(first);
	say("sent to A");
	say_three();
	port_send(first + 1);
	port_send(first + 2);
	port_send(first);
	say("sent to B, C and A");
	say_three();
	quiet();
	say_consumed(DEFAULT_QUEUE, true);
	say_three();
	port_send(first + 1);
	say("sent to B");
	say_three();
	quiet();
	say_consumed(DEFAULT_QUEUE, true);
}

static void evt_20_bad(void)
{
	open_three();
	port_send(first);
	port_send(first + 1);
	quiet();
	say_consumed(DEFAULT_QUEUE, false);
	port_send(first);
	say("sent to A");
	say_three();
	port_send(first + 2);
	say("sent to C");
	say_three();
}

/* EVT-21 */
static void evt_21(void)
{
	open_three();
	word[first] |= MASKED;
	port_send(first);
	say_word("sent to A, masked", first);
	say_queue(DEFAULT_QUEUE);
	say_result("unmask A", port_unmask(first));
	say_word("A", first);
	say_queue(DEFAULT_QUEUE);
	say_result("priority of A: 2", priority(first, 2));
	port_send(first);
	say_word("sent to A again", first);
	say_queue(2);
	quiet();
	say_consumed(DEFAULT_QUEUE, true);
	port_send(first);
	say_word("sent to A after it was consumed", first);
	say_queue(2);
	say_queue(DEFAULT_QUEUE);
	port_send(first + 1);
	say_queue(DEFAULT_QUEUE);
	quiet();
	block->ready = 1U << DEFAULT_QUEUE;
	port_send(first + 2);
	say("a ready bit that is set already: upcall pending %x", vcpu_info()->evtchn_upcall_pending);
	say_consumed(2, true);
	port_send(first);
	say_queue(2);
	port_close(first);
	say_word("A closed", first);
	say("the next port is A: %d", port_open() == first);
	say_consumed(2, true);
	say("and then: %d", port_open() == first);
	word[first + 1] |= MASKED;
	say_consumed(DEFAULT_QUEUE, true);
	port_send(first + 1);
	say_word("sent to B, masked", first + 1);
	word[first + 1] &= ~MASKED;
	say_result("unmask B, which is not masked", port_unmask(first + 1));
	say_word("B", first + 1);
}

/* EVT-22 */
static void evt_22(void)
{
	u32 many = 0, port = 0;

	first = port_open();
	port_open();
	port_send(first);
	say("2-level: A pending %d", port_pending(first));
	events_quiet();
	memset(test_pages[0], 0, 2 * PAGE_SIZE);
	word[timer_port()] = MASKED;
	say_result("init_control", init_control(0, frame_of(test_pages[0]), BLOCK_OFFSET));
	port_send(first + 1);
	say("sent to B: its bit in shared_info %d", port_pending(first + 1));
	say_queue(DEFAULT_QUEUE);
	say_result("expand_array", expand(frame_of(test_pages[1])));
	say_word("A", first);
	say_word("B", first + 1);
	say_queue(DEFAULT_QUEUE);
	do {
		struct evtchn_bind_ipi ipi = { 0, 0 };

		if (HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &ipi) < 0)
			break;
		port = ipi.port;
	} while (++many < 5000);
	say("ports beyond 4095: %d", port > 4095);
	say_result("send to the last one", port_send(port));
	say_result("reset", reset(DOMID_SELF));
	say("A pending in shared_info %d", port_pending(first));
	port = port_open();
	say_result("send to a new port", port_send(port));
	say("pending in shared_info %d", port_pending(port));
	say_result("set_priority", priority(port, 0));
	say_result("init_control again", init_control(0, frame_of(test_pages[0]), BLOCK_OFFSET));
}

const struct demo evt_fifo_demos[] = {
	{ "EVT-19", FACT, evt_19, NULL, RUN_DIES },
	{ "EVT-20", BREAKABLE, evt_20, evt_20_bad, RUN_DIES | BAD_DIES },
	{ "EVT-21", FACT, evt_21, NULL, RUN_DIES },
	{ "EVT-22", FACT, evt_22, NULL, RUN_DIES },
	{}
};
