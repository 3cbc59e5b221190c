/* cpu.c - what a CPU needs before it can leave the kernel: segment bases, a stack
   for traps from user mode, a system call entry. */
#include "bench.h"
#include "xen_guest.h"

struct percpu percpu;
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
	HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (u64)&percpu);
	HYPERVISOR_set_segment_base(SEGBASE_GS_USER, 0);
}

void cpu_init(void)
{
	fs_block = (u64)&fs_block;
	percpu.self = (u64)&percpu;
	percpu.kernel_sp = (u64)trap_stack_top;
	if (on_xen())
		cpu_xen_init();
	else
		cpu_native_init();
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
