/* selftest_events.c - timer, self IPI and NMI: event channels or the local APIC. */
#include "selftest.h"
#include "cell.h"

/* Room for one word that user code waits for. */
extern u64 user_raise_args[];

static void wake_user(struct pt_regs *regs)
{
	u64 *word = user_alias(user_raise_args);

	*word = from_user(regs) ? 2 : 1;
}

static void on_nmi(struct pt_regs *regs, long vector)
{
	nmi_count++;
}

static void timer(void)
{
	extern char user_spin[];
	u64 *word = user_alias(user_raise_args);

	timer_arm();
	while (!timer_ticks)
		events_wait();
	check(timer_ticks == 1, "events, a tick while the kernel sleeps");

	*word = 0;
	timer_hook = wake_user;
	timer_arm();
	check(run_user((u64)user_spin, (u64)user_main_stack_top, FLAG_IF | FLAG_FIXED,
		       (u64)user_raise_args) == 2, "events, a tick while user code runs");
	timer_hook = NULL;
	check(timer_ticks == 2, "events, no tick but these");
}

static void ipi(void)
{
	ipi_self();
	check(ipi_count == 0, "events, an IPI held while masked");
	events_unmask();
	barrier();
	check(ipi_count == 1, "events, and taken when unmasked");
	events_mask();
}

static void nmi(void)
{
	trap_handle(2, on_nmi);
	nmi_self();
	for (u32 i = 0; i < 1000 && !nmi_count; i++)
		relax();
	check(nmi_count == 1, "events, an NMI in spite of the mask");
	nmi_self();
	for (u32 i = 0; i < 1000 && nmi_count < 2; i++)
		relax();
	check(nmi_count == 2, "events, a second one after the first returned");
}

void selftest_events(void)
{
	check(events_masked(), "events, masked to begin with");
	timer();
	ipi();
	nmi();
}
