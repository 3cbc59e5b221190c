/* evt_many.c - EVT: vCPUs that shared_info has no room for, and what others see of
   a vCPU's run state. */
#include "ap.h"
#include "evt.h"

#define VCPUOP_is_up			3
#define VCPUOP_get_runstate_info	4
#define VCPUOP_register_runstate	5
#define VCPUOP_register_vcpu_info	10
#define FAR				33	/* beyond the 32 of shared_info */
#define MS				1000000UL
#define UPDATE_FLAG			5	/* VMASST_TYPE_runstate_update_flag */

struct runstate { u32 state; u64 entry_time, time[4]; };
struct vcpu_register_info { u64 mfn; u32 offset, pad; };

static volatile u32 ran, may_go;

static long op(u32 cmd, u32 vcpu, const void *arg)
{
	return HYPERVISOR_vcpu_op(cmd, vcpu, (void *)arg);
}

static long register_info(u32 vcpu, void *at)
{
	struct vcpu_register_info info = { frame_of(at), (u64)at % PAGE_SIZE, 0 };

	return op(VCPUOP_register_vcpu_info, vcpu, &info);
}

static u32 state_of(u32 vcpu)
{
	struct runstate r = { 99 };

	op(VCPUOP_get_runstate_info, vcpu, &r);
	return r.state;
}

static void __attribute__((noreturn)) far_code(void)
{
	ran = 1;
	for (;;)
		sleep_until(now_ns() + MS);
}

static void say_info(const char *what, const volatile struct vcpu_info *i)
{
	say("%s: pending %x, mask %x, selector %lx, clock %d", what, i->evtchn_upcall_pending, i->evtchn_upcall_mask,
	    i->evtchn_pending_sel, i->time.version != 0);
}

/* EVT-27 */
static void evt_27(void)
{
	struct evtchn_bind_ipi ipi = { FAR, 0 }, none = { FAR + 1, 0 };
	struct vcpu_guest_context *c = ap_context(far_code);
	volatile struct vcpu_info *info = (void *)&test_pages[0][128], *near = (void *)&test_pages[1][64];

	say("is_up %ld, run state %u", op(VCPUOP_is_up, FAR, NULL), state_of(FAR));
	say_result("initialise", op(VCPUOP_initialise, FAR, c));
	say_result("initialise, unreadable", op(VCPUOP_initialise, FAR, (void *)NOWHERE_KERNEL));
	say_result("up", op(VCPUOP_up, FAR, NULL));
	say_result("down", op(2, FAR, NULL));
	say_result("bind_ipi to it", HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &ipi));
	say_result("bind_ipi to the one behind the last", HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &none));
	say_result("send", port_send(ipi.port));
	say("pending in shared_info %d", port_pending(ipi.port));
	say_result("register_vcpu_info", register_info(FAR, (void *)info));
	say_info("its vcpu_info", info);
	say_result("again", register_info(FAR, (void *)near));
	info->evtchn_pending_sel = 0;
	info->evtchn_upcall_pending = 0;
	port_clear(ipi.port);
	port_send(ipi.port);
	say_info("after a send", info);
	shared_info->vcpu_info[5].evtchn_pending_sel = 0x80;
	say_result("register_vcpu_info of vCPU 5, which has one", register_info(5, (void *)near));
	say_info("the new one", near);
	say_result("initialise", op(VCPUOP_initialise, FAR, c));
	say_result("up", op(VCPUOP_up, FAR, NULL));
	say("it ran: %d; is_up %ld", ap_wait(&ran), op(VCPUOP_is_up, FAR, NULL));
	say_result("register_vcpu_info while it is up", register_info(FAR, (void *)near));
}

/* EVT-28 */
static struct runstate *const seen_by_others = (void *)test_pages[3];

static void __attribute__((noreturn)) sleeper(void)
{
	struct { void *at; } area = { seen_by_others };

	op(VCPUOP_register_runstate, 1, &area);
	ran = seen_by_others->state + 1;
	while (!may_go)
		sleep_until(now_ns() + MS / 4);
	for (;;)
		op(2, 1, NULL);
}

static bool wait_state(u32 state)
{
	for (u32 i = 0; i < 1000000 && *(volatile u32 *)&seen_by_others->state != state; i++)
		relax();
	return seen_by_others->state == state;
}

static void evt_28(void)
{
	u64 before;

	say_result("vm_assist runstate_update_flag", HYPERVISOR_vm_assist(VMASST_CMD_enable, UPDATE_FLAG));
	memset(test_pages[3], 0xee, PAGE_SIZE);
	ap_initialise(ap_context(sleeper));
	say("before up: state %u", state_of(1));
	say_result("up", ap_up());
	say("registered by itself: state in the area %d", ap_wait(&ran) ? (int)ran - 1 : -1);
	say("seen asleep, blocked: %d", wait_state(2));
	before = seen_by_others->time[2];
	say("seen running: %d", wait_state(0));
	say("the time blocked grew: %d", seen_by_others->time[2] > before);
	say("update flag left set: %d", (int)(seen_by_others->entry_time >> 63));
	may_go = 1;
	say("seen down: %d", wait_state(3));
	say("by get_runstate_info %u", state_of(1));
	say("what lies behind the area: %x", test_pages[3][sizeof(struct runstate)]);
}

const struct demo evt_many_demos[] = {
	{ "EVT-27", FACT, evt_27, NULL, RUN_DIES | MANY_VCPUS | ONE_CPU },
	{ "EVT-28", FACT, evt_28, NULL, RUN_DIES | TWO_VCPUS },
	{}
};
