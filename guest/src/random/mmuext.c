/* mmuext.c - mmuext_op: pins, roots, pages, flushes. */
#include "random.h"

static const char *const names[] = {
	"mmuext_op pin_l1", "mmuext_op pin_l2", "mmuext_op pin_l3", "mmuext_op pin_l4", "mmuext_op unpin",
	"mmuext_op new_baseptr", "mmuext_op tlb_flush_local", "mmuext_op invlpg_local",
	"mmuext_op tlb_flush_multi", "mmuext_op invlpg_multi", "mmuext_op tlb_flush_all", "mmuext_op invlpg_all",
	"mmuext_op flush_cache", "mmuext_op set_ldt", "mmuext_op 14", "mmuext_op new_user_baseptr",
	"mmuext_op clear_page", "mmuext_op copy_page", "mmuext_op flush_cache_global", "mmuext_op mark_super",
	"mmuext_op unmark_super", "mmuext_op 21", "mmuext_op 22",
};

/* A page that was once made a root has the kernel in its last slot, and keeps it
   as long as it is one: slot_of() keeps operations off it. */
static bool has_kernel(u64 frame)
{
	const u64 *root = (const u64 *)start_info->pt_base;
	int p = pool_of(frame);

	if (p < 0)
		return frame == root_frame;
	return pool_want[p] == L4 && (pool_view(p)[511] & (PTE_FRAME | PTE_P)) == (root[511] & (PTE_FRAME | PTE_P)) &&
	       (pool_view(p)[0] & (PTE_FRAME | PTE_P)) == (root[0] & (PTE_FRAME | PTE_P));
}

static u64 draw_root(void)
{
	int p = draw_pool(L4);
	u64 frame = chance(40) ? root_frame : chance(80) ? pool_frame[p] : draw_frame();

	return frame;
}

static void draw_arguments(struct mmuext_op *op)
{
	static u64 vcpus[2] = { 1, 0 };

	op->arg2 = 0;
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE ... MMUEXT_PIN_L4_TABLE: {
		int p = draw_pool(op->cmd + 1);

		op->mfn = chance(75) ? pool_frame[p] : draw_frame();
		break;
	}
	case MMUEXT_NEW_BASEPTR:
		op->mfn = draw_root();
		break;
	case MMUEXT_NEW_USER_BASEPTR:
		op->mfn = chance(10) ? 0 : chance(40) ? user_root_frame : draw_root();
		break;
	case MMUEXT_INVLPG_LOCAL: case MMUEXT_INVLPG_MULTI: case MMUEXT_INVLPG_ALL:
		op->mfn = draw_address();
		note(" ");
		note_place(op->mfn);
		break;
	case MMUEXT_SET_LDT: {
		static const u32 counts[] = { 0, 1, 16, 512, 513, 1024, 8192, 8193, 0xffffffff };

		op->mfn = chance(80) ? draw_address() & ~(u64)(PAGE_SIZE - 1) : draw_address();
		op->arg2 = pick(counts);
		note(" ");
		note_place(op->mfn);
		note(" %lu", op->arg2);
		return;
	}
	case MMUEXT_COPY_PAGE:
		do		/* the time and the events are in shared_info */
			op->mfn = draw_frame(), op->arg2 = draw_frame();
		while (op->mfn == start_info->shared_info / PAGE_SIZE || op->arg2 == start_info->shared_info / PAGE_SIZE);
		note(" from %s", frame_name(op->arg2));
		break;
	default:
		op->mfn = draw_frame();
		/* The boot roots stay pinned: a sequence begins with them. */
		if (op->cmd == MMUEXT_UNPIN_TABLE && (op->mfn == root_frame || op->mfn == user_root_frame))
			op->mfn = pool_frame[0];
		if (op->cmd == MMUEXT_CLEAR_PAGE && op->mfn == start_info->shared_info / PAGE_SIZE)
			op->mfn = pool_frame[0];
	}
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI || op->cmd == MMUEXT_INVLPG_MULTI) {
		op->arg2 = chance(80) ? (u64)vcpus : draw_bad_pointer();
		note(" vcpus %lx", op->arg2 == (u64)vcpus ? 1 : op->arg2);
	}
	if (op->cmd < MMUEXT_TLB_FLUSH_LOCAL || op->cmd > MMUEXT_SET_LDT)
		note(" %s", frame_name(op->mfn));
}

/* Roots without the kernel are fatal. Of the frames that are no pool pages, the
   user's root is one, and pages of data may become one. */
static bool harmless(const struct mmuext_op *op)
{
	if (op->cmd != MMUEXT_NEW_BASEPTR || has_kernel(op->mfn))
		return true;
	return pool_of(op->mfn) < 0 && op->mfn != user_root_frame && op->mfn != frame_of(own_gdt) &&
	       op->mfn != start_info_frame;
}

static void done_well(const struct mmuext_op *op)
{
	int p = pool_of(op->mfn);

	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE ... MMUEXT_PIN_L4_TABLE:
		if (p >= 0)
			pool_pinned[p] = true;
		break;
	case MMUEXT_UNPIN_TABLE:
		if (p >= 0)
			pool_pinned[p] = false;
		break;
	case MMUEXT_NEW_BASEPTR:
		current_root = op->mfn;
		break;
	case MMUEXT_NEW_USER_BASEPTR:
		current_user_root = op->mfn;
		break;
	}
}

static u32 draw_command(void)
{
	static const u8 common[] = {
		MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE,
		MMUEXT_UNPIN_TABLE, MMUEXT_UNPIN_TABLE, MMUEXT_NEW_BASEPTR, MMUEXT_NEW_USER_BASEPTR, MMUEXT_SET_LDT,
		MMUEXT_CLEAR_PAGE, MMUEXT_COPY_PAGE,
	};

	return chance(70) ? pick(common) : chance(97) ? below(ARRAY_LEN(names)) : (u32)draw_word() | 32;
}

static bool op_mmuext(void)
{
	static const u64 domains[] = { 0, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, 1, 0xffff };
	struct mmuext_op list[3];
	u32 count = chance(85) ? 1 : 2 + below(2), done = ~0u, n = 0;
	u64 domain = chance(95) ? DOMID_SELF : pick(domains);
	const char *name;
	long r;

	for (; n < count; n++) {
		struct mmuext_op *op = &list[n];

		op->cmd = draw_command();
		if (n)
			note(",");
		note(" %s", op->cmd < ARRAY_LEN(names) ? names[op->cmd] + 10 : "unknown");
		draw_arguments(op);
		if (!harmless(op)) {
			note(": not a kernel's");
			op->mfn = root_frame;
		}
		/* A later one could take the kernel out of a root. */
		if (op->cmd == MMUEXT_CLEAR_PAGE || op->cmd == MMUEXT_COPY_PAGE || op->cmd == MMUEXT_NEW_BASEPTR)
			count = n + 1;
	}
	if (domain != DOMID_SELF)
		note(" domain %lx", domain);
	r = hypercall(__HYPERVISOR_mmuext_op, (u64)list, count, (u64)&done, domain, 0);
	/* An early refusal leaves the number done alone. */
	for (n = 0; done <= count && n < done; n++)
		done_well(&list[n]);
	n = done < count ? done : count - 1;
	name = list[n].cmd < ARRAY_LEN(names) ? names[list[n].cmd] : "mmuext_op unknown";
	note(" done %u", done);
	return note_result(name, r);
}

static bool op_mmuext_pointers(void)
{
	struct mmuext_op one = { MMUEXT_TLB_FLUSH_LOCAL, 0, 0 };
	u64 list = chance(50) ? draw_bad_pointer() : (u64)&one, done = chance(50) ? draw_bad_pointer() : 0;
	static const u32 counts[] = { 0, 1, 2, 0x7fffffff, 0x80000000, 0x80000001 };
	u32 count = list == (u64)&one ? below(2) : pick(counts);

	note(" list %s done %lx count %x", list == (u64)&one ? "good" : "bad", done, count);
	return note_result("mmuext_op pointers", hypercall(__HYPERVISOR_mmuext_op, list, count, done, DOMID_SELF, 0));
}

const struct operation mmuext_operations[] = {
	{ "mmuext_op", 20, op_mmuext },
	{ "mmuext_op pointers", 1, op_mmuext_pointers },
	{}
};
