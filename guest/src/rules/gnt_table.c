/* gnt_table.c - GNT: the table as a whole, and the call. */
#include "gnt.h"

static void try_setup(const char *what, u16 dom, u32 n, u64 list, u32 count)
{
	struct grant_setup s = { dom, n, 77, list };

	say_op(what, GNTTABOP_setup_table, &s, count, &s.status);
}

static void try_size(const char *what, u16 dom, u32 count)
{
	struct grant_size q = { dom, 0, 0, 77 };

	say_op(what, GNTTABOP_query_size, &q, count, &q.status);
}

/* GNT-01: the size of the table, and its frames. */
void gnt_01(void)
{
	u64 frames[3] = { 0, 0, 0 };
	struct grant_size q = { DOMID_SELF, 0, 0, 77 };
	volatile u64 *page;

	try_setup("setup_table of no frame", DOMID_SELF, 0, 0, 1);
	try_setup("of 3 frames", DOMID_SELF, 3, (u64)frames, 1);
	say("all different: %d", frames[0] != frames[1] && frames[1] != frames[2] && frames[0] != frames[2]);
	try_setup("of 1 frame after that", OWN_DOMID, 1, (u64)frames, 1);
	say_op("query_size", GNTTABOP_query_size, &q, 1, &q.status);
	say("it has %u frames of %u", q.nr_frames, q.max_nr_frames);
	page = area_map(TEST_SLOT, frames[2], PTE_RW | PTE_NX);
	say("the third frame begins with %lx", page[0]);
	page[511] = 0x511;
	say("and keeps what is written: %lx", page[511]);
	page[511] = 0;
	say_result("a pin of it as a table", ext_op(MMUEXT_PIN_L1_TABLE, frames[2], 0));
	page_set(slot_address(0), 0);
	say_result("a pin of it when it is not mapped", ext_op(MMUEXT_PIN_L1_TABLE, frames[2], 0));
	try_setup("of 65 frames", DOMID_SELF, 65, (u64)frames, 1);
	try_setup("of 4294967295 frames", DOMID_SELF, ~0U, (u64)frames, 1);
	try_setup("of domain 5", NO_DOMID, 1, (u64)frames, 1);
	try_setup("of DOMID_IO", DOMID_IO, 1, (u64)frames, 1);
	try_setup("with the list nowhere", DOMID_SELF, 2, NOWHERE_KERNEL, 1);
	try_setup("with the list among Xen's addresses", DOMID_SELF, 1, HOLE_START, 1);
	try_setup("with that and domain 5", NO_DOMID, 1, HOLE_START, 1);
	try_setup("a list of no structure", DOMID_SELF, 1, (u64)frames, 0);
	try_setup("a list of two", DOMID_SELF, 1, (u64)frames, 2);
	try_size("query_size of domain 5", NO_DOMID, 1);
	try_size("a list of two", DOMID_SELF, 2);
	say_result("setup_table of a structure nowhere", grant_op(GNTTABOP_setup_table, (void *)NOWHERE_KERNEL, 1));
	say_result("query_size of a structure nowhere", grant_op(GNTTABOP_query_size, (void *)NOWHERE_KERNEL, 1));
}

/* GNT-14 */
static void try_swap(const char *what, u32 a, u32 b)
{
	struct grant_swap s = { a, b, 77 };

	say_op(what, GNTTABOP_swap_grant_ref, &s, 1, &s.status);
}

void gnt_14(void)
{
	struct grant_map m;

	grant_begin();
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	grant(REF + 1, GTF_permit_access | GTF_readonly, NO_DOMID, test_pages[1]);
	try_swap("swap", REF, REF + 1);
	say_flags("first", REF);
	say_flags("second", REF + 1);
	try_swap("swap with itself", REF, REF);
	try_swap("with an entry past the end", REF, 512 * 64);
	try_swap("the other way", 512 * 64, REF);
	say_status("map the second", map_ref(&m, REF + 1, GNTMAP_host_map, 0));
	try_swap("swap while it is mapped", REF, REF + 1);
	try_swap("the other way", REF + 1, REF);
	try_swap("with itself while it is mapped", REF + 1, REF + 1);
	say_status("unmap", unmap_ref(&m));
	try_swap("swap after that", REF, REF + 1);
	grant_end();
}

/* GNT-16: arguments of the call itself. */
void gnt_16(void)
{
	static const struct { const char *name; u32 cmd; } commands[] = {
		{ "map_grant_ref", GNTTABOP_map_grant_ref }, { "unmap_grant_ref", GNTTABOP_unmap_grant_ref },
		{ "setup_table", GNTTABOP_setup_table }, { "dump_table", GNTTABOP_dump_table },
		{ "transfer", GNTTABOP_transfer }, { "copy", GNTTABOP_copy },
		{ "query_size", GNTTABOP_query_size }, { "unmap_and_replace", GNTTABOP_unmap_and_replace },
		{ "set_version", GNTTABOP_set_version }, { "get_status_frames", GNTTABOP_get_status_frames },
		{ "get_version", GNTTABOP_get_version }, { "swap_grant_ref", GNTTABOP_swap_grant_ref },
		{ "cache_flush", GNTTABOP_cache_flush }, { "command 13", 13 }, { "command 4095", 4095 },
	};
	struct grant_swap list[40] = {};
	u32 okay = 0;

	for (u32 i = 0; i < ARRAY_LEN(commands); i++) {
		long none = grant_op(commands[i].cmd, (void *)NOWHERE_KERNEL, 0);
		long one = grant_op(commands[i].cmd, (void *)NOWHERE_KERNEL, 1);
		long hole = grant_op(commands[i].cmd, (void *)HOLE_START, 0);
		long high = grant_op(commands[i].cmd | 0x1000, (void *)NOWHERE_KERNEL, 0);
		long negative = grant_op(commands[i].cmd, (void *)NOWHERE_KERNEL, 0x80000000);

		say("%s: none %s, one nowhere %s, none in Xen's hole %s, a bit above %s, a negative count %s",
		    commands[i].name, none ? errno_name(none) : "0", one ? errno_name(one) : "0",
		    hole ? errno_name(hole) : "0", high ? errno_name(high) : "0",
		    negative ? errno_name(negative) : "0");
	}
	for (u32 i = 0; i < ARRAY_LEN(list); i++)
		list[i].status = 77, list[i].a = REF, list[i].b = i % 4 == 3 ? ~0U : REF;
	say_result("a list of 40, each fourth wrong", grant_op(GNTTABOP_swap_grant_ref, list, 40));
	for (u32 i = 0; i < ARRAY_LEN(list); i++)
		okay += !list[i].status;
	say("%u are okay, the fourth is %s", okay, status_name(list[3].status));
}

/* GNT-18: a grant of what is not an ordinary page of the domain. */
static void try_frame(const char *what, volatile struct grant_v1 *t, u64 frame, u32 flags)
{
	struct grant_map m;
	short status;

	t[REF].frame = frame;
	t[REF].domid = OWN_DOMID;
	t[REF].flags = GTF_permit_access;
	status = map_ref(&m, REF, flags, 0);
	say_status(what, status);
	if (!status)
		say_status("unmap", unmap_ref(&m));
}

void gnt_18(void)
{
	volatile struct grant_v1 *t = grant_begin();
	u64 table_frame;
	struct grant_setup s = { DOMID_SELF, 1, 77, (u64)&table_frame };

	grant_op(GNTTABOP_setup_table, &s, 1);
	try_frame("frame past the end of memory", t, 0xfffffff0, GNTMAP_host_map);
	try_frame("frame of the I/O APIC", t, 0xfec00, GNTMAP_host_map);
	try_frame("the grant table itself", t, table_frame, GNTMAP_host_map);
	try_frame("shared_info", t, start_info->shared_info / PAGE_SIZE, GNTMAP_host_map);
	try_frame("a page table, writable", t, frame_of(boot_table()), GNTMAP_host_map);
	try_frame("a page table, read-only", t, frame_of(boot_table()), GNTMAP_host_map | GNTMAP_readonly);
	try_frame("a page table, for a device, read-only", t, frame_of(boot_table()),
		  GNTMAP_device_map | GNTMAP_readonly);
	try_frame("a page table, for a device", t, frame_of(boot_table()), GNTMAP_device_map);
	say_flags("at the end", REF);
	grant_end();
}
