/*
 * shutdown.c - the ways to end.
 *
 * Bare metal: the power button register of the PC's ACPI block (PM1a control of
 * the PIIX4, port 0x604: SLP_EN with sleep type 0 is soft off there), and the
 * keyboard controller's reset line. A crash of our own differs from a plain
 * power-off by the "PANIC:" line before it.
 */
#include "bench.h"
#include "xen_guest.h"

#define PM1A_CNT	0x604
#define SLP_EN		0x2000
#define KBC_COMMAND	0x64
#define KBC_RESET	0xfe
#define RESET_CONTROL	0xcf9		/* for machines without a keyboard controller */

static void xen_shutdown(u32 reason)
{
	struct sched_shutdown arg = { reason };

	HYPERVISOR_sched_op(SCHEDOP_shutdown, &arg);
}

static void __attribute__((noreturn)) stop_here(void)
{
	for (;;) {
		if (on_xen())
			HYPERVISOR_sched_op(SCHEDOP_block, NULL);
		else
			asm volatile("cli; hlt");
	}
}

void power_off(void)
{
	if (on_xen())
		xen_shutdown(SHUTDOWN_poweroff);
	else
		outw(PM1A_CNT, SLP_EN);
	stop_here();
}

void reboot(void)
{
	if (on_xen()) {
		xen_shutdown(SHUTDOWN_reboot);
	} else {
		outb(KBC_COMMAND, KBC_RESET);
		outb(RESET_CONTROL, 0x06);
	}
	stop_here();
}

void report_crash(void)
{
	if (on_xen())
		xen_shutdown(SHUTDOWN_crash);
	power_off();
}
