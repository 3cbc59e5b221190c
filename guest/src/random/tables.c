/* tables.c - page tables changed by mmu_update and update_va_mapping, and the
   steps that make tables of ordinary pages. */
#include "random.h"

/* An entry that mmu_update may name: of a pool page, a hook of a root, or of the
   kernel's own mapping of a pool page or window. The wanted level is given. */
static u64 draw_place(u32 *level)
{
	u64 kind = below(100);
	u32 p, n;

	if (kind < 70) {
		p = below(POOL);
		n = slot_of(p, below(SLOTS));
		*level = pool_want[p];
		note(" p%u[%u]", p, n);
		return pool_frame[p] * PAGE_SIZE + n * 8;
	}
	if (kind < 82) {
		n = below(HOOKS);
		*level = L4;
		if (chance(75)) {
			note(" root[%u]", hooks[n]);
			return root_frame * PAGE_SIZE + hooks[n] * 8;
		}
		n &= 1;
		note(" user-root[%u]", hooks[n]);
		return user_root_frame * PAGE_SIZE + hooks[n] * 8;
	}
	*level = L1;
	if (kind < 95) {
		u64 va = chance(50) ? window(below(WINDOWS)) : pool_va(below(POOL));

		note(" pte of ");
		note_place(va);
		return pte_address(va);
	}
	if (kind < 97) {
		n = 256 + below(16);
		note(" root[%u]", n);
		return root_frame * PAGE_SIZE + n * 8;
	}
	u64 frame = draw_other_frame();

	if (frame == start_info->shared_info / PAGE_SIZE)
		frame = start_info_frame;	/* Xen writes there, too */
	note(" %s[%u]", frame_name(frame), OTHER_SLOT);
	return frame * PAGE_SIZE + OTHER_SLOT * 8;
}

static const u64 domains[] = {
	0, DOMID_SELF, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, 1, 0x7fff, 0xffff,
	1UL << 16 | DOMID_SELF, 2UL << 16 | DOMID_SELF, 0x8000UL << 16 | DOMID_SELF, 1UL << 40 | DOMID_SELF,
};

static u64 draw_domain(void)
{
	u64 domain = chance(93) ? DOMID_SELF : pick(domains);

	if (domain != DOMID_SELF)
		note(" domain %lx", domain);
	return domain;
}

static bool op_mmu_update(void)
{
	static const char *const names[] = {
		"mmu_update normal", "mmu_update machphys", "mmu_update preserve_ad", "mmu_update no_translate",
		"mmu_update 4", "mmu_update 5", "mmu_update 6", "mmu_update 7",
	};
	struct mmu_update list[3];
	u32 count = chance(80) ? 1 : 1 + below(3), level, cmd = 0;
	u64 domain, done = ~0UL;
	bool ok;

	for (u32 i = 0; i < count; i++) {
		cmd = chance(75) ? MMU_NORMAL_PT_UPDATE : chance(60) ? MMU_PT_UPDATE_PRESERVE_AD : below(8);
		if (i)
			note(",");
		list[i].ptr = draw_place(&level);
		list[i].val = draw_entry(level ? level : chance(70) ? DATA : 1 + below(4));
		if (cmd == MMU_MACHPHYS_UPDATE) {
			u32 p = below(POOL);

			note(" machphys p%u", p);
			list[i].ptr = pool_frame[p] * PAGE_SIZE;
		}
		list[i].ptr |= cmd;
		note(" cmd %u ", cmd);
		note_entry(list[i].val);
	}
	domain = draw_domain();
	if (chance(97))
		ok = note_result(names[cmd], mmu_update(&done, list, count, domain));
	else if (chance(50))
		ok = note_result("mmu_update list", mmu_update(&done, (void *)draw_bad_pointer(), count, domain));
	else
		ok = note_result("mmu_update done", mmu_update((void *)draw_bad_pointer(), list, count, domain));
	note(" done %lx", done & 0xffffffff);
	return ok;
}

static bool op_update_va(void)
{
	static const u64 flags[] = { 0, UVMF_TLB_FLUSH, UVMF_INVLPG, 3, UVMF_INVLPG | 4, UVMF_TLB_FLUSH | 4, 7, 9, 0x1000 };
	u64 va = draw_address() & ~(u64)(PAGE_SIZE - 1), e, how = chance(70) ? UVMF_INVLPG : pick(flags), domain;
	int p = va >= pool_va(0) && va < pool_va(POOL) ? (va - pool_va(0)) / PAGE_SIZE : -1;

	/* Other pages of the kernel's mapping area stay as they are. */
	if (va >= AREA_BASE && va < AREA_BASE + (1UL << 21) && (va < window(0) || va >= window(WINDOWS)))
		va = window(0);
	if (p >= 0 && chance(60))	/* its own page, with other rights */
		e = pool_frame[p] * PAGE_SIZE | (chance(pool_want[p] == DATA ? 70 : 40) ? POOL_WRITABLE : POOL_READONLY);
	else
		e = draw_entry(L1);
	note(" ");
	note_place(va);
	note(" ");
	note_entry(e);
	note(" flags %lx", how);
	if (chance(96))
		return note_result("update_va_mapping", HYPERVISOR_update_va_mapping(va, e, how));
	domain = chance(50) ? DOMID_SELF : pick(domains);
	note(" domain %lx", domain);
	return note_result("update_va_mapping_otherdomain",
			   hypercall(__HYPERVISOR_update_va_mapping_otherdomain, va, e, how, domain, 0));
}

/* Entries of a writable page: as for a table of the kind wanted. */
static bool fill(u32 p)
{
	u32 n = 1 + below(3);

	note(" fill p%u", p);
	while (n--) {
		u32 slot = slot_of(p, below(SLOTS));
		u64 e = pool_want[p] == L1 || pool_want[p] == DESCRIPTORS || chance(80) ? draw_entry(pool_want[p]) : 0;

		((u64 *)pool[p])[slot] = e;
		note(" [%u]=", slot);
		note_entry(e);
	}
	return true;
}

static void pin_level(u32 p, u32 level, bool *ok)
{
	static const char *const names[] = {
		"mmuext_op pin_l1", "mmuext_op pin_l2", "mmuext_op pin_l3", "mmuext_op pin_l4",
	};

	note(" p%u L%u", p, level);
	*ok = note_result(names[level - 1], mmuext(MMUEXT_PIN_L1_TABLE + level - 1, pool_frame[p], 0));
	pool_pinned[p] |= *ok;
}

/* The next step of making a table, for a page that is to be one. */
static bool op_build(void)
{
	u32 p = below(POOL), level;
	u64 e;
	bool ok;

	for (u32 i = 0; i < 3 && pool_want[p] == DATA; i++)
		p = below(POOL);
	level = pool_want[p];
	if (pool_is_writable(p) && chance(50))
		return fill(p);
	if (pool_is_writable(p)) {
		note(" protect p%u", p);
		return note_result("update_va_mapping", HYPERVISOR_update_va_mapping(pool_va(p),
				   pool_frame[p] * PAGE_SIZE | POOL_READONLY, UVMF_INVLPG));
	}
	if (!pool_is_readonly(p) || chance(15)) {
		note(" own mapping of p%u", p);
		return note_result("update_va_mapping", HYPERVISOR_update_va_mapping(pool_va(p),
				   pool_frame[p] * PAGE_SIZE | POOL_WRITABLE, UVMF_INVLPG));
	}
	if (level == DATA || level == DESCRIPTORS)
		level = 1 + below(4);
	if (level == L3 && chance(50)) {
		struct mmu_update one;
		u32 n = below(HOOKS);
		u64 done = 0;

		e = pool_frame[p] * PAGE_SIZE | PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D;
		one = (struct mmu_update){ root_frame * PAGE_SIZE + hooks[n] * 8, e };
		note(" hook p%u to root[%u]", p, hooks[n]);
		return note_result("mmu_update normal", mmu_update(&done, &one, 1, DOMID_SELF));
	}
	if (pool_pinned[p]) {
		note(" unpin p%u", p);
		ok = note_result("mmuext_op unpin", mmuext(MMUEXT_UNPIN_TABLE, pool_frame[p], 0));
		pool_pinned[p] &= !ok;
		return ok;
	}
	pin_level(p, level, &ok);
	return ok;
}

/* A whole root: the kernel's part copied, so that it can be loaded. */
static bool op_clone_root(void)
{
	int p = draw_pool(L4);
	const u64 *from = (const u64 *)start_info->pt_base;
	u64 *to = (u64 *)pool[p];
	bool ok;

	note(" root to p%u", p);
	if (!pool_is_writable(p)) {
		note(": not writable");
		return false;
	}
	for (u32 n = 0; n < PAGE_SIZE / 8; n++)
		to[n] = n >= 256 && n < 272 ? 0 : from[n];
	note_result("update_va_mapping", HYPERVISOR_update_va_mapping(pool_va(p),
		    pool_frame[p] * PAGE_SIZE | POOL_READONLY, UVMF_INVLPG));
	pin_level(p, L4, &ok);
	return ok;
}

const struct operation table_operations[] = {
	{ "mmu_update", 22, op_mmu_update },
	{ "update_va_mapping", 14, op_update_va },
	{ "build", 26, op_build },
	{ "clone root", 2, op_clone_root },
	{}
};
