/* priv_if.c - PRIV: instructions that on bare metal open, close or await
   interrupts. */
#include "priv.h"

#define EVTCHNOP_close		3

ATTEMPT(if_cli, "cli");
ATTEMPT(if_sti, "sti");
ATTEMPT(if_hlt, "hlt");
ATTEMPT(if_cli_flags, "cli\npushfq\npop %rbx\nsti");
ATTEMPT(if_popf, "push $2\npopfq\npushfq\npop %rbx");
ATTEMPT(if_popf_iopl, "push $0x3202\npopfq\npushfq\npop %rbx");

static void cli_with(const struct attempt *a, bool user, u32 iopl)
{
	struct start s = attempt_start(a, user);

	priv_iopl(iopl);
	say("%s in %s mode, virtual IOPL %u: %s", a->what, user ? "user" : "kernel", iopl,
	    outcome(a, go(&s, NULL)));
}

static void say_flags(const struct attempt *a)
{
	struct record *r = attempt_kernel(a);

	if (went_through(a, r))
		say("RFLAGS after %s: IF %u, IOPL %u", a->what, (u32)(r->gpr[RBX] >> 9 & 1),
		    (u32)(r->gpr[RBX] >> 12 & 3));
	else
		say("%s: %s", a->what, outcome(a, r));
}

/* An event arrives at the kernel while the code runs, or waits. The code sends it
   to itself: RDI, RSI and RAX hold the hypercall's. */
KERNEL_CODE(if_send_masked, "movb $1, (%rbx)\ncall *%rax\nnop\nud2");
KERNEL_CODE(if_send_cli, "movb $0, (%rbx)\ncli\ncall *%rax\nnop\nsti\nud2");

static void send_in_section(const char *how, char *code)
{
	struct start s = kernel_code(code);
	struct evtchn_send send = { events_bind_ipi(0) };	/* EVTCHNOP_close takes it, too */
	struct record *r;

	s.gpr[RBX] = (u64)&vcpu_info()->evtchn_upcall_mask;
	s.gpr[RAX] = (u64)hypercall_page + __HYPERVISOR_event_channel_op * 32;
	s.gpr[RDI] = EVTCHNOP_send;
	s.gpr[RSI] = (u64)&send;
	catch_callback(CALLBACKTYPE_event, 0);
	r = go(&s, NULL);
	say("in a section closed by %s: %s", how, r->kind == KIND_EVENT ?
	    "the event interrupted it" : "the event waited");
	vcpu_info()->evtchn_upcall_pending = 0;
	vcpu_info()->evtchn_pending_sel = 0;
	shared_info->evtchn_pending[0] = 0;
	HYPERVISOR_event_channel_op(EVTCHNOP_close, &send);
}

void priv_02(void)
{
	static const struct attempt cli = ATTEMPT_ROW("CLI", if_cli), sti = ATTEMPT_ROW("STI", if_sti);
	static const struct attempt after[] = {
		ATTEMPT_ROW("CLI", if_cli_flags), ATTEMPT_ROW("POPF of IF 0", if_popf),
		ATTEMPT_ROW("POPF of IOPL 3", if_popf_iopl),
	};

	catch_all();
	for (u32 iopl = 0; iopl < 2; iopl++) {
		cli_with(&cli, false, iopl);
		cli_with(&sti, false, iopl);
	}
	HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl);
	say("with VMASST_TYPE_architectural_iopl:");
	cli_with(&cli, false, 0);
	HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
	cli_with(&cli, true, 2);
	cli_with(&cli, true, 3);
	for (u32 i = 0; i < ARRAY_LEN(after); i++)
		say_flags(&after[i]);
	send_in_section("evtchn_upcall_mask", if_send_masked);
}

void priv_02_bad(void)
{
	catch_all();
	priv_iopl(1);
	send_in_section("CLI", if_send_cli);
}

void priv_03(void)
{
	u64 before = timer_ticks;

	timer_arm();
	while (timer_ticks == before)
		events_wait();
	say("SCHEDOP_block: slept until the timer's event");
}

void priv_03_bad(void)
{
	static const struct attempt hlt = ATTEMPT_ROW("HLT", if_hlt);
	struct start s = attempt_start(&hlt, false);

	catch_all();
	priv_iopl(3);
	say_attempt(&hlt, &s, " with virtual IOPL 3");
}
