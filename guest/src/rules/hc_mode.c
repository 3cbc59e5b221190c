/* hc_mode.c - HC: whose SYSCALL is a hypercall, and what comes before the way back. */
#include "hc.h"

USER_CODE(hc_user_call, "syscall\nhc_user_call_next: ud2");

/* sched_op(yield), as a program of user mode would ask for it. */
static void call_from_user_text(bool kernel_mode)
{
	struct start s = user_code(hc_user_call);
	struct record *r;

	NAME_CODE(hc_user_call);
	s.gpr[RAX] = __HYPERVISOR_sched_op;
	s.gpr[RDI] = SCHEDOP_yield;
	if (kernel_mode)
		s.how = START_IRETQ;
	r = go(&s, NULL);
	say("%s at %s from CS 0x%lx, RAX = %s", named(recorder_of(r->kind)), named(r->back.ip),
	    r->back.cs & 0xffff, r->gpr[RAX] == __HYPERVISOR_sched_op ? "the number still" : named(r->gpr[RAX]));
}

static void hc_08(void)
{
	catch_all();
	catch_callback(CALLBACKTYPE_syscall, 0);
	call_from_user_text(false);
}

static void hc_08_bad(void)
{
	catch_all();
	say_result("set_callbacks without a system call entry",
		   HYPERVISOR_set_callbacks(recorder_of(KIND_EVENT), recorder_of(KIND_FAILSAFE), 0));
	call_from_user_text(false);
}

static void hc_09(void)
{
	catch_all();
	catch_callback(CALLBACKTYPE_syscall, 0);
	call_from_user_text(false);
}

static void hc_09_bad(void)
{
	catch_all();
	catch_callback(CALLBACKTYPE_syscall, 0);
	call_from_user_text(true);
}

KERNEL_CODE(hc_10_int3, "int3\nhc_10_next: ud2");
KERNEL_CODE(hc_10_nmi, "syscall\nhc_10_nmi_next: ud2");

static int event_then_on(struct record *r)
{
	if (r->kind == 6)
		return LEAVE;
	if (r->kind == KIND_EVENT)
		events_forget();
	return BACK_IRET;
}

static void show_order(const char *what)
{
	for (u64 i = 0; i < seen_count && i < RECORDS; i++)
		say("%s: entry %lu is %s with RIP %s", what, i, named(recorder_of(seen[i].kind)),
		    named(seen[i].back.ip));
}

static void hc_10(void)
{
	struct start s = kernel_code(hc_10_int3);

	catch_all();
	catch_callback(CALLBACKTYPE_event, 0);
	NAME_CODE(hc_10_int3);
	NAME_CODE(hc_10_nmi);
	vcpu_info()->evtchn_upcall_mask = 0;
	vcpu_info()->evtchn_upcall_pending = 1;
	go(&s, event_then_on);
	show_order("masking gate");

	catch_vector(3, 3);
	vcpu_info()->evtchn_upcall_mask = 0;
	vcpu_info()->evtchn_upcall_pending = 1;
	go(&s, event_then_on);
	show_order("open gate");

	catch_callback(CALLBACKTYPE_nmi, 0);
	s = raw_call(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0);
	s.at.ip = (u64)hc_10_nmi;
	vcpu_info()->evtchn_upcall_mask = 0;
	vcpu_info()->evtchn_upcall_pending = 1;
	go(&s, event_then_on);
	show_order("NMI");
}

const struct demo hc_mode_demos[] = {
	{ "HC-08", BREAKABLE, hc_08, hc_08_bad },
	{ "HC-09", BREAKABLE, hc_09, hc_09_bad },
	{ "HC-10", FACT, hc_10 },
	{}
};
