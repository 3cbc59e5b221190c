/* mm_reservation.c - MM: what a reservation asks for beside a number of pages. */
#include "mm.h"

#define ON_DEMAND	(1 << 16)
#define EXACT_NODE	(1 << 17)
#define VNODE		(1 << 18)
#define NODE(n)		(((n) + 1) << 8)

static u64 list[2];

static void ask(const char *what, u32 op, struct reservation r)
{
	long n = HYPERVISOR_memory_op(op, &r);
	struct reservation back = { list, (u64)n, r.order, 0, DOMID_SELF };

	if (n > 2)
		n = 0;		/* the number that was passed in */
	say("%s: %ld of %lu", what, n, r.n);
	if (n && HYPERVISOR_memory_op(XENMEM_decrease_reservation, &back) != n)
		say("  but they are not ours");
}

void mm_29(void)
{
	static const struct { const char *what; u32 order, flags; } asked[] = {
		{ "anything", 0, 0 }, { "an extent of 8", 3, 0 }, { "an extent of 2^19", 19, 0 },
		{ "an extent of 2^63", 63, 0 },
		{ "addresses of 12 bits", 0, 12 }, { "addresses of 1 bit", 0, 1 },
		{ "addresses of 13 bits", 0, 13 }, { "addresses of 20 bits", 0, 20 },
		{ "addresses of 60 bits", 0, 60 },
		{ "node 0", 0, NODE(0) }, { "node 0 exactly", 0, NODE(0) | EXACT_NODE },
		{ "any node exactly", 0, EXACT_NODE }, { "node 1", 0, NODE(1) },
		{ "node 1 exactly", 0, NODE(1) | EXACT_NODE }, { "node 63", 0, NODE(63) },
		{ "node 64", 0, NODE(64) }, { "virtual node 64", 0, NODE(64) | VNODE },
		{ "flags without meaning", 0, 0xff80000 },
	};
	u64 far = start_info->nr_pages + 100;

	for (u32 i = 0; i < ARRAY_LEN(asked); i++)
		ask(asked[i].what, XENMEM_increase_reservation,
		    (struct reservation){ list, 1, asked[i].order, asked[i].flags, DOMID_SELF });
	list[0] = far;
	ask("at a page", XENMEM_populate_physmap, (struct reservation){ list, 1, 0, 0, DOMID_SELF });
	list[0] = far;
	ask("at a page, on demand", XENMEM_populate_physmap, (struct reservation){ list, 1, 0, ON_DEMAND, DOMID_SELF });
	list[0] = far;
	ask("2^19 at a page, on demand", XENMEM_populate_physmap,
	    (struct reservation){ list, 1, 19, ON_DEMAND, DOMID_SELF });
	ask("by the number of the domain", XENMEM_increase_reservation, (struct reservation){ list, 1, 0, 0, 0 });
	ask("for domain 5", XENMEM_increase_reservation, (struct reservation){ list, 1, 0, 0, 5 });
	ask("for DOMID_XEN", XENMEM_increase_reservation, (struct reservation){ list, 1, 0, 0, DOMID_XEN });
	ask("two", XENMEM_increase_reservation, (struct reservation){ list, 2, 0, 0, DOMID_SELF });

	/* Bits 6 and up of the command: extents that are done. */
	struct reservation r = { list, 2, 0, 0, DOMID_SELF };
	for (u64 start = 1; start <= 3; start++)
		say("two, of which %lu are done: %ld", start,
		    HYPERVISOR_memory_op(XENMEM_increase_reservation | start << 6, &r));
	u64 *second = list + 1;
	struct reservation back = { second, 1, 0, 0, DOMID_SELF };
	say_result("the second given back", HYPERVISOR_memory_op(XENMEM_decrease_reservation, &back));
	r.n = 1UL << 26;
	say("2^26 extents, 3 done: %ld", HYPERVISOR_memory_op(XENMEM_increase_reservation | 3 << 6, &r));
	r.n = 1;
	r.extents = (void *)HOLE_START;
	say("a list at an address of Xen's: %ld", HYPERVISOR_memory_op(XENMEM_increase_reservation, &r));
	say("arguments at a bad address, 7 done: %ld",
	    HYPERVISOR_memory_op(XENMEM_increase_reservation | 7 << 6, (void *)NOWHERE_KERNEL));
	list[0] = frame_of(test_pages[0]) | 1UL << 40;
	r.extents = list;
	say("giving up a frame that does not exist: %ld", HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r));
	list[0] = 0xfed00;
	say("giving up an I/O page: %ld", HYPERVISOR_memory_op(XENMEM_decrease_reservation, &r));
}
