/* pages.c - page-table entries and pages for demos. */
#include "rules.h"

u8 test_pages[TEST_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* A table as the kernel sees it: through the M2P table and the boot mapping. */
static u64 *table_at(u64 entry)
{
	u64 pfn = ((const u64 *)M2P_START)[(entry & PTE_FRAME) / PAGE_SIZE];

	return (u64 *)(KERNEL_BASE + pfn * PAGE_SIZE);
}

u64 *pte_of(u64 va)
{
	u64 *table = (u64 *)start_info->pt_base;

	for (int shift = 39; shift > 12; shift -= 9) {
		u64 entry = table[va >> shift & 511];

		if (!(entry & PTE_P) || (entry & PTE_PS))
			return NULL;
		table = table_at(entry);
	}
	return &table[va >> 12 & 511];
}

long page_map(u64 va, const void *page, u64 flags)
{
	return page_set(va, flags ? frame_of(page) * PAGE_SIZE | flags : 0);
}
