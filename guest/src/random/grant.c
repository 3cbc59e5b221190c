/* grant.c - grants of the domain to itself: entries, mappings, copies, transfers,
   versions. */
#include "grant.h"

/* The first entries of the table, by which all is done but for wrong numbers. */
#define REFS		16

#define TABLE_SLOT	240
#define STATUS_SLOT	241		/* the status frame, as an operation maps it */
#define LOOK_SLOT	242		/* the same for the digest */
#define FIX_SLOT	243

volatile union grant_table *grant_entries;
static u32 version;
static bool status_mapped;
static u64 status_frame;

struct live grant_live[GRANT_LIVE];
u32 grant_live_count;

bool grant_v2(void)
{
	return version == 2;
}

u64 entry_frame(u32 ref)
{
	return grant_v2() ? grant_entries->v2[ref].frame : grant_entries->v1[ref].frame;
}

static volatile u16 *flags_of(u32 ref)
{
	return grant_v2() ? &grant_entries->v2[ref].flags : &grant_entries->v1[ref].flags;
}

static bool is_good(u32 ref)
{
	return (*flags_of(ref) & 3) == GTF_permit_access && pool_of(entry_frame(ref)) >= 0;
}

u32 draw_ref(void)
{
	static const u32 wrong[] = { 255, 256, 511, 512, 256 * 64 - 1, 256 * 64, 512 * 64 - 1, 512 * 64, 0x7fffffff, ~0u };
	u32 ref = below(REFS);

	if (chance(4))
		return pick(wrong);
	for (u32 n = 0; n < REFS && chance(90) && !is_good(ref); n++)
		ref = (ref + 1) % REFS;
	return ref;
}

u16 draw_grantee(void)
{
	static const u16 wrong[] = { 1, 5, DOMID_SELF, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, 0xffff };

	return chance(93) ? 0 : pick(wrong);
}

/* Whether the entry, or what Xen keeps of it, leads to a frame whose contents are
   not to be copied, nor changed. */
bool ref_is_delicate(u32 ref)
{
	if (ref >= REFS)
		return true;
	for (u32 n = 0; n < grant_live_count; n++)
		if (grant_live[n].ref == ref && pool_of(grant_live[n].frame) < 0)
			return true;
	/* The number in a transitive one is no frame. */
	return (*flags_of(ref) & 3) == GTF_transitive || (pool_of(entry_frame(ref)) < 0 && !frame_is_nobodys(entry_frame(ref)));
}

bool frame_is_nobodys(u64 mfn)
{
	return frame_is_device(mfn) || str_equal(frame_name(mfn), "free");
}

/* Statuses of a list's elements, in the log and the tally. */
#define STATUSES(op) { op " okay", op " general_error", op " bad_domain", op " bad_gntref", op " bad_handle", \
	op " bad_virt_addr", op " bad_dev_addr", op " no_device_space", op " permission_denied", op " bad_page", \
	op " bad_copy_arg", op " address_too_big", op " eagain", op " no_space" }
static const char *const status_names[][14] = {
	[GRANT_MAP] = STATUSES("grant map"), [GRANT_UNMAP] = STATUSES("grant unmap"),
	[GRANT_REPLACE] = STATUSES("grant replace"), [GRANT_COPY] = STATUSES("grant copy"),
	[GRANT_SWAP] = STATUSES("grant swap"), [GRANT_TRANSFER] = STATUSES("grant transfer"),
	[GRANT_SETUP] = STATUSES("grant setup"), [GRANT_SIZE] = STATUSES("grant size"),
	[GRANT_STATUS_FRAMES] = STATUSES("grant status_frames"),
};

bool note_status(enum grant_kind kind, short status)
{
	if (status > 0 || status < -13) {
		note(" unwritten");
		return false;
	}
	note(" %s", status_names[kind][-status]);
	note_count(status_names[kind][-status], 0);
	return !status;
}

/* An entry for the table, as it stands. */
static bool op_entry(void)
{
	static const u16 types[] = { 0, GTF_accept_transfer, GTF_transitive };
	u32 ref = below(REFS);
	u64 frame = chance(88) ? pool_frame[below(POOL)] : draw_other_frame();
	u16 flags = chance(88) ? GTF_permit_access : pick(types), domid = draw_grantee(), word = 0, length = 0;

	if (chance(15) || pool_of(frame) < 0)
		flags |= GTF_readonly;
	if (chance(4))
		flags |= 0xe0 & draw();		/* cache attributes */
	if (grant_v2() && chance(20)) {
		flags |= GTF_sub_page;
		word = chance(80) ? below(512) * 8 : draw();
		length = chance(80) ? below(513) * 8 : draw();
	}
	if ((flags & 3) == GTF_transitive) {
		word = draw_grantee();
		frame = draw_ref();
	}
	note(" %u: %x domain %x frame %s", ref, flags, domid, (flags & 3) == GTF_transitive ? "-" : frame_name(frame));
	if (grant_v2()) {
		note(" words %x %x", word, length);
		grant_entries->v2[ref] = (struct grant_v2){ flags, domid, word, length, frame };
	} else {
		grant_entries->v1[ref] = (struct grant_v1){ flags, domid, frame };
	}
	return true;
}

static bool op_version(void)
{
	u32 v = chance(92) ? 1 + below(2) : below(5);
	long r;

	if (status_mapped && chance(60)) {
		note(" status frame unmapped");
		page_set(area_address(STATUS_SLOT), 0);
		status_mapped = false;
	}
	note(" to %u", v);
	r = grant_op(GNTTABOP_set_version, &v, 1);
	note(": %u", v);
	version = v;
	return note_result("grant set_version", r);
}

static void find_status_frame(void)
{
	struct grant_status_frames s = { 1, DOMID_SELF, 77, (u64)&status_frame };

	if (grant_op(GNTTABOP_get_status_frames, &s, 1) || s.status)
		panic("no status frame");
}

static bool op_map_status(void)
{
	if (!grant_v2() || status_mapped)
		return false;
	find_status_frame();
	status_mapped = true;
	return note_result("grant status mapped", page_set(area_address(STATUS_SLOT), status_frame * PAGE_SIZE | POOL_WRITABLE));
}

static bool op_get_version(void)
{
	struct grant_get_version g = { chance(50) ? DOMID_SELF : draw_grantee(), 77 };
	long r = grant_op(GNTTABOP_get_version, &g, below(3));

	note(" domain %x: %u", g.dom, g.version);
	return note_result("grant get_version", r);
}

static bool op_size(void)
{
	struct grant_size q = { chance(50) ? DOMID_SELF : draw_grantee(), 7, 7, 77 };
	u32 n = chance(90) ? 1 : below(3);
	long r = grant_op(GNTTABOP_query_size, &q, n);

	note(" domain %x list of %u: %u of %u", q.dom, n, q.nr_frames, q.max_nr_frames);
	note_result("grant query_size", r);
	return note_status(GRANT_SIZE, q.status) && !r;
}

static u64 frames[70];

static bool op_setup(void)
{
	static const u64 lists[] = { (u64)frames, (u64)frames, (u64)frames, HOLE_START, AREA_BASE + AREA_HOLE * PAGE_SIZE };
	static const u32 counts[] = { 0, 1, 1, 2, 63, 64, 65, 0x80000000, ~0u };
	struct grant_setup s = { chance(60) ? DOMID_SELF : draw_grantee(), chance(50) ? 1 + below(8) : pick(counts), 77,
				 pick(lists) };
	u32 n = chance(93) ? 1 : below(3);
	bool status = chance(30);
	struct grant_status_frames f = { s.nr_frames, s.dom, 77, s.frame_list };
	long r = status ? grant_op(GNTTABOP_get_status_frames, &f, n) : grant_op(GNTTABOP_setup_table, &s, n);

	note(" domain %x %x frames list %s of %u", s.dom, s.nr_frames, s.frame_list == (u64)frames ? "good" : "bad", n);
	note_result(status ? "grant get_status_frames" : "grant setup_table", r);
	return note_status(status ? GRANT_STATUS_FRAMES : GRANT_SETUP, status ? f.status : s.status) && !r;
}

static bool op_swap(void)
{
	struct grant_swap list[3];
	u32 n = 1 + below(3);
	bool ok;

	for (u32 i = 0; i < n; i++)
		list[i] = (struct grant_swap){ draw_ref(), chance(90) ? below(REFS) : draw_ref(), 77 };
	ok = note_result("grant swap_grant_ref", grant_op(GNTTABOP_swap_grant_ref, list, n));
	for (u32 i = 0; i < n; i++) {
		note(" %x-%x", list[i].a, list[i].b);
		ok &= note_status(GRANT_SWAP, list[i].status);
	}
	return ok;
}

/* The call itself, with lists that are not there. */
static bool op_call(void)
{
	static const u32 counts[] = { 0, 0, 1, 2, 0x7fffffff, 0x80000000, ~0u };
	u32 cmd = chance(90) ? below(14) : draw_word(), count = pick(counts);
	u64 list = draw_bad_pointer();

	if (chance(15))
		cmd |= 0x1000 << below(20);
	note(" command %x list %lx of %x", cmd, list, count);
	return note_result("grant_table_op call", grant_op(cmd, (void *)list, count));
}

static bool op_flush(void)
{
	struct grant_flush list[2];
	u32 n = 1 + below(2), from = chance(90) ? 0 : 0x1000 << below(20);

	for (u32 i = 0; i < n; i++) {
		u64 frame = draw_frame();

		list[i] = (struct grant_flush){ frame * PAGE_SIZE + below(PAGE_SIZE), below(4096), below(2048),
						chance(85) ? 1 + 2 * below(2) : draw_word() };
		if (chance(80) && list[i].offset + list[i].length > PAGE_SIZE)
			list[i].length = PAGE_SIZE - list[i].offset;
		note(" %s+%x %x op %x", frame_name(frame), list[i].offset, list[i].length, list[i].op);
	}
	note(" from %x", from);
	return note_result("grant cache_flush", grant_op(GNTTABOP_cache_flush | from, list, n));
}

/* Overwritten entries of mappings took their references along; an ordinary entry
   for the same frame lets Xen forget the mapping. */
static void forget(struct live *l)
{
	struct grant_unmap u = { 0, 0, l->handle, 77 };

	if (l->left & GNTMAP_host_map) {
		u.host_addr = area_address(FIX_SLOT);
		if (page_set(u.host_addr, l->frame * PAGE_SIZE | (l->flags & GNTMAP_readonly ? POOL_READONLY : POOL_WRITABLE)))
			panic("a mapping cannot be made by hand");
		if (l->flags & GNTMAP_contains_pte) {
			volatile u64 *e = pte_of(u.host_addr);

			u.host_addr = frame_of((void *)e) * PAGE_SIZE + ((u64)e & (PAGE_SIZE - 1));
		}
	}
	if (l->left & GNTMAP_device_map)
		u.dev_bus_addr = l->frame * PAGE_SIZE;
	if (grant_op(GNTTABOP_unmap_grant_ref, &u, 1) || u.status)
		panic("a mapping does not go away");
}

void grant_reset(void)
{
	u32 v = 1;

	if (!grant_entries) {
		struct grant_setup s = { DOMID_SELF, 64, 77, (u64)frames };

		if (grant_op(GNTTABOP_setup_table, &s, 1) || s.status)
			panic("no grant table");
		grant_entries = area_map(TABLE_SLOT, frames[0], PTE_RW | PTE_NX);
		transfer_init();
	}
	while (grant_live_count)
		forget(&grant_live[--grant_live_count]);
	page_set(area_address(STATUS_SLOT), 0);
	status_mapped = false;
	memset((void *)grant_entries, 0, PAGE_SIZE);
	if (grant_op(GNTTABOP_set_version, &v, 1))
		panic("the grant table does not go back to version 1");
	version = 1;
	/* Something to begin with. */
	for (u32 ref = 4; ref < REFS; ref++)
		grant_entries->v1[ref] = (struct grant_v1){ GTF_permit_access, 0, pool_frame[ref] };
}

void grant_digest(void)
{
	volatile u16 *status = NULL;

	if (grant_v2()) {
		find_status_frame();
		page_set(area_address(LOOK_SLOT), status_frame * PAGE_SIZE | POOL_READONLY);
		status = (volatile u16 *)area_address(LOOK_SLOT);
	}
	for (u32 ref = 0; ref < REFS; ref++) {
		u64 head = *(volatile u32 *)flags_of(ref);

		if (grant_v2())
			mix(head | (u64)grant_entries->v2[ref].page_off << 32 | (u64)status[ref] << 48);
		else
			mix(head);
		/* That of a transitive one is a reference. */
		mix((head & 3) == GTF_transitive ? entry_frame(ref) : entry_key(entry_frame(ref) * PAGE_SIZE & PTE_FRAME));
	}
	if (status)
		page_set(area_address(LOOK_SLOT), 0);
}

const struct operation grant_operations[] = {
	{ "grant entry", 12, op_entry },
	{ "grant map", 12, op_map },
	{ "grant unmap", 9, op_unmap },
	{ "grant copy", 8, op_copy },
	{ "grant transfer", 2, op_transfer },
	{ "grant version", 2, op_version },
	{ "grant status", 1, op_map_status },
	{ "grant get_version", 1, op_get_version },
	{ "grant size", 1, op_size },
	{ "grant setup", 2, op_setup },
	{ "grant swap", 2, op_swap },
	{ "grant flush", 2, op_flush },
	{ "grant call", 2, op_call },
	{}
};

