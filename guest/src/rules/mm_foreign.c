/* mm_foreign.c - MM: frames that are not the domain's, by whose they are said to
   be, and frames that are no memory. */
#include "mm.h"

/* Xen's special domains, and ids that nobody has. */
static const struct { const char *name; u16 id; } owners[] = {
	{ "DOMID_SELF", DOMID_SELF }, { "its own number", 0 }, { "DOMID_IO", DOMID_IO }, { "DOMID_XEN", DOMID_XEN },
	{ "DOMID_COW", 0x7ff3 }, { "DOMID_INVALID", 0x7ff4 }, { "DOMID_IDLE", 0x7fff }, { "domain 1", 1 },
	{ "domain 65535", 0xffff },
};

static u64 frame_of_xen(void)
{
	u64 frame = 0;
	struct { u32 max, pad; u64 *list; u32 n; } mfns = { 1, 0, &frame, 0 };

	if (HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &mfns) || !mfns.n)
		panic("no list of the M2P table");
	return frame;
}

static const char *shown(long result)
{
	static char text[2][24];
	static u32 n;
	char *p = text[n++ & 1];
	const char *name = result ? errno_name(result) : "0";
	u32 i = 0;

	for (; name[i] && i < 22; i++)
		p[i] = name[i];
	p[i] = 0;
	return p;
}

static u32 done;

static long update_as(u64 *slot, u64 value, u32 domains)
{
	struct mmu_update u = { machine(slot), value };

	done = 77;
	return HYPERCALL(__HYPERVISOR_mmu_update, &u, 1, &done, domains);
}

static long map_as(u64 va, u64 value, u16 domain)
{
	return HYPERCALL(22, va, value, UVMF_INVLPG, domain);
}

static long ext_as(u32 cmd, u64 mfn, u16 domain)
{
	struct mmuext_op op = { cmd, mfn, 0 };

	done = 77;
	return HYPERCALL(__HYPERVISOR_mmuext_op, &op, 1, &done, domain);
}

static void map_frames(u16 id)
{
	struct { const char *what; u64 frame, flags; } frames[] = {
		{ "own", frame_of(test_pages[0]), PAGE_WRITABLE },
		{ "shared_info", start_info->shared_info / PAGE_SIZE, PAGE_WRITABLE },
		{ "the M2P table, read-only", frame_of_xen(), PAGE_READONLY },
		{ "the M2P table", frame_of_xen(), PAGE_WRITABLE },
		{ "frame 0, read-only", 0, PAGE_READONLY },
		{ "an I/O page", 0xf0000, PAGE_READONLY },
		{ "the local APIC", 0xfee00, PAGE_READONLY },
		{ "all ones", PTE_FRAME / PAGE_SIZE, PAGE_READONLY },
	};

	for (u32 i = 0; i < ARRAY_LEN(frames); i++) {
		u64 *slot = pte_of(area_address(TEST_SLOT)), value = frames[i].frame * PAGE_SIZE | frames[i].flags;
		long other = map_as(area_address(TEST_SLOT), value, id), by_update;

		page_set(area_address(TEST_SLOT), 0);
		by_update = update_as(slot, value, id);
		say("  %s: %s, mmu_update %s", frames[i].what, shown(other), shown(by_update));
		page_set(area_address(TEST_SLOT), 0);
	}
}

void mm_33(void)
{
	u64 *slot = pte_of(area_address(TEST_SLOT));

	own_fill();
	own_protect();
	pin(MMUEXT_PIN_L4_TABLE, own_l4);
	for (u32 i = 0; i < ARRAY_LEN(owners); i++) {
		u16 id = owners[i].id;
		struct mmu_update m2p = { machine(test_pages[0]) | MMU_MACHPHYS_UPDATE,
			((u64)test_pages[0] - KERNEL_BASE) / PAGE_SIZE };
		long result;

		say("%s:", owners[i].name);
		if (update_as(slot, 0, id) == 0)
			map_frames(id);
		else
			say("  mmu_update of nothing = %s, done %u", errno_name(update_as(slot, 0, id)), done);
		result = update_as(&own_l2[7], 0, id);
		say("  an L2 entry cleared %s, set %s, done %u", shown(result),
		    shown(update_as(&own_l2[7], entry_for(own_l1, TABLE_FLAGS), id)), done);
		update(&own_l2[7], 0);
		result = HYPERCALL(__HYPERVISOR_mmu_update, &m2p, 1, NULL, id);
		m2p.ptr = 0xf0000000 | MMU_MACHPHYS_UPDATE;
		say("  M2P of an own frame %s, of an I/O page %s", shown(result),
		    shown(HYPERCALL(__HYPERVISOR_mmu_update, &m2p, 1, NULL, id)));
		m2p.ptr = machine(test_pages[0]) | 5;
		say_result("  mmu_update command 5", HYPERCALL(__HYPERVISOR_mmu_update, &m2p, 1, NULL, id));
		result = ext_as(MMUEXT_PIN_L1_TABLE, frame_of(test_pages[0]), id);
		say("  pin of an own page %s, of frame 0 %s, done %u", shown(result),
		    shown(ext_as(MMUEXT_PIN_L1_TABLE, 0, id)), done);
		ext_as(MMUEXT_UNPIN_TABLE, frame_of(test_pages[0]), DOMID_SELF);
		result = ext_as(MMUEXT_UNPIN_TABLE, frame_of_xen(), id);
		say("  unpin of Xen's frame %s, CLEAR_PAGE of it %s", shown(result),
		    shown(ext_as(MMUEXT_CLEAR_PAGE, frame_of_xen(), id)));
	}
	for (u32 i = 0; i < ARRAY_LEN(owners); i++)
		say("page table of %s: %s, done %u", owners[i].name,
		    shown(update_as(slot, 0, (owners[i].id + 1u) << 16 | DOMID_SELF)), done);
	say("page table of its own, frames of DOMID_IO: %s", shown(update_as(slot, 0, 1 << 16 | DOMID_IO)));
	say("page table of its own, frames of domain 5: %s, done %u", shown(update_as(slot, 0, 1 << 16 | 5)), done);
	unpin(own_l4);
	own_release();
}

/* What Xen makes of entries for frames that are no memory. */
void mm_34(void)
{
	static const struct { const char *what; u64 frame; } places[] = {
		{ "frame 1", 1 }, { "frame a0", 0xa0 }, { "frame ff", 0xff },
		{ "f0000", 0xf0000 }, { "the I/O APIC", 0xfec00 }, { "behind it", 0xfec01 }, { "the HPET", 0xfed00 },
		{ "the local APIC", 0xfee00 }, { "the last MSI frame", 0xfeeff }, { "behind it", 0xfef00 },
		{ "the BIOS", 0xfffff }, { "at 64 GiB", 1UL << 24 }, { "at 512 GiB", 1UL << 27 },
		{ "at 1 TiB", 1UL << 28 }, { "at 32 TiB", 1UL << 33 }, { "at 64 TiB", 1UL << 34 },
	};
	static const struct { const char *name; u64 flags; } kinds[] = {
		{ "R", PTE_P | PTE_NX }, { "RW", PTE_P | PTE_RW | PTE_NX }, { "RW PWT", PTE_P | PTE_RW | PTE_PWT | PTE_NX },
		{ "RW PCD", PTE_P | PTE_RW | PTE_PCD | PTE_NX }, { "RW PCD PWT", PTE_P | PTE_RW | PTE_PCD | PTE_PWT | PTE_NX },
		{ "RW PAT", PTE_P | PTE_RW | PTE_PS | PTE_NX }, { "RW PAT PWT", PTE_P | PTE_RW | PTE_PS | PTE_PWT | PTE_NX },
		{ "R PAT PCD", PTE_P | PTE_PS | PTE_PCD | PTE_NX },
	};
	u64 va = area_address(TEST_SLOT), *slot = pte_of(va);

	for (u32 i = 0; i < ARRAY_LEN(places); i++)
		for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
			long result = page_set(va, places[i].frame * PAGE_SIZE | kinds[k].flags);

			if (result) {
				say("%s: %s = -%s", places[i].what, kinds[k].name, errno_name(result));
				if (k == 0)
					break;
				continue;
			}
			u64 got = *slot;
			long again = page_set(va, got);
			say("%s: %s becomes %lx%s", places[i].what, kinds[k].name, PTE_FLAGS(got),
			    again || *slot != got ? ", and not stable" : "");
			page_set(va, 0);
		}
	/* The same for memory. */
	for (u32 k = 0; k < ARRAY_LEN(kinds); k++) {
		long result = page_set(va, entry_for(test_pages[0], kinds[k].flags));

		if (result)
			say("memory: %s = -%s", kinds[k].name, errno_name(result));
		else
			say("memory: %s becomes %lx", kinds[k].name, PTE_FLAGS(*slot));
		result = page_set(va, start_info->shared_info | kinds[k].flags);
		if (result)
			say("shared_info: %s = -%s", kinds[k].name, errno_name(result));
		else
			say("shared_info: %s becomes %lx", kinds[k].name, PTE_FLAGS(*slot));
	}
	/* In a table that is pinned, and by a change of flags. */
	own_l1[3] = 0xf0000000 | PTE_P | PTE_RW;
	own_l1[4] = 0xfec00000 | PTE_P | PTE_RW;
	table_map(own_l1, PAGE_READONLY);
	say_result("pin an L1 with I/O pages", pin(MMUEXT_PIN_L1_TABLE, own_l1));
	say("in it: %lx, %lx", PTE_FLAGS(own_l1[3]), PTE_FLAGS(own_l1[4]));
	say_result("A and D added to the I/O page", update(&own_l1[3], own_l1[3] | PTE_A | PTE_D));
	say("it is %lx", PTE_FLAGS(own_l1[3]));
	say_result("its caching changed to WB", update(&own_l1[3], own_l1[3] & ~(u64)(PTE_PCD | PTE_PWT)));
	say("it is %lx", PTE_FLAGS(own_l1[3]));
	unpin(own_l1);
	own_release();
}
