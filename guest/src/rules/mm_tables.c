/* mm_tables.c - page tables of the demos' own, and single updates. */
#include "mm.h"

#define OWN u64 __attribute__((aligned(PAGE_SIZE)))

OWN own_l1[TABLE_ENTRIES];
OWN own_l2[TABLE_ENTRIES];
OWN own_l3[TABLE_ENTRIES];
OWN own_l4[TABLE_ENTRIES];

static u64 *const own[] = { own_l1, own_l2, own_l3, own_l4 };

extern u64 tables_start[], tables_end[];

u64 *boot_table(void)
{
	return (u64 *)start_info->pt_base;
}

/* The bench kernel keeps its name to itself: it is the table among its own that
   maps user mode and, being pinned, has Xen's slots in it. */
u64 *user_table(void)
{
	for (u64 *t = tables_start; t < tables_end; t += TABLE_ENTRIES)
		if ((t[0] & PTE_FRAME) == (boot_table()[0] & PTE_FRAME) && t[L4_PER_DOMAIN])
			return t;
	panic("no top table for user mode");
}

const u64 *descriptor_page(void)
{
	for (u64 *t = tables_start; t < tables_end; t += TABLE_ENTRIES)
		if (t[GDT_ABSENT_DS / 8] == DESC_ABSENT_DS)
			return t;
	panic("no descriptor page");
}

u64 machine(const void *p)
{
	return frame_of(p) * PAGE_SIZE | ((u64)p & (PAGE_SIZE - 1));
}

u64 entry_for(const void *page, u64 flags)
{
	return frame_of(page) * PAGE_SIZE | flags;
}

void own_fill(void)
{
	own_l1[0] = entry_for(test_pages[0], PAGE_WRITABLE);
	own_l2[0] = entry_for(own_l1, TABLE_FLAGS);
	own_l3[0] = entry_for(own_l2, TABLE_FLAGS);
	own_l4[L4_FREE] = entry_for(own_l3, TABLE_FLAGS);
	own_l4[0] = boot_table()[0];
	own_l4[TABLE_ENTRIES - 1] = boot_table()[TABLE_ENTRIES - 1];
}

long table_map(u64 *table, u64 flags)
{
	return page_map((u64)table, table, flags);
}

long own_protect(void)
{
	for (u32 i = 0; i < ARRAY_LEN(own); i++) {
		long result = table_map(own[i], PAGE_READONLY);

		if (result)
			return result;
	}
	return 0;
}

void own_release(void)
{
	for (u32 i = 0; i < ARRAY_LEN(own); i++)
		if (table_map(own[i], PAGE_WRITABLE) < 0)
			say("own L%u is still a table", i + 1);
		else
			memset(own[i], 0, PAGE_SIZE);
}

long update(u64 *slot, u64 value)
{
	struct mmu_update u = { machine(slot), value };
	u32 done;

	return HYPERVISOR_mmu_update(&u, 1, &done);
}

long ext_op(u32 cmd, u64 mfn, u64 arg2)
{
	struct mmuext_op op = { cmd, mfn, arg2 };
	u32 done;

	return HYPERVISOR_mmuext_op(&op, 1, &done);
}
