/* entries.c - what is put into tables: entries and descriptors that are right,
   nearly right, or anything. */
#include "random.h"

static u64 pool_entry(u32 p, u64 flags)
{
	return pool_frame[p] * PAGE_SIZE | flags;
}

static const u64 l1_flags[] = {
	POOL_WRITABLE, POOL_WRITABLE, POOL_WRITABLE, POOL_READONLY, PTE_P | PTE_RW | PTE_US, PTE_P,
	PTE_P | PTE_US | PTE_NX | PTE_RW | PTE_A | PTE_D, PTE_P | PTE_RW | 0x200, PTE_P | PTE_G | PTE_RW,
	PTE_P | PTE_US | PTE_G, PTE_P | PTE_RW | 0x7fUL << 52, PTE_P | PTE_GUEST_KERNEL | PTE_US, PTE_RW | PTE_US,
	PTE_P | PTE_RW | PTE_PCD, PTE_P | PTE_PWT, PTE_P | PTE_PS, PTE_P | PTE_RW | 0x7ffUL << 52, 0,
};

static const u64 table_flags[] = {
	PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D, PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D, PTE_P | PTE_RW | PTE_A | PTE_D,
	PTE_P | PTE_RW, PTE_P | PTE_US, PTE_P | PTE_RW | PTE_US | PTE_NX, PTE_P | PTE_RW | PTE_US | 0xe00,
	PTE_P, PTE_P | PTE_RW | PTE_US | 0x7ffUL << 52,
};

static const u64 bad_table_flags[] = {
	PTE_P | PTE_RW | PTE_US | PTE_PS, PTE_P | PTE_RW | PTE_US | PTE_G, PTE_P | PTE_RW | PTE_PCD,
	PTE_P | PTE_RW | PTE_PWT, PTE_RW | PTE_US, 0,
};

static u64 right_l1(void)
{
	u32 p = below(POOL);
	u64 flags = pick(l1_flags);

	/* A table can only be looked at. */
	if (pool_want[p] != DATA && !pool_is_writable(p) && !chance(10))
		flags &= ~PTE_RW;
	return pool_entry(p, flags);
}

static u64 right_table(u32 level)
{
	int p = draw_pool(level - 1);

	if (chance(8))		/* of the same level, which can be looked at */
		return pool_entry(draw_pool(level), PTE_P | PTE_US | PTE_A);
	if (p >= 0 && pool_is_writable(p))	/* once more for one that is ready */
		p = draw_pool(level - 1);
	return pool_entry(p, pick(table_flags));
}

static u64 nearly_right(u32 level)
{
	switch (below(4)) {
	case 0:
		return pool_entry(below(POOL), level == L1 ? draw() & (0xfffUL | PTE_NX) : pick(bad_table_flags));
	case 1:
		return pool_entry(below(POOL), pick(table_flags));
	case 2:
		return random_frame_of(FRAME_TABLE) * PAGE_SIZE | pick(table_flags);
	}
	return pool_entry(draw_pool(level), pick(table_flags));
}

u64 draw_entry(u32 level)
{
	u64 kind = below(100);

	if (level == DESCRIPTORS)
		return draw_descriptor();
	if (level == DATA)
		return chance(50) ? draw_word() : draw_entry(1 + below(4));
	if (kind < 10)
		return 0;
	if (kind < 72)
		return level == L1 ? right_l1() : right_table(level);
	if (kind < 86)
		return nearly_right(level);
	if (kind < 96)
		return draw_frame() * PAGE_SIZE | (chance(50) ? pick(l1_flags) : draw() & (0xfffUL | 0xfffUL << 52));
	return no_frame(draw());
}

u64 draw_descriptor(void)
{
	static const u64 good[] = {
		0, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affa000000ffff, 0x00af9a000000ffff, 0x00cffa000000ffff,
		0x00cff20000000fff, 0x0040f20000000000, 0x00cff7000000ffff, 0x00cf73000000ffff, 0x0000090000000067,
		0x00cffe000000ffff, 0x0000ec00e0330000, 0x0000000000000001, 0x0000800000001234,
	};
	static const u64 bad[] = {
		0x0000820000000067, 0x0000890000000067, 0x00008b0000000067, 0x00008e0000080000, 0x00008f0000080000,
		0x0000850000080000, 0x0000ec00e0081234, 0x0000ec0100081234, 0x0000ec0000081234, 0x0000840000080000,
	};
	u64 kind = below(100);

	if (kind < 70)
		return pick(good);
	if (kind < 85)
		return pick(bad);
	return kind < 92 ? no_frame(pick(good) ^ 1UL << below(64)) : draw_word();
}
