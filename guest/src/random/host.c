/* host.c - vcpu_op, sched_op, timers, xen_version, vm_assist, physdev_op,
   console_io: what can be asked again and again without an end. */
#include "random.h"

#define HYP_SET_TIMER		15
#define HYP_XEN_VERSION		17
#define HYP_CONSOLE_IO		18
#define HYP_PHYSDEV_COMPAT	19
#define HYP_VM_ASSIST		21
#define HYP_VCPU_OP		24
#define HYP_SCHED_OP		29
#define HYP_PHYSDEV_OP		33
#define FOREVER			(1UL << 59)	/* later than any run, in ns */

/* The argument of an operation: the structure, or now and then a bad place. */
static u64 argument(void *good)
{
	u64 at = chance(90) ? (u64)good : draw_bad_pointer();

	if (at != (u64)good)
		note(" at %lx", at);
	return at;
}

static u32 draw_vcpu(void)
{
	static const u32 odd[] = { 1, 2, 32, 64, 8192, 0x7fffffff, 0xffffffff };

	return chance(85) ? 0 : pick(odd);
}

static u8 area[128] __attribute__((aligned(64)));	/* Xen writes times here */

enum { INITIALISE, UP, DOWN, IS_UP, RUNSTATE, RUNSTATE_AREA, SET_PERIODIC, STOP_PERIODIC, SET_SINGLE, STOP_SINGLE,
       VCPU_INFO, SEND_NMI, PHYSID, TIME_AREA };

static bool op_vcpu(void)
{
	static const char *const names[] = {
		"vcpu_op initialise", "vcpu_op up", "vcpu_op down", "vcpu_op is_up", "vcpu_op get_runstate_info",
		"vcpu_op register_runstate_memory_area", "vcpu_op set_periodic_timer", "vcpu_op stop_periodic_timer",
		"vcpu_op set_singleshot_timer", "vcpu_op stop_singleshot_timer", "vcpu_op register_vcpu_info",
		"vcpu_op send_nmi", "vcpu_op get_physid", "vcpu_op register_vcpu_time_memory_area", "vcpu_op 14",
		"vcpu_op 15",
	};
	static u64 context[5168 / 8 + 1];
	u32 cmd = below(ARRAY_LEN(names)), vcpu = draw_vcpu();
	u64 a[6] = { 0 }, at;
	long ret;

	note(" %s vcpu %x", names[cmd] + sizeof("vcpu_op"), vcpu);
	if (cmd == DOWN && vcpu == 0)
		vcpu = 1;			/* the last one that runs */
	switch (cmd) {
	case INITIALISE:
		at = argument(context);
		break;
	case RUNSTATE_AREA: case TIME_AREA:
		a[0] = chance(60) ? (u64)area : chance(50) ? 0 : draw_bad_pointer();
		if (a[0] != (u64)area)
			note(" area %lx", a[0]);
		at = argument(a);
		break;
	case SET_PERIODIC:
		a[0] = chance(50) ? FOREVER : chance(50) ? below(1000000) : ~below(1000);
		note(" %lx", a[0]);
		at = argument(a);
		break;
	case SET_SINGLE:
		a[0] = chance(50) ? FOREVER : chance(50) ? below(1000) : ~below(1000);
		a[1] = below(3);
		note(" %lx %lx", a[0], a[1]);
		at = argument(a);
		break;
	case VCPU_INFO:				/* a good one could not be undone */
		a[0] = draw_foreign_frame();
		a[1] = chance(50) ? below(64) * 64 : (u32)draw_word();
		note(" %s %lx", frame_name(a[0]), a[1]);
		at = argument(a);
		break;
	case SEND_NMI:				/* it would come in the middle of this */
		at = 1 + below(100);
		break;
	default:
		at = argument(a);
	}
	ret = hypercall(HYP_VCPU_OP, cmd, vcpu, at, 0, 0);
	if (cmd == PHYSID && ret == 0)
		note(" %lx", a[0]);
	if (cmd == RUNSTATE && ret == 0 && at == (u64)a)
		note(" state %lx", a[0] & 0xffffffff);
	return note_result(names[cmd], ret);
}

static bool op_sched(void)
{
	static const char *const names[] = {
		"sched_op yield", "sched_op block", "sched_op shutdown", "sched_op poll", "sched_op remote_shutdown",
		"sched_op shutdown_code", "sched_op watchdog", "sched_op pin_override", "sched_op 8", "sched_op 9",
	};
	static u32 ports[129];
	u32 cmd = below(ARRAY_LEN(names)), a[6] = { 0 };
	u64 at;
	long ret;

	note(" %s", names[cmd] + sizeof("sched_op"));
	switch (cmd) {
	case 1:					/* it would not come back */
		cmd = 0;
		at = 0;
		break;
	case 2: case 5:				/* nor from these */
		at = AREA_BASE + AREA_HOLE * PAGE_SIZE;
		break;
	case 3: {
		u32 n = chance(85) ? below(4) : 126 + below(5);
		u64 list = chance(90) ? (u64)ports : draw_bad_pointer();

		for (u32 i = 0; i < n && i < ARRAY_LEN(ports); i++)
			ports[i] = chance(80) ? 1 + below(24) : (u32)draw_word();
		note(" %u ports", n);
		for (u32 i = 0; i < n && i < 4; i++)
			note(" %x", ports[i]);
		if (list != (u64)ports)
			note(" list %lx", list);
		a[0] = list;
		a[1] = list >> 32;
		a[2] = n;
		a[4] = 1;			/* the timeout has passed */
		if (chance(20))
			a[5] = 0x80000000;	/* and looks like one of the future */
		at = argument(a);
		break;
	}
	case 4: {
		static const u16 others[] = { 1, 2, 0x7ff0, 0x7ff1, 0x7ff4, 0xffff };

		a[0] = pick(others);
		note(" %x", a[0]);
		at = argument(a);
		break;
	}
	case 6:
		a[0] = chance(90) ? below(4) : (u32)draw_word();
		a[1] = chance(70) ? 100000 : chance(60) && a[0] ? 0 : 0x7fffffff;
		note(" %x %x", a[0], a[1]);
		at = argument(a);
		break;
	case 7:
		a[0] = chance(70) ? below(3) - 1 : (u32)draw_word();
		note(" %x", a[0]);
		at = argument(a);
		break;
	default:
		at = argument(a);
	}
	ret = hypercall(HYP_SCHED_OP, cmd, at, 0, 0, 0);
	return note_result(names[cmd], ret);
}

static bool op_timer(void)
{
	u64 at = chance(40) ? 0 : chance(60) ? FOREVER / 1024 : below(1000);

	note(" %lx", at);
	return note_result("set_timer_op", hypercall(HYP_SET_TIMER, at, 0, 0, 0, 0));
}

static bool op_version(void)
{
	static const char *const names[] = {
		"xen_version version", "xen_version extraversion", "xen_version compile_info", "xen_version capabilities",
		"xen_version changeset", "xen_version platform_parameters", "xen_version get_features",
		"xen_version pagesize", "xen_version guest_handle", "xen_version commandline", "xen_version build_id",
		"xen_version 11", "xen_version 12",
	};
	static u32 buffer[1024 / 4 + 2];
	u32 cmd = below(ARRAY_LEN(names));
	u64 at;
	long ret;

	note(" %s", names[cmd] + sizeof("xen_version"));
	buffer[0] = cmd == 6 ? chance(70) ? 0 : below(4) : cmd == 10 ? (u32)below(40) : 0;
	note(" %x", buffer[0]);
	at = cmd == 7 && chance(70) ? 0 : argument(buffer);
	ret = hypercall(HYP_XEN_VERSION, cmd, at, 0, 0, 0);
	if (cmd == 6 && at == (u64)buffer && ret == 0)
		note(" features %x", buffer[1]);
	return note_result(names[cmd], ret);
}

/* The assists that this kernel's own code does not depend on. */
static bool op_assist(void)
{
	static const u32 types[] = { 0, 1, 2, 3, 4, 5, 6, 31, 32, 33, 63, 64, 0xffffffff };
	u64 cmd = chance(95) ? below(2) : draw_word(), type = pick(types);

	if (type == 4)				/* flags in frames would differ */
		type = 2;
	note(" %lx %lx", cmd, type);
	return note_result(cmd & 1 ? "vm_assist disable" : "vm_assist enable", hypercall(HYP_VM_ASSIST, cmd, type, 0, 0, 0));
}

/* Interrupts are given away once and for all: only what leaves them alone. */
static bool op_physdev(void)
{
	static const char *const names[] = {
		"physdev_op 0", "physdev_op 1", "physdev_op 2", "physdev_op 3", "physdev_op irq_unmask_notify",
		"physdev_op irq_status_query", "physdev_op set_iopl", "physdev_op set_iobitmap", "physdev_op apic_read",
		"physdev_op apic_write", "physdev_op alloc_irq_vector", "physdev_op free_irq_vector", "physdev_op eoi",
		"physdev_op map_pirq", "physdev_op unmap_pirq", "physdev_op manage_pci_add", "physdev_op manage_pci_remove",
		"physdev_op pirq_eoi_gmfn_v1", "physdev_op 18", "physdev_op restore_msi", "physdev_op manage_pci_add_ext",
		"physdev_op setup_gsi", "physdev_op 22", "physdev_op get_free_pirq", "physdev_op pci_mmcfg_reserved",
		"physdev_op pci_device_add", "physdev_op pci_device_remove", "physdev_op restore_msi_ext",
		"physdev_op pirq_eoi_gmfn_v2", "physdev_op dbgp_op", "physdev_op prepare_msix", "physdev_op release_msix",
		"physdev_op 32", "physdev_op 33",
	};
	u32 cmd = below(ARRAY_LEN(names)), a[10] = { 0 };
	bool compat = chance(25), bad = false;
	u64 at, frame;
	long ret;

	note(" %s", names[cmd] + sizeof("physdev_op"));
	switch (cmd) {
	case 5: case 12:			/* none is mapped */
		a[0] = chance(80) ? below(210) : (u32)draw_word();
		break;
	case 6:
		a[0] = chance(80) ? below(4) : (u32)draw_word();
		break;
	case 7:
		frame = chance(70) ? 0 : draw_bad_pointer();
		a[0] = frame;
		a[1] = frame >> 32;
		a[2] = chance(70) ? below(65537) : 65536 + below(3);
		break;
	case 8:
		a[0] = chance(90) ? 0xfec00000 : (u32)draw_word();
		a[2] = below(0x48);
		break;
	case 9:
		a[0] = chance(50) ? 0xfec00000 : (u32)draw_word();
		a[2] = a[0] == 0xfec00000 ? below(16) : below(0x48);
		a[3] = draw();
		break;
	case 10:
		a[0] = draw_word();
		break;
	case 13: {
		static const u32 types[] = { 1, 2, 5, 0xffffffff }, none[] = { 24, 25, 255, 0x7fffffff, 0xffffffff };

		a[0] = chance(80) ? DOMID_SELF : 1 + below(3);
		a[1] = pick(types);
		a[2] = pick(none);
		a[3] = ~0U;
		break;
	}
	case 14:
		a[0] = chance(80) ? DOMID_SELF : 1 + below(3);
		a[1] = chance(80) ? below(210) : (u32)draw_word();
		break;
	case 16: case 19: case 26: case 27: case 30: case 31:	/* not there */
		a[0] = draw() | 0xe000;
		break;
	case 17: case 28:
		frame = draw_foreign_frame();
		a[0] = frame;
		a[1] = frame >> 32;
		note(" %s", frame_name(frame));
		break;
	case 15: case 23: case 25:
		bad = true;			/* there is no way back */
		break;
	case 20:
		a[1] = 2;
		break;
	case 21:
		a[0] = chance(50) ? 24 + below(10) : 0x7fffffff;
		break;
	case 24:
		a[0] = 0xb0000000;
		a[2] = (u32)draw() & 0xffff0003;
		a[3] = below(3);
		break;
	}
	if (cmd != 17 && cmd != 28)
		note(" %x %x %x %x", a[0], a[1], a[2], a[3]);
	at = bad ? AREA_BASE + AREA_HOLE * PAGE_SIZE : argument(a);
	if (compat && at == (u64)a) {
		struct { u32 cmd, pad; u32 a[10]; } old = { cmd };

		memcpy(old.a, a, sizeof(a));
		note(" (old call)");
		ret = hypercall(HYP_PHYSDEV_COMPAT, (u64)&old, 0, 0, 0, 0);
		memcpy(a, old.a, sizeof(a));
	} else {
		ret = hypercall(HYP_PHYSDEV_OP, cmd, at, 0, 0, 0);
	}
	if (cmd == 5 || cmd == 10)
		note(" %x", a[1]);
	if (cmd == 8)
		note(" %x", a[3]);
	return note_result(names[cmd], ret);
}

/* Nothing readable is written: it would stand among the lines of the log. */
static bool op_console(void)
{
	static char room[256];
	u32 cmd = chance(90) ? below(2) : (u32)draw_word();
	u64 count = chance(60) ? 0 : chance(50) ? below(256) : draw_word(), at;

	at = count == 0 && chance(50) ? (u64)room : draw_bad_pointer();
	if (cmd == 1 && chance(50))
		at = (u64)room;			/* nothing was typed */
	note(" %x %lx at %s", cmd, count, at == (u64)room ? "room" : "nowhere");
	if (cmd == 0 && at < PAGE_SIZE)
		at = AREA_BASE + AREA_HOLE * PAGE_SIZE;
	return note_result(cmd == 0 ? "console_io write" : cmd == 1 ? "console_io read" : "console_io other",
			   hypercall(HYP_CONSOLE_IO, cmd, count, at, 0, 0));
}

void host_reset(void)
{
	u64 none = 0;
	u32 iopl = 0, bitmap[4] = { 0 }, stop[2] = { 1, 0 };
	int free_again = -1;

	hypercall(HYP_VCPU_OP, STOP_PERIODIC, 0, 0, 0, 0);
	hypercall(HYP_VCPU_OP, STOP_SINGLE, 0, 0, 0, 0);
	hypercall(HYP_VCPU_OP, RUNSTATE_AREA, 0, (u64)&none, 0, 0);
	hypercall(HYP_VCPU_OP, TIME_AREA, 0, (u64)&none, 0, 0);
	for (stop[0] = 1; stop[0] < 3; stop[0]++)
		hypercall(HYP_SCHED_OP, 6, (u64)stop, 0, 0, 0);
	hypercall(HYP_SCHED_OP, 7, (u64)&free_again, 0, 0, 0);
	for (u32 type = 0; type < 64; type++)
		hypercall(HYP_VM_ASSIST, 1, type, 0, 0, 0);
	hypercall(HYP_PHYSDEV_OP, 6, (u64)&iopl, 0, 0, 0);
	hypercall(HYP_PHYSDEV_OP, 7, (u64)bitmap, 0, 0, 0);
}



const struct operation host_operations[] = {
	{ "vcpu", 6, op_vcpu },
	{ "sched", 6, op_sched },
	{ "timer", 2, op_timer },
	{ "version", 3, op_version },
	{ "assist", 2, op_assist },
	{ "physdev", 6, op_physdev },
	{ "console", 2, op_console },
	{}
};
