/* crash_vcpu.c - CRASH-06: a failsafe callback whose frame cannot be written. A
   vCPU that starts with a selector that cannot be loaded gets it at once. */
#include "ap.h"

#define BAD_SELECTOR	0x1003

u64 ap_failsafe_rsp;
volatile u32 ap_failsafe_ran;

KERNEL_CODE(ap_failsafe, "mov %rsp, ap_failsafe_rsp(%rip)\nmovl $1, ap_failsafe_ran(%rip)\n"
	    "1: pause\njmp 1b");
KERNEL_CODE(ap_code, "ud2");

static struct vcpu_guest_context *context(u64 sp)
{
	struct vcpu_guest_context *c = ap_context(ap_code);

	c->user_regs.ds = BAD_SELECTOR;
	c->user_regs.fs = FLAT_DS;
	c->user_regs.rsp = sp;
	c->user_regs.rcx = sentinel(RCX);
	c->user_regs.r11 = sentinel(R11);
	c->failsafe_callback_eip = (u64)ap_failsafe;
	return c;
}

static void crash_06(void)
{
	static const char *const words[] = {
		"rcx", "r11", "ds", "es", "fs", "gs", "rip", "cs", "rflags", "rsp", "ss",
	};
	u64 sp = (u64)cell_stack_top - 512;

	NAME_CODE(ap_code);
	say_result("initialise, with ds 1003", ap_initialise(context(sp)));
	say_result("up", ap_up());
	if (!ap_wait(&ap_failsafe_ran)) {
		say("the failsafe callback did not run");
		return;
	}
	say("the failsafe callback ran, rsp %lu below", sp - ap_failsafe_rsp);
	for (u32 i = 0; i < ARRAY_LEN(words); i++)
		say("+%u %s = %s", i * 8, words[i], named(((u64 *)ap_failsafe_rsp)[i]));
}

static void crash_06_bad(void)
{
	say_result("initialise, with ds 1003 and no stack", ap_initialise(context(NOWHERE_KERNEL)));
	say("up");
	ap_up();
	ap_wait(&ap_failsafe_ran);
	say("it lives");
}

const struct demo crash_vcpu_demos[] = {
	{ "CRASH-06", BREAKABLE, crash_06, crash_06_bad, RUN_DIES | BAD_DIES | TWO_VCPUS },
	{}
};
