/* gnt_unmap.c - GNT: the end of a mapping. */
#include "gnt.h"

static void try_unmap(const char *what, u64 host, u64 device, u32 handle)
{
	struct grant_unmap u = { host, device, handle, 77 };

	say_op(what, GNTTABOP_unmap_grant_ref, &u, 1, &u.status);
}

/* GNT-06: by its handle and its address. */
void gnt_06(void)
{
	struct grant_map m;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	say_status("map for both", map_ref(&m, REF, GNTMAP_host_map | GNTMAP_device_map, 0));
	try_unmap("unmap the processor's", m.host_addr, 0, m.handle);
	say_flags("the device's is left", REF);
	say("the slot is empty: %d", *pte_of(slot_address(0)) == 0);
	try_unmap("unmap the processor's again", m.host_addr, 0, m.handle);
	try_unmap("unmap the device's", 0, m.dev_bus_addr, m.handle);
	say_flags("nothing is left", REF);
	try_unmap("again", 0, m.dev_bus_addr, m.handle);
	grant_end();
}

void gnt_06_bad(void)
{
	struct grant_map m, d;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	map_ref(&m, REF, GNTMAP_host_map, 0);
	map_ref(&d, REF, GNTMAP_device_map, 0);
	try_unmap("unmap at an empty slot", slot_address(1), 0, m.handle);
	page_map(slot_address(1), test_pages[1], PAGE_WRITABLE);
	try_unmap("where another page is mapped", slot_address(1), 0, m.handle);
	page_map(slot_address(1), test_pages[0], PAGE_READONLY);
	try_unmap("where the page is mapped read-only", slot_address(1), 0, m.handle);
	page_map(slot_address(1), test_pages[0], PAGE_WRITABLE);
	try_unmap("where the page is mapped by an ordinary entry", slot_address(1), 0, m.handle);
	say("that entry is gone: %d, the grant's is not: %d", *pte_of(slot_address(1)) == 0, *pte_of(slot_address(0)) != 0);
	say_flags("left", REF);
	try_unmap("at its own address now", slot_address(0), 0, m.handle);
	page_map(slot_address(0), NULL, 0);
	try_unmap("no address at all", 0, 0, d.handle);
	try_unmap("a wrong bus address", 0, d.dev_bus_addr + PAGE_SIZE, d.handle);
	try_unmap("an address of the processor's", slot_address(0), 0, d.handle);
	try_unmap("handle 4294967295", slot_address(0), 0, ~0U);
	try_unmap("a handle not in use", slot_address(0), 0, d.handle + 1);
	say_status("unmap", unmap_ref(&d));
	say_flags("at the end", REF);
	grant_end();
}

/* GNT-07: a mapping is a reference like any other. */
void gnt_07(void)
{
	struct grant_map m;

	grant_begin();
	memset(test_pages[1], 0, PAGE_SIZE);
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[1]);
	say_status("map read-only", map_ref(&m, REF, GNTMAP_host_map | GNTMAP_readonly, 0));
	say_result("the kernel's mapping read-only", table_map((u64 *)test_pages[1], PAGE_READONLY));
	say_result("the page as a table", pin(MMUEXT_PIN_L1_TABLE, test_pages[1]));
	say_result("unpin", unpin(test_pages[1]));
	say_status("unmap", unmap_ref(&m));
	table_map((u64 *)test_pages[1], PAGE_WRITABLE);
	grant_end();
}

static void try_as_table(const char *what, u32 flags)
{
	struct grant_map m;
	long result;

	say_status(what, map_ref(&m, REF, flags, 0));
	result = pin(MMUEXT_PIN_L1_TABLE, test_pages[1]);
	say_result("the page as a table", result);
	if (!result)
		unpin(test_pages[1]);
	if (!m.status)
		say_status("unmap", unmap_ref(&m));
}

void gnt_07_bad(void)
{
	grant_begin();
	memset(test_pages[1], 0, PAGE_SIZE);
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[1]);
	table_map((u64 *)test_pages[1], PAGE_READONLY);
	try_as_table("map writable", GNTMAP_host_map);
	try_as_table("for a device", GNTMAP_device_map);
	try_as_table("for a device, read-only", GNTMAP_device_map | GNTMAP_readonly);
	pin(MMUEXT_PIN_L1_TABLE, test_pages[1]);
	try_as_table("map it writable while it is a table", GNTMAP_host_map);
	try_as_table("the same for a device", GNTMAP_device_map);
	try_as_table("the same for both", GNTMAP_device_map | GNTMAP_host_map);
	say_flags("left", REF);
	unpin(test_pages[1]);
	table_map((u64 *)test_pages[1], PAGE_WRITABLE);
	grant_end();
}

/* GNT-17: another entry moves to where the grant was mapped. */
static void try_replace(const char *what, u64 host, u64 new_addr, u32 handle)
{
	struct grant_replace r = { host, new_addr, handle, 77 };

	say_op(what, GNTTABOP_unmap_and_replace, &r, 1, &r.status);
}

void gnt_17(void)
{
	struct grant_map m;

	grant_begin();
	test_pages[0][0] = 0x10;
	test_pages[1][0] = 0x20;
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	say_status("map", map_ref(&m, REF, GNTMAP_host_map, 0));
	page_map(slot_address(1), test_pages[1], PAGE_WRITABLE);
	try_replace("replace it by the entry of another address", slot_address(0), slot_address(1), m.handle);
	say("there is %x now, and the other address is empty: %d", *(volatile u8 *)slot_address(0),
	    *pte_of(slot_address(1)) == 0);
	say_flags("left", REF);
	say_result("an ordinary update takes it away", page_map(slot_address(0), NULL, 0));
	map_ref(&m, REF, GNTMAP_host_map, 0);
	try_replace("replace it by an empty entry", slot_address(0), slot_address(1), m.handle);
	say("the slot is empty: %d", *pte_of(slot_address(0)) == 0);
	map_ref(&m, REF, GNTMAP_host_map, 0);
	try_replace("by itself", slot_address(0), slot_address(0), m.handle);
	say("the slot is empty: %d", *pte_of(slot_address(0)) == 0);
	page_map(slot_address(0), test_pages[0], PAGE_WRITABLE);
	try_replace("by an address without a table", slot_address(0), OWN_SPACE, m.handle);
	page_map(slot_address(1), test_pages[1], PAGE_WRITABLE);
	try_replace("at a wrong address", slot_address(2), slot_address(1), m.handle);
	say("the other address is empty: %d", *pte_of(slot_address(1)) == 0);
	try_replace("by nothing", slot_address(0), 0, m.handle);
	m = (struct grant_map){ machine(pte_of(slot_address(0))), GNTMAP_host_map | GNTMAP_contains_pte, REF,
				OWN_DOMID, 77 };
	grant_op(GNTTABOP_map_grant_ref, &m, 1);
	page_map(slot_address(1), test_pages[1], PAGE_WRITABLE);
	try_replace("one that was mapped by its entry", m.host_addr, slot_address(1), m.handle);
	page_map(slot_address(1), NULL, 0);
	try_replace("that by nothing", m.host_addr, 0, m.handle);
	say_flags("at the end", REF);
	grant_end();
}

/* MM-23 */
void mm_23(void)
{
	struct grant_map m;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	say_status("map", map_ref(&m, REF, GNTMAP_host_map, 0));
	say_status("unmap", unmap_ref(&m));
	say_flags("left", REF);
	grant_end();
}

/* The reference goes with the entry, but Xen does not learn that the grant is
   no longer used. The same entry made by hand is as good to it. */
void mm_23_bad(void)
{
	struct grant_map m;

	grant_begin();
	memset(test_pages[1], 0, PAGE_SIZE);
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[1]);
	say_status("map", map_ref(&m, REF, GNTMAP_host_map, 0));
	say_result("overwrite its entry", page_set(slot_address(0), 0));
	say_status("unmap", unmap_ref(&m));
	say_flags("left", REF);
	say_result("the kernel's mapping read-only", table_map((u64 *)test_pages[1], PAGE_READONLY));
	say_result("the page as a table", pin(MMUEXT_PIN_L1_TABLE, test_pages[1]));
	unpin(test_pages[1]);
	table_map((u64 *)test_pages[1], PAGE_WRITABLE);
	say_result("make the same entry by hand", page_map(slot_address(0), test_pages[1], PAGE_WRITABLE));
	say_status("unmap", unmap_ref(&m));
	say_flags("left", REF);
	grant_end();
}
