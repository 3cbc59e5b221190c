/* nat.c - IDT, TSS and system call entry for the demos of NAT. */
#include "nat.h"

struct gate *gate(u8 vector)
{
	struct __attribute__((packed)) { u16 limit; u64 base; } idtr;

	asm volatile("sidt %0" : "=m"(idtr));
	return (struct gate *)idtr.base + vector;
}

struct task_state *task_state(void)
{
	extern u64 gdt[];
	u64 low = gdt[GDT_TSS / 8], high = gdt[GDT_TSS / 8 + 1];

	return (struct task_state *)((low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32);
}

/* The recorder reads a little above the frame: no stack begins at its top. */
void reset_native(void)
{
	static u8 demo_stack[PAGE_SIZE] __attribute__((aligned(16)));
	struct task_state *t = task_state();

	t->ist[0] = (u64)ist_df_stack_top - 256;
	t->ist[1] = (u64)ist_nmi_stack_top - 256;
	t->ist[IST_DEMO - 1] = (u64)demo_stack + sizeof(demo_stack) - 256;
	name_range("IST stack", (u64)demo_stack, (u64)demo_stack + sizeof(demo_stack));
	write_dr7(0x400);
	write_dr0(0);
	write_dr6(0xffff0ff0);
}

void catch_syscall(u64 mask)
{
	wrmsr(MSR_LSTAR, recorder_of(KIND_SYSCALL));
	wrmsr(MSR_SFMASK, mask);
}
