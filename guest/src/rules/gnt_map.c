/* gnt_map.c - GNT: mappings. */
#include "gnt.h"

static void try_map(const char *what, u32 ref, u32 flags, u16 dom)
{
	struct grant_map m = { slot_address(0), flags, ref, dom, 77 };

	say_op(what, GNTTABOP_map_grant_ref, &m, 1, &m.status);
	if (!m.status)
		say_status("and unmap", unmap_ref(&m));
}

/* GNT-02: the entry says who may use which frame, and how. */
void gnt_02(void)
{
	struct grant_map m;

	grant_begin();
	memset(test_pages[0], 0x5a, PAGE_SIZE);
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	say_status("map", map_ref(&m, REF, GNTMAP_host_map, 0));
	say_flags("mapped", REF);
	say("it is the page: %x", *(volatile u8 *)slot_address(0));
	*(volatile u8 *)slot_address(0) = 0x11;
	say("written through the mapping: %x", *(volatile u8 *)test_pages[0]);
	say("dev_bus_addr is its machine address: %d", m.dev_bus_addr == machine(test_pages[0]));
	say_status("unmap", unmap_ref(&m));
	say_flags("unmapped", REF);
	say("the slot is empty: %d", *pte_of(slot_address(0)) == 0);
	grant(REF, GTF_permit_access | GTF_readonly, OWN_DOMID, test_pages[0]);
	say_status("map a readonly grant read-only", map_ref(&m, REF, GNTMAP_host_map | GNTMAP_readonly, 0));
	say_flags("mapped", REF);
	say_status("unmap", unmap_ref(&m));
	say_flags("unmapped", REF);
	grant_end();
}

void gnt_02_bad(void)
{
	grant_begin();
	grant(REF, 0, OWN_DOMID, test_pages[0]);
	try_map("map an invalid entry", REF, GNTMAP_host_map, OWN_DOMID);
	grant(REF, GTF_accept_transfer, OWN_DOMID, test_pages[0]);
	try_map("one that waits for a transfer", REF, GNTMAP_host_map, OWN_DOMID);
	grant(REF, GTF_transitive, OWN_DOMID, test_pages[0]);
	try_map("a transitive one in version 1", REF, GNTMAP_host_map, OWN_DOMID);
	grant(REF, GTF_permit_access | GTF_sub_page, OWN_DOMID, test_pages[0]);
	try_map("a part in version 1", REF, GNTMAP_host_map, OWN_DOMID);
	grant(REF, GTF_permit_access, NO_DOMID, test_pages[0]);
	try_map("one for domain 5", REF, GNTMAP_host_map, OWN_DOMID);
	grant(REF, GTF_permit_access, DOMID_SELF, test_pages[0]);
	try_map("one for DOMID_SELF", REF, GNTMAP_host_map, OWN_DOMID);
	grant(REF, GTF_permit_access | GTF_readonly, OWN_DOMID, test_pages[0]);
	try_map("a readonly one, writable", REF, GNTMAP_host_map, OWN_DOMID);
	say_flags("left", REF);
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	try_map("of domain 5", REF, GNTMAP_host_map, NO_DOMID);
	try_map("of DOMID_SELF", REF, GNTMAP_host_map, DOMID_SELF);
	try_map("a reference past the end", 512 * 64, GNTMAP_host_map, OWN_DOMID);
	try_map("for nobody", REF, GNTMAP_readonly, OWN_DOMID);
	try_map("for nobody, of domain 5", REF, 0, NO_DOMID);
	grant(REF, GTF_permit_access | 0xfee0, OWN_DOMID, test_pages[0]);
	try_map("one with unknown flags", REF, GNTMAP_host_map | 0xff00, OWN_DOMID);
	grant_end();
}

/* GNT-03: there has to be an L1 entry. */
void gnt_03(void)
{
	struct grant_map m;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	test_pages[0][0] = 0x33;
	say_status("map at an address with a table", map_ref(&m, REF, GNTMAP_host_map, 0));
	say("it holds %x", *(volatile u8 *)slot_address(0));
	say_status("unmap", unmap_ref(&m));
	m = (struct grant_map){ machine(pte_of(slot_address(1))), GNTMAP_host_map | GNTMAP_contains_pte, REF,
				OWN_DOMID, 77 };
	say_op("map by an entry's machine address", GNTTABOP_map_grant_ref, &m, 1, &m.status);
	say("it holds %x", *(volatile u8 *)slot_address(1));
	say_status("unmap", unmap_ref(&m));
	say_result("an ordinary mapping first", page_map(slot_address(0), test_pages[1], PAGE_WRITABLE));
	say_status("map over it", map_ref(&m, REF, GNTMAP_host_map, 0));
	say_result("the page has lost its writable mapping but the kernel's", table_map((u64 *)test_pages[1], PAGE_READONLY));
	say_result("so it can be a table", pin(MMUEXT_PIN_L1_TABLE, test_pages[1]));
	unpin(test_pages[1]);
	table_map((u64 *)test_pages[1], PAGE_WRITABLE);
	say_status("unmap", unmap_ref(&m));
	grant_end();
}

static void try_address(const char *what, u64 address, u32 flags)
{
	struct grant_map m = { address, GNTMAP_host_map | flags, REF, OWN_DOMID, 77, 0x1234, 0x5678 };

	say_op(what, GNTTABOP_map_grant_ref, &m, 1, &m.status);
	if (m.handle != 0x1234 || m.dev_bus_addr != 0x5678)
		say("it wrote a handle");
}

void gnt_03_bad(void)
{
	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	memset(test_pages[1], 0, PAGE_SIZE);
	try_address("map where there is no L1", OWN_SPACE, 0);
	try_address("among Xen's addresses", HOLE_START, 0);
	try_address("at an address that is not canonical", 0x0000900000000000, 0);
	try_address("by the address of a page that is no table", machine(test_pages[1]), GNTMAP_contains_pte);
	try_address("of a table of another level", machine(boot_table()) + 8 * L4_FREE, GNTMAP_contains_pte);
	try_address("of an entry that is not aligned", machine(pte_of(slot_address(0))) + 4, GNTMAP_contains_pte);
	try_address("past the end of memory", 0x0000fffffffff000, GNTMAP_contains_pte);
	say_flags("at the end", REF);
	grant_end();
}

/* GNT-04: the entry that Xen makes. */
static void show_pte(const char *what, u32 flags)
{
	struct grant_map m;
	short status = map_ref(&m, REF, flags, 0);
	u64 pte;

	if (status) {
		say_status(what, status);
		return;
	}
	pte = *pte_of(slot_address(0));
	say("%s: the page %d, flags %lx", what, (pte & PTE_FRAME) == machine(test_pages[0]), PTE_FLAGS(pte));
	if (unmap_ref(&m))
		say("unmap failed");
}

void gnt_04(void)
{
	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	show_pte("host_map", GNTMAP_host_map);
	show_pte("readonly", GNTMAP_host_map | GNTMAP_readonly);
	show_pte("application_map", GNTMAP_host_map | GNTMAP_application_map);
	show_pte("both", GNTMAP_host_map | GNTMAP_application_map | GNTMAP_readonly);
	show_pte("avail 5", GNTMAP_host_map | GNTMAP_avail(5));
	show_pte("avail fff", GNTMAP_host_map | GNTMAP_avail(0xfff));
	show_pte("with a device", GNTMAP_host_map | GNTMAP_device_map);
	show_pte("unknown bits", GNTMAP_host_map | 0xffe0);
	show_pte("device_map alone", GNTMAP_device_map);
	grant(REF, GTF_permit_access | 0xe0, OWN_DOMID, test_pages[0]);	/* PWT, PCD, PAT */
	show_pte("an entry with cache flags", GNTMAP_host_map);
	grant_end();
	page_set(slot_address(0), 0);
}

/* GNT-05: the granting side sees whether the entry is in use. */
void gnt_05(void)
{
	struct grant_map a, b;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	say_status("map read-only", map_ref(&a, REF, GNTMAP_host_map | GNTMAP_readonly, 0));
	say_flags("one reader", REF);
	say_status("map writable", map_ref(&b, REF, GNTMAP_host_map, 1));
	say_flags("and one writer", REF);
	say_status("unmap the writer", unmap_ref(&b));
	say_flags("one reader", REF);
	say_status("unmap the reader", unmap_ref(&a));
	say_flags("nobody", REF);
	grant(REF, 0, 0, NULL);
	say_status("map after it is revoked", map_ref(&a, REF, GNTMAP_host_map, 0));
	say_status("map read-only for a device",
		   (grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]),
		    map_ref(&a, REF, GNTMAP_device_map | GNTMAP_readonly, 0)));
	say_flags("one device", REF);
	say_status("unmap", unmap_ref(&a));
	grant_end();
}

/* Revoked while in use: the mapping stays, and so does what Xen knows of it. */
void gnt_05_bad(void)
{
	struct grant_map a, b;

	grant_begin();
	test_pages[0][0] = 0x55;
	test_pages[1][0] = 0x66;
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	say_status("map", map_ref(&a, REF, GNTMAP_host_map, 0));
	grant(REF, 0, 0, NULL);
	say("revoked, but it is mapped: %x", *(volatile u8 *)slot_address(0));
	grant(REF, GTF_permit_access | GTF_readonly, NO_DOMID, test_pages[1]);
	say_status("map the entry, now another page for domain 5, read-only",
		   map_ref(&b, REF, GNTMAP_host_map | GNTMAP_readonly, 1));
	if (!b.status) {
		say("it is %x", *(volatile u8 *)slot_address(1));
		say_status("unmap it", unmap_ref(&b));
	}
	say_flags("left", REF);
	say_status("map it writable", map_ref(&b, REF, GNTMAP_host_map, 1));
	if (!b.status)
		say_status("unmap it", unmap_ref(&b));
	say_status("unmap", unmap_ref(&a));
	say_flags("at the end", REF);
	grant_end();
}

/* GNT-08: handles that were given back are used again, but last. */
void gnt_08(void)
{
	struct grant_map m[4];
	u32 first;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	map_ref(&m[0], REF, GNTMAP_host_map, 0);
	first = m[0].handle;
	say("the second is the first + %u", (map_ref(&m[1], REF, GNTMAP_host_map, 1), m[1].handle) - first);
	unmap_ref(&m[0]);
	say("the first is given back, the third is the first + %u",
	    (map_ref(&m[2], REF, GNTMAP_host_map, 2), m[2].handle) - first);
	say("a failure takes one: %s", status_name(map_ref(&m[3], ~0U, GNTMAP_host_map, 3)));
	say("the fourth is the first + %u", (map_ref(&m[3], REF, GNTMAP_host_map, 3), m[3].handle) - first);
	for (u32 i = 1; i < 4; i++)
		say_status("unmap", unmap_ref(&m[i]));
	grant_end();
}

/* GNT-09: one entry can be mapped 128 times in each way. */
static struct grant_map many[130];

static u32 map_many(u32 flags, u32 at_most)
{
	u32 n = 0;

	while (n < at_most && !map_ref(&many[n], REF, flags, 0))
		n++;
	return n;
}

void gnt_09(void)
{
	struct grant_map other;
	u32 n, bad = 0;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	n = map_many(GNTMAP_device_map, ARRAY_LEN(many));
	say("mapped for a device %u times, then %s", n, status_name(many[n].status));
	say_status("map it for the processor", map_ref(&other, REF, GNTMAP_host_map, 0));
	say_status("unmap that", unmap_ref(&other));
	say_status("for a device, read-only", map_ref(&other, REF, GNTMAP_device_map | GNTMAP_readonly, 0));
	say_status("unmap that", unmap_ref(&other));
	while (n--)
		bad += unmap_ref(&many[n]) != 0;
	say("unmapped; %u failed", bad);
	say_flags("at the end", REF);
	grant_end();
}
