/* priv_machine.c - PRIV: what of the machine Xen shows a guest: CPUID's leaves, the 8254. */
#include "priv.h"

struct leaf {
	u32 a, b, c, d;
};

/* CPUID as Xen answers it. */
static struct leaf forced(u32 leaf, u32 sub)
{
	struct leaf l;

	asm volatile("ud2\n.ascii \"xen\"\ncpuid" : "=a"(l.a), "=b"(l.b), "=c"(l.c), "=d"(l.d) : "a"(leaf), "c"(sub));
	return l;
}

/* PRIV-20 */
void priv_20(void)
{
	static const struct {
		u32 leaf, sub;
	} empty[] = {
		{ 3, 0 }, { 5, 0 }, { 6, 0 }, { 7, 77 }, { 8, 0 }, { 9, 0 }, { 0xa, 0 }, { 0xb, 0 }, { 0xb, 1 }, { 0xc, 0 },
		{ 0xe, 0 }, { 0x14, 0 }, { 0x20000000, 0 }, { 0x40000004, 0 }, { 0x40000005, 1 }, { 0x40000006, 0 },
		{ 0x40000200, 0 }, { 0x80000005, 0 }, { 0x80000009, 0 }, { 0x8000001f, 0 }, { 0xc0000000, 0 }, { ~0U, 0 },
	};
	struct leaf l = forced(0, 0);

	say("highest leaves: %x, %x", l.a, forced(0x40000000, 0).a);
	l = forced(1, 0);
	say("1: VME %u, PSE %u, PGE %u, PSE36 %u", l.d >> 1 & 1, l.d >> 3 & 1, l.d >> 13 & 1, l.d >> 17 & 1);
	say("1: MONITOR %u, VMX %u, PCID %u, x2APIC %u, TSC deadline %u, a hypervisor %u", l.c >> 3 & 1, l.c >> 5 & 1,
	    l.c >> 17 & 1, l.c >> 21 & 1, l.c >> 24 & 1, l.c >> 31);
	say("1: APIC %u, its number %u", l.d >> 9 & 1, l.b >> 24);
	l = forced(7, 0);
	say("7: TSC_ADJUST %u, SMEP %u, INVPCID %u, SMAP %u, UMIP %u, PKU %u", l.b >> 1 & 1, l.b >> 7 & 1, l.b >> 10 & 1,
	    l.b >> 20 & 1, l.c >> 2 & 1, l.c >> 3 & 1);
	say("d, 1: XSAVES %u", forced(0xd, 1).a >> 3 & 1);
	l = forced(0x80000001, 0);
	say("80000001: pages of 1 GiB %u, long mode %u, SVM %u, CR8 %u", l.d >> 26 & 1, l.d >> 29 & 1, l.c >> 2 & 1,
	    l.c >> 4 & 1);
	for (u32 i = 0; i < ARRAY_LEN(empty); i++) {
		l = forced(empty[i].leaf, empty[i].sub);
		if (l.a | l.b | l.c | l.d)
			say("%x, %u: %x %x %x %x", empty[i].leaf, empty[i].sub, l.a, l.b, l.c, l.d);
		else
			say("%x, %u: empty", empty[i].leaf, empty[i].sub);
	}
}

#define COUNTER_2	0x42
#define CONTROL		0x43
#define PORT_B		0x61		/* bit 0 gate, 1 speaker, 4 refresh, 5 output */
#define LOOKS		1000000

static u8 pit_in(u16 port)
{
	u8 v;

	asm volatile("inb %w1, %0" : "=a"(v) : "d"(port));
	return v;
}

static void pit_out(u16 port, u8 v)
{
	asm volatile("outb %0, %w1" : : "a"(v), "d"(port));
}

/* Counter 2 in mode 0, from n. */
static void start_counter(u32 n)
{
	pit_out(CONTROL, 0xb0);
	pit_out(COUNTER_2, n);
	pit_out(COUNTER_2, n >> 8);
}

static u32 latched(void)
{
	u32 low;

	pit_out(CONTROL, 0x80);
	low = pit_in(COUNTER_2);
	return pit_in(COUNTER_2) << 8 | low;
}

/* PRIV-21 */
void priv_21(void)
{
	u32 first, v, i;

	priv_iopl(1);
	pit_out(PORT_B, 1);
	start_counter(0xffff);
	say("counting: port 61 %x", pit_in(PORT_B) & 0x23);
	first = latched();
	for (i = 0; i < LOOKS && latched() == first; i++)
		;
	say("the count goes down: %s", latched() < first ? "yes" : "no");
	start_counter(100);
	for (i = 0; i < LOOKS && !(pit_in(PORT_B) & 0x20); i++)
		;
	say("at its end: port 61 %x", pit_in(PORT_B) & 0x23);
	pit_out(CONTROL, 0xe8);			/* read back the status of counter 2 */
	say("status %x", pit_in(COUNTER_2) & 0xbf);
	say("ports 40, 41, 43: %x %x %x", pit_in(0x40), pit_in(0x41), pit_in(CONTROL));
	asm volatile("inl $0x40, %0" : "=a"(v));
	say("4 bytes from port 40: low %x, high %x", v & 0xffff, v >> 24);
	pit_out(PORT_B, 0xff);
	say("ff to port 61: %x", pit_in(PORT_B) & 3);
	pit_out(PORT_B, 0);
	say("0 to it: %x", pit_in(PORT_B) & 3);
}
