/* mm_types.c - MM: one type a page at a time, pins, and what a table forbids. */
#include "mm.h"

/* A page is a table only while no entry maps it writable. */
void mm_01(void)
{
	own_l1[0] = entry_for(test_pages[0], PAGE_WRITABLE);
	say_result("mapped read-only", table_map(own_l1, PAGE_READONLY));
	say_result("pinned as L1", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("unpinned", unpin(own_l1));
	say_result("mapped writable again", table_map(own_l1, PAGE_WRITABLE));
	own_l1[0] = 0;
	say_result("emptied and mapped read-only", table_map(own_l1, PAGE_READONLY));
	say_result("pinned as L2", pin(MMUEXT_PIN_L2_TABLE, own_l1));
	say_result("unpinned", unpin(own_l1));
	own_release();
}

void mm_01_bad(void)
{
	say_result("pinned as L1 while mapped writable", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("mapped read-only", table_map(own_l1, PAGE_READONLY));
	say_result("pinned as L1", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("pinned as L2 while an L1", pin(MMUEXT_PIN_L2_TABLE, own_l1));
	say_result("mapped writable while an L1", table_map(own_l1, PAGE_WRITABLE));
	say_result("unpinned", unpin(own_l1));
	own_release();
}

static void map_types(u64 flags)
{
	u64 alias = area_address(TEST_SLOT);

	table_map(own_l1, PAGE_READONLY);
	pin(MMUEXT_PIN_L1_TABLE, own_l1);
	say_result("map an L1", page_map(alias, own_l1, flags));
	say_result("map the current L4", page_map(alias, boot_table(), flags));
	say_result("map a page of the GDT", page_map(alias, descriptor_page(), flags));
	say_result("map a data page", page_map(alias, test_pages[0], flags));
	page_map(alias, NULL, 0);
	unpin(own_l1);
	own_release();
}

void mm_02(void)
{
	say("read-only:");
	map_types(PAGE_READONLY);
}

void mm_02_bad(void)
{
	say("writable:");
	map_types(PAGE_WRITABLE);
}

/* Each level is pinned and unpinned by itself. The pin of a table takes what its
   entries lead to with it. */
void mm_07(void)
{
	own_fill();
	own_protect();
	say_result("pin L1", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("pin L2", pin(MMUEXT_PIN_L2_TABLE, own_l2));
	say_result("pin L3", pin(MMUEXT_PIN_L3_TABLE, own_l3));
	say_result("pin L4", pin(MMUEXT_PIN_L4_TABLE, own_l4));
	say_result("unpin L1", unpin(own_l1));
	say_result("unpin L2", unpin(own_l2));
	say_result("unpin L3", unpin(own_l3));
	say_result("map L1 writable while L4 leads to it", table_map(own_l1, PAGE_WRITABLE));
	say_result("unpin L4", unpin(own_l4));
	own_release();
}

void mm_07_bad(void)
{
	own_fill();
	own_l1[2] = entry_for(test_pages[1], PTE_P | PTE_RW);
	own_l1[3] = entry_for(boot_table(), PAGE_WRITABLE);
	own_l1[4] = entry_for(test_pages[2], PTE_P | PTE_RW);
	own_protect();
	say_result("unpin what is not pinned", unpin(own_l1));
	say_result("pin an L1 whose slot 3 maps a table writable", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say("slot 2 reads back with %lx, slot 4 with %lx", PTE_FLAGS(own_l1[2]), PTE_FLAGS(own_l1[4]));
	say_result("pin an L2 above it", pin(MMUEXT_PIN_L2_TABLE, own_l2));
	say_result("pin an L4 above it", pin(MMUEXT_PIN_L4_TABLE, own_l4));
	table_map(own_l1, PAGE_WRITABLE);
	own_l1[3] = 0;
	table_map(own_l1, PAGE_READONLY);
	say_result("pin the L1 without slot 3", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("pin it again", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("unpin", unpin(own_l1));
	say_result("unpin again", unpin(own_l1));
	own_release();
}

/* The order that works: fill, take every writable mapping away, then use it. */
static void build(bool drop_alias)
{
	u64 alias = area_address(TEST_SLOT);

	own_fill();
	say_result("a second, writable mapping of L1", page_map(alias, own_l1, PAGE_WRITABLE));
	say_result("all four read-only", own_protect());
	if (drop_alias)
		say_result("the second mapping gone", page_map(alias, NULL, 0));
	say_result("pin L1", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say_result("hook L3 into the top table", update(&boot_table()[L4_FREE], entry_for(own_l3, TABLE_FLAGS)));
	say_touch("read through it", touch_read, OWN_SPACE);
	if (boot_table()[L4_FREE])
		say_result("unhook", update(&boot_table()[L4_FREE], 0));
	unpin(own_l1);
	page_map(alias, NULL, 0);
	own_release();
}

void mm_14(void)
{
	catch_all();
	build(true);
}

void mm_14_bad(void)
{
	catch_all();
	build(false);
}

/* A table is a data page again when nothing leads to it any more. */
void mm_25(void)
{
	own_fill();
	own_protect();
	say_result("hook L3", update(&boot_table()[L4_FREE], entry_for(own_l3, TABLE_FLAGS)));
	say_result("unhook", update(&boot_table()[L4_FREE], 0));
	say_result("map L1 writable", table_map(own_l1, PAGE_WRITABLE));
	say_result("map L2 writable", table_map(own_l2, PAGE_WRITABLE));
	say_result("map L3 writable", table_map(own_l3, PAGE_WRITABLE));
	own_release();
}

void mm_25_bad(void)
{
	u64 alias = area_address(TEST_SLOT);

	own_fill();
	own_protect();
	say_result("hook L3", update(&boot_table()[L4_FREE], entry_for(own_l3, TABLE_FLAGS)));
	say_result("map hooked L1 writable", table_map(own_l1, PAGE_WRITABLE));
	say_result("map hooked L2 writable", table_map(own_l2, PAGE_WRITABLE));
	say_result("map hooked L3 writable", table_map(own_l3, PAGE_WRITABLE));
	say_result("pin hooked L1 as L2", pin(MMUEXT_PIN_L2_TABLE, own_l1));
	update(&boot_table()[L4_FREE], 0);
	own_release();
	say_result("unpin the current L4", unpin(boot_table()));
	say_result("map it writable", page_map(alias, boot_table(), PAGE_WRITABLE));
	say_result("pin it again", pin(MMUEXT_PIN_L4_TABLE, boot_table()));
	say_result("unpin the current user L4", unpin(user_table()));
	say_result("map it writable", page_map(alias, user_table(), PAGE_WRITABLE));
	say_result("pin it again", pin(MMUEXT_PIN_L4_TABLE, user_table()));
}
