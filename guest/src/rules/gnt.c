/* gnt.c - GNT: grants of the domain to itself, and what their demos share. */
#include "gnt.h"

static volatile struct grant_v1 *table;

#define TABLE_SLOT	(TEST_SLOT + 20)

volatile struct grant_v1 *grant_begin(void)
{
	u64 frame;
	struct grant_setup s = { DOMID_SELF, 1, 1, (u64)&frame };

	if (grant_op(GNTTABOP_setup_table, &s, 1) || s.status)
		panic("no grant table");
	table = area_map(TABLE_SLOT, frame, PTE_RW | PTE_NX);
	return table;
}

void grant_end(void)
{
	memset((void *)&table[REF], 0, PAGE_SIZE - REF * sizeof(*table));
	page_set(area_address(TABLE_SLOT), 0);
}

void grant(u32 ref, u16 flags, u16 dom, const void *page)
{
	table[ref].frame = page ? frame_of(page) : 0;
	table[ref].domid = dom;
	table[ref].flags = flags;
}

u16 grant_flags(u32 ref)
{
	return table[ref].flags;
}

void say_flags(const char *what, u32 ref)
{
	say("%s: the entry's flags are %x", what, grant_flags(ref));
}

const char *status_name(short status)
{
	static const char *const names[] = {
		"okay", "general_error", "bad_domain", "bad_gntref", "bad_handle", "bad_virt_addr",
		"bad_dev_addr", "no_device_space", "permission_denied", "bad_page", "bad_copy_arg",
		"address_too_big", "eagain", "no_space",
	};

	return status <= 0 && -status < (int)ARRAY_LEN(names) ? names[-status] : "an unknown status";
}

void say_status(const char *what, short status)
{
	say("%s: %s", what, status_name(status));
}

void say_op(const char *what, u32 cmd, void *list, u32 n, const short *status)
{
	long result = grant_op(cmd, list, n);

	if (result)
		say_result(what, result);
	else
		say_status(what, *status);
}

short map_ref(struct grant_map *m, u32 ref, u32 flags, u32 n)
{
	*m = (struct grant_map){ slot_address(n), flags, ref, OWN_DOMID, 77, 0x1234, 0x5678 };
	return grant_op(GNTTABOP_map_grant_ref, m, 1) ? 99 : m->status;
}

short unmap_ref(const struct grant_map *m)
{
	struct grant_unmap u = { m->host_addr, 0, m->handle, 77 };

	if (m->flags & GNTMAP_device_map)
		u.dev_bus_addr = m->dev_bus_addr;
	return grant_op(GNTTABOP_unmap_grant_ref, &u, 1) ? 99 : u.status;
}

const struct demo gnt_demos[] = {
	{ "GNT-01", FACT, gnt_01 },
	{ "GNT-02", BREAKABLE, gnt_02, gnt_02_bad },
	{ "GNT-03", BREAKABLE, gnt_03, gnt_03_bad },
	{ "GNT-04", FACT, gnt_04 },
	{ "GNT-05", BREAKABLE, gnt_05, gnt_05_bad },
	{ "GNT-06", BREAKABLE, gnt_06, gnt_06_bad },
	{ "GNT-07", BREAKABLE, gnt_07, gnt_07_bad },
	{ "GNT-08", FACT, gnt_08 },
	{ "GNT-09", FACT, gnt_09 },
	{ "GNT-10", BREAKABLE, gnt_10, gnt_10_bad },
	{ "GNT-11", BREAKABLE, gnt_11, gnt_11_bad },
	{ "GNT-12", BREAKABLE, gnt_12, gnt_12_bad },
	{ "GNT-13", BREAKABLE, gnt_13, gnt_13_bad },
	{ "GNT-14", FACT, gnt_14 },
	{ "GNT-15", FACT, gnt_15 },
	{ "GNT-16", FACT, gnt_16 },
	{ "GNT-17", FACT, gnt_17 },
	{ "GNT-18", FACT, gnt_18 },
	{}
};

const struct demo mm_grant_demos[] = {
	{ "MM-23", BREAKABLE, mm_23, mm_23_bad },
	{}
};
