/* smp.c - starts a second CPU, sends it an IPI and an NMI. */
#include "bench.h"
#include "xen_guest.h"

#define PATIENCE	3000000		/* rounds to wait for the other CPU */
#define TRAMPOLINE	0x8000		/* a page of low memory, by its physical address */

static volatile bool running;
static u32 ipi_port;

static bool wait_for(volatile u64 *count)
{
	for (u32 i = 0; i < PATIENCE && !*count; i++)
		if (on_xen() && i % 1000 == 999)
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		else
			relax();
	return *count;
}

static void on_nmi(struct pt_regs *regs, long vector)
{
	nmi_count++;
}

/* The second CPU, on a stack of its own. */
void __attribute__((noreturn)) ap_main(void)
{
	cpu_init_second();
	print("smp: CPU 1 runs\n");
	running = true;
	for (;;)
		events_wait();
}

static bool start_native(void)
{
	extern char ap_trampoline[], ap_trampoline_end[];

	memcpy((void *)(KERNEL_BASE + TRAMPOLINE), ap_trampoline, ap_trampoline_end - ap_trampoline);
	apic_icr(1, APIC_INIT);
	for (u32 i = 0; i < 100000; i++)
		relax();
	apic_icr(1, APIC_STARTUP | TRAMPOLINE / PAGE_SIZE);
	return true;
}

static bool start_xen(void)
{
	static struct vcpu_guest_context context;
	extern char ap_start[], ap_stack_top[], syscall_xen[], upcall_xen[], failsafe_xen[];
	u64 l4 = frame_of((void *)start_info->pt_base);

	/* Not VGCF_online: then VCPUOP_up would find it up, and not wake it. */
	context.flags = VGCF_IN_KERNEL;
	context.user_regs.rip = (u64)ap_start;
	context.user_regs.rsp = (u64)ap_stack_top;
	context.user_regs.cs = FLAT_CS;
	context.user_regs.ss = FLAT_DS;
	context.user_regs.rflags = FLAG_IF | FLAG_FIXED;
	context.kernel_ss = FLAT_DS;
	context.kernel_sp = (u64)ap_stack_top;
	context.ctrlreg[3] = l4 * PAGE_SIZE;
	context.event_callback_eip = (u64)upcall_xen;
	context.failsafe_callback_eip = (u64)failsafe_xen;
	context.syscall_callback_eip = (u64)syscall_xen;
	context.fs_base = (u64)&fs_block;
	context.gs_base_kernel = (u64)&percpus[1];
	return HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &context) == 0 &&
	       HYPERVISOR_vcpu_op(VCPUOP_up, 1, NULL) == 0;
}

static void send_ipi(void)
{
	struct evtchn_send send = { ipi_port };

	if (on_xen())
		HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
	else
		apic_icr(1, APIC_VECTOR_IPI);
}

static void send_nmi(void)
{
	if (on_xen())
		HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 1, NULL);
	else
		apic_icr(1, APIC_NMI);
}

void cmd_smp(const char *value)
{
	u64 wait = 0;

	trap_handle(2, on_nmi);
	if (!(on_xen() ? start_xen() : start_native())) {
		print("smp: no second CPU\n");
		return;
	}
	while (!running && wait++ < PATIENCE)
		relax();
	if (!running) {
		print("smp: no second CPU\n");
		return;
	}
	if (on_xen())
		ipi_port = events_bind_ipi(1);
	send_ipi();
	print("smp: IPI %s\n", wait_for(&ipi_count) ? "taken" : "LOST");
	send_nmi();
	print("smp: NMI %s\n", wait_for(&nmi_count) ? "taken" : "LOST");
}
