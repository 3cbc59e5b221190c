/* mm_entries.c - MM: what an entry may hold, and what Xen makes of it. */
#include "mm.h"

/* The bits of an entry that are neither its frame nor P. */
#define FLAG_BITS	(0xffeUL | 0xfff0000000000000)

static u64 *const tables[] = { own_l1, own_l2, own_l3, own_l4 };
static const void *const targets[] = { test_pages[0], own_l1, own_l2, own_l3 };

/* A slot of the table of a level that is not in use, and an entry for it. */
static u64 *free_slot(u32 level)
{
	return &tables[level - 1][level == 4 ? L4_FREE + 1 : 1];
}

static u64 entry_of(u32 level, u64 flags)
{
	return entry_for(targets[level - 1], PTE_P | flags);
}

static void begin(void)
{
	own_fill();
	own_protect();
	if (pin(MMUEXT_PIN_L4_TABLE, own_l4) < 0)
		say("the tables were refused");
}

static void end(void)
{
	unpin(own_l4);
	own_release();
}

/* Each flag by itself, in each level; dom0 may choose the cache type as well. */
static u64 accepted(u32 level)
{
	u64 bits = 0;

	for (u32 i = 1; i < 64; i++) {
		u64 bit = 1UL << i;

		if (FLAG_BITS & bit && update(free_slot(level), entry_of(level, bit)) == 0)
			bits |= bit;
		update(free_slot(level), 0);
	}
	return bits;
}

void mm_03(void)
{
	begin();
	for (u32 level = 1; level <= 4; level++)
		say("L%u takes the flags %lx", level, accepted(level));
	say_result("all that every level takes",
		   update(free_slot(2), entry_of(2, TABLE_FLAGS | PTE_AVAIL | PTE_NX | 0x7ffUL << 52)));
	update(free_slot(2), 0);
	end();
}

void mm_03_bad(void)
{
	static const struct { const char *name; u64 flag; } refused[] = {
		{ "PWT", PTE_PWT }, { "PCD", PTE_PCD }, { "PS", PTE_PS }, { "G", PTE_G },
	};

	begin();
	for (u32 level = 2; level <= 4; level++)
		for (u32 i = 0; i < ARRAY_LEN(refused); i++) {
			long result = update(free_slot(level), entry_of(level, TABLE_FLAGS | refused[i].flag));

			say("L%u with %s = -%s", level, refused[i].name, errno_name(result));
		}
	say_result("G added to an L2 entry in use", update(own_l2, own_l2[0] | PTE_G));
	say_result("A and D taken from it", update(own_l2, own_l2[0] & ~(u64)(PTE_A | PTE_D)));
	end();
	own_fill();
	own_l3[1] = entry_for(own_l2, TABLE_FLAGS | PTE_PCD);
	own_protect();
	say_result("pin an L3 with PCD in slot 1", pin(MMUEXT_PIN_L3_TABLE, own_l3));
	own_release();
}

static void rewritten(u32 level, u64 flags)
{
	u64 *slot = free_slot(level), stored;
	long result = update(slot, entry_of(level, flags & ~1UL));

	stored = *slot;
	say("L%u %lx is stored as %lx (%s)", level, flags, PTE_FLAGS(stored),
	    result ? errno_name(result) : "0");
	result = update(slot, stored);
	if (result || *slot != stored)
		say("L%u is not stable: %lx", level, PTE_FLAGS(*slot));
	update(slot, 0);
}

void mm_04(void)
{
	static const u64 flags[] = {
		PTE_P | PTE_RW | PTE_A | PTE_D, PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D, PTE_P,
		PTE_P | PTE_US, PTE_P | PTE_G, PTE_P | PTE_US | PTE_G,
		PTE_P | PTE_US | PTE_GUEST_KERNEL, PTE_P | PTE_GUEST_KERNEL | PTE_G, PTE_P | PTE_AVAIL,
	};
	u64 absent = entry_for(test_pages[0], PTE_RW | PTE_A);

	begin();
	for (u32 i = 0; i < ARRAY_LEN(flags); i++)
		rewritten(1, flags[i]);
	for (u32 level = 2; level <= 4; level++) {
		rewritten(level, PTE_P);
		rewritten(level, PTE_P | PTE_RW | PTE_AVAIL);
	}
	update(free_slot(1), absent);
	say("an entry without P is %s", *free_slot(1) == absent ? "kept as it is" : "rewritten");
	update(free_slot(1), 0);
	end();
	/* A table that is pinned has its entries rewritten in place. */
	own_l1[5] = entry_for(test_pages[0], PTE_P | PTE_RW);
	own_l1[6] = entry_for(test_pages[0], PTE_P | PTE_US);
	table_map(own_l1, PAGE_READONLY);
	pin(MMUEXT_PIN_L1_TABLE, own_l1);
	say("in a pinned L1 3 became %lx, 5 became %lx", PTE_FLAGS(own_l1[5]), PTE_FLAGS(own_l1[6]));
	unpin(own_l1);
	say("and after the unpin %lx and %lx", PTE_FLAGS(own_l1[5]), PTE_FLAGS(own_l1[6]));
	own_release();
}

/* Slots 256 to 271 of a top table are Xen's. */
static void slots_of_fresh_l4(void)
{
	u64 kept = 0, filled = 0;

	own_fill();
	for (u32 i = L4_FIRST_XEN; i <= L4_LAST_XEN; i++)
		own_l4[i] = 0xbad0 | i;	/* not present */
	own_l4[260] = entry_for(test_pages[0], TABLE_FLAGS);	/* no table at all */
	own_protect();
	say_result("pin an L4 with rubbish in Xen's slots", pin(MMUEXT_PIN_L4_TABLE, own_l4));
	for (u32 i = L4_FIRST_XEN; i <= L4_LAST_XEN; i++) {
		kept += own_l4[i] == (0xbad0 | i);
		filled += own_l4[i] & PTE_P;
	}
	say("slots that kept it: %lu, that Xen uses: %s", kept, filled ? "some" : "none");
}

static void m2p_slot(const char *when)
{
	say("slot 256, the M2P table's, %s: %s", when, own_l4[L4_FIRST_XEN] ? "filled" : "empty");
}

void mm_12(void)
{
	u64 l3;

	slots_of_fresh_l4();
	m2p_slot("before the L4 is loaded");
	ext_op(MMUEXT_NEW_BASEPTR, frame_of(own_l4), 0);
	m2p_slot("as the kernel's root");
	ext_op(MMUEXT_NEW_BASEPTR, frame_of(boot_table()), 0);
	m2p_slot("after that");
	l3 = entry_for(own_l3, TABLE_FLAGS);
	say_result("slot 255", update(&own_l4[255], l3));
	say_result("slot 272", update(&own_l4[272], l3));
	end();
}

void mm_12_bad(void)
{
	static const u32 slots[] = { 256, 257, 260, 262, 271 };

	begin();
	for (u32 i = 0; i < ARRAY_LEN(slots); i++) {
		long present = update(&own_l4[slots[i]], entry_for(own_l3, TABLE_FLAGS));

		say("slot %u = -%s, cleared = -%s", slots[i], errno_name(present),
		    errno_name(update(&own_l4[slots[i]], 0)));
	}
	say_result("slot 260 of the current L4", update(&boot_table()[260], entry_for(own_l3, TABLE_FLAGS)));
	end();
}

/* Frames to map: one of our own is taken, others are not. */
static void map_frame(const char *what, u64 frame, u64 flags)
{
	say_result(what, page_set(area_address(TEST_SLOT), frame * PAGE_SIZE | flags));
	page_set(area_address(TEST_SLOT), 0);
}

void mm_13(void)
{
	map_frame("own frame, writable", frame_of(test_pages[0]), PAGE_WRITABLE);
	map_frame("shared_info, writable", start_info->shared_info / PAGE_SIZE, PAGE_WRITABLE);
	map_frame("an I/O page, by dom0", 0xfed00, PAGE_READONLY);
}

/* A frame of Xen's: where the kernel finds the M2P table. */
static u64 frame_of_xen(void)
{
	u64 frame = 0;
	struct { u32 max, pad; u64 *list; u32 n; } mfns = { 1, 0, &frame, 0 };

	if (HYPERCALL(__HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, &mfns, 0, 0) || !mfns.n)
		panic("no list of the M2P table");
	return frame;
}

void mm_13_bad(void)
{
	map_frame("local APIC", 0xfee00, PAGE_READONLY);
	map_frame("frame of all ones", PTE_FRAME / PAGE_SIZE, PAGE_READONLY);
	map_frame("Xen's frame, read-only", frame_of_xen(), PAGE_READONLY);
	map_frame("Xen's frame, writable", frame_of_xen(), PAGE_WRITABLE);
	map_frame("frame 0", 0, PAGE_READONLY);
	own_l2[0] = 0xfed00000 | TABLE_FLAGS;
	table_map(own_l2, PAGE_READONLY);
	say_result("pin an L2 whose L1 is an I/O page", pin(MMUEXT_PIN_L2_TABLE, own_l2));
	own_release();
}

/* Entries without P are the guest's: Xen does not look at them, in dom0. */
void mm_19(void)
{
	static const struct { const char *what; u64 value; } entries[] = {
		{ "all bits but P", ~1UL },
		{ "a swap entry", 0x00000012345e0 },
		{ "an L1TF gadget, the address of RAM", 0x0000000000100000 },
		{ "with PS", PTE_PS },
	};

	begin();
	for (u32 i = 0; i < ARRAY_LEN(entries); i++)
		for (u32 level = 1; level <= 2; level++) {
			u64 *slot = free_slot(level);
			long result = update(slot, entries[i].value);

			say("L%u %s = %s, %s", level, entries[i].what, result ? errno_name(result) : "0",
			    *slot == entries[i].value ? "kept" : "not kept");
			update(slot, 0);
		}
	end();
}

void mm_24(void)
{
	catch_all();
	begin();
	say_result("hook tables down to a page of 4 KiB",
		   update(&boot_table()[L4_FREE], entry_for(own_l3, TABLE_FLAGS)));
	test_pages[0][0] = 0x24;
	say("the page at its new address holds %x", *(volatile u8 *)OWN_SPACE);
	update(&boot_table()[L4_FREE], 0);
	end();
}

void mm_24_bad(void)
{
	u64 large = frame_of(test_pages[0]) * PAGE_SIZE;

	begin();
	say_result("2 MiB page in L2", update(free_slot(2), (large & ~0x1fffffUL) | TABLE_FLAGS | PTE_PS));
	say_result("1 GiB page in L3", update(free_slot(3), (large & ~0x3fffffffUL) | TABLE_FLAGS | PTE_PS));
	end();
	own_l2[0] = (large & ~0x1fffffUL) | TABLE_FLAGS | PTE_PS;
	table_map(own_l2, PAGE_READONLY);
	say_result("pin an L2 with a 2 MiB page", pin(MMUEXT_PIN_L2_TABLE, own_l2));
	own_release();
}
