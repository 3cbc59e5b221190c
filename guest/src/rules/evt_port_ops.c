/* evt_port_ops.c - EVT: what each kind of channel can be asked. */
#include "evt.h"

#define VIRQ_DEBUG	1
#define VIRQ_CONSOLE	2
#define VIRQ_DOM_EXC	3

static void bind_virq(u32 virq, u32 vcpu, u32 *port)
{
	struct evtchn_bind_virq arg = { virq, vcpu, 0 };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &arg);

	if (ret < 0)
		say("bind_virq %u to vCPU %u = -%s", virq, vcpu, errno_name(ret));
	else
		say("bind_virq %u to vCPU %u = 0", virq, vcpu);
	if (port)
		*port = arg.port;
}

/* EVT-12; the kernel has bound the timer. */
static void evt_12(void)
{
	u32 debug, console, exc;

	bind_virq(24, 0, NULL);
	bind_virq(~0U, 0, NULL);
	bind_virq(VIRQ_TIMER, 0, NULL);
	bind_virq(VIRQ_TIMER, 63, NULL);
	bind_virq(VIRQ_CONSOLE, 63, NULL);
	bind_virq(VIRQ_DEBUG, 0, &debug);
	bind_virq(VIRQ_DEBUG, 0, NULL);
	bind_virq(VIRQ_CONSOLE, 0, &console);
	bind_virq(VIRQ_CONSOLE, 0, NULL);
	bind_virq(VIRQ_DOM_EXC, 0, &exc);
	say_result("unreadable arguments",
		   HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, (void *)NOWHERE_KERNEL));
	port_close(debug);
	bind_virq(VIRQ_DEBUG, 0, &debug);
	port_close(debug);
	port_close(console);
	port_close(exc);
}

static void say_status(const char *what, u32 port)
{
	static const char *const kinds[] = {
		"closed", "unbound", "interdomain", "pirq", "virq", "ipi",
	};
	struct evtchn_status s = { DOMID_SELF, port };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_status, &s);

	if (ret < 0)
		say("status of %s = -%s", what, errno_name(ret));
	else
		say("status of %s: %s, vCPU %u", what, s.status < 6 ? kinds[s.status] : "?", s.vcpu);
}

static u32 demo_port;

static void acknowledge(struct pt_regs *regs)
{
	upcall_acknowledge(demo_port);
}

/* EVT-13 */
static void evt_13(void)
{
	struct evtchn_alloc_unbound unbound = { DOMID_SELF, DOMID_SELF };
	struct evtchn_bind_interdomain loop = { DOMID_SELF };
	struct evtchn_bind_ipi far = { 63, 0 };
	struct evtchn_send closed = { 0 };
	u32 virq;

	demo_port = port_open();
	upcall_use(acknowledge);
	mask_store(0);
	say_result("send to itself", port_send(demo_port));
	mask_store(1);
	say_port("the IPI", demo_port);
	say_status("the IPI port", demo_port);
	say_result("bind_ipi to vCPU 63", HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &far));
	closed.port = demo_port;
	port_close(demo_port);
	say_result("send to a closed port", port_send(demo_port));
	say_result("close it again", HYPERVISOR_event_channel_op(EVTCHNOP_close, &closed));
	port_mask(demo_port, true);
	say_result("unmask it", port_unmask(demo_port));
	say("its mask bit: %lu", shared_info->evtchn_mask[demo_port / 64] >> demo_port % 64 & 1);
	port_mask(demo_port, false);
	say_status("it", demo_port);

	bind_virq(VIRQ_DEBUG, 0, &virq);
	say_result("send to a VIRQ port", port_send(virq));
	say_status("it", virq);
	port_close(virq);

	say_result("alloc_unbound", HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound));
	say_result("send to an unbound port", port_send(unbound.port));
	say_port("the unbound port", unbound.port);
	say_status("it", unbound.port);
	loop.remote_port = unbound.port;
	say_result("bind_interdomain to it",
		   HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &loop));
	events_quiet();
	port_clear(loop.local_port);
	say_result("send to the bound end", port_send(loop.local_port));
	say_port("the other end", unbound.port);
	say_port("the sender's end", loop.local_port);
	say_status("the other end", unbound.port);
	events_quiet();
	port_close(loop.local_port);
	say_status("the other end after the close", unbound.port);
	port_close(unbound.port);
	say_result("event_channel_op 14", HYPERVISOR_event_channel_op(14, &closed));
	say_result("event_channel_op 15", HYPERVISOR_event_channel_op(15, &closed));
}

/* EVT-16: moving vcpu_info cannot be undone, so nothing runs after this. */
struct vcpu_register_info { u64 mfn; u32 offset, pad; };
static volatile struct vcpu_info *moved;

static long register_info(u32 vcpu, u64 mfn, u32 offset)
{
	struct vcpu_register_info arg = { mfn, offset, 0 };

	return HYPERVISOR_vcpu_op(10, vcpu, &arg);
}

static void spurious(struct pt_regs *regs)
{
	u64 any = 0;

	for (u32 i = 0; i < 64; i++)
		any |= shared_info->evtchn_pending[i];
	say("upcall: pending %x, selector %lx, any port pending %d", moved->evtchn_upcall_pending,
	    moved->evtchn_pending_sel, any != 0);
	moved->evtchn_upcall_pending = 0;
	moved->evtchn_pending_sel = 0;
}

static void evt_16(void)
{
	u64 page = frame_of(test_pages[0]), table = frame_of((void *)start_info->pt_base);
	u32 offset = 0x740;

	memset(test_pages[0], 0xee, PAGE_SIZE);
	moved = (void *)&test_pages[0][offset];
	say_result("crossing a page", register_info(0, page, PAGE_SIZE - 32));
	say_result("offset past the page", register_info(0, page, PAGE_SIZE));
	say_result("not aligned", register_info(0, page, 4));
	say_result("vCPU 63", register_info(63, page, 0));
	say_result("a page table", register_info(0, table, 0));
	say_result("no frame at all", register_info(0, -1UL >> 12, 0));
	upcall_use(spurious);
	mask_store(0);
	say_result("register", register_info(0, page, offset));
	say("upcalls %lu; new mask %x, old mask %x", upcalls, moved->evtchn_upcall_mask,
	    vcpu_info()->evtchn_upcall_mask);
	say("the clock is there: %d; cr2 copied: %d", moved->time.version != 0,
	    moved->cr2 == vcpu_info()->cr2);
	say_result("register again", register_info(0, frame_of(test_pages[1]), 0));
	vcpu_info()->evtchn_upcall_pending = 1;
	enter_xen();
	say("pending in the old place: upcalls %lu", upcalls);
	moved->evtchn_upcall_mask = 1;
}

const struct demo evt_port_ops_demos[] = {
	{ "EVT-12", FACT, evt_12 },
	{ "EVT-13", FACT, evt_13 },
	{ "EVT-16", FACT, evt_16, NULL, RUN_DIES },
	{}
};
