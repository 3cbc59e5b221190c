/* priv_io.c - PRIV: ports and caches. */
#include "priv.h"

#define UNUSED_PORT	0x5678		/* no device on any machine of ours */
#define PIC_MASTER	0x21		/* Xen keeps it */
#define RTC_INDEX	0x70		/* kept by Xen, too, and virtual */

ATTEMPT(io_in, "inb %dx, %al");
ATTEMPT(io_inl, "inl %dx, %eax");
ATTEMPT(io_out, "outb %al, %dx");
ATTEMPT(io_wbinvd, "wbinvd");

static void port(const struct attempt *a, const char *how, bool user, u32 number, u64 rax)
{
	struct start s = attempt_start(a, user);
	struct record *r;

	s.gpr[RDX] = number;
	s.gpr[RAX] = rax;
	r = go(&s, NULL);
	if (went_through(a, r))
		say("%s, %s mode: %s port %x went through, RAX %lx", how, user ? "user" : "kernel",
		    a->what, number, r->gpr[RAX]);
	else
		say("%s, %s mode: %s port %x: %s", how, user ? "user" : "kernel", a->what, number,
		    outcome(a, r));
}

static const struct attempt in = ATTEMPT_ROW("IN", io_in), inl = ATTEMPT_ROW("IN of 4 bytes", io_inl),
	out = ATTEMPT_ROW("OUT", io_out);

static void by_iopl(void)
{
	static const char *const names[] = { "IOPL 0", "IOPL 1", "IOPL 2", "IOPL 3" };
	u32 bad = 4;

	for (u32 iopl = 0; iopl < 4; iopl++) {
		priv_iopl(iopl);
		port(&in, names[iopl], false, UNUSED_PORT, 0);
		port(&in, names[iopl], true, UNUSED_PORT, 0);
	}
	priv_iopl(0);
	say_result("IOPL 4", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &bad));
	HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl);
	port(&in, "IOPL 0 with architectural_iopl", false, UNUSED_PORT, 0);
	HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
}

static void set_bitmap(const void *bitmap, u32 ports)
{
	struct physdev_set_iobitmap arg = { (u64)bitmap, ports };
	long result = HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &arg);

	say("PHYSDEVOP_set_iobitmap of %u ports = %s%s", ports, result ? "-" : "0",
	    result ? errno_name(result) : "");
}

static void by_bitmap(void)
{
	u8 *map = test_pages[0];

	memset(map, 0xff, PAGE_SIZE);
	map[UNUSED_PORT / 8] &= ~(1 << UNUSED_PORT % 8);
	set_bitmap(map, 65537);
	set_bitmap(map, 32768);
	port(&in, "bit clear", false, UNUSED_PORT, 0);
	port(&in, "bit clear", true, UNUSED_PORT, 0);
	port(&inl, "one bit of four clear", false, UNUSED_PORT, 0);
	port(&in, "bit set", false, UNUSED_PORT + 1, 0);
	set_bitmap(map, UNUSED_PORT);
	port(&in, "bit clear beyond nr_ports", false, UNUSED_PORT, 0);
	set_bitmap((void *)NOWHERE_KERNEL, 65536);
	port(&in, "bitmap unmapped", false, UNUSED_PORT, 0);
	set_bitmap(NULL, 0);
}

void priv_13(void)
{
	catch_all();
	by_iopl();
	by_bitmap();
	priv_iopl(1);
	port(&in, "not granted", false, PIC_MASTER, 0);
	port(&out, "not granted", false, PIC_MASTER, 0);
	port(&out, "virtual", false, RTC_INDEX, 0x0b);
	port(&in, "virtual", false, RTC_INDEX, 0);
	port(&out, "virtual", false, RTC_INDEX, 0);
}

void priv_16(void)
{
	static const struct attempt wbinvd = ATTEMPT_ROW("WBINVD", io_wbinvd);
	struct mmuext_op flush = { .cmd = MMUEXT_FLUSH_CACHE };
	struct start s = attempt_start(&wbinvd, false);
	u32 done;

	catch_all();
	say_attempt(&wbinvd, &s, " in kernel mode");
	s = attempt_start(&wbinvd, true);
	say_attempt(&wbinvd, &s, " in user mode");
	say_result("MMUEXT_FLUSH_CACHE of the first domain", HYPERVISOR_mmuext_op(&flush, 1, &done));
}
