/* seg.c - SEG: descriptor tables and segment registers. */
#include "seg.h"

u64 *seg_page(u32 page, const u64 *descs, u32 n)
{
	u64 *table = (u64 *)test_pages[page];

	memset(table, 0, PAGE_SIZE);
	memcpy(table, descs, n * sizeof(*descs));
	say_result("making its page read-only", page_map((u64)table, table, PAGE_READONLY));
	return table;
}

long seg_use(const void *page, u32 entries)
{
	u64 frame = frame_of(page);

	return HYPERVISOR_set_gdt(&frame, entries);
}

/* The kernel's own table is known by its one descriptor (paging.c). */
void seg_restore(void)
{
	extern char tables_start[], tables_end[];

	for (char *page = tables_start; page < tables_end; page += PAGE_SIZE)
		if (((u64 *)page)[GDT_ABSENT_DS / 8] == DESC_ABSENT_DS) {
			if (seg_use(page, 512) < 0)
				panic("the kernel's GDT was refused");
			return;
		}
	panic("the kernel's GDT was not found");
}

u64 seg_machine_address(const void *p)
{
	return frame_of(p) * PAGE_SIZE + (u64)p % PAGE_SIZE;
}

ATTEMPT(seg_mov_ds, "mov %ebx, %ds");

void seg_load_ds(const char *what, u16 selector)
{
	struct attempt a = ATTEMPT_ROW(what, seg_mov_ds);
	struct start s = attempt_start(&a, false);
	struct record *r;

	s.gpr[RBX] = selector;
	r = go(&s, NULL);
	say("%s: MOV of %x to DS: %s%s%s", what, selector, outcome(&a, r),
	    went_through(&a, r) ? ", then DS is " : "", went_through(&a, r) ? named(r->ds) : "");
	asm volatile("mov %0, %%ds" : : "r"(0));
}

const struct demo seg_demos[] = {
	{ "SEG-01", FACT, seg_01 },
	{ "SEG-02", BREAKABLE, seg_02, seg_02_bad },
	{ "SEG-03", BREAKABLE, seg_03, seg_03_bad },
	{ "SEG-04", FACT, seg_04 },
	{ "SEG-05", FACT, seg_05 },
	{ "SEG-06", BREAKABLE, seg_06, seg_06_bad },
	{ "SEG-07", FACT, seg_07 },
	{ "SEG-08", FACT, seg_08 },
	{}
};
