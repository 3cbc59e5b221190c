/* mm_exchange.c - MM: frames given back for others, at the same pages. */
#include "mm.h"

static const u64 *const m2p = (const u64 *)M2P_START;

/* Four frames of no page of the kernel's, to be exchanged. */
static u64 frames[4], pages[4];

static bool own_frames(void)
{
	struct reservation r = { frames, 4, 0, 0, DOMID_SELF };

	for (u32 i = 0; i < ARRAY_LEN(pages); i++)
		pages[i] = start_info->nr_pages + i;
	return HYPERVISOR_memory_op(XENMEM_increase_reservation, &r) == 4;
}

static void give_up(u64 *list, u64 n, u32 order)
{
	struct reservation r = { list, n, order, 0, DOMID_SELF };

	if (HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r) != (long)n)
		say("some frames could not be given up");
}

static long swap_frames(const char *what, struct exchange *x)
{
	long result = HYPERVISOR_memory_op(XENMEM_exchange, x);

	say("%s = %s, %lu of %lu done", what, result ? errno_name(result) : "0", x->done, x->in.n);
	return result;
}

static bool mappable(u64 frame)
{
	bool ok = page_set(area_address(TEST_SLOT), frame * PAGE_SIZE | PAGE_READONLY) == 0;

	page_set(area_address(TEST_SLOT), 0);
	return ok;
}

static void say_frames(const u64 *new, u64 n, u32 order)
{
	u64 own = 0, named = 0;

	for (u64 i = 0; i < n << order; i++) {
		u64 frame = new[i >> order] + (i & ((1UL << order) - 1));

		own += mappable(frame);
		named += m2p[frame] == pages[i];
	}
	say("  new frames that can be mapped: %lu, that M2P has at their pages: %lu", own, named);
	own = named = 0;
	for (u64 i = 0; i < n << order; i++) {
		bool again = false;

		for (u64 k = 0; k < n; k++)
			again |= frames[i] >> order == new[k] >> order;
		if (again)
			continue;
		own += mappable(frames[i]);
		named += m2p[frames[i]] != ~0UL;
	}
	say("  old ones that can be mapped: %lu, that M2P knows: %lu", own, named);
}

void mm_28(void)
{
	u64 new[4], more;

	if (!own_frames()) {
		say("no frames");
		return;
	}
	memcpy(new, pages, sizeof(new));
	struct exchange one = { { frames, 1, 0, 0, DOMID_SELF }, { new, 1, 0, 0, DOMID_SELF }, 0 };
	swap_frames("one frame for another", &one);
	say_frames(new, 1, 0);
	frames[0] = new[0];

	memcpy(new, pages, sizeof(new));
	struct exchange all = { { frames, 4, 0, 0, DOMID_SELF }, { new, 1, 2, 0, DOMID_SELF }, 0 };
	swap_frames("four for an extent of four", &all);
	say("  the extent is %s", new[0] & 3 ? "not aligned" : "aligned");
	say_frames(new, 1, 2);
	more = new[0];

	memcpy(new, pages, sizeof(new));
	struct exchange apart = { { &more, 1, 2, 0, DOMID_SELF }, { new, 4, 0, 0, DOMID_SELF }, 0 };
	swap_frames("an extent of four for four", &apart);
	memcpy(frames, new, sizeof(new));

	memcpy(new, pages, sizeof(new));
	struct exchange rest = { { frames, 4, 0, 0, DOMID_SELF }, { new, 4, 0, 0, DOMID_SELF }, 3 };
	swap_frames("four, three of them done before", &rest);
	say("  the first three are %s", new[0] == pages[0] && new[2] == pages[2] ? "left alone" : "exchanged");
	frames[3] = new[3];
	struct exchange none = { { frames, 0, 0, 0, DOMID_SELF }, { new, 0, 0, 0, DOMID_SELF }, 0 };
	swap_frames("none", &none);
	none = (struct exchange){ { (void *)HOLE_START, 4, 0, 0, 99 }, { new, 4, 0, 0, 99 }, 4 };
	swap_frames("all done before, domain 99", &none);
	give_up(frames, 4, 0);
}

static void refused(const char *what, struct exchange x)
{
	swap_frames(what, &x);
}

static long without_result(struct exchange *x)
{
	page_map((u64)test_pages[3], test_pages[3], PAGE_READONLY);
	long result = HYPERVISOR_memory_op(XENMEM_exchange, x);

	page_map((u64)test_pages[3], test_pages[3], PAGE_WRITABLE);
	return result;
}

void mm_28_bad(void)
{
	u64 new[4], list[4], shared = start_info->shared_info / PAGE_SIZE;
#define EXCHANGE(a, na, oa, da, b, nb, ob, db, n)	\
	(struct exchange){ { a, na, oa, 0, da }, { b, nb, ob, 0, db }, n }

	if (!own_frames()) {
		say("no frames");
		return;
	}
	memcpy(new, pages, sizeof(new));
	refused("five of four done", EXCHANGE(frames, 4, 0, DOMID_SELF, new, 4, 0, DOMID_SELF, 5));
	refused("four for one", EXCHANGE(frames, 4, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0));
	refused("from one domain to another", EXCHANGE(frames, 1, 0, DOMID_SELF, new, 1, 0, 0, 0));
	refused("of domain 5", EXCHANGE(frames, 1, 0, 5, new, 1, 0, 5, 0));
	refused("of DOMID_IO", EXCHANGE(frames, 1, 0, DOMID_IO, new, 1, 0, DOMID_IO, 0));
	refused("extents of 2^18", EXCHANGE(frames, 1, 18, DOMID_SELF, new, 1, 18, DOMID_SELF, 0));
	refused("extents of 2^19", EXCHANGE(frames, 1, 19, DOMID_SELF, new, 1, 19, DOMID_SELF, 0));
	refused("extents of 2^64", EXCHANGE(frames, 1, 64, DOMID_SELF, new, 1, 64, DOMID_SELF, 0));
	refused("a number that the order makes too large",
		EXCHANGE(frames, 1UL << 63, 1, DOMID_SELF, new, 1UL << 63, 1, DOMID_SELF, 0));
	refused("more than a list can have",
		EXCHANGE(frames, 1UL << 62, 0, DOMID_SELF, new, 1UL << 62, 0, DOMID_SELF, 0));
	refused("frames at a bad address", EXCHANGE((void *)NOWHERE_KERNEL, 1, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0));
	refused("frames at an address of Xen's", EXCHANGE((void *)HOLE_START, 1, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0));
	refused("pages at an address of Xen's", EXCHANGE(frames, 1, 0, DOMID_SELF, (void *)HOLE_START, 1, 0, DOMID_SELF, 0));
	refused("Xen's list, for domain 5", EXCHANGE((void *)HOLE_START, 1, 0, 5, new, 1, 0, 5, 0));
	memcpy(list, frames, sizeof(list));
	list[1] = list[0];
	refused("the same frame twice, for an extent", EXCHANGE(list, 2, 0, DOMID_SELF, new, 1, 1, DOMID_SELF, 0));
	refused("the same frame twice, one by one", EXCHANGE(list, 2, 0, DOMID_SELF, new, 2, 0, DOMID_SELF, 0));
	frames[0] = new[0];
	new[0] = pages[0];
	list[0] = frames[2];
	list[1] = ~0UL >> 12;
	refused("a frame that does not exist", EXCHANGE(list, 2, 0, DOMID_SELF, new, 1, 1, DOMID_SELF, 0));
	list[1] = frame_of(test_pages[0]);
	refused("a page in use", EXCHANGE(list, 2, 0, DOMID_SELF, new, 1, 1, DOMID_SELF, 0));
	list[1] = shared;
	refused("shared_info", EXCHANGE(list, 2, 0, DOMID_SELF, new, 1, 1, DOMID_SELF, 0));
	list[1] = 0xfed00;
	refused("an I/O page", EXCHANGE(list, 2, 0, DOMID_SELF, new, 1, 1, DOMID_SELF, 0));
	list[1] = 1;
	refused("memory below 1 MiB", EXCHANGE(list, 2, 0, DOMID_SELF, new, 1, 1, DOMID_SELF, 0));
	refused("an extent of two, the second not ours",
		EXCHANGE(list + 1, 1, 1, DOMID_SELF, new, 2, 0, DOMID_SELF, 0));
	page_set(area_address(TEST_SLOT), frames[3] * PAGE_SIZE | PAGE_READONLY);
	refused("a frame with a mapping", EXCHANGE(frames + 3, 1, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0));
	page_set(area_address(TEST_SLOT), 0);
	refused("without it", EXCHANGE(frames + 3, 1, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0));
	frames[3] = new[0];
	new[0] = pages[0];
	struct exchange low = EXCHANGE(frames + 3, 1, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0);
	low.out.flags = 13;
	refused("for one below 8 KiB", low);
	low.out.flags = 65 << 8;
	refused("for one of node 64", low);
	low.out.flags = 2 << 8 | 1 << 17;
	refused("for one of node 1 exactly", low);
	say("the frame is %s", mappable(frames[3]) ? "still ours" : "gone");

	struct exchange *x = (struct exchange *)test_pages[3];
	*x = EXCHANGE(frames, 4, 0, DOMID_SELF, new, 1, 0, DOMID_SELF, 0);
	say_result("four for one, the answer read-only", without_result(x));
	u64 *end = (u64 *)(area_address(TEST_SLOT + 1) - 8);
	page_set(area_address(TEST_SLOT), entry_for(test_pages[0], PAGE_WRITABLE));
	end[0] = pages[0];
	refused("pages at the end of a mapping", EXCHANGE(frames, 4, 0, DOMID_SELF, end, 4, 0, DOMID_SELF, 0));
	frames[0] = end[0];
	say("the second frame is %s", mappable(frames[1]) ? "still ours" : "gone");
	page_set(area_address(TEST_SLOT), 0);
	say_result("with a first extent", HYPERVISOR_memory_op(XENMEM_exchange | 1 << 6, x));
	say_result("arguments at a bad address", HYPERVISOR_memory_op(XENMEM_exchange, (void *)NOWHERE_KERNEL));
	frames[1] = frames[3];
	give_up(frames, 3, 0);
}
