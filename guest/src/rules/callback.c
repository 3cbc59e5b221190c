/* callback.c - CB: callbacks for events, system calls and NMI. */
#include "rules.h"
#include "code.h"

static void event_pending(bool on)
{
	vcpu_info()->evtchn_upcall_pending = on;
}

static long callback(u16 type, u64 address)
{
	struct callback_register reg = { type, 0, address };

	return HYPERVISOR_callback_op(CALLBACKOP_register, &reg);
}

/* CB-01 */
static void cb_01(void)
{
	static const char *const types[] = {
		"event", "failsafe", "syscall", "type 3", "nmi", "sysenter", "type 6", "syscall32", "type 8",
	};
	u64 address = recorder_of(KIND_EVENT);

	for (u16 type = 0; type < ARRAY_LEN(types); type++) {
		struct callback_register reg = { type };
		long registered = callback(type, address);
		long refused = callback(type, 0x8000000000000000);
		long taken_out = HYPERVISOR_callback_op(CALLBACKOP_unregister, &reg);

		say_result(types[type], registered);
		say_result("  not canonical", refused);
		say_result("  unregister", taken_out);
	}
	say_result("a bad pointer", HYPERVISOR_callback_op(CALLBACKOP_register, (void *)NOWHERE_KERNEL));
	say_result("an unknown command", HYPERVISOR_callback_op(2, NULL));
}

/* CB-02 */
static void mask_of_syscall(void)
{
	struct start s = user_code(user_syscall);

	go(&s, NULL);
	say("entered %s, mask in it %d", named(recorder_of(seen[0].kind)), seen[0].mask);
}

static void cb_02(void)
{
	catch_all();
	catch_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events);
	mask_of_syscall();
}

static void cb_02_bad(void)
{
	cb_02();
	say_result("set_callbacks", HYPERVISOR_set_callbacks(recorder_of(KIND_EVENT),
		recorder_of(KIND_FAILSAFE), recorder_of(KIND_SYSCALL)));
	mask_of_syscall();
	say_result("set_callbacks, not canonical", HYPERVISOR_set_callbacks(recorder_of(KIND_EVENT),
		recorder_of(KIND_FAILSAFE), 0x8000000000000000));
	mask_of_syscall();
}

/* CB-03: what comes at the int3, with this value in the mask byte before. */
static struct start event_code(u8 mask)
{
	struct start s = kernel_code(kernel_int3);

	vcpu_info()->evtchn_upcall_mask = mask;
	event_pending(true);
	return s;
}

static int clear_and_return(struct record *r)
{
	if (r->kind != KIND_EVENT)
		return LEAVE;
	event_pending(false);
	return BACK_IRET;
}

static void cb_03(void)
{
	static const u8 masks[] = { 1, 2, 0x80, 0 };

	catch_all();
	catch_vector(3, 3);
	catch_callback(CALLBACKTYPE_event, 0);
	for (u32 i = 0; i < ARRAY_LEN(masks); i++) {
		/* Nothing may enter Xen between the store and the int3. */
		struct start s = event_code(masks[i]);

		go(&s, clear_and_return);
		event_pending(false);
		vcpu_info()->evtchn_upcall_mask = 1;
		say("mask %x: the first entered is %s", masks[i], named(recorder_of(seen[0].kind)));
	}
	say("mask in the event handler %d", seen[0].mask);
	show_frame("event", &seen[0]);
}

static void cb_03_bad(void)
{
	struct start s;

	catch_all();
	catch_vector(3, 3);
	say_result("event callback 0", callback(CALLBACKTYPE_event, 0));
	s = event_code(0);
	go(&s, NULL);
}

/* CB-04 */
static bool clears;

static int count_upcalls(struct record *r)
{
	if (r->kind != KIND_EVENT)
		return LEAVE;
	say("upcall %lu, interrupted: rip %s", seen_count, named(r->back.ip));
	if (clears)
		event_pending(false);
	return seen_count == 5 ? LEAVE : BACK_IRET;
}

static void upcalls(bool clear)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	NAME_CODE(kernel_int3);
	catch_callback(CALLBACKTYPE_event, 0);
	clears = clear;
	event_pending(true);
	s.how = START_IRET;
	s.at.cs = FLAT_CS & ~3;
	go(&s, count_upcalls);
	event_pending(false);
	say("the handler ended at %s", named(seen[seen_count - 1].back.ip));
}

static void cb_04(void) { upcalls(true); }
static void cb_04_bad(void) { upcalls(false); }

/* CB-05 */
static void cb_05(void)
{
	struct start s = user_code(user_syscall);
	u64 kept;

	catch_all();
	NAME_CODE(user_syscall);
	catch_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events);
	s.at.flags = CODE_FLAGS | FLAG_DF | FLAG_CF | FLAG_NT | FLAG_AC | FLAG_ID;
	go(&s, NULL);
	show_frame("syscall", &seen[0]);
	say("handler: rsp %s, gs base is the kernel's %d", named(seen[0].rsp),
	    gs_base() == (u64)&percpus[0]);
	/* 4.17.7, and 4.19 and later on processors without FRED: the mask that is to
	   clear DF has been overwritten by the address of the frame. */
	kept = s.at.flags & ~(FLAG_NT | FLAG_AC);
	say("handler: r11 is rflags without df: %d, rflags anded with rsp: %d",
	    seen[0].gpr[R11] == (kept & ~FLAG_DF), seen[0].gpr[R11] == ((kept & seen[0].rsp) | FLAG_IF));
}

KERNEL_CODE(native_syscall_entry, "swapgs\nmov %rsp, %gs:16\nmov %gs:8, %rsp\nud2");

static void cb_05_bad(void)
{
	struct start s = user_code(user_syscall);

	catch_all();
	NAME_CODE(native_syscall_entry);
	callback(CALLBACKTYPE_syscall, (u64)native_syscall_entry);
	go(&s, NULL);
	show_entry("syscall into a native entry", &seen[0]);
}

/* CB-07: sysenter tells the kernel nothing about where it came from. */
USER_CODE(user_sysenter, "sysenter\nud2");

static void cb_07(void)
{
	struct start s = user_code(user_sysenter);

	catch_all();
	say_result("register sysenter", catch_callback(CALLBACKTYPE_sysenter, CALLBACKF_mask_events));
	go(&s, NULL);
	show_frame("sysenter", &seen[0]);
	say_result("register sysenter at 0", callback(CALLBACKTYPE_sysenter, 0));
	go(&s, NULL);
	show_entry("sysenter without a callback", &seen[0]);
}

const struct demo callback_demos[] = {
	{ "CB-01", FACT, cb_01 },
	{ "CB-02", BREAKABLE, cb_02, cb_02_bad },
	{ "CB-03", BREAKABLE, cb_03, cb_03_bad, BAD_DIES },
	{ "CB-04", BREAKABLE, cb_04, cb_04_bad },
	{ "CB-05", BREAKABLE, cb_05, cb_05_bad },
	{ "CB-07", FACT, cb_07 },
	{}
};
