/* debug.c - DBG: single step. */
#include "rules.h"
#include "code.h"

#define DR6_BS		0x4000UL
#define DR6_B0		0x0001UL

/* The bits of DR6 that a #DB may set. */
static u64 dr6(void)
{
	return HYPERVISOR_get_debugreg(6) & 0xe00f;
}

static u32 steps_max;
static u64 step_vgcf;

/* Says where each #DB came, and leaves after steps_max or at something else. */
static int step(struct record *r)
{
	if (r->kind != 1) {
		show_entry("ended by", r);
		return LEAVE;
	}
	say("step %lu: rip %s, dr6 %lx, tf in the frame %d, in the handler %d", seen_count,
	    named(r->back.ip), dr6(), !!(r->back.flags & FLAG_TF), !!(r->flags & FLAG_TF));
	HYPERVISOR_set_debugreg(6, 0);
	r->vgcf = step_vgcf;
	return seen_count == steps_max ? LEAVE : BACK_IRET;
}

static void steps(struct start s, u32 max)
{
	steps_max = max;
	s.at.flags |= FLAG_TF;
	go(&s, step);
}

KERNEL_CODE(popf_tf, "pushfq\norl $0x100, (%rsp)\npopfq\nnop\nnop\nnop\nud2");

/* DBG-01 */
static void dbg_01(void)
{
	struct start s = kernel_code(popf_tf);

	catch_all();
	NAME_CODE(popf_tf);
	say("tf by popf");
	steps_max = 3;
	go(&s, step);
	NAME_CODE(kernel_nop);
	NAME_CODE(user_nop);
	say("tf by iretq");
	steps(kernel_code(kernel_nop), 3);
	say("tf by HYPERVISOR_iret, user mode");
	steps(user_code(user_nop), 3);
}

static void dbg_01_bad(void)
{
	struct start s = kernel_code(popf_tf);

	HYPERVISOR_set_trap_table(NULL);
	say("a step without a handler");
	go(&s, NULL);
}

/* DBG-02 */
static void dbg_02(void)
{
	struct start s = kernel_code(kernel_nop);

	catch_all();
	NAME_CODE(kernel_nop);
	s.how = START_IRET;
	s.at.cs = FLAT_CS & ~3;
	say("HYPERVISOR_iret, by IRET");
	steps(s, 4);
	s.vgcf = VGCF_IN_SYSCALL;
	say("HYPERVISOR_iret, by SYSRET, and then by IRET");
	steps(s, 4);
}

static void dbg_02_bad(void)
{
	struct start s = kernel_code(kernel_nop);

	catch_all();
	NAME_CODE(kernel_nop);
	step_vgcf = VGCF_IN_SYSCALL;
	steps(s, 6);
	step_vgcf = 0;
}

/* DBG-03: HYPERVISOR_xen_version stepped through. */
KERNEL_CODE(call_version, "call hypercall_page + 17*32\nnop\nud2");

static void dbg_03(void)
{
	struct start s = kernel_code(call_version);

	catch_all();
	NAME_CODE(call_version);
	name_range("slot 17", (u64)hypercall_page + 17 * 32, (u64)hypercall_page + 18 * 32);
	s.gpr[RDI] = 0;
	steps(s, 12);
}

/* DBG-04 */
KERNEL_CODE(emulated, "xor %ecx, %ecx\ncpuid\nmov %cr0, %rax\nmov %cr2, %rax\nmov $0xc0000080, %ecx\n"
		      "rdmsr\nclts\nmov %dr7, %rax\nwbinvd\nnop\nud2");

static void dbg_04(void)
{
	struct start s = kernel_code(emulated);

	catch_all();
	NAME_CODE(emulated);
	s.gpr[RAX] = 0;
	steps(s, 12);
}

/* DBG-05 */
KERNEL_CODE(cli_nops, "cli\nnop\nnop\nsti\nnop\nnop\nud2");

static void dbg_05(void)
{
	u32 iopl = 1;

	catch_all();
	NAME_CODE(cli_nops);
	say_result("set_iopl(1)", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl));
	steps(kernel_code(cli_nops), 8);
}

/* DBG-06: a store to the entry that maps one of our pages, the value it has. */
KERNEL_CODE(store_entry, "mov %rbx, (%rax)\nnop\nnop\nud2");

static void dbg_06(void)
{
	struct start s = kernel_code(store_entry);
	u64 *entry = pte_of((u64)test_pages[0]);

	catch_all();
	NAME_CODE(store_entry);
	say_result("vm_assist(writable_pagetables)",
		   HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	s.gpr[RAX] = (u64)entry;
	s.gpr[RBX] = *entry & ~(u64)PTE_D;
	steps(s, 4);
	say("the entry has its new value: %d", *entry == s.gpr[RBX]);
}

/* DBG-07 */
KERNEL_CODE(forced_cpuid, "ud2a\n.ascii \"xen\"\ncpuid\nnop\nud2");

static void dbg_07(void)
{
	struct start s = kernel_code(forced_cpuid);

	catch_all();
	NAME_CODE(forced_cpuid);
	s.gpr[RAX] = 0;
	s.gpr[RCX] = 0;
	steps(s, 3);
}

/* DBG-08 and DBG-09: an event that is due when the step is. */
static bool keep_tf;

static int step_and_event(struct record *r)
{
	if (r->kind == KIND_EVENT) {
		vcpu_info()->evtchn_upcall_pending = 0;
		say("event: interrupted rip %s, tf in the frame %d", named(r->back.ip),
		    !!(r->back.flags & FLAG_TF));
		if (!keep_tf)
			r->back.flags &= ~(u64)FLAG_TF;
		return BACK_IRET;
	}
	return step(r);
}

static void step_with_event(u8 flags, const void *code)
{
	struct start s = kernel_code(code);

	catch_all();
	catch_vector(1, flags);
	catch_callback(CALLBACKTYPE_event, 0);
	steps_max = 4;
	s.at.flags |= FLAG_TF;
	s.gpr[RBX] = (u64)&vcpu_info()->evtchn_upcall_mask;
	vcpu_info()->evtchn_upcall_pending = 1;
	go(&s, step_and_event);
	vcpu_info()->evtchn_upcall_pending = 0;
}

KERNEL_CODE(unmask_nop, "movb $0, (%rbx)\nnop\nnop\nud2");

static void dbg_08(void)
{
	keep_tf = true;
	NAME_CODE(unmask_nop);
	step_with_event(TI_EVENT_MASK, unmask_nop);
}

static void dbg_08_bad(void)
{
	keep_tf = true;
	NAME_CODE(unmask_nop);
	step_with_event(0, unmask_nop);
}

static void iret_into_steps(bool keep)
{
	struct start s = kernel_code(kernel_nop);

	keep_tf = keep;
	catch_all();
	NAME_CODE(kernel_nop);
	catch_callback(CALLBACKTYPE_event, 0);
	steps_max = 6;
	s.how = START_IRET;
	s.at.cs = FLAT_CS & ~3;
	s.at.flags |= FLAG_TF;
	vcpu_info()->evtchn_upcall_pending = 1;
	go(&s, step_and_event);
	vcpu_info()->evtchn_upcall_pending = 0;
}

static void dbg_09(void) { iret_into_steps(true); }
static void dbg_09_bad(void) { iret_into_steps(false); }

const struct demo debug_demos[] = {
	{ "DBG-01", BREAKABLE, dbg_01, dbg_01_bad, BAD_DIES },
	{ "DBG-02", BREAKABLE, dbg_02, dbg_02_bad },
	{ "DBG-03", FACT, dbg_03 },
	{ "DBG-04", FACT, dbg_04 },
	{ "DBG-05", FACT, dbg_05 },
	{ "DBG-06", FACT, dbg_06 },
	{ "DBG-07", FACT, dbg_07 },
	{ "DBG-08", BREAKABLE, dbg_08, dbg_08_bad },
	{ "DBG-09", BREAKABLE, dbg_09, dbg_09_bad },
	{}
};
