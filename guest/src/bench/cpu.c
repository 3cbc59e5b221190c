/* cpu.c - what a CPU needs before it can leave the kernel: segment bases, a stack
   for traps from user mode, a system call entry. */
#include "bench.h"
#include "xen_guest.h"

struct percpu percpus[CPUS];
u64 fs_block;

extern char syscall_xen[], upcall_xen[], failsafe_xen[];

static void register_callback(u16 type, u16 flags, char *address)
{
	struct callback_register reg = { type, flags, (u64)address };

	if (HYPERVISOR_callback_op(CALLBACKOP_register, &reg) < 0)
		panic("a callback was refused");
}

static void cpu_xen_init(void)
{
	register_callback(CALLBACKTYPE_event, 0, upcall_xen);
	register_callback(CALLBACKTYPE_failsafe, CALLBACKF_mask_events, failsafe_xen);
	register_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events, syscall_xen);
	trap_stack_set(trap_stack_top);
	HYPERVISOR_set_segment_base(SEGBASE_FS, (u64)&fs_block);
	HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (u64)&percpus[0]);
	HYPERVISOR_set_segment_base(SEGBASE_GS_USER, 0);
}

void cpu_init(void)
{
	fs_block = (u64)&fs_block;
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		percpus[cpu] = (struct percpu){ (u64)&percpus[cpu], (u64)trap_stack_top, 0, cpu };
	if (on_xen())
		cpu_xen_init();
	else
		cpu_native_init(0);
}

/* Xen has given a further vCPU its callbacks and bases by its start context. */
void cpu_init_second(void)
{
	gates_load();
	if (on_xen())
		return;
	paging_use();
	cpu_native_init(1);
	apic_enable();
}

u64 this_cpu(void)
{
	u64 v;

	asm volatile("mov %%gs:24, %0" : "=r"(v));
	return v;
}

void trap_stack_set(void *top)
{
	if (on_xen())
		HYPERVISOR_stack_switch(FLAT_DS, (u64)top);
	else
		cpu_native_trap_stack(top);
}

/* On Xen reading the MSR would be one more trap; the blocks tell their address. */
u64 gs_base(void)
{
	u64 v;

	if (!on_xen())
		return rdmsr(MSR_GS_BASE);
	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

u64 fs_base(void)
{
	u64 v;

	if (!on_xen())
		return rdmsr(MSR_FS_BASE);
	asm volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}
