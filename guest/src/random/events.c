/*
 * events.c - event_channel_op: all kinds of ports, both ABIs, hostile arguments.
 *
 * No event of Xen's own is ever due (timers are far away), and events stay
 * masked, so that what is pending is what the operations raised.
 */
#include "random.h"

enum {
	BIND_INTERDOMAIN, BIND_VIRQ, BIND_PIRQ, CLOSE, SEND, STATUS, ALLOC_UNBOUND, BIND_IPI, BIND_VCPU, UNMASK,
	RESET, INIT_CONTROL, EXPAND_ARRAY, SET_PRIORITY, RESET_CONT
};

static const char *const names[] = {
	"event_channel_op bind_interdomain", "event_channel_op bind_virq", "event_channel_op bind_pirq",
	"event_channel_op close", "event_channel_op send", "event_channel_op status",
	"event_channel_op alloc_unbound", "event_channel_op bind_ipi", "event_channel_op bind_vcpu",
	"event_channel_op unmask", "event_channel_op reset", "event_channel_op init_control",
	"event_channel_op expand_array", "event_channel_op set_priority", "event_channel_op reset_cont",
	"event_channel_op 15", "event_channel_op 16",
};

#define PORTS		4096		/* that were opened once: all these can be asked about */
#define NEAR		24		/* ports that operations mostly choose from, and the digest reads */
#define WORDS		(PAGE_SIZE / 4)
#define MASKED		(1U << 30)
#define LINKED		(1U << 29)
#define LINK_MASK	((1U << 17) - 1)

/* The pages of the FIFO ABI are in no other operation's hands: Xen holds them
   while it is on. */
static u8 control_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u32 words[PORTS] __attribute__((aligned(PAGE_SIZE)));
static struct control_block { u32 ready, reserved, head[16]; } *control;
static bool fifo;

static long call(u32 cmd, void *arg)
{
	return hypercall(__HYPERVISOR_event_channel_op, cmd, (u64)arg, 0, 0, 0);
}

static long reset_ports(void)
{
	u16 self = DOMID_SELF;

	return call(RESET, &self);
}

static void open_all(void)
{
	static bool done;
	u32 ipi[2] = { 0, 0 };

	if (done)
		return;
	done = true;
	reset_ports();
	while (!call(BIND_IPI, ipi))
		;
}

void events_reset(void)
{
	open_all();
	reset_ports();
	fifo = false;
	memset((void *)shared_info->evtchn_pending, 0, sizeof(shared_info->evtchn_pending));
	memset((void *)shared_info->evtchn_mask, 0, sizeof(shared_info->evtchn_mask));
	memset(control_page, 0, PAGE_SIZE);
	memset(words, 0, sizeof(words));
	vcpu_info()->evtchn_upcall_pending = 0;
	vcpu_info()->evtchn_pending_sel = 0;
}

void events_digest(void)
{
	mix(vcpu_info()->evtchn_upcall_pending);
	mix(vcpu_info()->evtchn_pending_sel);
	if (!fifo) {
		mix(shared_info->evtchn_pending[0]);
		mix(shared_info->evtchn_mask[0]);
		return;
	}
	for (u32 p = 0; p < NEAR; p++)
		mix(words[p]);
	mix(control->ready);
	for (u32 q = 0; q < ARRAY_LEN(control->head); q++)
		if (control->head[q])
			mix((u64)control->head[q] << 8 | q);
}

static u32 draw_port(void)
{
	static const u32 odd[] = { 0, 63, 64, 4095, 4096, 4097, 131071, 131072, 0x7fffffff, 0x80000000, 0xffffffff };

	return chance(92) ? 1 + below(NEAR) : chance(50) ? below(PORTS) : pick(odd);
}

static u32 draw_vcpu(void)
{
	static const u32 odd[] = { 1, 2, 31, 32, 63, 64, 8191, 8192, 0x7fffffff, 0xffffffff };

	return chance(90) ? 0 : pick(odd);
}

static u16 draw_domain(void)
{
	static const u16 odd[] = { 1, 2, 0x7fef, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x8000, 0xffff };

	return chance(90) ? chance(70) ? DOMID_SELF : 0 : pick(odd);
}

/* The structure of a command, in 24 bytes; returns how many of them count. */
static u32 draw_argument(u32 cmd, u32 a[6])
{
	switch (cmd) {
	case BIND_INTERDOMAIN:
		a[0] = draw_domain();
		a[1] = draw_port();
		return 3;
	case BIND_VIRQ: {
		static const u32 odd[] = { 23, 24, 25, 0x80000000, 0xffffffff };

		a[0] = chance(90) ? below(24) : pick(odd);
		a[1] = draw_vcpu();
		return 3;
	}
	case BIND_PIRQ: {	/* none is mapped */
		static const u32 odd[] = { 207, 208, 255, 256, 0xffffffff };

		a[0] = chance(70) ? below(32) : pick(odd);
		a[1] = below(3);
		return 3;
	}
	case STATUS:
		a[0] = draw_domain();
		a[1] = draw_port();
		return 6;
	case ALLOC_UNBOUND:
		a[0] = draw_domain() | (u32)draw_domain() << 16;
		return 2;
	case BIND_IPI:
		a[0] = draw_vcpu();
		return 2;
	case BIND_VCPU:
		a[0] = draw_port();
		a[1] = draw_vcpu();
		return 2;
	case RESET: case RESET_CONT:
		a[0] = chance(85) ? pick(((const u16[]){ 1, 0x7ff1, 0x7ff4, 0xffff })) : DOMID_SELF;
		return 1;
	case SET_PRIORITY: {
		static const u32 odd[] = { 16, 17, 255, 256, 0xffffffff };

		a[0] = draw_port();
		a[1] = chance(90) ? below(16) : pick(odd);
		return 2;
	}
	case EXPAND_ARRAY: case INIT_CONTROL: {
		/* Bad ones; fifo_on is the good one. */
		u64 frame = draw_foreign_frame();

		a[0] = frame;
		a[1] = frame >> 32;
		a[2] = chance(70) ? 8 * below(500) : (u32)draw_word();
		a[3] = draw_vcpu();
		note(" %s", frame_name(frame));
		if (cmd == INIT_CONTROL)
			note(" offset %x vcpu %x", a[2], a[3]);
		return 0;
	}
	}
	a[0] = draw_port();
	return 1;
}

/* RESET of oneself leaves the FIFO ABI. That of a frame that was good after all is
   left at once: what is in it would go its own ways. */
static void noticed(u32 cmd, long ret)
{
	if (ret)
		return;
	if (cmd == INIT_CONTROL)
		reset_ports();
	if (cmd == RESET || cmd == RESET_CONT || cmd == INIT_CONTROL)
		fifo = false;
}

static bool op_event(void)
{
	static const u8 common[] = {
		BIND_INTERDOMAIN, BIND_VIRQ, CLOSE, SEND, SEND, SEND, SEND, STATUS, ALLOC_UNBOUND, ALLOC_UNBOUND, BIND_IPI,
		BIND_IPI, BIND_IPI, BIND_VCPU, UNMASK, UNMASK, SET_PRIORITY,
	};
	u32 cmd = chance(85) ? pick(common) : below(ARRAY_LEN(names)), a[6] = { 0 }, used = draw_argument(cmd, a);
	void *arg = chance(97) ? a : (void *)draw_bad_pointer();
	bool compat = chance(5) && arg == a;
	long ret;

	note(" %s", names[cmd] + sizeof("event_channel_op"));
	for (u32 i = 0; i < used; i++)
		note(" %x", a[i]);
	if (arg != a)
		note(" at %lx", (u64)arg);
	if (compat) {
		struct { u32 cmd, a[6]; } old = { cmd };

		memcpy(old.a, a, sizeof(a));
		ret = hypercall(16, (u64)&old, 0, 0, 0, 0);
		memcpy(a, old.a, sizeof(a));
		note(" (old call)");
	} else {
		ret = call(cmd, arg);
	}
	noticed(cmd, ret);
	if (cmd == INIT_CONTROL)
		note(" bits %x", a[4]);
	else if (cmd == STATUS)
		for (u32 i = 0; i < 6; i++)
			note(" %x", a[i]);
	else if (used > 1)
		note(" %x", a[used - 1]);
	return note_result(compat ? "event_channel_op_compat" : names[cmd], ret);
}

/* The way a guest begins with the FIFO ABI, now and then with something in the
   pages already. Nothing is pending then: an event that waits for its page
   would wait for the one of a later sequence, too. */
static bool op_fifo_on(void)
{
	struct { u64 frame; u32 offset, vcpu; u64 bits; } c = { frame_of(control_page), 8 * below(503), 0, 0 };
	u32 changed = chance(30) ? below(20) : 0;
	long ret;

	if (fifo) {
		ret = call(INIT_CONTROL, &c);
		return note_result(names[INIT_CONTROL], ret);
	}
	memset((void *)shared_info->evtchn_pending, 0, sizeof(shared_info->evtchn_pending));
	memset(control_page, 0, PAGE_SIZE);
	memset(words, 0, sizeof(words));
	for (u32 i = 0; i < changed; i++)
		words[draw_port() % NEAR] = draw() & ~(1U << 28);
	ret = call(INIT_CONTROL, &c);
	note(" offset %x bits %lx", c.offset, c.bits);
	if (note_result(names[INIT_CONTROL], ret)) {
		fifo = true;
		control = (void *)(control_page + c.offset);
	}
	/* All of them: a port without a word is never raised. */
	for (u32 i = 0; i < PORTS / WORDS && fifo; i++) {
		u64 frame = frame_of(&words[i * WORDS]);

		ret = call(EXPAND_ARRAY, &frame);
		note_count(names[EXPAND_ARRAY], ret);
	}
	note(" changed %u", changed);
	return ret == 0;
}

/* What the guest does to the words that it shares with Xen. */
static bool op_event_word(void)
{
	u32 port = 1 + below(NEAR - 1), queue;

	if (!fifo) {
		volatile u64 *w = chance(50) ? &shared_info->evtchn_pending[0] : &shared_info->evtchn_mask[0];

		*w ^= 1UL << port;
		if (chance(30))
			vcpu_info()->evtchn_pending_sel = below(2);
		if (chance(30))
			vcpu_info()->evtchn_upcall_pending = below(2);
		note(" port %u %lx", port, *w);
		return true;
	}
	switch (below(4)) {
	case 0:				/* take the first off a queue, as one should */
		queue = chance(60) ? 7 : below(16);
		port = control->head[queue] & LINK_MASK;
		if (port >= PORTS)
			port = 0;
		if (port) {
			control->head[queue] = words[port] & LINK_MASK;
			words[port] &= ~(LINKED | LINK_MASK | 1U << 31);
		}
		note(" consumed %u of queue %u", port, queue);
		break;
	case 1:
		words[port] ^= MASKED;
		note(" mask of %u", port);
		break;
	case 2:
		control->ready = chance(50) ? 0 : (u32)draw();
		vcpu_info()->evtchn_upcall_pending = 0;
		note(" ready %x", control->ready);
		break;
	default:
		words[port] = draw() & ~(1U << 28);
		note(" word %u %x", port, words[port]);
	}
	return true;
}

const struct operation event_operations[] = {
	{ "event", 30, op_event },
	{ "fifo_on", 1, op_fifo_on },
	{ "event_word", 5, op_event_word },
	{}
};
