/* mm_memory.c - MM: the other operations of memory_op. */
#include "mm.h"

static const struct { u8 op; const char *name; } ops[] = {
	{ 0, "increase_reservation" }, { 1, "decrease_reservation" }, { 2, "maximum_ram_page" },
	{ 3, "current_reservation" }, { 4, "maximum_reservation" }, { 5, "machphys_mfn_list" },
	{ 6, "populate_physmap" }, { 7, "add_to_physmap" }, { 8, "(translate_gpfn_list)" }, { 9, "memory_map" },
	{ 10, "machine_memory_map" }, { 11, "exchange" }, { 12, "machphys_mapping" }, { 13, "set_memory_map" },
	{ 14, "maximum_gpfn" }, { 15, "remove_from_physmap" }, { 16, "set_pod_target" }, { 17, "get_pod_target" },
	{ 18, "get_sharing_freed_pages" }, { 19, "get_sharing_shared_pages" }, { 20, "paging_op" },
	{ 21, "access_op" }, { 22, "sharing_op" }, { 23, "add_to_physmap_batch" }, { 24, "claim_pages" },
	{ 25, "machphys_compat_mfn_list" }, { 26, "get_vnumainfo" }, { 27, "reserved_device_memory_map" },
	{ 28, "acquire_resource" }, { 29, "(29)" }, { 63, "(63)" },
};

static const char *shown(long result)
{
	if (result < 0)
		return errno_name(result);
	return result > 9 ? "a number" : (const char *[]){ "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" }[result];
}

/* All operations: with no arguments, with zeros, and as if one extent, or 2^16,
   had been done. */
void mm_32(void)
{
	u64 *zeros = (u64 *)test_pages[0];

	for (u32 i = 0; i < ARRAY_LEN(ops); i++) {
		long nothing = HYPERVISOR_memory_op(ops[i].op, (void *)NOWHERE_KERNEL), zero, one, many;

		memset(zeros, 0, PAGE_SIZE);
		zero = HYPERVISOR_memory_op(ops[i].op, zeros);
		memset(zeros, 0, PAGE_SIZE);
		one = HYPERVISOR_memory_op(ops[i].op | 1 << 6, zeros);
		memset(zeros, 0, PAGE_SIZE);
		many = HYPERVISOR_memory_op(ops[i].op | 1 << 22, zeros);
		say("%s: bad address %s, zeros %s", ops[i].name, shown(nothing), shown(zero));
		say("  one extent done %s, 65536 done %s", shown(one), shown(many));
	}
	memset(zeros, 0, PAGE_SIZE);
}

/* An argument structure of 16-bit words, and what the operation says to it. */
struct words { u16 w[20]; };

static void ask(const char *what, u32 op, struct words arg)
{
	say_result(what, HYPERVISOR_memory_op(op, &arg));
}

void mm_30(void)
{
	static const char *const spaces[] = { "shared_info", "grant_table", "gmfn", "gmfn_range", "gmfn_foreign",
		"dev_mmio", "an unknown space" };

	for (u16 s = 0; s < ARRAY_LEN(spaces); s++) {
		say("%s:", spaces[s]);
		ask("  add_to_physmap", 7, (struct words){ { DOMID_SELF, 1, s } });
		ask("  the same for domain 5", 7, (struct words){ { 5, 1, s } });
		ask("  add_to_physmap_batch", 23, (struct words){ { DOMID_SELF, s, 1 } });
		ask("  the same for domain 5", 23, (struct words){ { 5, s, 1 } });
	}
	ask("remove_from_physmap", 15, (struct words){ { DOMID_SELF } });
	ask("remove_from_physmap for domain 5", 15, (struct words){ { 5 } });
	ask("access_op for DOMID_SELF", 21, (struct words){ { 0, DOMID_SELF } });
	ask("access_op for domain 5", 21, (struct words){ { 0, 5 } });
	ask("acquire_resource of DOMID_SELF", 28, (struct words){ { DOMID_SELF } });
	ask("acquire_resource of oneself", 28, (struct words){ { 0, 1 } });
	ask("acquire_resource of domain 5", 28, (struct words){ { 5, 1 } });
	ask("acquire_resource with padding", 28, (struct words){ { 5, 1, 0, 0, 0, 0, 1 } });
	ask("acquire_resource from frame 2^32", 28, (struct words){ { 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1 } });
	ask("acquire_resource across frame 2^32", 28, (struct words){ { 5, 1, 0, 0, 1, 0, 0, 0, 0xffff, 0xffff } });
	ask("get_vnumainfo", 26, (struct words){ { DOMID_SELF } });
	ask("get_vnumainfo with padding", 26, (struct words){ { 5, 1 } });
	ask("get_vnumainfo of domain 5", 26, (struct words){ { 5 } });
	ask("set_pod_target of domain 5", 16, (struct words){ { [16] = 5 } });
	ask("get_pod_target of DOMID_SELF", 17, (struct words){ { [16] = DOMID_SELF } });
	ask("claim_pages by DOMID_SELF", 24, (struct words){ { [12] = DOMID_SELF } });
	ask("claim_pages with a list", 24, (struct words){ { 8 } });
	ask("claim_pages of order 1", 24, (struct words){ { [8] = 1 } });
	ask("claim_pages with flags", 24, (struct words){ { [10] = 1 } });
	ask("claim_pages, fewer than there are", 24, (struct words){ { [4] = 5 } });
	ask("claim_pages, more than any machine has", 24, (struct words){ { [4] = 0xffff, 0xf000 } });
	ask("claim_pages, more than allowed", 24, (struct words){ { [6] = 1 } });
	ask("reserved_device_memory_map with flags", 27, (struct words){ { 2 } });
	ask("reserved_device_memory_map, all", 27, (struct words){ { 1 } });
	ask("reserved_device_memory_map to Xen", 27, (struct words){ { 1, 0, 0, 0, 0, 0, 0, 0x8100 } });
	ask("current_reservation of domain 5", 3, (struct words){ { 5 } });
	ask("maximum_reservation of DOMID_IO", 4, (struct words){ { DOMID_IO } });
	ask("maximum_gpfn of DOMID_XEN", 14, (struct words){ { DOMID_XEN } });
}

struct e820 { u64 addr, size; u32 type; } __attribute__((packed));
struct memory_map { u32 n, pad; struct e820 *list; };
struct foreign_map { u64 domid; struct memory_map map; };

static void own_map(void)
{
	struct e820 two[2] = { { 0, 0x1234000, 1 }, { 0x5678000, 0x1000, 77 } }, back[3] = {};
	struct foreign_map set = { DOMID_SELF, { 2, 0, two } };
	struct memory_map get = { 3, 0, back };

	say_result("memory_map of a domain without", HYPERVISOR_memory_op(9, &get));
	say_result("set_memory_map", HYPERVISOR_memory_op(13, &set));
	say_result("memory_map", HYPERVISOR_memory_op(9, &get));
	say("  entries %u: %lx+%lx type %u, %lx+%lx type %u", get.n, back[0].addr, back[0].size, back[0].type,
	    back[1].addr, back[1].size, back[1].type);
	get.n = 1;
	back[1].type = 5;
	say_result("memory_map with room for one", HYPERVISOR_memory_op(9, &get));
	say("  entries %u, the second %s", get.n, back[1].type == 5 ? "left alone" : "written");
	get.n = 0;
	get.list = (void *)NOWHERE_KERNEL;
	say_result("memory_map with room for none", HYPERVISOR_memory_op(9, &get));
	get.n = 3;
	say_result("memory_map to a bad address", HYPERVISOR_memory_op(9, &get));
	set.map.n = 1025;
	say_result("set_memory_map of 1025", HYPERVISOR_memory_op(13, &set));
	set.map.n = 2;
	set.domid = 5;
	say_result("set_memory_map of domain 5", HYPERVISOR_memory_op(13, &set));
	set.domid = DOMID_SELF;
	set.map.list = (void *)NOWHERE_KERNEL;
	say_result("set_memory_map from a bad address", HYPERVISOR_memory_op(13, &set));
	set.map.n = 0;
	say_result("set_memory_map of none", HYPERVISOR_memory_op(13, &set));
	get = (struct memory_map){ 3, 0, back };
	say_result("memory_map", HYPERVISOR_memory_op(9, &get));
}

/* What differs from machine to machine is left out. */
void mm_31(void)
{
	struct e820 *list = (struct e820 *)test_pages[0];
	struct memory_map get = { 0, 0, NULL };
	const u32 room = PAGE_SIZE / sizeof(struct e820);
	u32 n, sorted = 1, apic = 0, ram = 0;
	u64 last, mapping[3];

	own_map();
	say_result("machine_memory_map, the number", HYPERVISOR_memory_op(10, &get));
	n = get.n;
	say("  it is %s", n > 2 && n < room ? "a small one" : "something else");
	get = (struct memory_map){ n, 0, list };
	say_result("machine_memory_map with room for as many", HYPERVISOR_memory_op(10, &get));
	get = (struct memory_map){ n + 1, 0, list };
	say_result("machine_memory_map with room for one more", HYPERVISOR_memory_op(10, &get));
	say("  and it is %s", get.n == n ? "as many" : "another number");
	for (u32 i = 0; i < n; i++) {
		sorted &= !i || list[i - 1].addr + list[i - 1].size <= list[i].addr;
		ram += list[i].type == 1;
		apic += list[i].type == 2 && list[i].addr <= 0xfee00000 &&
			list[i].addr + list[i].size > 0xfee00000;
	}
	say("  it is %ssorted, has %s, begins at %lx; the local APIC is in %u reserved entries", sorted ? "" : "not ",
	    ram ? "RAM" : "no RAM", list[0].addr, apic);
	get = (struct memory_map){ room, 0, (void *)NOWHERE_KERNEL };
	say_result("machine_memory_map to a bad address", HYPERVISOR_memory_op(10, &get));
	get.list = (void *)HOLE_START;
	say_result("machine_memory_map to an address of Xen's", HYPERVISOR_memory_op(10, &get));
	memset(list, 0, PAGE_SIZE);

	last = HYPERVISOR_memory_op(2, NULL);
	say_result("machphys_mapping", HYPERVISOR_memory_op(12, mapping));
	say("  from %lx to %lx, the last frame is %s", mapping[0], mapping[1],
	    mapping[2] == last - 1 ? "that of RAM" : "another");
	u64 frames[4];
	struct { u32 max, pad; u64 *list; u32 n; } m2p = { 4, 0, frames, 77 };
	say_result("machphys_mfn_list", HYPERVISOR_memory_op(5, &m2p));
	say("  %s for each 2 MiB of the table", m2p.n == (last * 8 + 0x1fffff) / 0x200000 ? "one" : "not one");
	m2p.max = 0;
	say_result("machphys_mfn_list of none", HYPERVISOR_memory_op(5, &m2p));
	say("  there are %u", m2p.n);
	m2p.max = 1;
	m2p.list = (void *)NOWHERE_KERNEL;
	say_result("machphys_mfn_list to a bad address", HYPERVISOR_memory_op(5, &m2p));
}
