/* grant_move.c - copies by grants and frames, and transfers. */
#include "grant.h"

/* One side of a copy. Contents of frames that have no role may not be seen, and
   only the pool may be changed: with what could, the copy is of nothing. */
static struct grant_side draw_side(bool gref, bool dest, bool *nothing)
{
	struct grant_side s = { 0, chance(50) ? DOMID_SELF : draw_grantee(), 0 };

	if (gref) {
		s.u = draw_ref();
		*nothing |= ref_is_delicate(s.u);
		note(" ref %lx domain %x", s.u, s.domid);
		return s;
	}
	if (chance(93))
		s.domid = DOMID_SELF;
	s.u = draw_frame();
	*nothing |= pool_of(s.u) < 0 && !frame_is_nobodys(s.u);
	if (!dest && chance(2))
		s.u = 1UL << 50;
	note(" %s domain %x", frame_name(s.u), s.domid);
	return s;
}

bool op_copy(void)
{
	struct grant_copy list[4];
	u32 n = chance(60) ? 1 : 1 + below(4);
	bool ok, nothing = false;

	for (u32 i = 0; i < n; i++) {
		struct grant_copy *c = &list[i];
		u32 offset = below(512) * 8, len = chance(70) ? 8 * below(8) : 8 * below(513);

		*c = (struct grant_copy){ .status = 77, .flags = below(4) };
		if (i && chance(50)) {		/* what the last copy had */
			c->flags = list[i - 1].flags;
			c->source = list[i - 1].source;
			c->dest = list[i - 1].dest;
			note(" the same");
		} else {
			nothing = false;
			c->source = draw_side(c->flags & GNTCOPY_source_gref, false, &nothing);
			note(" to");
			c->dest = draw_side(c->flags & GNTCOPY_dest_gref, true, &nothing);
		}
		if (chance(90) && offset + len > PAGE_SIZE)
			len = PAGE_SIZE - offset;
		/* The same place in the page, so that what Xen keeps in a root stays
		   where nobody looks. */
		c->source.offset = c->dest.offset = offset;
		c->len = nothing ? 0 : len;
		if (chance(3)) {
			c->len = 1 + below(4096);
			c->dest.offset = PAGE_SIZE + 1 - c->len + below(8);
		}
		note(" %x+%x flags %x", c->dest.offset, c->len, c->flags);
	}
	ok = note_result("grant copy", grant_op(GNTTABOP_copy, list, n));
	for (u32 i = 0; i < n; i++)
		ok &= note_status(GRANT_COPY, list[i].status);
	return ok;
}

static u8 spare[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u64 spare_frame;

void transfer_init(void)
{
	spare_frame = frame_of(spare);
}

#define XENMEM_current_reservation	3
#define XENMEM_maximum_reservation	4

/* A domain that has more than it may takes no page. */
static bool has_room(void)
{
	u16 self = DOMID_SELF;

	return hypercall(__HYPERVISOR_memory_op, XENMEM_current_reservation, (u64)&self, 0, 0, 0) <=
	       hypercall(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, (u64)&self, 0, 0, 0);
}

/* The spare page goes to an entry that waits for it and comes back. A transfer that
   fails later than at the start would lose its frame. */
static bool transfer_spare(void)
{
	u32 ref = below(16);
	u32 page = draw() & 0xffffff;
	struct grant_transfer t = { spare_frame, 0, ref, 77 };
	struct mmu_update u = { spare_frame * PAGE_SIZE | MMU_MACHPHYS_UPDATE, ((u64)spare - KERNEL_BASE) / PAGE_SIZE };
	bool ok;

	note(" spare to %u page %x", ref, page);
	page_set((u64)spare, 0);
	if (grant_v2())
		grant_entries->v2[ref] = (struct grant_v2){ GTF_accept_transfer, 0, 0, 0, page };
	else
		grant_entries->v1[ref] = (struct grant_v1){ GTF_accept_transfer, 0, page };
	ok = note_result("grant transfer", grant_op(GNTTABOP_transfer, &t, 1));
	ok &= note_status(GRANT_TRANSFER, t.status);
	note(" m2p %lx, the frame %d", ((const u64 *)M2P_START)[spare_frame], entry_frame(ref) == spare_frame);
	if (mmu_update(NULL, &u, 1, DOMID_SELF) || page_set((u64)spare, spare_frame * PAGE_SIZE | POOL_WRITABLE))
		panic("the spare page is lost");
	/* Its number is another on another machine. */
	if (grant_v2())
		grant_entries->v2[ref].frame = 0;
	else
		grant_entries->v1[ref].frame = 0;
	return ok;
}

bool op_transfer(void)
{
	struct grant_transfer t = { draw_frame(), draw_grantee(), draw_ref(), 77 };
	bool ok;

	if (chance(60) && has_room())
		return transfer_spare();
	/* A page of the pool always has a mapping. What is not the pool's and has none
	   would be lost. */
	if (pool_of(t.mfn) < 0 && !frame_is_nobodys(t.mfn))
		t.mfn = start_info->shared_info / PAGE_SIZE;
	note(" %s domain %x ref %x", frame_name(t.mfn), t.domid, t.ref);
	ok = note_result("grant transfer", grant_op(GNTTABOP_transfer, &t, 1));
	return note_status(GRANT_TRANSFER, t.status) && ok;
}
