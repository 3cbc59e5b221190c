/* apic.c - the local APIC in its memory-mapped form (SDM vol. 3, ch. 10), and
   the old 8259 pair put to silence. */
#include "bench.h"

#define APIC_FRAME	0xfee00
#define APIC_ID		0x020
#define APIC_EOI	0x0b0
#define APIC_SVR	0x0f0
#define SVR_ENABLE	0x100
#define APIC_ICR_LOW	0x300
#define APIC_ICR_HIGH	0x310
#define ICR_PENDING	(1 << 12)
#define APIC_LVT_TIMER	0x320
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define LVT_MASKED	(1 << 16)
#define APIC_INIT_COUNT	0x380
#define APIC_DIVIDE	0x3e0
#define DIVIDE_BY_16	0x3
#define TIMER_COUNT	62500

#define VECTOR_TIMER	0xec
#define VECTOR_SPURIOUS	0xff

#define PIC_MASTER_DATA	0x21
#define PIC_SLAVE_DATA	0xa1

static volatile u32 *apic;

static u32 apic_read(u32 reg) { return apic[reg / 4]; }
static void apic_write(u32 reg, u32 v) { apic[reg / 4] = v; }

u32 apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

/* Also done by each further CPU: the registers are its own. */
void apic_enable(void)
{
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
}

void apic_icr(u32 id, u32 command)
{
	while (apic_read(APIC_ICR_LOW) & ICR_PENDING)
		relax();
	apic_write(APIC_ICR_HIGH, id << 24);
	apic_write(APIC_ICR_LOW, command);
}

void apic_self(u32 command)
{
	apic_icr(apic_id(), command);
}

void apic_timer_arm(void)
{
	apic_write(APIC_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);	/* one-shot */
	apic_write(APIC_INIT_COUNT, TIMER_COUNT);
}

static void on_interrupt(struct pt_regs *regs, long vector)
{
	if (vector == VECTOR_TIMER)
		timer_tick(regs);
	else if (vector == APIC_VECTOR_IPI)
		ipi_count++;
	if (vector != VECTOR_SPURIOUS)
		apic_write(APIC_EOI, 0);
}

void apic_init(void)
{
	/* The firmware leaves the PIC's timer on, at the vector of #DF. */
	outb(PIC_MASTER_DATA, 0xff);
	outb(PIC_SLAVE_DATA, 0xff);
	apic = area_map(AREA_APIC, APIC_FRAME, PTE_RW | PTE_PCD | PTE_NX);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_enable();
	trap_handle(VECTOR_TIMER, on_interrupt);
	trap_handle(APIC_VECTOR_IPI, on_interrupt);
	trap_handle(VECTOR_SPURIOUS, on_interrupt);
}
