/* boot.c - BOOT: the memory that a domain begins with, and what describes it. */
#include "boot.h"

#define XENVER_get_features	6

/* VA of a place of the image, and the pseudo-physical page it was loaded to. */
static void boot_02(void)
{
	u64 pages = ((u64)image_end - (u64)image_start) / PAGE_SIZE, right = 0, mapped = 0;

	for (u64 va = (u64)image_start; va < (u64)image_end; va += PAGE_SIZE) {
		u64 *pte = pte_of(va);

		if (!pte || !(*pte & PTE_P))
			continue;
		mapped++;
		right += (*pte & PTE_FRAME) / PAGE_SIZE ==
			 ((u64 *)start_info->mfn_list)[(va - KERNEL_BASE) / PAGE_SIZE];
	}
	say("the image begins at VIRT_BASE+%lx", (u64)image_start - KERNEL_BASE);
	say("each mapped page of it is the PFN of its address less VIRT_BASE: %s",
	    right == mapped && mapped > pages / 2 ? "yes" : "no");
	say("the entry point is in it: %s", (u64)image_start <= (u64)text_start &&
	    (u64)text_start < (u64)image_end ? "yes" : "no");
}

static void boot_05(void)
{
	const struct start_info *si = start_info;

	say("magic \"%s\"", si->magic);
	say("nr_pages at 32: %lu", si->nr_pages);
	say("shared_info at 40: %s", si->shared_info & 0xfff ? "not of a page" : "a page");
	say("flags at 48: 0x%x", si->flags);
	say("store_mfn, store_evtchn at 56, 64: 0x%lx 0x%x", si->store_mfn, si->store_evtchn);
	say("pt_base at 88: %s", (si->pt_base & 0xfff) || si->pt_base < KERNEL_BASE ? "wrong" : "a page");
	say("nr_pt_frames at 96: %lu", si->nr_pt_frames);
	say("mfn_list at 104: %s", si->mfn_list < (u64)image_end ? "in the image" : "behind the image");
	say("mod_start, mod_len at 112: 0x%lx 0x%lx", si->mod_start, si->mod_len);
	say("cmd_line at 128: \"%s\"", si->cmd_line);
	say("first_p2m_pfn, nr_p2m_frames at 1152: 0x%lx 0x%lx", si->first_p2m_pfn, si->nr_p2m_frames);
}

KERNEL_CODE(boot_read, "mov (%rax), %rbx\nboot_read_next: ud2");

static struct record *read_at(u64 va)
{
	struct start s = kernel_code(boot_read);

	s.gpr[RAX] = va;
	return go(&s, NULL);
}

static void show_read(const char *what, u64 va)
{
	struct record *r = read_at(va);

	if (r->kind == 6)
		say("%s can be read", what);
	else
		say("%s: %s, error code 0x%lx, CR2 %s", what, vector_name(r->kind), r->frame[2],
		    r->kind != 14 ? "unused" : r->cr2 == va ? "its address" : "another address");
}

static void boot_07(void)
{
	u64 p2m_end = start_info->mfn_list + start_info->nr_pages * 8, end = boot_stack() + PAGE_SIZE;
	u64 *pte;

	say("image, p2m list, start_info, page tables, stack in this order: %s",
	    (u64)image_end <= start_info->mfn_list && p2m_end <= (u64)start_info &&
	    (u64)start_info < start_info->pt_base && start_info->pt_base < boot_stack() ? "yes" : "no");
	say("p2m list: %lu pages behind the image; start_info: %lu pages behind its end",
	    (start_info->mfn_list - (u64)image_end) / PAGE_SIZE, ((u64)start_info - p2m_end) / PAGE_SIZE);
	say("page tables: %lu pages behind start_info",
	    (start_info->pt_base - (u64)start_info) / PAGE_SIZE - 1);
	while ((pte = pte_of(end)) && (*pte & PTE_P))
		end += PAGE_SIZE;
	say("mapped to VIRT_BASE+0x%lx, that is %s of 4 MiB", end - KERNEL_BASE,
	    end & 0x3fffff ? "no multiple" : "a multiple");
	say("at least 512 KiB behind the stack: %s", end - boot_stack() - PAGE_SIZE >= 512 << 10 ? "yes" : "no");
	catch_all();
	show_read("the last word", end - 8);
	show_read("the word behind it", end);
}

KERNEL_CODE(boot_write, "mov %rbx, (%rax)\nboot_write_next: ud2");

static void boot_08(void)
{
	u64 tables = 0, writable = 0;
	u64 *l4 = (u64 *)start_info->pt_base;
	struct mmu_update same = { frame_of(l4) * PAGE_SIZE + 511 * 8, l4[511] };
	u32 done = 0;

	for (u64 va = start_info->pt_base; va < boot_stack(); va += PAGE_SIZE) {
		tables++;
		writable += (*pte_of(va) & PTE_RW) != 0;
	}
	say("%lu of %lu page tables are mapped writable", writable, tables);
	say("the start_info page is %s", *pte_of((u64)start_info) & PTE_RW ? "writable" : "read-only");
	say_result("mmu_update of the root", HYPERVISOR_mmu_update(&same, 1, &done));
	say("%u done", done);
}

static void boot_08_bad(void)
{
	struct start s = kernel_code(boot_write);
	u64 *l4 = (u64 *)start_info->pt_base;
	struct record *r;

	catch_all();
	NAME_CODE(boot_write);
	s.gpr[RAX] = (u64)&l4[511];
	s.gpr[RBX] = l4[511];
	r = go(&s, NULL);
	say("a store to the root: %s at %s, error code 0x%lx", vector_name(r->kind), named(r->back.ip),
	    r->frame[2]);
}

static void boot_09(void)
{
	const u64 *p2m = (const u64 *)start_info->mfn_list, *m2p = (const u64 *)M2P_START;
	u64 missing = 0, inverse = 0;

	for (u64 pfn = 0; pfn < start_info->nr_pages; pfn++) {
		missing += p2m[pfn] == ~0UL;
		inverse += p2m[pfn] != ~0UL && m2p[p2m[pfn]] == pfn;
	}
	say("%lu pages; %lu without a frame; of %s others m2p is the inverse", start_info->nr_pages,
	    missing, inverse + missing == start_info->nr_pages ? "all" : "not all");
	say_result("a page mapped by its frame", page_map(area_address(TEST_SLOT), test_pages[0], PAGE_WRITABLE));
	test_pages[0][0] = 42;
	say("read there: %u", *(volatile u8 *)area_address(TEST_SLOT));
	page_map(area_address(TEST_SLOT), NULL, 0);
}

/* Numbers that are no frames of its own, where Xen asks for frames. */
static void boot_09_bad(void)
{
	u64 pfn = ((u64)test_pages[0] - KERNEL_BASE) / PAGE_SIZE;
	struct mmuext_op pin = { MMUEXT_PIN_L4_TABLE, (start_info->pt_base - KERNEL_BASE) / PAGE_SIZE, 0 };
	u32 done = 0;

	say_result("a page mapped by its PFN",
		   page_set(area_address(TEST_SLOT), pfn * PAGE_SIZE | PAGE_WRITABLE));
	say_result("by a number beyond all memory",
		   page_set(area_address(TEST_SLOT), 1UL << 50 | PAGE_WRITABLE));
	say_result("the root table pinned by its PFN", HYPERVISOR_mmuext_op(&pin, 1, &done));
	page_map(area_address(TEST_SLOT), NULL, 0);
}

static void boot_13(void)
{
	struct { u32 index, submap; } features = { 0, 0 };

	say_result("get_features", HYPERVISOR_xen_version(XENVER_get_features, &features));
	say("submap 0 = 0x%x", features.submap);
	features.index = 1;
	say_result("get_features of submap 1", HYPERVISOR_xen_version(XENVER_get_features, &features));
}

static void boot_14(void)
{
	static const struct { const char *what; u64 va; } places[] = {
		{ "0xffff800000000000, the M2P table", 0xffff800000000000 },
		{ "0xffff808000000000", 0xffff808000000000 },
		{ "0xffff810000000000", 0xffff810000000000 },
		{ "0xffff820000000000", 0xffff820000000000 },
		{ "0xffff82d040000000, Xen's image", 0xffff82d040000000 },
		{ "0xffff830000000000, all memory", 0xffff830000000000 },
		{ "0xffff87fffffffff8, Xen's last word", 0xffff87fffffffff8 },
		{ "0xffff880000000000, the guest's first", 0xffff880000000000 },
		{ "0x00007ffffffffff8, the lower half's last", 0x00007ffffffffff8 },
		{ "0x0000800000000000, not canonical", 0x0000800000000000 },
		{ "0xffff7ffffffffff8, not canonical", 0xffff7ffffffffff8 },
	};
	u64 *l4 = (u64 *)start_info->pt_base;
	u64 used = 0;

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(places); i++)
		show_read(places[i].what, places[i].va);
	for (u32 slot = 256; slot < 272; slot++)
		used |= (l4[slot] & PTE_P) << (slot - 256);
	say("slots 256-271 of the root that are in use: 0x%lx", used);
}

const struct demo boot_demos[] = {
	{ "BOOT-02", FACT, boot_02 },
	{ "BOOT-05", FACT, boot_05 },
	{ "BOOT-07", FACT, boot_07 },
	{ "BOOT-08", BREAKABLE, boot_08, boot_08_bad },
	{ "BOOT-09", BREAKABLE, boot_09, boot_09_bad },
	{ "BOOT-13", FACT, boot_13 },
	{ "BOOT-14", FACT, boot_14 },
	{}
};
