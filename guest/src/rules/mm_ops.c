/* mm_ops.c - MM: the operations of mmuext_op: flushes, and what it refuses. */
#include "mm.h"

void mm_18(void)
{
	static const struct { u32 cmd; const char *name; } ops[] = {
		{ MMUEXT_TLB_FLUSH_LOCAL, "TLB_FLUSH_LOCAL" }, { MMUEXT_INVLPG_LOCAL, "INVLPG_LOCAL" },
		{ MMUEXT_TLB_FLUSH_MULTI, "TLB_FLUSH_MULTI" }, { MMUEXT_INVLPG_MULTI, "INVLPG_MULTI" },
		{ MMUEXT_TLB_FLUSH_ALL, "TLB_FLUSH_ALL" }, { MMUEXT_INVLPG_ALL, "INVLPG_ALL" },
	};
	u64 all = ~0UL, alias = area_address(TEST_SLOT);
	volatile u8 *p = (volatile u8 *)alias;

	for (u32 i = 0; i < ARRAY_LEN(ops); i++) {
		long result;

		test_pages[0][0] = 1;
		test_pages[1][0] = 2;
		page_map(alias, test_pages[0], PAGE_WRITABLE);
		(void)*p;
		update(pte_of(alias), entry_for(test_pages[1], PAGE_WRITABLE));
		result = ext_op(ops[i].cmd, alias, (u64)&all);
		say("%s = %s, then the page is the %s", ops[i].name, result ? errno_name(result) : "0",
		    *p == 2 ? "new one" : "old one");
	}
	page_map(alias, NULL, 0);
	say_result("INVLPG_LOCAL of an address of Xen's", ext_op(MMUEXT_INVLPG_LOCAL, HOLE_START + 0x1000, 0));
	say_result("INVLPG_ALL of an address of Xen's", ext_op(MMUEXT_INVLPG_ALL, HOLE_START + 0x1000, 0));
	say_result("INVLPG_LOCAL, not canonical", ext_op(MMUEXT_INVLPG_LOCAL, 1UL << 47, 0));
	say_result("TLB_FLUSH_MULTI, bitmap at a bad address", ext_op(MMUEXT_TLB_FLUSH_MULTI, 0, NOWHERE_KERNEL));
	say_result("INVLPG_MULTI, bitmap at a bad address", ext_op(MMUEXT_INVLPG_MULTI, alias, NOWHERE_KERNEL));
	say_result("INVLPG_MULTI, bitmap at an address of Xen's", ext_op(MMUEXT_INVLPG_MULTI, alias, HOLE_START));
}

static long ext_list(struct mmuext_op *ops, u32 n, u32 domid)
{
	u32 done = 77;
	long result = HYPERCALL(__HYPERVISOR_mmuext_op, ops, n, &done, domid);

	say("done %u", done);
	return result;
}

void mm_26(void)
{
	struct mmuext_op flush = { MMUEXT_TLB_FLUSH_LOCAL, 0, 0 };
	struct mmuext_op list[4] = { flush, flush, { 14, 0, 0 }, flush };

	for (u32 cmd = 14; cmd < 24; cmd += cmd == 14 ? 5 : 1)
		say("operation %u = -%s", cmd, errno_name(ext_op(cmd, frame_of(test_pages[0]), 0)));
	say_result("the third of four unknown", ext_list(list, 4, DOMID_SELF));
	say_result("none of four", ext_list(list, 0, DOMID_SELF));
	say_result("a list at a bad address", ext_list((void *)NOWHERE_KERNEL, 1, DOMID_SELF));
	say_result("a list at an address of Xen's", ext_list((void *)HOLE_START, 1, DOMID_SELF));
	say_result("a list at an address of Xen's for domain 5", ext_list((void *)HOLE_START, 1, 5));
	say_result("TLB flush for DOMID_XEN", ext_list(&flush, 1, DOMID_XEN));
	say_result("TLB flush for DOMID_IO", ext_list(&flush, 1, DOMID_IO));
	say_result("TLB flush for domain 5", ext_list(&flush, 1, 5));
	list[0] = (struct mmuext_op){ MMUEXT_CLEAR_PAGE, frame_of(test_pages[0]), 0 };
	test_pages[0][9] = 9;
	say_result("CLEAR_PAGE for DOMID_XEN, own page", ext_list(list, 1, DOMID_XEN));
	say_result("CLEAR_PAGE", ext_list(list, 1, DOMID_SELF));
	say("the page holds %u", test_pages[0][9]);
}
