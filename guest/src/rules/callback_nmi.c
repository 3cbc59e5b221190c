/* callback_nmi.c - CB, second part: NMI, which a vCPU can send itself. */
#include "rules.h"

/* The hypercall that sends, then the end. */
KERNEL_CODE(nmi_code, "call hypercall_page + 24*32\n.globl nmi_code_rest\nnmi_code_rest: nop\nud2");
CODE_NAME(nmi_code_rest);

static struct start nmi_start(void)
{
	struct start s = kernel_code(nmi_code);

	s.gpr[RDI] = VCPUOP_send_nmi;
	s.gpr[RSI] = 0;
	s.gpr[RDX] = 0;
	NAME_CODE(nmi_code);
	name_range("hypercall page", (u64)hypercall_page, (u64)hypercall_page + PAGE_SIZE);
	return s;
}

extern char nmi_probe[], nmi_probe_next[];

static u32 nmis, depth;
static int way_back;

/* In the first NMI a second is sent; it comes when an iret lets it. */
static int in_nmi(struct record *r)
{
	switch (r->kind) {
	case 14:			/* the handler's own page fault */
		r->back.ip = (u64)nmi_probe_next;
		return BACK_IRET;
	case KIND_NMI:
		break;
	default:
		say("the code goes on, NMIs taken: %u", nmis);
		return LEAVE;
	}
	nmis++;
	say("NMI %u, depth %u, interrupted: rip %s", nmis, depth,
	    r->back.ip == (u64)nmi_probe_next ? "the handler, behind its page fault" : named(r->back.ip));
	if (nmis > 1)
		return way_back;
	depth++;
	say_result("send_nmi in the handler", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL));
	say("NMIs taken: %u", nmis);
	if (way_back == BACK_IRET) {
		asm volatile(".globl nmi_probe, nmi_probe_next\n"
			     "nmi_probe: mov (%0), %%al\nnmi_probe_next:"
			     : : "r"(NOWHERE_KERNEL) : "rax", "memory");
		say("behind a page fault in the handler, NMIs taken: %u", nmis);
	}
	depth--;
	return way_back;
}

static void run_nmi(int way)
{
	struct start s = nmi_start();

	catch_all();
	say_result("register nmi", catch_callback(CALLBACKTYPE_nmi, 0));
	nmis = 0;
	depth = 0;
	way_back = way;
	go(&s, in_nmi);
}

/* An iret hypercall lets NMIs in again, whatever it returns from. */
static void reopen(void)
{
	struct start s = kernel_code(nmi_code_rest);

	s.how = START_IRET;
	s.at.cs = FLAT_CS & ~3;
	nmis = 1;
	depth = 0;
	go(&s, in_nmi);
}

static void cb_11(void) { run_nmi(BACK_IRET); }

static void cb_11_bad(void)
{
	run_nmi(BACK_IRETQ);
	way_back = BACK_IRET;
	reopen();
}

static void cb_12(void)
{
	struct callback_register reg = { CALLBACKTYPE_nmi };
	struct start s = nmi_start();

	say_result("unregister nmi", HYPERVISOR_callback_op(CALLBACKOP_unregister, &reg));
	HYPERVISOR_set_trap_table(NULL);
	catch_vector(6, TI_EVENT_MASK);
	go(&s, NULL);
	show_entry("the first entered", &seen[0]);
	say_result("send_nmi", seen[0].gpr[RAX]);
}

static void cb_13(void)
{
	struct callback_register reg = { CALLBACKTYPE_nmi, 0, recorder_of(KIND_NMI) };
	u64 argument = 0;

	say_result("register nmi", HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
	say_result("unregister nmi", HYPERVISOR_callback_op(CALLBACKOP_unregister, &reg));
	say_result("send_nmi with an argument", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, &argument));
	say_result("send_nmi to a vCPU that is not there", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 77, NULL));
}

const struct demo callback_nmi_demos[] = {
	{ "CB-11", BREAKABLE, cb_11, cb_11_bad },
	{ "CB-12", FACT, cb_12 },
	{ "CB-13", FACT, cb_13 },
	{}
};
