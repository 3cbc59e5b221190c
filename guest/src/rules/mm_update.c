/* mm_update.c - MM: the ways to change an entry, and what they leave in the TLB. */
#include "mm.h"

/* A pinned L1 of our own: entries to change without a mapping that uses them. */
static void begin(void)
{
	own_fill();
	own_protect();
	if (pin(MMUEXT_PIN_L1_TABLE, own_l1) < 0)
		say("the L1 was refused");
}

static void end(void)
{
	unpin(own_l1);
	own_release();
}

static void say_list(const char *what, struct mmu_update *list, u32 n)
{
	u32 done = 77;
	long result = HYPERVISOR_mmu_update(list, n, &done);

	say("%s = %s%s, done %u", what, result ? "-" : "", result ? errno_name(result) : "0", done);
}

static u32 filled(u32 n)
{
	u32 mask = 0;

	for (u32 i = 0; i < n; i++)
		mask |= !!own_l1[8 + i] << i;
	return mask;
}

void mm_08(void)
{
	struct mmu_update list[4];
	u64 page = entry_for(test_pages[0], PTE_P | PTE_US);

	begin();
	for (u32 i = 0; i < ARRAY_LEN(list); i++)
		list[i] = (struct mmu_update){ machine(&own_l1[8 + i]), page };
	say_list("four entries", list, 4);
	say("filled: %x", filled(4));
	say_list("none", list, 0);
	update(&own_l1[8], page | PTE_A | PTE_D);
	update(&own_l1[9], page | PTE_A | PTE_D);
	list[0].ptr |= MMU_PT_UPDATE_PRESERVE_AD;
	list[2].ptr |= MMU_PT_UPDATE_NO_TRANSLATE;
	say_list("preserving A and D, normal, untranslated", list, 3);
	for (u32 i = 0; i < 3; i++)
		say("entry %u: %lx", i, PTE_FLAGS(own_l1[8 + i]));
	end();
}

void mm_08_bad(void)
{
	struct mmu_update list[5];
	u64 page = entry_for(test_pages[0], PTE_P | PTE_US);
	u32 done;

	begin();
	for (u32 i = 0; i < ARRAY_LEN(list); i++)
		list[i] = (struct mmu_update){ machine(&own_l1[8 + i]), page };
	list[2].val = entry_for(boot_table(), PTE_P | PTE_RW);
	say_list("the third of five maps a table writable", list, 5);
	say("filled: %x", filled(5));
	for (u32 cmd = 4; cmd < 8; cmd++) {
		list[0].ptr = machine(&own_l1[8]) | cmd;
		say("command %u = -%s", cmd, errno_name(HYPERVISOR_mmu_update(list, 1, &done)));
	}
	list[0].ptr = PTE_FRAME | (machine(&own_l1[8]) & 0xff8);
	say_list("an entry in no frame", list, 1);
	list[0].ptr = 0;
	say_list("an entry in frame 0", list, 1);
	say_list("a list at a bad address", (void *)NOWHERE_KERNEL, 1);
	say_list("a list at a bad address, of no entry", (void *)NOWHERE_KERNEL, 0);
	say_list("a list at an address of Xen's", (void *)HOLE_START, 1);
	say_list("a list at an address of Xen's, of no entry", (void *)HOLE_START, 0);
	list[0] = (struct mmu_update){ machine(&own_l1[20]), page };
	say_result("done at a bad address", HYPERCALL(__HYPERVISOR_mmu_update, list, 1, NOWHERE_KERNEL, DOMID_SELF));
	say("the entry was %s", own_l1[20] ? "made" : "not made");
	say_result("foreign domain 5", HYPERCALL(__HYPERVISOR_mmu_update, list, 1, 0, 5));
	end();
}

/* A frame that is no table just takes the word, if it can be writable. */
void mm_09(void)
{
	u64 *data = (u64 *)test_pages[0];
	const u64 *gdt = descriptor_page();

	say_result("entry in a data page", update(&data[7], 0x1234567890abcdef));
	say("the page holds %lx, its neighbours %lx and %lx", data[7], data[6], data[8]);
	page_map((u64)data, data, PAGE_READONLY);
	say_result("in a data page mapped read-only", update(&data[7], 7));
	say("the page holds %lx", data[7]);
	begin();
	unpin(own_l1);
	say_result("in a table that is none any more",
		   update(&own_l1[9], entry_for(boot_table(), PTE_P | PTE_RW)));
	say("the page holds what was %s", own_l1[9] == entry_for(boot_table(), PTE_P | PTE_RW) ? "written" : "not written");
	own_release();
	say_result("in a page of the GDT", update((u64 *)&gdt[40], 0));
}

void mm_10(void)
{
	u64 alias = area_address(TEST_SLOT);
	volatile u8 *p = (volatile u8 *)alias;

	test_pages[0][0] = 0x10;
	test_pages[1][0] = 0x11;
	say_result("map one page", HYPERVISOR_update_va_mapping(alias, entry_for(test_pages[0], PAGE_WRITABLE), UVMF_INVLPG));
	say("it holds %x", *p);
	say_result("map the other, INVLPG", HYPERVISOR_update_va_mapping(alias, entry_for(test_pages[1], PAGE_WRITABLE), UVMF_INVLPG));
	say("it holds %x", *p);
	say_result("map the first, flush", HYPERVISOR_update_va_mapping(alias, entry_for(test_pages[0], PAGE_WRITABLE), UVMF_TLB_FLUSH));
	say("it holds %x", *p);
	say_result("map the other, INVLPG on all", HYPERVISOR_update_va_mapping(alias, entry_for(test_pages[1], PAGE_WRITABLE), UVMF_INVLPG | UVMF_ALL));
	say("it holds %x", *p);
	say_result("unmap", HYPERVISOR_update_va_mapping(alias, 0, UVMF_INVLPG));
	catch_all();
	say_touch("read", touch_read, alias);
}

void mm_10_bad(void)
{
	static const struct { const char *what; u64 va; } places[] = {
		{ "no L1", KERNEL_BASE + 0x30000000 }, { "no L3", OWN_SPACE },
		{ "Xen's slot", HOLE_START }, { "Xen's direct map", HOLE_START + 0x30000000000 },
		{ "not canonical", 1UL << 47 }, { "no L2 of user mode", 1UL << 31 },
	};
	u64 alias = area_address(TEST_SLOT);
	u64 value = entry_for(test_pages[0], PAGE_WRITABLE);

	for (u32 i = 0; i < ARRAY_LEN(places); i++)
		say_result(places[i].what, HYPERVISOR_update_va_mapping(places[i].va, value, UVMF_INVLPG));
	say_result("flush kind 3", HYPERVISOR_update_va_mapping(alias, value, 3));
	say_result("a bitmap of vCPUs at a bad address",
		   HYPERVISOR_update_va_mapping(alias, value, UVMF_INVLPG | NOWHERE_KERNEL));
	catch_all();
	say_touch("read", touch_read, alias);
	HYPERVISOR_update_va_mapping(alias, 0, UVMF_INVLPG);
}

/* What is in force without a flush of the guest's own: changes of L2 to L4. That
   of an L1 entry needs the INVLPG. */
void mm_11(void)
{
	u64 l3 = entry_for(own_l3, TABLE_FLAGS), l2 = entry_for(own_l2, TABLE_FLAGS);
	u64 l1 = entry_for(own_l1, TABLE_FLAGS), *slot = &own_l1[0xf8];
	volatile u8 *page = (volatile u8 *)(OWN_SPACE + 0xf8 * PAGE_SIZE);

	catch_all();
	own_fill();
	own_protect();
	pin(MMUEXT_PIN_L2_TABLE, own_l2);
	update(&boot_table()[L4_FREE], l3);
	say_touch("mapped", touch_read, OWN_SPACE);
	update(own_l2, 0);
	say_touch("L2 entry cleared", touch_read, OWN_SPACE);
	update(own_l2, l1);
	say_touch("L2 entry back", touch_read, OWN_SPACE);
	update(own_l3, 0);
	say_touch("L3 entry cleared", touch_read, OWN_SPACE);
	update(own_l3, l2);
	say_touch("L3 entry back", touch_read, OWN_SPACE);
	update(&boot_table()[L4_FREE], 0);
	say_touch("L4 entry cleared", touch_read, OWN_SPACE);
	update(&boot_table()[L4_FREE], l3);
	say_touch("L4 entry back", touch_read, OWN_SPACE);
	/* Xen does not flush for these, but page-table isolation does on every return.
	   A slot whose translation the kernel's own would not push out. */
	test_pages[0][0] = 1;
	test_pages[1][0] = 2;
	update(slot, entry_for(test_pages[0], PAGE_WRITABLE));
	say("the page holds %u", *page);
	update(slot, entry_for(test_pages[1], PAGE_WRITABLE));
	say("with another frame in the L1 entry it holds %u", *page);
	update(slot, entry_for(test_pages[1], PAGE_READONLY));
	say_touch("L1 entry made read-only, a store", touch_write1, (u64)page);
	update(slot, 0);
	say_touch("L1 entry cleared", touch_read, (u64)page);
	ext_op(MMUEXT_INVLPG_LOCAL, (u64)page, 0);
	say_touch("after INVLPG", touch_read, (u64)page);
	update(&boot_table()[L4_FREE], 0);
	unpin(own_l2);
	own_release();
}

/* Stores to an L1 through its read-only mapping, emulated by Xen. */
static void stores(void)
{
	u64 page = frame_of(test_pages[0]) * PAGE_SIZE, *slot = &own_l1[8];
	struct { const char *what; const void *code; u64 value; } list[] = {
		{ "an entry", touch_write, page | PTE_P | PTE_RW },
		{ "its low half", touch_write4, (u32)page | PTE_P | PTE_A },
		{ "its first byte", touch_write1, PTE_P | PTE_RW | PTE_US },
		{ "LOCK OR of D", touch_or, PTE_D },
		{ "CMPXCHG that does not match", touch_cmpxchg, page | PTE_P },
		{ "XCHG with 0", touch_xchg, 0 },
		{ "CMPXCHG that matches", touch_cmpxchg0, page | PTE_P },
		{ "0", touch_write, 0 },
	};

	for (u32 i = 0; i < ARRAY_LEN(list); i++) {
		say_end(list[i].what, touch(list[i].code, (u64)slot, list[i].value), (u64)slot);
		say("the slot holds %lx, %s frame", PTE_FLAGS(*slot),
		    !(*slot & PTE_FRAME) ? "no" : (*slot & PTE_FRAME) == page ? "the page's" : "another");
	}
}

void mm_16(void)
{
	catch_all();
	begin();
	say_result("assist on", HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	stores();
	say_result("assist off", HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables));
	say("without it, as dom0:");
	stores();
	end();
}

static void store(const char *what, const void *code, u64 *slot, u64 value)
{
	u64 old = *slot;

	say_end(what, touch(code, (u64)slot, value), (u64)slot);
	if (*slot != old)
		say("the slot changed");
}

void mm_16_bad(void)
{
	u64 page = frame_of(test_pages[0]) * PAGE_SIZE;

	catch_all();
	begin();
	HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	store("a table, writable", touch_write, &own_l1[8], entry_for(boot_table(), PTE_P | PTE_RW));
	store("an I/O page of Xen's", touch_write, &own_l1[8], 0xfee00000 | PTE_P);
	store("with a reserved flag", touch_write, &own_l1[8], page | PTE_P | 1UL << 51);
	store("off its natural alignment", touch_write, (u64 *)((u64)&own_l1[8] + 4), 0);
	pin(MMUEXT_PIN_L2_TABLE, own_l2);
	store("to an L2", touch_write, &own_l2[8], 0);
	unpin(own_l2);
	store("to the current L4", touch_write, &boot_table()[8], 0);
	unpin(own_l1);
	store("to a page that is no table any more", touch_write, &own_l1[8], 0);
	own_release();
}
