/*
 * console.c - where printed lines go: on bare metal a 16550 UART, on Xen the
 * hypervisor's own console, which only the first domain may write to; any
 * other domain is refused and uses the ring that it shares with its toolstack.
 */
#include "bench.h"
#include "xen_guest.h"

/* 16550 registers (byte offsets from the base port) and bits. */
#define UART		0x3f8
#define UART_DATA	(UART + 0)
#define UART_IER	(UART + 1)
#define UART_FCR	(UART + 2)
#define UART_LCR	(UART + 3)
#define UART_MCR	(UART + 4)
#define UART_LSR	(UART + 5)
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define LSR_THRE	0x20

static struct xencons_interface *ring;
static bool refused;

void console_init(void)
{
	if (on_xen())
		return;
	outb(UART_IER, 0);		/* polled, no interrupts */
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DATA, 1);		/* divisor 1: 115200 baud */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, 0x07);		/* FIFOs on and empty */
	outb(UART_MCR, 0x03);		/* DTR, RTS */
}

static void uart_write(const char *s, u64 len)
{
	for (; len--; s++) {
		while (!(inb(UART_LSR) & LSR_THRE))
			relax();
		outb(UART_DATA, *s);
	}
}

/* From now on the ring can be used; before, what a domU prints is lost. */
void console_use_ring(void)
{
	if (!(start_info->flags & SIF_INITDOMAIN))
		ring = area_map(AREA_CONSOLE, start_info->console_mfn, PTE_RW | PTE_NX);
}

static void ring_write(const char *s, u64 len)
{
	struct evtchn_send send = { start_info->console_evtchn };

	while (len--) {
		volatile u32 *cons = &ring->out_cons;

		while (ring->out_prod - *cons == sizeof(ring->out)) {
			HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
			HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
		}
		ring->out[ring->out_prod % sizeof(ring->out)] = *s++;
		barrier();		/* the byte before the index */
		ring->out_prod++;
	}
	HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

void console_write(const char *s, u64 len)
{
	if (!on_xen())
		uart_write(s, len);
	else if (!refused && HYPERVISOR_console_io(CONSOLEIO_write, len, s) < 0)
		refused = true;
	if (refused && ring)
		ring_write(s, len);
}
