/* cpu_native.c - descriptor tables, task state, control registers and the
   SYSCALL entry of bare metal. */
#include "bench.h"

struct idt_gate {
	u16 offset0;
	u16 selector;
	u8 ist;
	u8 type;			/* P | DPL << 5 | 14 (interrupt gate) */
	u16 offset1;
	u32 offset2;
	u32 zero;
};

struct __attribute__((packed)) tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
};

struct __attribute__((packed)) table_pointer { u16 limit; u64 base; };

enum { IST_NONE, IST_DF, IST_NMI };

static struct idt_gate __attribute__((aligned(16))) idt[256];
static struct tss __attribute__((aligned(128))) tss[CPUS];
extern u64 gdt[];
extern char gdt_pointer[], syscall_native[];

void native_gate_write(u8 vector, u64 stub, u8 dpl)
{
	/* Without a stub: an interrupt gate that is not present, so #NP. */
	struct idt_gate g = { .selector = GDT_KERNEL_CS, .type = dpl << 5 | 14 };

	if (stub) {
		g.offset0 = stub;
		g.offset1 = stub >> 16;
		g.offset2 = stub >> 32;
		g.type |= 0x80;
		/* #DF must not depend on the stack it reports; an NMI may come when
		   RSP is still the user's. */
		g.ist = vector == 8 ? IST_DF : vector == 2 ? IST_NMI : IST_NONE;
	}
	idt[vector] = g;
}

void native_idt_load(void)
{
	struct table_pointer p = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(p));
}

static void task_state_init(u32 cpu)
{
	struct tss *t = &tss[cpu];
	u16 selector = cpu ? GDT_TSS1 : GDT_TSS;
	u64 *descriptor = &gdt[selector / 8];
	u64 base = (u64)t;

	t->rsp[0] = (u64)trap_stack_top;
	t->ist[IST_DF - 1] = (u64)(cpu ? ap_ist_stack_top : ist_df_stack_top);
	t->ist[IST_NMI - 1] = (u64)(cpu ? ap_ist_stack_top : ist_nmi_stack_top);
	t->iomap = sizeof(*t);		/* no port is open to user code */

	/* Available 64-bit TSS, present, DPL 0. */
	descriptor[0] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 | 0x89UL << 40 |
			(base >> 24 & 0xff) << 56;
	descriptor[1] = base >> 32;
	asm volatile("ltr %w0" : : "r"((u32)selector));
}

void cpu_native_init(u32 cpu)
{
	u32 features[4];
	u64 cr4 = read_cr4();

	asm volatile("lgdt (%0)" : : "r"(gdt_pointer));
	task_state_init(cpu);

	cpuid(7, 0, features);
	if (features[1] & 1 << 7)
		cr4 |= CR4_SMEP;
	if (features[1] & 1 << 20)
		cr4 |= CR4_SMAP;
	write_cr4(cr4);

	wrmsr(MSR_FS_BASE, (u64)&fs_block);
	wrmsr(MSR_GS_BASE, (u64)&percpus[cpu]);
	wrmsr(MSR_USER_GS_BASE, 0);

	wrmsr(MSR_STAR, (u64)GDT_KERNEL_CS << 32 | (u64)GDT_USER_CS32 << 48);
	wrmsr(MSR_LSTAR, (u64)syscall_native);
	wrmsr(MSR_SFMASK, 0x47700);	/* AC, NT, IOPL's upper bit, DF, IF, TF */
}

void cpu_native_trap_stack(void *top)
{
	tss[0].rsp[0] = (u64)top;
}
