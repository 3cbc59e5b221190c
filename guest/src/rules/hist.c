/* hist.c - HIST: what changed between versions of Xen, as far as no demo of
   another rule shows which side of the change this one is on. */
#include "seg.h"
#include "ap.h"
#include "code.h"

static void unregister_syscall(void)
{
	say_result("set_callbacks without a system call entry",
		   HYPERVISOR_set_callbacks(recorder_of(KIND_EVENT), recorder_of(KIND_FAILSAFE), 0));
}

static void unregister_sysenter(void)
{
	struct callback_register reg = { CALLBACKTYPE_sysenter, 0, 0 };

	say_result("no callback of SYSENTER", HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
}

/* HIST-02 */
static void hist_02(void)
{
	struct start s = user_code(user_syscall);
	struct record *r;

	catch_all();
	unregister_syscall();
	s.at.flags |= FLAG_DF;
	r = go(&s, NULL);
	say("SYSCALL with df set: vector %lx, df in the handler %d, in the frame %d", r->kind,
	    !!(r->flags & FLAG_DF), !!(r->back.flags & FLAG_DF));
}

/* HIST-05: after a SYSENTER that became #GP, a fault that Xen deals with itself: the
   first use of an LDT page. */
USER_CODE(hist_sysenter, "sysenter\nud2");
KERNEL_CODE(hist_load_ds, "mov %ebx, %ds\nud2");

static void hist_05(void)
{
	static const u64 descs[] = { 0, DESC_DATA_DPL3 };
	struct start user = user_code(hist_sysenter), load = kernel_code(hist_load_ds);
	u64 *table;
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg2 = 2 };
	u32 done;

	catch_all();
	NAME_CODE(hist_load_ds);
	unregister_sysenter();
	table = seg_page(0, descs, ARRAY_LEN(descs));
	op.mfn = (u64)table;
	say_result("MMUEXT_SET_LDT", HYPERVISOR_mmuext_op(&op, 1, &done));
	go(&user, NULL);
	show_entry("SYSENTER", &seen[0]);
	load.gpr[RBX] = 1 * 8 | 7;
	go(&load, NULL);
	show_entry("first use of the LDT, and then", &seen[0]);
	asm volatile("mov %0, %%ds" : : "r"(0));
	op.mfn = op.arg2 = 0;
	say_result("MMUEXT_SET_LDT of none", HYPERVISOR_mmuext_op(&op, 1, &done));
}

/* HIST-06 */
static void hist_06(void)
{
	struct start s = user_code(hist_sysenter);
	struct record *r;

	catch_all();
	say_result("register sysenter", catch_callback(CALLBACKTYPE_sysenter, 0));
	s.at.flags |= FLAG_NT;
	r = go(&s, back_once);
	say("SYSENTER with nt set: entered handler %lx, nt in it %d, in the frame %d", r->kind,
	    !!(r->flags & FLAG_NT), !!(r->back.flags & FLAG_NT));
}

/* HIST-11: two watchpoints one after the other, and nobody clears DR6. */
KERNEL_CODE(hist_two_stores, "mov %rbx, (%rax)\nmov %rbx, (%rcx)\nnop\nud2");
static u64 watched[2] __attribute__((aligned(16)));

static int say_dr6(struct record *r)
{
	if (r->kind != 1)
		return LEAVE;
	say("#DB at %s: dr6 %lx", named(r->back.ip), (u64)HYPERVISOR_get_debugreg(6) & ~0xffff0ff0UL);
	return BACK_IRET;
}

static void hist_11(void)
{
	struct start s = kernel_code(hist_two_stores);

	catch_all();
	NAME_CODE(hist_two_stores);
	HYPERVISOR_set_debugreg(0, (u64)&watched[0]);
	HYPERVISOR_set_debugreg(1, (u64)&watched[1]);
	/* L0 and L1, both on writes of eight bytes */
	say_result("set_debugreg(7)", HYPERVISOR_set_debugreg(7, 0x990405));
	s.gpr[RAX] = (u64)&watched[0];
	s.gpr[RCX] = (u64)&watched[1];
	go(&s, say_dr6);
}

/* HIST-25: what an iret loads, in the frame of an event that comes at once. */
static void event_pending(bool on)
{
	vcpu_info()->evtchn_upcall_pending = on;
}

static int event_once(struct record *r)
{
	event_pending(false);
	return LEAVE;
}

static void hist_25(void)
{
	static const struct { const char *what; u64 flags; } rows[] = {
		{ "bit 1 set", FLAG_IF | FLAG_FIXED }, { "bit 1 clear", FLAG_IF },
		{ "bits 3, 5 and 15 set", FLAG_IF | FLAG_FIXED | 0x8028 },
		{ "bits 22 to 31 set", FLAG_IF | FLAG_FIXED | 0xffc00000 },
	};

	catch_all();
	catch_callback(CALLBACKTYPE_event, 0);
	for (u32 i = 0; i < ARRAY_LEN(rows); i++) {
		struct start s = kernel_code(kernel_nop);

		s.how = START_IRET;
		s.at.cs = FLAT_CS & ~3;
		s.at.flags = rows[i].flags;
		event_pending(true);
		go(&s, event_once);
		say("%s: entered handler %lx, rflags in its frame %lx", rows[i].what, seen[0].kind,
		    seen[0].back.flags);
	}
	event_pending(false);
}

/* HIST-27: a vCPU that starts with a selector that cannot be loaded, and with RSP
   odd: where its failsafe frame lies. */
volatile u64 hist_failsafe_rsp;
volatile u32 hist_failsafe_ran;
KERNEL_CODE(hist_failsafe, "mov %rsp, hist_failsafe_rsp(%rip)\nmovl $1, hist_failsafe_ran(%rip)\n"
	    "1: pause\njmp 1b");

static void hist_27(void)
{
	struct vcpu_guest_context *c = ap_context(kernel_nop);
	u64 top = (u64)cell_stack_top - 512;

	c->user_regs.ds = 0x1003;
	c->user_regs.rsp = top + 13;
	c->failsafe_callback_eip = (u64)hist_failsafe;
	say_result("initialise, with ds 1003 and rsp top+13", ap_initialise(c));
	say_result("up", ap_up());
	if (ap_wait(&hist_failsafe_ran))
		say("the failsafe frame begins at top-%lu, its rsp is top+%lu", top - hist_failsafe_rsp,
		    ((volatile u64 *)hist_failsafe_rsp)[9] - top);
}

/* HIST-28 */
static void hist_28(void)
{
	static const struct { const char *what; u64 address; } rows[] = {
		{ "the last below the hole", 0x00007ffffffffff8 }, { "the first above it", 0xffff800000000000 },
		{ "the per-domain area", 0xffff820000000000 },
		{ "the window of translated arguments", 0xffff820080000000 },
		{ "the last of Xen's", 0xffff87fffffffff8 }, { "the first behind", 0xffff880000000000 },
	};

	for (u32 i = 0; i < ARRAY_LEN(rows); i++)
		say_result(rows[i].what, HYPERVISOR_set_debugreg(0, rows[i].address));
}

/* HIST-29 */
static void hist_29(void)
{
	struct start s = user_code(hist_sysenter);

	catch_all();
	unregister_sysenter();
	for (u8 flag = 0; flag <= TI_EVENT_MASK; flag += TI_EVENT_MASK) {
		catch_vector(13, flag);
		go(&s, NULL);
		say("SYSENTER, #GP with flag %u: vector %lx, mask in the handler %d", flag, seen[0].kind,
		    seen[0].mask);
	}
}

const struct demo hist_demos[] = {
	{ "HIST-02", FACT, hist_02 },
	{ "HIST-05", FACT, hist_05 },
	{ "HIST-06", FACT, hist_06 },
	{ "HIST-11", FACT, hist_11 },
	{ "HIST-25", FACT, hist_25 },
	{ "HIST-27", FACT, hist_27, NULL, RUN_DIES | TWO_VCPUS },
	{ "HIST-28", FACT, hist_28 },
	{ "HIST-29", FACT, hist_29 },
	{}
};
