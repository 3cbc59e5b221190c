/* mm_spaces.c - MM: the address spaces of kernel, user mode and Xen. */
#include "mm.h"

USER_CODE(mm_user_read, "mov (%rdi), %rax\nint3");

static void say_user_read(const char *what, u64 address)
{
	struct start s = user_code(mm_user_read);
	struct record *r;

	s.gpr[RDI] = address;
	r = go(&s, NULL);
	if (r->kind == 3)
		say("%s: user mode reads %s", what,
		    r->gpr[RAX] == *(u64 *)address ? "what the kernel has there" : "something else");
	else
		say_end(what, r, address);
}

/* The kernel is private as long as the user's table omits it. */
void mm_05(void)
{
	catch_all();
	say_user_read("kernel text", (u64)text_start);
	say_user_read("kernel data", (u64)test_pages);
	say_user_read("user text", (u64)mm_user_read);
}

void mm_05_bad(void)
{
	u64 *slot = &user_table()[TABLE_ENTRIES - 1];

	catch_all();
	/* Without US all the way down, which Xen does not leave as it is. */
	say_result("the kernel in the user's table too",
		   update(slot, boot_table()[TABLE_ENTRIES - 1] & ~(u64)PTE_US));
	say_user_read("kernel text", (u64)text_start);
	say_user_read("kernel data", (u64)test_pages);
	update(slot, 0);
	say_user_read("taken out again, kernel text", (u64)text_start);
}

/* A top table of our own for the kernel, then for user mode. */
void mm_06(void)
{
	u64 *user = user_table();

	catch_all();
	own_fill();
	own_protect();
	test_pages[0][0] = 6;
	say_touch("a page of the own space", touch_read, OWN_SPACE);
	say_result("NEW_BASEPTR", ext_op(MMUEXT_NEW_BASEPTR, frame_of(own_l4), 0));
	say_touch("a page of the own space", touch_read, OWN_SPACE);
	say_result("NEW_BASEPTR of the same", ext_op(MMUEXT_NEW_BASEPTR, frame_of(own_l4), 0));
	say_result("NEW_BASEPTR back", ext_op(MMUEXT_NEW_BASEPTR, frame_of(boot_table()), 0));
	say_touch("a page of the own space", touch_read, OWN_SPACE);
	say_result("NEW_USER_BASEPTR", ext_op(MMUEXT_NEW_USER_BASEPTR, frame_of(own_l4), 0));
	say_user_read("user text", (u64)mm_user_read);
	say_user_read("a page of the own space", OWN_SPACE + PAGE_SIZE);
	say_result("NEW_USER_BASEPTR back", ext_op(MMUEXT_NEW_USER_BASEPTR, frame_of(user), 0));
	own_release();
}

void mm_06_bad(void)
{
	struct { const char *what; const void *page; } pages[] = {
		{ "a data page", test_pages[0] }, { "an L1", own_l1 }, { "an L3", own_l3 },
	};

	own_fill();
	own_protect();
	pin(MMUEXT_PIN_L3_TABLE, own_l3);
	for (u32 i = 0; i < ARRAY_LEN(pages); i++) {
		say("%s:", pages[i].what);
		say_result("NEW_BASEPTR", ext_op(MMUEXT_NEW_BASEPTR, frame_of(pages[i].page), 0));
		say_result("NEW_USER_BASEPTR", ext_op(MMUEXT_NEW_USER_BASEPTR, frame_of(pages[i].page), 0));
	}
	say("no frame at all:");
	say_result("NEW_BASEPTR", ext_op(MMUEXT_NEW_BASEPTR, ~0UL, 0));
	say_result("NEW_BASEPTR of frame 0", ext_op(MMUEXT_NEW_BASEPTR, 0, 0));
	say_result("NEW_USER_BASEPTR of frame 0", ext_op(MMUEXT_NEW_USER_BASEPTR, 0, 0));
	say("into user mode without a table for it");
	say_user_read("user text", (u64)mm_user_read);
}

/* A top table that maps itself, read-only, shows its entries at slot after slot. */
#define SELF	300

void mm_15(void)
{
	u64 l4 = L4_SPACE(SELF) | (u64)SELF << 30 | (u64)SELF << 21 | (u64)SELF << 12;
	u64 l3 = L4_SPACE(SELF) | (u64)SELF << 30 | (u64)SELF << 21 | (u64)L4_FREE << 12;

	catch_all();
	own_fill();
	own_protect();
	pin(MMUEXT_PIN_L4_TABLE, own_l4);
	say_result("L4 entry to itself, read-only", update(&own_l4[SELF], entry_for(own_l4, PTE_P | PTE_A)));
	say_result("L4 entry to the current L4", update(&own_l4[SELF + 1], entry_for(boot_table(), PTE_P | PTE_A)));
	say_result("L3 entry to itself, read-only", update(&own_l3[1], entry_for(own_l3, PTE_P | PTE_A)));
	say_result("L2 entry to itself, read-only", update(&own_l2[1], entry_for(own_l2, PTE_P | PTE_A)));
	ext_op(MMUEXT_NEW_BASEPTR, frame_of(own_l4), 0);
	say("the space shows the L4: %s", *(volatile u64 *)(l4 + SELF * 8) == own_l4[SELF] ? "yes" : "no");
	say("and an L3: %s", *(volatile u64 *)l3 == own_l3[0] ? "yes" : "no");
	say_touch("a store there", touch_write, l4 + 8);
	ext_op(MMUEXT_NEW_BASEPTR, frame_of(boot_table()), 0);
	update(&own_l4[SELF + 1], 0);
	unpin(own_l4);
	own_release();
}

void mm_15_bad(void)
{
	own_fill();
	own_protect();
	pin(MMUEXT_PIN_L4_TABLE, own_l4);
	say_result("L4 entry to itself, writable", update(&own_l4[SELF], entry_for(own_l4, TABLE_FLAGS)));
	say_result("L3 entry to itself, writable", update(&own_l3[1], entry_for(own_l3, TABLE_FLAGS)));
	say_result("L2 entry to itself, writable", update(&own_l2[1], entry_for(own_l2, TABLE_FLAGS)));
	say_result("L3 entry to an L4", update(&own_l3[1], entry_for(own_l4, PTE_P | PTE_A)));
	say_result("own L4 to the current one", update(&own_l4[SELF], entry_for(boot_table(), PTE_P | PTE_A)));
	say_result("a chain: the user's L4 to the own one",
		   update(&user_table()[SELF], entry_for(own_l4, PTE_P | PTE_A)));
	say_result("a chain: the current L4 to the user's",
		   update(&boot_table()[SELF], entry_for(user_table(), PTE_P | PTE_A)));
	update(&own_l4[SELF], 0);
	say_result("the user's L4 to the own one, no chain any more",
		   update(&user_table()[SELF], entry_for(own_l4, PTE_P | PTE_A)));
	update(&user_table()[SELF], 0);
	unpin(own_l4);
	own_release();
}

void mm_20(void)
{
	u64 alias = area_address(TEST_SLOT);

	catch_all();
	say_touch("read where nothing is mapped", touch_read, NOWHERE_KERNEL);
	say_touch("write there", touch_write, NOWHERE_KERNEL);
	say_touch("jump there", touch_jump, NOWHERE_KERNEL);
	page_map(alias, test_pages[0], PAGE_READONLY);
	say_touch("read a read-only page", touch_read, alias);
	say_touch("write to it", touch_write, alias);
	say_touch("jump to a page with NX", touch_jump, alias);
	*(u16 *)test_pages[0] = 0x0b0f;	/* ud2 */
	page_map(alias, test_pages[0], PAGE_READONLY & ~PTE_NX);
	say_touch("jump to one without", touch_jump, alias);
	page_map(alias, NULL, 0);
	say_touch("read above the hole", touch_read, HOLE_END);
	say_touch("read below it, not canonical", touch_read, HOLE_START - 8);
	say_touch("jump below it, not canonical", touch_jump, HOLE_START - 8);
	say_touch("read Xen's direct map", touch_read, HOLE_START + 0x30000000000);
	say_touch("write to Xen's direct map", touch_write, HOLE_START + 0x30000000000);
	say_touch("jump to Xen's direct map", touch_jump, HOLE_START + 0x30000000000);
	say_touch("read Xen's text", touch_read, HOLE_START + 0x2d040200000);
	say_touch("read Xen's last slot", touch_read, L4_SPACE(L4_LAST_XEN));
}

/* With m2p_strict a root has the M2P table from the start and loses it as user's. */
static void strict(void)
{
	HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_m2p_strict);
	own_fill();
	own_protect();
	pin(MMUEXT_PIN_L4_TABLE, own_l4);
	say("m2p_strict: slot 256 of a fresh root is %s", own_l4[L4_FIRST_XEN] ? "filled" : "empty");
	ext_op(MMUEXT_NEW_USER_BASEPTR, frame_of(own_l4), 0);
	say("m2p_strict: as user mode's root it is %s", own_l4[L4_FIRST_XEN] ? "filled" : "empty");
	ext_op(MMUEXT_NEW_USER_BASEPTR, frame_of(user_table()), 0);
	ext_op(MMUEXT_NEW_BASEPTR, frame_of(own_l4), 0);
	say("m2p_strict: as the kernel's root it is %s", own_l4[L4_FIRST_XEN] ? "filled" : "empty");
	HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_m2p_strict);
	ext_op(MMUEXT_NEW_BASEPTR, frame_of(boot_table()), 0);
	unpin(own_l4);
	own_release();
}

USER_CODE(m2p_user, "mov (%rdi), %rax\nud2");

static void read_as_user(const char *when, const u64 *p)
{
	struct start s = user_code(m2p_user);
	struct record *r;

	s.gpr[RDI] = (u64)p;
	r = go(&s, NULL);
	if (r->kind == 6)
		say("user mode, %s: it is %s", when, r->gpr[RAX] == *p ? "what the kernel reads" : "something else");
	else
		show_entry(when, r);
}

void mm_21(void)
{
	const u64 *m2p = (const u64 *)M2P_START, *p2m = (const u64 *)start_info->mfn_list;
	u64 right = 0, frame = frame_of(test_pages[1]);
	struct mmu_update u = { frame * PAGE_SIZE | MMU_MACHPHYS_UPDATE, 0x1234 };
	u32 done;

	for (u64 pfn = 0; pfn < start_info->nr_pages; pfn++)
		right += m2p[p2m[pfn]] == pfn;
	say("m2p[p2m[n]] is n for %s", right == start_info->nr_pages ? "every page" : "some pages");
	say_result("MACHPHYS_UPDATE", HYPERVISOR_mmu_update(&u, 1, &done));
	say("now the entry is %lx", m2p[frame]);
	u.val = ((u64)test_pages[1] - KERNEL_BASE) / PAGE_SIZE;
	HYPERVISOR_mmu_update(&u, 1, &done);
	u.ptr = 0 | MMU_MACHPHYS_UPDATE;
	say_result("of frame 0", HYPERVISOR_mmu_update(&u, 1, &done));
	catch_all();
	say_touch("a store", touch_write, (u64)&m2p[frame]);
	say_touch("a jump", touch_jump, (u64)&m2p[frame & ~511UL]);
	strict();
	say("slot 256 of the user's root is %s", user_table()[L4_FIRST_XEN] ? "filled" : "empty");
	read_as_user("m2p_strict off", &m2p[frame]);
	HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_m2p_strict);
	ext_op(MMUEXT_NEW_USER_BASEPTR, 0, 0);
	ext_op(MMUEXT_NEW_USER_BASEPTR, frame_of(user_table()), 0);
	say("slot 256 of the user's root is %s", user_table()[L4_FIRST_XEN] ? "filled" : "empty");
	read_as_user("m2p_strict on", &m2p[frame]);
	HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_m2p_strict);
}
