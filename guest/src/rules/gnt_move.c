/* gnt_move.c - GNT: data and frames that move by grants. */
#include "gnt.h"

static struct grant_side by_ref(u32 ref, u16 offset)
{
	return (struct grant_side){ ref, OWN_DOMID, offset };
}

static struct grant_side by_frame(const void *page, u16 offset)
{
	return (struct grant_side){ frame_of(page), DOMID_SELF, offset };
}

static short copy(struct grant_side from, struct grant_side to, u16 len, u16 flags)
{
	struct grant_copy c = { from, to, len, flags, 77 };

	return grant_op(GNTTABOP_copy, &c, 1) ? 99 : c.status;
}

static void pattern(void)
{
	for (u32 i = 0; i < PAGE_SIZE; i++) {
		test_pages[0][i] = i;
		test_pages[1][i] = 0xee;
	}
}

#define FROM_REF	GNTCOPY_source_gref
#define TO_REF		GNTCOPY_dest_gref

/* GNT-10 */
void gnt_10(void)
{
	struct grant_copy list[3];

	grant_begin();
	pattern();
	grant(REF, GTF_permit_access | GTF_readonly, OWN_DOMID, test_pages[0]);
	grant(REF + 1, GTF_permit_access, OWN_DOMID, test_pages[1]);
	say_status("copy from a grant to a frame", copy(by_ref(REF, 16), by_frame(test_pages[1], 32), 4, FROM_REF));
	say("%x %x %x %x %x", test_pages[1][31], test_pages[1][32], test_pages[1][33], test_pages[1][35],
	    test_pages[1][36]);
	say_status("from a frame to a grant", copy(by_frame(test_pages[0], 1), by_ref(REF + 1, 0), 1, TO_REF));
	say("%x", test_pages[1][0]);
	say_status("from a grant to a grant", copy(by_ref(REF, 5), by_ref(REF + 1, 0), 1, FROM_REF | TO_REF));
	say("%x", test_pages[1][0]);
	say_status("from a frame to a frame", copy(by_frame(test_pages[0], 7), by_frame(test_pages[1], 0), 1, 0));
	say("%x", test_pages[1][0]);
	say_status("nothing", copy(by_ref(REF, 4096), by_ref(REF + 1, 4096), 0, FROM_REF | TO_REF));
	say_status("a whole page", copy(by_ref(REF, 0), by_ref(REF + 1, 0), 4096, FROM_REF | TO_REF));
	say("%x %x", test_pages[1][1], test_pages[1][4095]);
	say_status("within a page, upwards by 3", copy(by_ref(REF + 1, 0), by_ref(REF + 1, 3), 20, FROM_REF | TO_REF));
	for (u32 i = 0; i < 24; i += 8)
		say("%x %x %x %x %x %x %x %x", test_pages[1][i], test_pages[1][i + 1], test_pages[1][i + 2],
		    test_pages[1][i + 3], test_pages[1][i + 4], test_pages[1][i + 5], test_pages[1][i + 6],
		    test_pages[1][i + 7]);
	say_flags("source", REF);
	say_flags("dest", REF + 1);
	list[0] = (struct grant_copy){ by_ref(REF, 0), by_ref(REF + 1, 0), 1, FROM_REF | TO_REF, 77 };
	list[1] = (struct grant_copy){ by_ref(REF, 4000), by_ref(REF + 1, 0), 100, FROM_REF | TO_REF, 77 };
	list[2] = (struct grant_copy){ by_ref(REF, 9), by_ref(REF + 1, 0), 1, FROM_REF | TO_REF, 77 };
	say_result("three of which the second is wrong", grant_op(GNTTABOP_copy, list, 3));
	say("%s, %s, %s", status_name(list[0].status), status_name(list[1].status), status_name(list[2].status));
	say("%x", test_pages[1][0]);
	grant_end();
}

/* Two copies in a list, from two sources to the second page. */
static void copy_twice(const char *what, struct grant_side first, u16 flags1, struct grant_side second, u16 flags2)
{
	struct grant_copy list[2] = {
		{ first, by_ref(REF + 1, 0), 1, flags1 | TO_REF, 77 }, { second, by_ref(REF + 1, 0), 1, flags2 | TO_REF, 77 },
	};

	grant_op(GNTTABOP_copy, list, 2);
	say("%s: %s, %s", what, status_name(list[0].status), status_name(list[1].status));
}

void gnt_10_bad(void)
{
	grant_begin();
	pattern();
	grant(REF, GTF_permit_access | GTF_readonly, OWN_DOMID, test_pages[0]);
	grant(REF + 1, GTF_permit_access, OWN_DOMID, test_pages[1]);
	grant(REF + 2, GTF_permit_access, NO_DOMID, test_pages[1]);
	say_status("beyond the source page", copy(by_ref(REF, 4090), by_ref(REF + 1, 0), 7, FROM_REF | TO_REF));
	say_status("beyond the dest page", copy(by_ref(REF, 0), by_ref(REF + 1, 4095), 2, FROM_REF | TO_REF));
	say_status("to a readonly grant", copy(by_ref(REF + 1, 0), by_ref(REF, 0), 1, FROM_REF | TO_REF));
	say_status("to a grant for domain 5", copy(by_ref(REF, 0), by_ref(REF + 2, 0), 1, FROM_REF | TO_REF));
	say_status("from an invalid grant", copy(by_ref(REF + 3, 0), by_ref(REF + 1, 0), 1, FROM_REF | TO_REF));
	say_status("from one past the end", copy(by_ref(512 * 64, 0), by_ref(REF + 1, 0), 1, FROM_REF | TO_REF));
	say_status("a frame by the own number",
		   copy((struct grant_side){ frame_of(test_pages[0]), OWN_DOMID, 0 }, by_ref(REF + 1, 0), 1, TO_REF));
	say_status("a grant of DOMID_SELF",
		   copy((struct grant_side){ REF, DOMID_SELF, 0 }, by_ref(REF + 1, 0), 1, FROM_REF | TO_REF));
	say_status("a grant of domain 5",
		   copy((struct grant_side){ REF, NO_DOMID, 0 }, by_ref(REF + 1, 0), 1, FROM_REF | TO_REF));
	say_status("a frame past the end",
		   copy((struct grant_side){ 0xfffffffff, DOMID_SELF, 0 }, by_ref(REF + 1, 0), 1, TO_REF));
	copy_twice("the frame of the last reference's number", by_ref(REF, 0), FROM_REF,
		   (struct grant_side){ REF, OWN_DOMID, 0 }, 0);
	copy_twice("that of DOMID_SELF", (struct grant_side){ REF, DOMID_SELF, 0 }, FROM_REF,
		   (struct grant_side){ REF, DOMID_SELF, 0 }, 0);
	copy_twice("a page's frame by the own number, after a grant", by_ref(REF, 0), FROM_REF,
		   (struct grant_side){ frame_of(test_pages[0]), OWN_DOMID, 0 }, 0);
	copy_twice("a grant after a frame", by_frame(test_pages[0], 0), 0, (struct grant_side){ REF, DOMID_SELF, 0 },
		   FROM_REF);
	copy_twice("a wrong frame first, then domain 5", (struct grant_side){ 0xfffffffff, DOMID_SELF, 0 }, 0,
		   (struct grant_side){ frame_of(test_pages[0]), NO_DOMID, 0 }, 0);
	say_status("to a page table", copy(by_ref(REF, 0), by_frame(boot_table(), 0), 8, FROM_REF));
	say_status("from a page table", copy(by_frame(boot_table(), 0), by_ref(REF + 1, 0), 8, TO_REF));
	say_flags("source", REF);
	say_flags("dest", REF + 1);
	grant_end();
}

/* GNT-11: a frame that nothing maps goes to an entry that waits for one. */
static short transfer(u64 frame, u16 domid, u32 ref)
{
	struct grant_transfer t = { frame, domid, ref, 77 };

	return grant_op(GNTTABOP_transfer, &t, 1) ? 99 : t.status;
}

static const u64 *const m2p = (const u64 *)M2P_START;
#define PFN(page)	(((u64)(page) - KERNEL_BASE) / PAGE_SIZE)

void page_renew(void *page)
{
	struct { u64 *extents; u64 n; u32 order, flags; u16 domid; } r = { NULL, 1, 0, 0, DOMID_SELF };
	u64 frame = PFN(page);

	r.extents = &frame;
	if (HYPERCALL(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r, 0, 0) != 1)
		panic("no frame for a page");
	((u64 *)start_info->mfn_list)[PFN(page)] = frame;
	page_map((u64)page, page, PAGE_WRITABLE);
}

void gnt_11(void)
{
	volatile struct grant_v1 *t = grant_begin();
	u64 frame = frame_of(test_pages[3]);

	test_pages[3][9] = 0x99;
	say_result("unmap the page", page_map((u64)test_pages[3], NULL, 0));
	t[REF] = (struct grant_v1){ GTF_accept_transfer, OWN_DOMID, 0x12345 };
	say_status("transfer", transfer(frame, OWN_DOMID, REF));
	say_flags("completed", REF);
	say("the entry has the frame: %d", t[REF].frame == frame);
	say("its page is %lx", m2p[frame]);
	say_result("map it", page_map((u64)test_pages[3], test_pages[3], PAGE_WRITABLE));
	say("it holds %x", *(volatile u8 *)&test_pages[3][9]);
	{
		struct mmu_update u = { frame * PAGE_SIZE | MMU_MACHPHYS_UPDATE, PFN(test_pages[3]) };
		u32 done;

		say_result("its page is again", HYPERVISOR_mmu_update(&u, 1, &done));
	}
	grant_end();
}

void gnt_11_bad(void)
{
	volatile struct grant_v1 *t = grant_begin();
	u64 frame = frame_of(test_pages[3]);

	t[REF] = (struct grant_v1){ GTF_accept_transfer, OWN_DOMID, 0x12345 };
	say_status("a page that is mapped", transfer(frame, OWN_DOMID, REF));
	say_flags("the entry", REF);
	say_status("a frame past the end", transfer(0xfffffffff, OWN_DOMID, REF));
	say_status("a frame of Xen's", transfer(start_info->shared_info / PAGE_SIZE, OWN_DOMID, REF));
	t[REF].domid = NO_DOMID;
	page_map((u64)test_pages[3], NULL, 0);
	say_status("to an entry for domain 5", transfer(frame, OWN_DOMID, REF));
	say_status("again", transfer(frame, OWN_DOMID, REF));
	say_result("the frame is lost: map it", page_map((u64)test_pages[3], test_pages[3], PAGE_WRITABLE));
	say("its M2P entry is %lx", m2p[frame]);
	page_renew(test_pages[3]);
	page_map((u64)test_pages[3], NULL, 0);
	say_status("to domain 5", transfer(frame_of(test_pages[3]), NO_DOMID, REF));
	say_result("the frame is lost: map it", page_map((u64)test_pages[3], test_pages[3], PAGE_WRITABLE));
	page_renew(test_pages[3]);
	page_map((u64)test_pages[3], NULL, 0);
	t[REF] = (struct grant_v1){ GTF_accept_transfer | GTF_readonly, OWN_DOMID, 0x12345 };
	say_status("to an entry already committed", transfer(frame_of(test_pages[3]), OWN_DOMID, REF));
	page_renew(test_pages[3]);
	page_map((u64)test_pages[3], NULL, 0);
	say_status("to a reference past the end", transfer(frame_of(test_pages[3]), OWN_DOMID, 512 * 64));
	page_renew(test_pages[3]);
	grant_end();
}

/* GNT-15: cache_flush has no status; its errors are those of the call. */
static void try_flush(const char *what, u64 address, u16 offset, u16 length, u32 op)
{
	struct grant_flush f = { address, offset, length, op };

	say_result(what, grant_op(GNTTABOP_cache_flush, &f, 1));
}

void gnt_15(void)
{
	u64 page = machine(test_pages[0]);
	struct grant_flush list[2] = { { page, 0, 1, GNTTAB_CACHE_CLEAN }, { page, 0, 1, GNTTAB_CACHE_INVAL } };

	try_flush("clean", page, 0, 4096, GNTTAB_CACHE_CLEAN);
	try_flush("clean and invalidate", page, 8, 16, GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL);
	try_flush("invalidate", page, 8, 16, GNTTAB_CACHE_INVAL);
	try_flush("no operation", page, 8, 16, 0);
	try_flush("no length", page, 8, 0, GNTTAB_CACHE_INVAL);
	try_flush("an unknown operation", page, 8, 16, 4);
	try_flush("by a reference", REF, 8, 16, 1u << 31);
	try_flush("beyond the page", page, 4090, 7, GNTTAB_CACHE_CLEAN);
	try_flush("an offset of 4096, no length", page, 4096, 0, GNTTAB_CACHE_CLEAN);
	try_flush("an offset of 65535", page, 65535, 1, GNTTAB_CACHE_CLEAN);
	try_flush("past the end of memory", 0x0000fffffffff000, 0, 1, GNTTAB_CACHE_CLEAN);
	try_flush("the frame of the I/O APIC", 0xfec00000, 0, 1, GNTTAB_CACHE_CLEAN);
	try_flush("a frame of the I/O domain", 0, 0, 1, GNTTAB_CACHE_CLEAN);
	try_flush("shared_info", start_info->shared_info, 0, 1, GNTTAB_CACHE_CLEAN);
	say_result("a list of two, the second wrong", grant_op(GNTTABOP_cache_flush, list, 2));
	say_result("from reference 4096 on", grant_op(GNTTABOP_cache_flush | 0x1000, list, 1));
	list[0].length = 0;
	say_result("from there, and no length", grant_op(GNTTABOP_cache_flush | 0x1000, list, 1));
	say_result("from there, and an empty list", grant_op(GNTTABOP_cache_flush | 0x1000, list, 0));
}
