/* grant_map.c - mappings of grants, right and wrong, and their end. */
#include "grant.h"

/* Where to map: a linear address, or the machine address of an entry. */
static u64 draw_host_address(u32 *flags)
{
	static const u64 bad[] = {
		0, 0x00007ffffffff000, 0x0000800000000000, 0xffff7ffffffff000, HOLE_START, 0xffff830000000000,
		0xffff87ffffffffff,
	};
	u64 kind = below(100);
	u64 at;
	int p;

	if (kind < 60) {
		at = window(below(WINDOWS)) + (chance(90) ? 0 : below(PAGE_SIZE));
	} else if (kind < 70) {
		at = pool_va(below(POOL));
	} else if (kind < 76) {
		at = draw_address();
		if (at >= AREA_BASE + AREA_HOLE * PAGE_SIZE - PAGE_SIZE && at < AREA_BASE + (AREA_HOLE + 1) * PAGE_SIZE)
			at = 0;
		if (at == 0x1000 || at >= 0xfffffffffffff000)
			at = 0;
	} else if (kind < 80) {
		at = pick(bad);
	} else if (kind < 86) {
		*flags |= GNTMAP_contains_pte;
		at = pte_address(window(below(WINDOWS)));
	} else {
		*flags |= GNTMAP_contains_pte;
		p = draw_pool(chance(80) ? L1 : below(6));
		if (p < 0)
			p = 0;
		note(" p%u", p);
		at = pool_frame[p] * PAGE_SIZE + slots[below(SLOTS - 1)] * 8 + (chance(95) ? 0 : below(8));
		note("[%lx]", at & (PAGE_SIZE - 1));
		return at;
	}
	note(*flags & GNTMAP_contains_pte ? " pte" : " ");
	if (!(*flags & GNTMAP_contains_pte))
		note_place(at);
	else
		note("+%lx", at & (PAGE_SIZE - 1));
	return at;
}

bool op_map(void)
{
	struct grant_map list[3];
	u32 n = chance(75) ? 1 : 1 + below(3);
	bool ok;

	if (grant_live_count + n > GRANT_LIVE) {
		note(" enough");
		return false;
	}
	for (u32 i = 0; i < n; i++) {
		u32 flags = GNTMAP_host_map;

		if (chance(20))
			flags = chance(50) ? GNTMAP_device_map : GNTMAP_device_map | GNTMAP_host_map;
		if (chance(40))
			flags |= GNTMAP_readonly;
		if (chance(20))
			flags |= GNTMAP_application_map;
		if (chance(5))
			flags |= draw() & 0xfff00000;
		if (chance(10))
			flags |= GNTMAP_avail(below(8));
		if (chance(3))
			flags &= ~(GNTMAP_host_map | GNTMAP_device_map);
		list[i] = (struct grant_map){ 0, flags, draw_ref(), draw_grantee(), 77, 0x1234, 0x5678 };
		/* What the kernel lives by stays of the type it is. */
		if (ref_is_delicate(list[i].ref))
			list[i].flags |= GNTMAP_readonly;
		list[i].host_addr = draw_host_address(&list[i].flags);
		note(" flags %x ref %x domain %x", list[i].flags, list[i].ref, list[i].dom);
	}
	ok = note_result("grant map_grant_ref", grant_op(GNTTABOP_map_grant_ref, list, n));
	for (u32 i = 0; i < n; i++) {
		const struct grant_map *m = &list[i];

		if (!note_status(GRANT_MAP, m->status)) {
			ok = false;
			if (m->handle != 0x1234 || m->dev_bus_addr != 0x5678)
				note(" and a handle");
			continue;
		}
		note(" m%u %s", grant_live_count, frame_name(m->dev_bus_addr / PAGE_SIZE));
		grant_live[grant_live_count++] = (struct live){ m->handle, m->ref, m->flags,
			m->flags & (GNTMAP_host_map | GNTMAP_device_map), m->dev_bus_addr / PAGE_SIZE, m->host_addr };
	}
	return ok;
}

/* One mapping to end, mostly one there is; which. */
static u32 draw_unmap(u64 *host, u64 *device, u32 *handle)
{
	static const u32 wrong[] = { 0x3ffff, 0x40000, 0x7fffffff, ~0u };
	u32 at = below(grant_live_count ? grant_live_count : 1), ignored = GNTMAP_contains_pte;
	const struct live *l = &grant_live[at];

	if (!grant_live_count || chance(4)) {
		*host = window(0);
		*device = 0;
		*handle = pick(wrong);
		note(" handle %x", *handle);
		return GRANT_LIVE;
	}
	*handle = l->handle;
	note(" m%u at", at);
	if (chance(85)) {
		*host = l->host_addr;
		note(" its place");
	} else if (l->flags & GNTMAP_contains_pte) {
		*host = chance(50) ? 0 : (draw_host_address(&ignored) & ~7UL) | 8;
	} else {
		*host = chance(20) ? 0 : window(below(WINDOWS));
		note(" %lx", *host);
	}
	if (l->flags & GNTMAP_contains_pte)
		*host &= ~7UL;
	*device = !(l->flags & GNTMAP_device_map) || chance(15) ? 0 : l->frame * PAGE_SIZE;
	if (chance(3))
		*device += PAGE_SIZE;
	note(" device %d", !!*device);
	return at;
}

/* What Xen took away is no longer ours. */
static void took(u32 at, u64 host, u64 device)
{
	struct live *l = &grant_live[at];

	if (host)
		l->left &= ~GNTMAP_host_map;
	if (device)
		l->left &= ~GNTMAP_device_map;
}

static void drop_ended(void)
{
	u32 kept = 0;

	for (u32 n = 0; n < grant_live_count; n++)
		if (grant_live[n].left)
			grant_live[kept++] = grant_live[n];
	grant_live_count = kept;
}

static bool replace(void)
{
	struct grant_replace r = { .status = 77 };
	u64 device;
	u32 at = draw_unmap(&r.host_addr, &device, &r.handle), flags = 0;
	bool ok;

	note(" by");
	r.new_addr = chance(15) ? 0 : draw_host_address(&flags);
	if (flags & GNTMAP_contains_pte)
		r.new_addr = window(1);
	ok = note_result("grant unmap_and_replace", grant_op(GNTTABOP_unmap_and_replace, &r, 1));
	if (!note_status(GRANT_REPLACE, r.status))
		return false;
	took(at, r.host_addr, 0);
	drop_ended();
	return ok;
}

bool op_unmap(void)
{
	struct grant_unmap list[4];
	u32 at[4], n = chance(70) ? 1 : 1 + below(4);
	bool ok;

	if (chance(12))
		return replace();
	for (u32 i = 0; i < n; i++) {
		list[i].status = 77;
		at[i] = draw_unmap(&list[i].host_addr, &list[i].dev_bus_addr, &list[i].handle);
	}
	ok = note_result("grant unmap_grant_ref", grant_op(GNTTABOP_unmap_grant_ref, list, n));
	for (u32 i = 0; i < n; i++) {
		if (note_status(GRANT_UNMAP, list[i].status))
			took(at[i], list[i].host_addr, list[i].dev_bus_addr);
		else
			ok = false;
	}
	drop_ended();
	return ok;
}
