/* evt_pirq.c - EVT: physical interrupts and physdev_op, as a dom0 meets them on
   a PC. */
#include "evt.h"

#define EVTCHNOP_bind_pirq		2
#define BIND_PIRQ__WILL_SHARE		1

#define PHYSDEVOP_irq_status_query	5
#define PHYSDEVOP_apic_read		8
#define PHYSDEVOP_apic_write		9
#define PHYSDEVOP_alloc_irq_vector	10
#define PHYSDEVOP_eoi			12
#define PHYSDEVOP_map_pirq		13
#define PHYSDEVOP_unmap_pirq		14
#define PHYSDEVOP_manage_pci_add	15
#define PHYSDEVOP_manage_pci_remove	16
#define PHYSDEVOP_restore_msi		19
#define PHYSDEVOP_setup_gsi		21
#define PHYSDEVOP_get_free_pirq		23
#define PHYSDEVOP_pci_mmcfg_reserved	24
#define PHYSDEVOP_pci_device_add	25
#define PHYSDEVOP_pci_device_remove	26
#define PHYSDEVOP_dbgp_op		29
#define PHYSDEVOP_release_msix		31

#define MAP_PIRQ_TYPE_MSI		0
#define MAP_PIRQ_TYPE_GSI		1
#define MAP_PIRQ_TYPE_MSI_SEG		3
#define MAP_PIRQ_TYPE_MULTI_MSI		4
#define IOAPIC				0xfec00000UL

struct evtchn_bind_pirq { u32 pirq, flags, port; };
struct physdev_map_pirq { u16 domid; int type, index, pirq, bus, devfn, entry_nr; u64 table_base; };
struct physdev_unmap_pirq { u16 domid; int pirq; };
struct physdev_pair { u32 in, out; };
struct physdev_apic { u64 base; u32 reg, value; };
struct physdev_pci { u8 bus, devfn; };
struct physdev_pci_add { u16 seg; u8 bus, devfn; u32 flags; u8 pf_bus, pf_devfn; u16 pad; u32 pxm; };
struct physdev_mmcfg { u64 address; u16 seg; u8 first, last; u32 flags; };
struct physdev_gsi { u32 gsi; u8 triggering, polarity; };

static long bind_pirq(u32 pirq, u32 flags, u32 *port)
{
	struct evtchn_bind_pirq arg = { pirq, flags, 0 };
	long ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &arg);

	*port = ret ? 0 : arg.port;
	return ret;
}

static long map_pirq(int type, int index, int *pirq)
{
	struct physdev_map_pirq arg = { DOMID_SELF, type, index, *pirq };
	long ret = HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &arg);

	*pirq = arg.pirq;
	return ret;
}

static long unmap_pirq(int pirq)
{
	struct physdev_unmap_pirq arg = { DOMID_SELF, pirq };

	return HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &arg);
}

static long status_query(u32 irq, u32 *flags)
{
	struct physdev_pair arg = { irq, 0xee };
	long ret = HYPERVISOR_physdev_op(PHYSDEVOP_irq_status_query, &arg);

	*flags = arg.out;
	return ret;
}

static const char *err(long ret)
{
	return ret < 0 ? errno_name(ret) : ret == 0 ? "0" : "+";
}

static long eoi(u32 irq)
{
	return HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &irq);
}

static long setup_gsi(u32 gsi, u8 trig, u8 pol)
{
	struct physdev_gsi arg = { gsi, trig, pol };

	return HYPERVISOR_physdev_op(PHYSDEVOP_setup_gsi, &arg);
}

/* EVT-23. Line 4 is Xen's serial port, 2 the cascade of the old controllers. */
static void evt_23(void)
{
	static const int lines[] = { 0, 1, 2, 4, 9, 16, 23, 24, 207, 208, -1 };
	u32 port, other, flags;

	for (u32 i = 0; i < ARRAY_LEN(lines); i++) {
		int line = lines[i], pirq = -1;
		long a = bind_pirq(line, 0, &port), b = eoi(line), c = status_query(line, &flags);

		say("%d: bind %s, eoi %s, status %s %x", line, err(a), err(b), err(c), flags);
		a = map_pirq(MAP_PIRQ_TYPE_GSI, line, &pirq);
		if (a) {
			say("   map %s", err(a));
			continue;
		}
		b = bind_pirq(pirq, 0, &port);
		say("   map 0, pirq %d; bind %s, eoi %s", pirq, err(b), err(eoi(pirq)));
		if (!b) {
			say("   bind again %s; send %s", err(bind_pirq(pirq, BIND_PIRQ__WILL_SHARE, &other)),
			    err(port_send(port)));
			if (line == 9) {
				say("   unmap while bound %s, eoi %s", err(unmap_pirq(pirq)), err(eoi(pirq)));
				say("   bind %s", err(bind_pirq(pirq, 0, &other)));
			}
			port_close(port);
		}
		a = unmap_pirq(pirq);
		b = unmap_pirq(pirq);
		c = map_pirq(MAP_PIRQ_TYPE_GSI, line, &pirq);
		say("   unmap %s, again %s, map again %s; eoi %s", err(a), err(b), err(c), err(eoi(pirq)));
	}
	for (int type = 0; type < 3; type++) {
		struct physdev_pair arg = { type };
		long ret = HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &arg);
		int pirq = arg.out;

		say("get_free_pirq of type %d: %s %u, eoi %s, bind %s, unmap %s", type, err(ret), arg.out,
		    err(eoi(pirq)), err(bind_pirq(pirq, 0, &port)), err(unmap_pirq(pirq)));
		ret = map_pirq(MAP_PIRQ_TYPE_GSI, 12 + type, &pirq);
		say("   map line %d to it %s", 12 + type, err(ret));
	}
	for (int type = -1; type < 6; type++)
		for (int index = -1; index < 40; index += 39)
			for (int n = 0; n < 3; n++) {
				struct physdev_map_pirq arg = { DOMID_SELF, type, index, -1, 0, 0, n };
				long ret = HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &arg);

				say("map type %d, index %d, entries %d: %s, type now %d", type, index, n, err(ret),
				    arg.type);
			}
	{
		struct physdev_map_pirq far = { 5, MAP_PIRQ_TYPE_GSI, 14, -1 };
		struct physdev_unmap_pirq none = { 5, 14 };

		say_result("map for domain 5", HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &far));
		say_result("unmap for it", HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &none));
	}
}

static void show_pins(const char *when)
{
	for (u32 pin = 0; pin < 25; pin++) {
		struct physdev_apic low = { IOAPIC, 0x10 + 2 * pin }, high = { IOAPIC, 0x11 + 2 * pin };
		long ret = HYPERVISOR_physdev_op(PHYSDEVOP_apic_read, &low);

		HYPERVISOR_physdev_op(PHYSDEVOP_apic_read, &high);
		say("%s: pin %u = %x %x (%s)", when, pin, low.value, high.value, err(ret));
	}
}

static void apic_write(u32 reg, u32 v)
{
	struct physdev_apic a = { IOAPIC, reg, v };

	say("apic_write %x = %x: %s", reg, v, err(HYPERVISOR_physdev_op(PHYSDEVOP_apic_write, &a)));
}

/* EVT-24 */
static void evt_24(void)
{
	struct physdev_apic version = { IOAPIC, 1 }, nowhere = { IOAPIC + PAGE_SIZE, 1 };
	struct physdev_pair vector = { 77, 0 };
	u32 port;
	int pirq = -1;

	say_result("apic_read", HYPERVISOR_physdev_op(PHYSDEVOP_apic_read, &version));
	say("version %x", version.value);
	say_result("apic_read of no APIC", HYPERVISOR_physdev_op(PHYSDEVOP_apic_read, &nowhere));
	say_result("alloc_irq_vector", HYPERVISOR_physdev_op(PHYSDEVOP_alloc_irq_vector, &vector));
	say("vector of 77: %u", vector.out);
	show_pins("at first");
	for (u32 g = 0; g < 25; g++) {
		long once = setup_gsi(g, g & 1, g >> 1 & 1);

		say("setup_gsi %u: %s, again %s", g, err(once), err(setup_gsi(g, 1, 1)));
		if (g == 18)
			break;
	}
	map_pirq(MAP_PIRQ_TYPE_GSI, 17, &pirq);
	say("line 17: bind %s, setup_gsi %s", err(bind_pirq(pirq, 0, &port)), err(setup_gsi(17, 0, 0)));
	show_pins("line 17 bound");
	port_close(port);
	pirq = -1;
	map_pirq(MAP_PIRQ_TYPE_GSI, 20, &pirq);
	say("line 20, not set up: bind %s, setup_gsi %s", err(bind_pirq(pirq, 0, &port)),
	    err(setup_gsi(20, 0, 0)));
	apic_write(0x10, 0x00030);
	apic_write(0x12, 0x00430);
	apic_write(0x12, 0x0a030);
	apic_write(0x13, 0x00030);
	apic_write(0x05, 0x00030);
	apic_write(0x14, 0x00030);
	apic_write(0x16, 0x000ff);
	apic_write(0x18, 0x00031);
	apic_write(0x1a, 0x00032);
	apic_write(0x1c, 0xfff14033);
	apic_write(0x36, 0x00034);
	apic_write(0x38, 0x08035);
	apic_write(0x3a, 0x18036);
	apic_write(0x3c, 0x00036);
	show_pins("written");
	for (u32 bus = 0; bus < 2; bus++) {
		struct physdev_pci dev = { bus, bus };

		for (u32 i = 0; i < 2; i++) {
			say_result("restore_msi", HYPERVISOR_physdev_op(PHYSDEVOP_restore_msi, &dev));
			say_result("manage_pci_add", HYPERVISOR_physdev_op(PHYSDEVOP_manage_pci_add, &dev));
		}
		say_result("remove", HYPERVISOR_physdev_op(PHYSDEVOP_manage_pci_remove, &dev));
		say_result("remove again", HYPERVISOR_physdev_op(PHYSDEVOP_manage_pci_remove, &dev));
	}
	{
		struct physdev_pci_add vf = { 1, 2, 3, 2, 4, 5 }, pf = { 1, 4, 5 };
		struct physdev_mmcfg window = { 0xb0000000, 0, 0, 255, 1 };

		say_result("pci_device_add of a function of another", HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_add, &vf));
		say_result("remove that other", HYPERVISOR_physdev_op(PHYSDEVOP_pci_device_remove, &pf));
		say_result("release_msix of it", HYPERVISOR_physdev_op(PHYSDEVOP_release_msix, &pf));
		say_result("mmcfg_reserved", HYPERVISOR_physdev_op(PHYSDEVOP_pci_mmcfg_reserved, &window));
		window.flags = 2;
		say_result("its flags 2", HYPERVISOR_physdev_op(PHYSDEVOP_pci_mmcfg_reserved, &window));
		say_result("dbgp_op", HYPERVISOR_physdev_op(PHYSDEVOP_dbgp_op, &window));
	}
	for (u32 cmd = 0; cmd < 40; cmd++)
		say("command %u, unreadable: %s", cmd, err(HYPERVISOR_physdev_op(cmd, (void *)NOWHERE_KERNEL)));
}

/* EVT-31. Lines 9 and 10 are levels on a PC, 3 is an edge. */
static void show_eoi(const char *what, u32 pirq)
{
	say("%s: bit %u of the page %u", what, pirq, ((u32 *)test_pages[0])[pirq / 32] >> pirq % 32 & 1);
}

static void evt_31(void)
{
	static const int lines[] = { 9, 3, 10 };
	u64 frame = frame_of(test_pages[0]), table = frame_of((void *)start_info->pt_base);
	u32 port, ports[ARRAY_LEN(lines)];
	int pirq[ARRAY_LEN(lines)];

	memset(test_pages[0], 0, PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_LEN(lines); i++) {
		pirq[i] = -1;
		say_result("map_pirq", map_pirq(MAP_PIRQ_TYPE_GSI, lines[i], &pirq[i]));
	}
	say("bind of line 9: %s", err(bind_pirq(pirq[0], 0, &port)));
	show_eoi("no page yet", pirq[0]);
	say_result("pirq_eoi_gmfn_v1 in a page table", HYPERVISOR_physdev_op(17, &table));
	say_result("pirq_eoi_gmfn_v1", HYPERVISOR_physdev_op(17, &frame));
	say_result("pirq_eoi_gmfn_v2", HYPERVISOR_physdev_op(28, &frame));
	show_eoi("bound before", pirq[0]);
	port_close(port);
	memset(test_pages[0], 0xaa, PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_LEN(lines); i++) {
		show_eoi("before", pirq[i]);
		say("bind of line %d: %s", lines[i], err(bind_pirq(pirq[i], 0, &ports[i])));
		show_eoi("bound", pirq[i]);
	}
	port_mask(ports[0], true);
	say_result("EOI", eoi(pirq[0]));
	say("the port's mask bit: %lu", shared_info->evtchn_mask[ports[0] / 64] >> ports[0] % 64 & 1);
	for (u32 i = 0; i < ARRAY_LEN(lines); i++) {
		port_close(ports[i]);
		show_eoi("closed", pirq[i]);
	}
}

const struct demo evt_pirq_demos[] = {
	{ "EVT-23", FACT, evt_23, NULL, RUN_DIES },
	{ "EVT-24", FACT, evt_24, NULL, RUN_DIES },
	{ "EVT-31", FACT, evt_31, NULL, RUN_DIES },
	{}
};
