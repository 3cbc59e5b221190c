/* callback_switch.c - CB: the failsafe callback, which comes when another vCPU has
   had the processor in between and a data segment cannot be loaded again. */
#include "ap.h"
#include "evt.h"
#include "seg.h"

#define DEMO_DESC	5			/* its index in the demo's GDT */
#define DEMO_SEL	(DEMO_DESC * 8 | 3)
#define MS		1000000UL

static u64 *gdt;
static struct sched_poll nap;
static volatile u32 ap_spins;
#define USER_WAITS	((volatile u32 *)((u64)user_code_stack - 16))

/* Loads DS, makes its descriptor vanish, and sleeps: the processor has something
   else to do then. */
KERNEL_CODE(switched, "mov %ebx, %ds\nmov %ebx, %es\n"
	    "mov $10, %eax\nsyscall\n"		/* update_descriptor(rdi, rsi) */
	    "mov %r12, %rdi\nmov %r13, %rsi\nmov $29, %eax\nsyscall\n"	/* sched_op(poll) */
	    "ud2");
USER_CODE(switched_user, "mov %ebx, %ds\nmovl $1, -16(%rsp)\nswitched_loop: jmp switched_loop");

static void spin(void)
{
	for (;;) {
		if (*USER_WAITS) {
			*USER_WAITS = 0;
			HYPERVISOR_update_descriptor(seg_machine_address(&gdt[DEMO_DESC]), 0);
		}
		ap_spins++;
	}
}

static void start(void)
{
	static const u64 table[] = { 0, 0, 0, 0, 0, DESC_DATA_DPL3 };

	gdt = seg_page(2, table, ARRAY_LEN(table));
	say_result("set_gdt", seg_use(gdt, 512));
	say_result("initialise vCPU 1", ap_initialise(ap_context(spin)));
	say_result("up", ap_up());
	catch_all();
	NAME_CODE(switched);
	NAME_CODE(switched_user);
}

static struct record *sleep_with_bad_ds(record_handler *handler)
{
	struct start s = kernel_code(switched);
	struct record *r;

	HYPERVISOR_update_descriptor(seg_machine_address(&gdt[DEMO_DESC]), DESC_DATA_DPL3);
	/* Long enough not to be over before it begins, on a busy host. */
	nap = (struct sched_poll){ NULL, 0, now_ns() + 15 * MS };
	s.gpr[RBX] = DEMO_SEL;
	s.gpr[RDI] = seg_machine_address(&gdt[DEMO_DESC]);
	s.gpr[RSI] = 0;
	s.gpr[R12] = SCHEDOP_poll;
	s.gpr[R13] = (u64)&nap;
	r = go(&s, handler);
	say("vCPU 1 ran meanwhile: %d", ap_spins != 0);
	return r;
}

static void say_frame(struct record *r)
{
	static const char *const words[] = { "rcx", "r11", "ds", "es", "fs", "gs", "rip", "cs", NULL, NULL, "ss" };

	for (u32 i = 0; i < ARRAY_LEN(words); i++)
		if (words[i])
			say("+%u %s = %s", i * 8, words[i], named(r->frame[i]));
	say("in the registers: ds %lx, es %lx; mask %x", r->ds, r->es, r->mask);
}

/* CB-08 */
static void cb_08(void)
{
	struct start s;
	struct record *r;

	start();
	say_result("failsafe callback", catch_callback(CALLBACKTYPE_failsafe, 0));
	r = sleep_with_bad_ds(NULL);
	show_entry("asleep in the kernel", r);
	if (r->kind == KIND_FAILSAFE)
		say_frame(r);
	HYPERVISOR_update_descriptor(seg_machine_address(&gdt[DEMO_DESC]), DESC_DATA_DPL3);
	catch_callback(CALLBACKTYPE_failsafe, CALLBACKF_mask_events);
	s = user_code(switched_user);
	s.gpr[RBX] = DEMO_SEL;
	r = go(&s, NULL);
	show_entry("interrupted in user mode", r);
	if (r->kind == KIND_FAILSAFE)
		say_frame(r);
	seg_restore();
}

/* CB-09 */
static void cb_09(void)
{
	struct callback_register none = { CALLBACKTYPE_failsafe, 0, 0 };
	struct record *r;

	start();
	say_result("failsafe callback 0", HYPERVISOR_callback_op(CALLBACKOP_register, &none));
	r = sleep_with_bad_ds(NULL);
	show_entry("without a failsafe callback", r);
	say("address %lx", r->cr2);
	seg_restore();
}

/* CB-10 */
static int back_right(struct record *r)
{
	return r->kind == KIND_FAILSAFE ? BACK_IRET : LEAVE;
}

static int back_as_short(struct record *r)
{
	if (r->kind != KIND_FAILSAFE)
		return LEAVE;
	r->back.ip = r->frame[2];
	r->back.cs = FLAT_CS;
	r->back.flags = CODE_FLAGS;
	return BACK_IRET;
}

static void cb_10_with(record_handler *handler)
{
	start();
	catch_callback(CALLBACKTYPE_failsafe, 0);
	sleep_with_bad_ds(handler);
	for (u64 i = 0; i < seen_count && i < 3; i++)
		show_entry("entered", &seen[i]);
	say("ds then %lx", seen[seen_count - 1].ds);
	seg_restore();
}

static void cb_10(void)
{
	cb_10_with(back_right);
}

static void cb_10_bad(void)
{
	cb_10_with(back_as_short);
}

const struct demo callback_switch_demos[] = {
	{ "CB-08", FACT, cb_08, NULL, RUN_DIES | TWO_VCPUS | ONE_CPU },
	{ "CB-09", FACT, cb_09, NULL, RUN_DIES | TWO_VCPUS | ONE_CPU },
	{ "CB-10", BREAKABLE, cb_10, cb_10_bad, RUN_DIES | BAD_DIES | TWO_VCPUS | ONE_CPU },
	{}
};
