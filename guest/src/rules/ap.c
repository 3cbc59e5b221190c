/* ap.c - starting a second vCPU. */
#include "ap.h"
#include "evt.h"

extern char ap_stack_top[], upcall_xen[], failsafe_xen[], syscall_xen[];

struct vcpu_guest_context *ap_context(const void *entry)
{
	static struct vcpu_guest_context c;

	memset(&c, 0, sizeof(c));
	c.flags = VGCF_IN_KERNEL;
	c.user_regs.rip = (u64)entry;
	c.user_regs.rsp = (u64)ap_stack_top - 8;	/* as after a call */
	c.user_regs.cs = FLAT_CS;
	c.user_regs.ss = FLAT_DS;
	c.user_regs.rflags = FLAG_FIXED;
	for (u32 v = 0; v < 256; v++)
		c.trap_ctxt[v] = (struct trap_info){ v, gate_dpl(v) | TI_EVENT_MASK, FLAT_CS,
						     kernel_stub(v) };
	c.kernel_ss = FLAT_DS;
	c.kernel_sp = (u64)ap_stack_top;
	c.ctrlreg[3] = frame_of((void *)start_info->pt_base) * PAGE_SIZE;
	c.event_callback_eip = (u64)upcall_xen;
	c.failsafe_callback_eip = (u64)failsafe_xen;
	c.syscall_callback_eip = (u64)syscall_xen;
	c.gs_base_kernel = (u64)&percpus[1];
	return &c;
}

long ap_initialise(const struct vcpu_guest_context *c)
{
	return HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, (void *)c);
}

long ap_up(void)
{
	return HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL);
}

void sleep_until(u64 ns)
{
	struct sched_poll p = { NULL, 0, ns };

	HYPERVISOR_sched_op(SCHEDOP_poll, &p);
}

bool ap_wait(volatile u32 *word)
{
	for (u32 i = 0; i < 2000 && !*word; i++)
		sleep_until(now_ns() + 2000000);
	return *word;
}
