/* hc_batch.c - HC: calls that are continued, and calls in a batch. */
#include "hc.h"

static struct multicall_entry calls[4];
static struct evtchn_send hc_send;

static int event_only_seen(struct record *r)
{
	if (r->kind != KIND_EVENT)
		return LEAVE;
	events_forget();
	return BACK_IRET;
}

/* Takes the event for one that came between two instructions of its own. */
static int event_skips(struct record *r)
{
	int decision = event_only_seen(r);

	if (r->kind == KIND_EVENT)
		r->back.ip += 2;
	return decision;
}

/* The first call of the batch raises an event, and so the batch is continued. */
static void batch_with_event(record_handler *fn)
{
	struct start s = raw_call(__HYPERVISOR_multicall, (u64)calls, 3, 0);
	struct record *event = &seen[0], *end;
	struct evtchn_send port;

	port.port = hc_send.port = events_bind_ipi(0);
	memset(calls, 0, sizeof(calls));
	calls[0] = (struct multicall_entry){ __HYPERVISOR_event_channel_op, 7777, { EVTCHNOP_send, (u64)&hc_send } };
	calls[1] = calls[2] = (struct multicall_entry){ __HYPERVISOR_vm_assist, 7777, { VMASST_CMD_disable, VMASST_TYPE_writable_pagetables } };
	catch_all();
	catch_callback(CALLBACKTYPE_event, 0);
	NAME_CODE(hc_raw);
	name_range("the list", (u64)calls, (u64)calls + sizeof(calls));
	vcpu_info()->evtchn_upcall_mask = 0;
	go(&s, fn);
	end = &seen[seen_count - 1];
	say("%lu entries of handlers; the first is %s", seen_count, named(recorder_of(event->kind)));
	say("its RIP = %s, RAX = 0x%lx, RDI = %s, RSI = %lu", named(event->frame[2]),
	    event->gpr[RAX], named(event->gpr[RDI]), event->gpr[RSI]);
	say("in the end RIP = %s, RAX = %ld", named(end->frame[2]), result_of(end));
	for (u32 i = 0; i < 3; i++)
		say("call %u %s", i, calls[i].result == 7777 ? "was not made" :
		    calls[i].result ? "failed" : "succeeded");
	HYPERVISOR_event_channel_op(EVTCHNOP_close, &port);
}

static void hc_07(void)
{
	batch_with_event(event_only_seen);
}

static void hc_07_bad(void)
{
	batch_with_event(event_skips);
}

static void show_batch(long result, u32 n)
{
	say_result("multicall", result);
	for (u32 i = 0; i < n; i++) {
		long r = calls[i].result;

		if (r == 7777)
			say("call %u was not made", i);
		else
			say("call %u = %s%s", i, r < 0 ? "-" : "", r < 0 ? errno_name(r) : r ? "more than 0" : "0");
	}
}

static void hc_11(void)
{
	static struct multicall_entry inner[1];

	memset(calls, 0, sizeof(calls));
	inner[0] = (struct multicall_entry){ __HYPERVISOR_xen_version, 7777, { XENVER_version } };
	calls[0] = (struct multicall_entry){ __HYPERVISOR_xen_version, 7777, { XENVER_version } };
	calls[1] = (struct multicall_entry){ 63, 7777, {} };
	calls[2] = (struct multicall_entry){ __HYPERVISOR_multicall, 7777, { (u64)inner, 1 } };
	calls[3] = (struct multicall_entry){ __HYPERVISOR_vm_assist, 7777, { VMASST_CMD_disable, VMASST_TYPE_writable_pagetables, 3, 4, 5, 6 } };
	show_batch(HYPERVISOR_multicall(calls, 4), 4);
	say("the nested call was %s", inner[0].result == 7777 ? "not made" : "made");
	say("entry 3 after it: op %lu, arguments %lu %lu %lu %lu %lu %lu", calls[3].op, calls[3].args[0],
	    calls[3].args[1], calls[3].args[2], calls[3].args[3], calls[3].args[4], calls[3].args[5]);
	say_result("multicall of no calls", HYPERVISOR_multicall(NULL, 0));
	say_result("multicall of a list that is not mapped",
		   HYPERVISOR_multicall((void *)NOWHERE_KERNEL, 1));
}

KERNEL_CODE(hc_12_code, "syscall\nud2\nhc_12_landed: ud2");
CODE_NAME(hc_12_landed);

/* A batch with an iret in it at this place. */
static void batch_with_iret(u32 at)
{
	/* rax r11 rcx flags rip cs rflags rsp ss (IRET-01) */
	u64 frame[9] = { 0x180000077, 0x66, 0x55, 0, (u64)hc_12_landed, FLAT_CS & ~3, FLAG_IF | FLAG_FIXED,
			 (u64)cell_stack_top - 256, FLAT_DS };
	struct start s = kernel_code(hc_12_code);
	struct record *r;

	catch_all();
	NAME_CODE(hc_12_code);
	for (u32 i = 0; i < 3; i++)
		calls[i] = (struct multicall_entry){ __HYPERVISOR_vm_assist, 7777, { VMASST_CMD_disable, VMASST_TYPE_writable_pagetables } };
	calls[at] = (struct multicall_entry){ __HYPERVISOR_iret, 7777, {} };
	s.at.sp = (u64)frame;
	s.gpr[RAX] = __HYPERVISOR_multicall;
	s.gpr[RDI] = (u64)calls;
	s.gpr[RSI] = 3;
	r = go(&s, NULL);
	say("RIP = %s, RAX = %s, RCX = %s, R11 = %s", named(r->back.ip), named(r->gpr[RAX]),
	    named(r->frame[0]), named(r->frame[1]));
	for (u32 i = 0; i < 3; i++)
		say("call %u: result %s", i, calls[i].result == 7777 ? "not written" : named(calls[i].result));
}

static void hc_12(void)
{
	batch_with_iret(2);
}

static void hc_12_bad(void)
{
	batch_with_iret(0);
}

const struct demo hc_batch_demos[] = {
	{ "HC-07", BREAKABLE, hc_07, hc_07_bad },
	{ "HC-11", FACT, hc_11 },
	{ "HC-12", BREAKABLE, hc_12, hc_12_bad },
	{}
};
