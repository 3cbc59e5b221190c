/* crash.c - CRASH: each way in which Xen kills a guest, and beside it the same
   thing done so that it does not. */
#include "rules.h"
#include "ap.h"
#include "code.h"

/* Code that puts RSP to RBX and takes an exception or a hypercall there. */
KERNEL_CODE(on_stack_int3, "mov %rbx, %rsp\nint3\non_stack_int3_next: ud2");
KERNEL_CODE(on_stack_read, "mov %rbx, %rsp\nmov (%rax), %ecx\nud2");
KERNEL_CODE(on_stack_iret, "mov %rbx, %rsp\nmov $23, %eax\nsyscall\nud2");

static struct start on_stack(const void *code, u64 sp)
{
	struct start s = kernel_code(code);

	s.gpr[RBX] = sp;
	return s;
}

#define GOOD_STACK	((u64)cell_stack_top - 512)
/* The guard page of the stack above begins here. */
#define STACK_END	((u64)cell_stack_top)
/* The lowest byte that can be written. */
#define STACK_START	((u64)cell_stack)

static void say_entry(const char *what, const struct record *r)
{
	show_entry(what, r);
	say("rsp in the handler: %lu below", r->back.sp - r->rsp);
}

/* CRASH-01 */
static void crash_01(void)
{
	struct start s = on_stack(on_stack_int3, GOOD_STACK);

	catch_all();
	NAME_CODE(on_stack_int3);
	say_entry("int3 on a stack of the guest's", go(&s, NULL));
}

static void crash_01_bad(void)
{
	struct start s = on_stack(on_stack_int3, HOLE_START + 0x30000000000);

	catch_all();
	say("int3 with rsp in Xen's addresses");
	go(&s, NULL);
}

/* CRASH-02 */
static void crash_02(void)
{
	struct start s = on_stack(on_stack_read, GOOD_STACK);

	catch_all();
	NAME_CODE(on_stack_read);
	s.gpr[RAX] = NOWHERE_KERNEL;
	say_entry("#PF with a handler", go(&s, NULL));
}

static void crash_02_bad(void)
{
	struct start s = on_stack(on_stack_read, GOOD_STACK);

	say_result("set_trap_table(NULL)", HYPERVISOR_set_trap_table(NULL));
	s.gpr[RAX] = NOWHERE_KERNEL;
	say("#PF without a handler");
	go(&s, NULL);
}

/* CRASH-03: the frame of #BP has seven words, and the recorder pushes one. */
static void crash_03(void)
{
	struct start s = on_stack(on_stack_int3, STACK_START + 8 * 8);

	catch_all();
	NAME_CODE(on_stack_int3);
	say_entry("int3 with room for eight words", go(&s, NULL));
}

static void crash_03_bad(void)
{
	struct start s = on_stack(on_stack_int3, STACK_START + 5 * 8);

	catch_all();
	say("int3 with room for five words");
	go(&s, NULL);
}

/* CRASH-04: iret reads nine words: rax, r11, rcx, flags and the five of iretq. */
static struct start iret_at(u64 sp)
{
	struct start s = on_stack(on_stack_iret, sp);
	u64 *frame = (u64 *)(STACK_END - 9 * 8);

	memset(frame, 0, 9 * 8);
	frame[0] = sentinel(RAX);
	frame[1] = sentinel(R11);
	frame[2] = sentinel(RCX);
	frame[4] = (u64)kernel_int3;
	frame[5] = FLAT_CS & ~3;
	frame[6] = CODE_FLAGS;
	frame[7] = GOOD_STACK;
	frame[8] = FLAT_DS;
	return s;
}

static void crash_04(void)
{
	struct start s = iret_at(STACK_END - 9 * 8);
	struct record *r;

	catch_all();
	NAME_CODE(kernel_int3);
	r = go(&s, NULL);
	say_entry("iret with nine words readable", r);
	say("rax %s, rcx %s, r11 %s", named(r->gpr[RAX]), named(r->frame[0]), named(r->frame[1]));
}

static void crash_04_bad(void)
{
	struct start s = iret_at(STACK_END - 8 * 8);

	catch_all();
	say("iret with eight words readable");
	go(&s, NULL);
}

/* CRASH-05 */
static void crash_05(void)
{
	struct start s = user_code(user_int3);

	catch_all();
	name_range("user_int3", (u64)user_int3, (u64)user_int3_end);
	show_entry("user mode with a page table", go(&s, NULL));
}

static void crash_05_bad(void)
{
	struct mmuext_op none = { MMUEXT_NEW_USER_BASEPTR, 0, 0 };
	struct start s = user_code(user_int3);
	u32 done;

	catch_all();
	say_result("new_user_baseptr(0)", HYPERVISOR_mmuext_op(&none, 1, &done));
	say("iret to user mode without a page table");
	go(&s, NULL);
}

/* CRASH-12 */
static long watchdog(u32 id, u32 seconds)
{
	struct { u32 id, timeout; } arg = { id, seconds };

	return HYPERVISOR_sched_op(6, &arg);
}

static void crash_12(void)
{
	u64 start = vcpu_info()->time.system_time;

	say_result("watchdog of 3 seconds", watchdog(0, 3));
	say_result("one more", watchdog(0, 3));
	say_result("a third", watchdog(0, 3) & 0xffffffff);
	say_result("watchdog 3", watchdog(3, 3));
	say_result("feed the first", watchdog(1, 3));
	say_result("stop it", watchdog(1, 0));
	say_result("feed it when stopped", watchdog(1, 3));
	say_result("stop the second", watchdog(2, 0));
	sleep_until(start + 4000000000);
	say("alive after 4 seconds");
}

static void crash_12_bad(void)
{
	say_result("watchdog of 1 second", watchdog(0, 1));
	say("nobody feeds it");
	for (;;)
		sleep_until(0);
}

/* CRASH-13: every way in which a kernel could be told. */
static int tell(struct record *r)
{
	say("vector or callback %lx was told", r->kind);
	return LEAVE;
}

static void crash_13(void)
{
	struct start s = on_stack(on_stack_int3, NOWHERE_KERNEL);

	catch_all();
	catch_callback(CALLBACKTYPE_event, 0);
	catch_callback(CALLBACKTYPE_failsafe, 0);
	catch_callback(CALLBACKTYPE_nmi, 0);
	HYPERVISOR_set_timer_op(vcpu_info()->time.system_time + 200000000);
	say("handlers for all vectors, events, failsafe and NMI; int3 without a stack");
	go(&s, tell);
}

/* CRASH-14: two mistakes; the stack is found out first. */
static void crash_14(void)
{
	struct start s = on_stack(on_stack_read, NOWHERE_KERNEL);

	HYPERVISOR_set_trap_table(NULL);
	s.gpr[RAX] = NOWHERE_KERNEL + 0x100;
	say("#PF with neither handler nor stack");
	go(&s, NULL);
}

/* CRASH-15: a stub that faults at its first instruction. */
KERNEL_CODE(stub_with_swapgs, "swapgs\nud2");
KERNEL_CODE(stub_without_swapgs, "nop\nint3\nud2");
KERNEL_CODE(raise_gp, "mov %rbx, %rsp\nlgdt (%rsp)\nud2");

static void gp_stub(const char *stub)
{
	struct trap_info one[2] = { { 13, TI_EVENT_MASK, FLAT_CS, (u64)stub } };
	struct start s = on_stack(raise_gp, GOOD_STACK);

	catch_all();
	NAME_CODE(stub_without_swapgs);
	HYPERVISOR_set_trap_table(one);
	say("#GP in the kernel");
	show_entry("the stub went on to", go(&s, NULL));
}

static void crash_15(void)
{
	gp_stub(stub_without_swapgs);
}

static void crash_15_bad(void) { gp_stub(stub_with_swapgs); }

const struct demo crash_demos[] = {
	{ "CRASH-01", BREAKABLE, crash_01, crash_01_bad, BAD_DIES },
	{ "CRASH-02", BREAKABLE, crash_02, crash_02_bad, BAD_DIES },
	{ "CRASH-03", BREAKABLE, crash_03, crash_03_bad, BAD_DIES },
	{ "CRASH-04", BREAKABLE, crash_04, crash_04_bad, BAD_DIES },
	{ "CRASH-05", BREAKABLE, crash_05, crash_05_bad, BAD_DIES },
	{ "CRASH-12", BREAKABLE, crash_12, crash_12_bad, BAD_DIES },
	{ "CRASH-13", FACT, crash_13, NULL, RUN_DIES },
	{ "CRASH-14", FACT, crash_14, NULL, RUN_DIES },
	{ "CRASH-15", BREAKABLE, crash_15, crash_15_bad, BAD_DIES },
	{}
};
