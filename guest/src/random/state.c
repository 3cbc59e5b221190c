/* state.c - what operations work on: a pool of pages, windows to map them in, two
   roots to hook them into. How it begins, and how much of it is in the digest. */
#include "random.h"

u8 pool[POOL][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
u64 pool_frame[POOL];
u8 pool_want[POOL];
bool pool_pinned[POOL];
u64 root_frame, user_root_frame, current_root, current_user_root;
u64 own_gdt[GDT_ENTRIES] __attribute__((section(".tables,\"aw\",@nobits#"), aligned(PAGE_SIZE)));

const u16 slots[SLOTS] = { 1, 2, 3, 4, 8, 255, 300, 511 };
const u16 hooks[HOOKS] = { 2, 3, 300, 301 };
#define USER_HOOKS	2
#define L4_FIRST_XEN	256

static volatile u64 *pool_pte[POOL], *window_pte[WINDOWS];

u32 slot_of(u32 p, u32 n)
{
	return n == SLOTS - 1 && pool_want[p] == L4 ? 301 : slots[n];
}

u64 hook_space(u32 n)
{
	return (u64)hooks[n] << 39 | (hooks[n] >= L4_FIRST_XEN ? 0xffffUL << 48 : 0);
}

volatile u64 *hook_entry(u32 n)
{
	return (volatile u64 *)start_info->pt_base + hooks[n];
}

static volatile u64 *pte_place(u64 va)
{
	if (va >= pool_va(0) && va < pool_va(POOL))
		return pool_pte[(va - pool_va(0)) / PAGE_SIZE];
	if (va >= window(0) && va < window(WINDOWS))
		return window_pte[(va - window(0)) / PAGE_SIZE];
	return NULL;
}

u64 pte(u64 va)
{
	volatile u64 *at = pte_place(va);

	return at ? *at : 0;
}

/* Machine address of the kernel's own L1 entry. */
u64 pte_address(u64 va)
{
	volatile u64 *at = pte_place(va);

	return frame_of((void *)at) * PAGE_SIZE + ((u64)at & (PAGE_SIZE - 1));
}

bool pool_is_writable(u32 p)
{
	return (pte(pool_va(p)) & (PTE_FRAME | PTE_P | PTE_RW)) == (pool_frame[p] * PAGE_SIZE | PTE_P | PTE_RW);
}

bool pool_is_readonly(u32 p)
{
	return (pte(pool_va(p)) & (PTE_FRAME | PTE_P | PTE_RW)) == (pool_frame[p] * PAGE_SIZE | PTE_P);
}

int draw_pool(enum want want)
{
	u32 n = 0;

	for (u32 p = 0; p < POOL; p++)
		n += pool_want[p] == want;
	if (!n)
		return -1;
	n = below(n);
	for (u32 p = 0; p < POOL; p++)
		if (pool_want[p] == want && !n--)
			return p;
	return -1;
}

/* The bench kernel's top table of user mode: it is the table that maps the same
   there as the boot root and, being pinned, has Xen's slots in it. */
static u64 find_user_root(void)
{
	extern u64 tables_start[], tables_end[];
	const u64 *root = (const u64 *)start_info->pt_base;

	for (u64 *t = tables_start; t < tables_end; t += PAGE_SIZE / 8)
		if ((t[0] & PTE_FRAME) == (root[0] & PTE_FRAME) && t[260])
			return frame_of(t);
	panic("no top table for user mode");
}

void state_init(void)
{
	root_frame = frame_of((void *)start_info->pt_base);
	user_root_frame = find_user_root();
	for (u32 p = 0; p < POOL; p++) {
		pool_frame[p] = frame_of(pool[p]);
		area_map(VIEW_SLOT + p, pool_frame[p], PTE_NX);
		pool_pte[p] = pte_of(pool_va(p));
	}
	for (u32 n = 0; n < WINDOWS; n++)
		window_pte[n] = pte_of(window(n));
}

static void must(const char *what, long result)
{
	if (result >= 0)
		return;
	print("reset: %s: -%s\n", what, errno_name(result));
	panic("the state of the beginning could not be restored");
}

/* The slot that operations try in tables that are not theirs (tables.c). */
static void reset_boot_tables(void)
{
	const u64 *root = (const u64 *)start_info->pt_base;
	struct mmu_update clear[] = {
		{ root_frame * PAGE_SIZE + OTHER_SLOT * 8, 0 },
		{ user_root_frame * PAGE_SIZE + OTHER_SLOT * 8, 0 },
		{ (root[511] & PTE_FRAME) + OTHER_SLOT * 8, 0 },
		{ (root[0] & PTE_FRAME) + OTHER_SLOT * 8, 0 },
	};

	mmuext(MMUEXT_UNPIN_TABLE, start_info_frame, 0);
	must("boot tables", mmu_update(NULL, clear, ARRAY_LEN(clear), DOMID_SELF));
}

static void reset_roots(void)
{
	must("root", mmuext(MMUEXT_NEW_BASEPTR, root_frame, 0));
	must("user root", mmuext(MMUEXT_NEW_USER_BASEPTR, user_root_frame, 0));
	must("LDT", mmuext(MMUEXT_SET_LDT, 0, 0));
	must("no GDT", HYPERVISOR_set_gdt(NULL, 0));
	current_root = root_frame;
	current_user_root = user_root_frame;
	reset_boot_tables();
	for (u32 n = 0; n < HOOKS; n++) {
		struct mmu_update one[2] = {
			{ root_frame * PAGE_SIZE + hooks[n] * 8, 0 },
			{ user_root_frame * PAGE_SIZE + hooks[n] * 8, 0 },
		};

		must("hook", mmu_update(NULL, one, 2, DOMID_SELF));
	}
}

/* A table that is not in use is a page like any other, and may hold anything. */
static void reset_gdt(void)
{
	u64 frame = frame_of(own_gdt);

	mmuext(MMUEXT_UNPIN_TABLE, frame, 0);		/* mostly it is not pinned */
	must("map GDT", page_set((u64)own_gdt, frame * PAGE_SIZE | POOL_WRITABLE));
	memset(own_gdt, 0, sizeof(own_gdt));
	must("protect GDT", page_set((u64)own_gdt, frame * PAGE_SIZE | POOL_READONLY));
	must("GDT", HYPERVISOR_set_gdt(&frame, GDT_ENTRIES));
}

static void map_writable(u32 p)
{
	u64 e = pool_frame[p] * PAGE_SIZE | POOL_WRITABLE;

	/* A page that a failed validation has left half validated is freed by
	   one of the same type. */
	for (u32 l = 0; l < 4 && page_set(pool_va(p), e) < 0; l++)
		if (mmuext(MMUEXT_PIN_L1_TABLE + l, pool_frame[p], 0) >= 0)
			mmuext(MMUEXT_UNPIN_TABLE, pool_frame[p], 0);
	must("map", page_set(pool_va(p), e));
}

void state_reset(void)
{
	struct mmu_update m2p[POOL];

	reset_roots();
	for (u32 n = 0; n < WINDOWS; n++)
		must("window", page_set(window(n), 0));
	for (u32 p = 0; p < POOL; p++) {
		m2p[p] = (struct mmu_update){ pool_frame[p] * PAGE_SIZE | MMU_MACHPHYS_UPDATE,
					      (pool_va(p) - KERNEL_BASE) / PAGE_SIZE };
		if (pool_pinned[p])
			must("unpin", mmuext(MMUEXT_UNPIN_TABLE, pool_frame[p], 0));
		pool_pinned[p] = false;
	}
	must("machine to physical table", mmu_update(NULL, m2p, POOL, DOMID_SELF));
	/* First all mappings that may be of another page, then its own. */
	for (u32 p = 0; p < POOL; p++)
		must("unmap", page_set(pool_va(p), 0));
	for (u32 p = 0; p < POOL; p++) {
		map_writable(p);
		memset(pool[p], 0, PAGE_SIZE);
	}
	for (u32 p = 0; p < POOL; p++) {
		static const u8 wants[] = { DATA, DATA, L1, L1, L1, L1, L2, L2, L2, L3, L3, L4, L4, DESCRIPTORS };

		/* One of each at least. */
		pool_want[p] = p <= DESCRIPTORS ? p : pick(wants);
	}
	reset_gdt();
}

void state_digest(void)
{
	for (u32 p = 0; p < POOL; p++) {
		mix(entry_key(*pool_pte[p]));
		mix(entry_key(((const u64 *)M2P_START)[pool_frame[p]]));
		for (u32 n = 0; n < SLOTS; n++) {
			u64 e = pool_view(p)[slot_of(p, n)];

			if (e)
				mix(entry_key(e) ^ p << 4 ^ n);
		}
	}
	for (u32 n = 0; n < WINDOWS; n++)
		mix(entry_key(*window_pte[n]));
	for (u32 n = 0; n < HOOKS; n++)
		mix(entry_key(*hook_entry(n)));
}

void state_show(void)
{
	for (u32 p = 0; p < POOL; p++) {
		note_begin();
		note("p%u: want %u, itself ", p, pool_want[p]);
		note_entry(*pool_pte[p]);
		for (u32 n = 0; n < SLOTS; n++)
			if (pool_view(p)[slot_of(p, n)]) {
				note(" [%u]=", slot_of(p, n));
				note_entry(pool_view(p)[slot_of(p, n)]);
			}
		print("    %s\n", noted());
	}
	note_begin();
	note("windows");
	for (u32 n = 0; n < WINDOWS; n++) {
		note(" ");
		note_entry(*window_pte[n]);
	}
	note("; hooks");
	for (u32 n = 0; n < HOOKS; n++) {
		note(" ");
		note_entry(*hook_entry(n));
	}
	print("    %s\n", noted());
}

static const char *short_result(long r)
{
	return r < 0 ? errno_name(r) : "y";
}

void state_probe(u32 p)
{
	u64 at = area_address(PROBE_SLOT);

	note(" p%u:w=%s", p, short_result(page_set(at, pool_frame[p] * PAGE_SIZE | POOL_WRITABLE)));
	page_set(at, 0);
}

void state_probe_deep(bool show)
{
	for (u32 p = 0; p < POOL; p++) {
		note_begin();
		state_probe(p);
		for (u32 l = 1; l <= 4; l++) {
			long r = mmuext(MMUEXT_PIN_L1_TABLE + l - 1, pool_frame[p], 0);

			note(" L%u=%s", l, short_result(r));
			if (r >= 0)
				mmuext(MMUEXT_UNPIN_TABLE, pool_frame[p], 0);
		}
		/* A root's slots of Xen lead to frames of no role. */
		for (u32 n = 0; n < PAGE_SIZE / 8; n++)
			if (pool_view(p)[n] && (n < 256 || n > 271))
				mix(entry_key(pool_view(p)[n]) + n);
		note(" %lx", mixed(0));
		log_line();
		if (show)
			print("end:%s\n", noted());
	}
}

static u64 slot_in(u64 frame, u32 index)
{
	int p = pool_of(frame);

	if (p >= 0)
		return pool_view(p)[index];
	if (frame == root_frame)
		return ((volatile u64 *)start_info->pt_base)[index];
	return UNKNOWN_FRAME;
}

u64 resolve(u64 va)
{
	u64 frame = current_root;

	if (pte_place(va)) {
		u64 e = pte(va);

		return e & PTE_P ? (e & PTE_FRAME) / PAGE_SIZE : NO_FRAME;
	}
	if ((long)va >> 47 != 0 && (long)va >> 47 != -1)
		return NO_FRAME;
	for (int shift = 39; shift >= 12; shift -= 9) {
		u64 e = slot_in(frame, va >> shift & 511);

		if (e == UNKNOWN_FRAME)
			return e;
		if (!(e & PTE_P))
			return NO_FRAME;
		frame = (e & PTE_FRAME) / PAGE_SIZE;
	}
	return frame;
}

u64 draw_address(void)
{
	u64 offset = slots[below(SLOTS)] * 8;
	u64 where = below(10);

	if (chance(6))
		offset = (offset + below(8)) & (PAGE_SIZE - 1);
	if (where < 3)
		return pool_va(below(POOL)) + offset;
	if (where < 6)
		return window(below(WINDOWS)) + offset;
	if (where < 9 || chance(70))
		return hook_space(below(HOOKS)) + ((u64)slots[below(TOUCHED_SLOTS)] << 30) +
		       ((u64)slots[below(TOUCHED_SLOTS)] << 21) + ((u64)slots[below(TOUCHED_SLOTS)] << 12) + offset;
	return draw_bad_pointer();
}

void note_place(u64 va)
{
	if (va >= pool_va(0) && va < pool_va(POOL))
		note("p%u+%lx", (u32)((va - pool_va(0)) / PAGE_SIZE), va & (PAGE_SIZE - 1));
	else if (va >= window(0) && va < window(WINDOWS))
		note("window%u+%lx", (u32)((va - window(0)) / PAGE_SIZE), va & (PAGE_SIZE - 1));
	else
		note("%lx", va);
}
