/* gnt_version.c - GNT: version 2 of the table. */
#include "gnt.h"

#define STATUS_SLOT	(TEST_SLOT + 21)

static void set_version(const char *what, u32 v)
{
	u32 version = v;
	long result = grant_op(GNTTABOP_set_version, &version, 1);

	say("%s: %s, it has version %u", what, result ? errno_name(result) : "0", version);
}

static void get_version(const char *what, u16 dom)
{
	struct grant_get_version g = { dom, 77 };
	long result = grant_op(GNTTABOP_get_version, &g, 1);

	say("%s: %s, %u", what, result ? errno_name(result) : "0", g.version);
}

static void status_frames(const char *what, u16 dom, u32 n, u64 list)
{
	struct grant_status_frames s = { n, dom, 77, list };

	say_op(what, GNTTABOP_get_status_frames, &s, 1, &s.status);
}

/* The status words of the entries; status_end() unmaps them. */
static volatile u16 *status_begin(void)
{
	u64 frame;
	struct grant_status_frames s = { 1, DOMID_SELF, 77, (u64)&frame };

	if (grant_op(GNTTABOP_get_status_frames, &s, 1) || s.status)
		panic("no status frame");
	return area_map(STATUS_SLOT, frame, PTE_RW | PTE_NX);
}

static void status_end(void)
{
	page_set(area_address(STATUS_SLOT), 0);
}

/* GNT-12 */
void gnt_12(void)
{
	volatile struct grant_v1 *v1 = grant_begin();
	volatile struct grant_v2 *v2 = (volatile void *)v1;
	u64 frames[2];

	get_version("at first", DOMID_SELF);
	status_frames("status frames of version 1", DOMID_SELF, 1, (u64)frames);
	status_frames("none of them", DOMID_SELF, 0, (u64)frames);
	v1[7] = (struct grant_v1){ GTF_permit_access | GTF_readonly, NO_DOMID, 0x70707 };
	v1[6] = (struct grant_v1){ GTF_accept_transfer, NO_DOMID, 0x60606 };
	v1[8] = (struct grant_v1){ GTF_permit_access, NO_DOMID, 0x80808 };
	set_version("to 2", 2);
	say("entry 7 is %x, domain %u, frame %lx", v2[7].flags, v2[7].domid, v2[7].frame);
	say("entry 6 is %x, domain %u, frame %lx", v2[6].flags, v2[6].domid, v2[6].frame);
	say("entry 8 is %x, domain %u, frame %lx", v2[8].flags, v2[8].domid, v2[8].frame);
	status_frames("its status frame", DOMID_SELF, 1, (u64)frames);
	set_version("to 2 again", 2);
	v2[5] = (struct grant_v2){ GTF_permit_access, NO_DOMID, 0, 0, 0x50505 };
	v2[8] = (struct grant_v2){ GTF_permit_access, NO_DOMID, 0, 0, 0x80808 };
	set_version("back to 1", 1);
	say("entry 7 is %x, domain %u, frame %x", v1[7].flags, v1[7].domid, v1[7].frame);
	say("entry 6 is %x, domain %u, frame %x", v1[6].flags, v1[6].domid, v1[6].frame);
	say("entry 5 is %x, domain %u, frame %x", v1[5].flags, v1[5].domid, v1[5].frame);
	say("entry 8 is %x, domain %u, frame %x", v1[8].flags, v1[8].domid, v1[8].frame);
	memset((void *)v1, 0, 8 * sizeof(*v1));
	grant_end();
}

void gnt_12_bad(void)
{
	volatile struct grant_v1 *v1 = grant_begin();
	volatile struct grant_v2 *v2 = (volatile void *)v1;
	struct grant_map m, low;
	u64 frame;

	set_version("to 0", 0);
	set_version("to 3", 3);
	get_version("of domain 5", NO_DOMID);
	grant(REF, GTF_permit_access, OWN_DOMID, test_pages[0]);
	map_ref(&m, REF, GNTMAP_host_map, 0);
	set_version("to 2 while an entry is mapped", 2);
	say_status("unmap", unmap_ref(&m));
	grant(REF - 1, GTF_permit_access, OWN_DOMID, test_pages[0]);
	map_ref(&low, REF - 1, GNTMAP_host_map, 0);
	set_version("to 2 while one of the first 8 is mapped", 2);
	say("its flags are %x, its status %x", v2[REF - 1].flags, status_begin()[REF - 1]);
	set_version("to 1 while the status frame is mapped", 1);
	status_end();
	v2[3] = (struct grant_v2){ GTF_permit_access, NO_DOMID, 0, 0, 0x100000000 };
	set_version("to 1 with a frame beyond 32 bits", 1);
	v2[3] = (struct grant_v2){ GTF_transitive, NO_DOMID, 0, 0, 0 };
	set_version("to 1 with a transitive entry", 1);
	v2[3] = (struct grant_v2){};
	status_frames("two status frames", DOMID_SELF, 2, (u64)&frame);
	status_frames("to nowhere", DOMID_SELF, 1, NOWHERE_KERNEL);
	status_frames("among Xen's addresses", DOMID_SELF, 1, HOLE_START);
	status_frames("of domain 5", NO_DOMID, 1, (u64)&frame);
	set_version("to 1", 1);
	say_flags("the entry still mapped", REF - 1);
	say_status("unmap", unmap_ref(&low));
	say_flags("unmapped", REF - 1);
	grant(REF - 1, 0, 0, NULL);
	grant_end();
}

/* GNT-13: status words, parts of pages and transitive grants. */
static void try_copy(const char *what, u16 from, u16 to, u16 len, u16 flags)
{
	struct grant_copy c = { { REF, OWN_DOMID, from }, { frame_of(test_pages[1]), DOMID_SELF, to }, len,
				GNTCOPY_source_gref, 77 };

	if (flags & GNTCOPY_dest_gref) {
		c.dest = (struct grant_side){ REF, OWN_DOMID, to };
		c.source = (struct grant_side){ frame_of(test_pages[1]), DOMID_SELF, from };
		c.flags = GNTCOPY_dest_gref;
	} else {
		c.flags = GNTCOPY_source_gref;
	}
	say_op(what, GNTTABOP_copy, &c, 1, &c.status);
}

void gnt_13(void)
{
	volatile struct grant_v2 *v2;
	volatile u16 *status;
	struct grant_map m;

	grant_begin();
	v2 = (volatile void *)grant_begin();
	set_version("to 2", 2);
	status = status_begin();
	v2[REF] = (struct grant_v2){ GTF_permit_access, OWN_DOMID, 0, 0, frame_of(test_pages[0]) };
	say_status("map", map_ref(&m, REF, GNTMAP_host_map, 0));
	say("flags %x, status %x", v2[REF].flags, status[REF]);
	say_status("unmap", unmap_ref(&m));
	say("flags %x, status %x", v2[REF].flags, status[REF]);
	say_status("map a reference past the end", map_ref(&m, 256 * 64, GNTMAP_host_map, 0));
	v2[REF] = (struct grant_v2){ GTF_permit_access | GTF_sub_page, OWN_DOMID, 100, 50, frame_of(test_pages[0]) };
	test_pages[0][149] = 0x49;
	try_copy("copy the part", 100, 0, 50, 0);
	say("%x", test_pages[1][49]);
	try_copy("copy to the part", 0, 149, 1, GNTCOPY_dest_gref);
	say("flags %x, status %x", v2[REF].flags, status[REF]);
	status_end();
	set_version("to 1", 1);
	grant_end();
}

void gnt_13_bad(void)
{
	volatile struct grant_v2 *v2;
	struct grant_map m;

	v2 = (volatile void *)grant_begin();
	set_version("to 2", 2);
	v2[REF] = (struct grant_v2){ GTF_permit_access | GTF_sub_page, OWN_DOMID, 100, 50, frame_of(test_pages[0]) };
	say_status("map a part", map_ref(&m, REF, GNTMAP_host_map, 0));
	try_copy("copy from before it", 99, 0, 2, 0);
	try_copy("copy past it", 149, 0, 2, 0);
	try_copy("copy to past it", 0, 150, 1, GNTCOPY_dest_gref);
	v2[REF] = (struct grant_v2){ GTF_permit_access | GTF_sub_page, OWN_DOMID, 0x8010, 50, frame_of(test_pages[0]) };
	try_copy("copy from a part at 8010, at 10", 0x10, 0, 1, 0);
	v2[REF] = (struct grant_v2){ GTF_permit_access | GTF_sub_page, OWN_DOMID, 0x800, 0xffff, frame_of(test_pages[0]) };
	try_copy("a part that is too long, past the page", 4095, 0, 2, 0);
	try_copy("a part that is too long, in the page", 4095, 0, 1, 0);
	v2[REF] = (struct grant_v2){ GTF_transitive, OWN_DOMID, OWN_DOMID, 0, REF + 1 };
	v2[REF + 1] = (struct grant_v2){ GTF_permit_access, OWN_DOMID, 0, 0, frame_of(test_pages[0]) };
	try_copy("copy by a transitive grant of its own", 0, 0, 1, 0);
	say_status("map it", map_ref(&m, REF, GNTMAP_host_map, 0));
	v2[REF].page_off = NO_DOMID;
	try_copy("by one of domain 5's", 0, 0, 1, 0);
	v2[REF].page_off = DOMID_SELF;
	try_copy("by one of DOMID_SELF", 0, 0, 1, 0);
	set_version("to 1", 1);
	grant_end();
}
