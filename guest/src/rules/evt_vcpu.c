/* evt_vcpu.c - EVT: starting and stopping vCPUs. */
#include "ap.h"
#include "evt.h"

#define VCPUOP_down	2
#define VCPUOP_is_up	3
#define NON_CANONICAL	0x8000000000000000
#define MS		1000000UL

static volatile u32 ap_done;

static long is_up(u32 vcpu)
{
	return HYPERVISOR_vcpu_op(VCPUOP_is_up, vcpu, NULL);
}

static void __attribute__((noreturn)) ap_ends(void)
{
	ap_done = 1;
	for (;;)
		HYPERVISOR_vcpu_op(VCPUOP_down, 1, NULL);
}

/* EVT-14 */
static u64 ap_flags, ap_cs, ap_ss, ap_traps;
static u8 ap_mask;
static volatile u32 ap_runs, ap_may_end;

static void on_ap_trap(struct pt_regs *regs, long vector)
{
	ap_traps++;
}

static void ap_looks(void)
{
	ap_mask = ap_info()->evtchn_upcall_mask;
	ap_flags = read_flags();
	asm volatile("mov %%cs, %0; mov %%ss, %1" : "=r"(ap_cs), "=r"(ap_ss));
	asm volatile("int3");
	ap_runs = 1;
	while (!ap_may_end)
		sleep_until(now_ns() + MS);
	ap_ends();
}

static volatile u32 ap_nmis;

static void on_ap_nmi(struct pt_regs *regs, long vector)
{
	ap_nmis++;
}

#define TRY(what, change) do {							\
	struct vcpu_guest_context *c = ap_context(ap_looks);			\
	change;									\
	say_result(what, ap_initialise(c));					\
} while (0)

static void evt_14(void)
{
	u64 table = frame_of((void *)start_info->pt_base), page = frame_of(test_pages[0]);
	struct vcpu_guest_context *good = ap_context(ap_looks);

	say_result("vCPU 0", HYPERVISOR_vcpu_op(VCPUOP_initialise, 0, good));
	say_result("vCPU 2", HYPERVISOR_vcpu_op(VCPUOP_initialise, 2, good));
	say_result("unreadable", ap_initialise((void *)NOWHERE_KERNEL));
	TRY("rip not canonical", c->user_regs.rip = NON_CANONICAL);
	TRY("rsp not canonical", c->user_regs.rsp = NON_CANONICAL);
	TRY("kernel_sp not canonical", c->kernel_sp = NON_CANONICAL);
	TRY("event callback not canonical", c->event_callback_eip = NON_CANONICAL);
	TRY("failsafe callback not canonical", c->failsafe_callback_eip = NON_CANONICAL);
	TRY("syscall callback not canonical", c->syscall_callback_eip = NON_CANONICAL);
	TRY("handler of vector 77 not canonical", c->trap_ctxt[77].address = NON_CANONICAL);
	TRY("fs base not canonical", c->fs_base = NON_CANONICAL);
	TRY("kernel gs base not canonical", c->gs_base_kernel = NON_CANONICAL);
	TRY("user gs base not canonical", c->gs_base_user = NON_CANONICAL);
	TRY("user mode without a user page table", c->flags = 0);
	TRY("ldt base not aligned", (c->ldt_base = (u64)test_pages[0] + 8, c->ldt_ents = 1));
	TRY("ldt of 8193 entries", (c->ldt_base = (u64)test_pages[0], c->ldt_ents = 8193));
	TRY("gdt too long", c->gdt_ents = 7169);
	TRY("gdt in a page table", (c->gdt_ents = 512, c->gdt_frames[0] = table));
	TRY("gdt in no frame", (c->gdt_ents = 512, c->gdt_frames[0] = -1UL >> 12));
	TRY("cr3 an ordinary page", c->ctrlreg[3] = page * PAGE_SIZE);
	TRY("user cr3 an ordinary page", c->ctrlreg[1] = page * PAGE_SIZE);
	say("is_up %ld", is_up(1));
	TRY("good", );
	TRY("good again", );
	say("is_up %ld", is_up(1));
	trap_handle(3, on_ap_trap);
	say_result("up", ap_up());
	say("it ran: %d", ap_wait(&ap_runs));
	say("is_up %ld", is_up(1));
	say("rflags.if in the context 0: mask %x, if %d", ap_mask, !!(ap_flags & FLAG_IF));
	say("cs %lx, ss %lx; traps by the context's table %lu", ap_cs & 0xffff, ap_ss & 0xffff, ap_traps);
	trap_handle(2, on_ap_nmi);
	say_result("send_nmi", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 1, NULL));
	say("NMI taken, by vector 2 of the context's table: %d", ap_wait(&ap_nmis));
	ap_may_end = 1;
	say("it went down by itself: %d", ap_wait(&ap_done));
	while (is_up(1))
		sleep_until(now_ns() + MS);
	say("is_up %ld", is_up(1));
}

/* EVT-15 */
static void evt_15(void)
{
	say("is_up(0) %ld, is_up(1) %ld", is_up(0), is_up(1));
	say_result("is_up(2)", is_up(2));
	say_result("up(1), which is not initialised", ap_up());
	say_result("down(1)", HYPERVISOR_vcpu_op(VCPUOP_down, 1, NULL));
	say_result("up(0)", HYPERVISOR_vcpu_op(VCPUOP_up, 0, NULL));
	say_result("up(2)", HYPERVISOR_vcpu_op(VCPUOP_up, 2, NULL));
	say_result("down(2)", HYPERVISOR_vcpu_op(VCPUOP_down, 2, NULL));
	say_result("vcpu_op 99", HYPERVISOR_vcpu_op(99, 0, NULL));
	say("down(0), the last one that runs");
	HYPERVISOR_vcpu_op(VCPUOP_down, 0, NULL);
	say("it came back");
}

const struct demo evt_vcpu_demos[] = {
	{ "EVT-14", FACT, evt_14, NULL, RUN_DIES | TWO_VCPUS },
	{ "EVT-15", FACT, evt_15, NULL, RUN_DIES | TWO_VCPUS },
	{}
};
