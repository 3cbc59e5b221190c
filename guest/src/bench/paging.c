/*
 * paging.c - the kernel's page tables.
 *
 *	KERNEL_BASE	first 2 MiB of memory: the image, and what the loader left
 *	AREA_BASE	single pages mapped at run time (enum area_slot)
 *	USER_BASE	user code and data
 *
 * On bare metal all tables are ours. On Xen the loader's tables for the first
 * part stay, and ours for the others are hooked into them: a table has to be
 * read-only everywhere and is checked by Xen when it is pinned (MM-07, MM-14).
 * User mode has a top table of its own there, without the kernel.
 */
#include "bench.h"
#include "xen_guest.h"

#define TABLE		static u64 __attribute__((section(".tables,\"aw\",@nobits#"), aligned(PAGE_SIZE)))
#define GLOBAL_TABLE	u64 __attribute__((section(".tables,\"aw\",@nobits#"), aligned(PAGE_SIZE)))

GLOBAL_TABLE boot_l4[512], boot_l3[512], boot_l2[512];	/* filled by boot_pvh.S */
GLOBAL_TABLE kern_l3[512], kern_l2[512], kern_l1[512];
TABLE kern_l4[512];
TABLE area_l2[512], area_l1[512];
TABLE xen_gdt[512];			/* a descriptor page has the rules of a table */
TABLE user_l4[512], user_l3[512], user_l2[512], user_l1[512];

extern char tables_start[], tables_end[], stacks_start[], stacks_end[];
extern char user_image[], user_image_end[], user_data_start[];
extern char user_text_start[], user_text_end[], user_data_end[];

#define KERNEL_TABLE	(PTE_P | PTE_RW | PTE_A | PTE_D)
#define USER_TABLE	(KERNEL_TABLE | PTE_US)
#define L1_INDEX(va)	((va) >> 12 & 511)
#define L2_INDEX(va)	((va) >> 21 & 511)
#define L3_INDEX(va)	((va) >> 30 & 511)
#define L4_INDEX(va)	((va) >> 39 & 511)

u64 frame_of(const void *p)
{
	u64 pfn = ((u64)p - KERNEL_BASE) / PAGE_SIZE;

	return on_xen() ? ((u64 *)start_info->mfn_list)[pfn] : pfn;
}

static u64 entry(const void *p, u64 flags)
{
	return frame_of(p) * PAGE_SIZE | flags;
}

int page_set(u64 va, u64 pte)
{
	u64 *l1;

	if (on_xen())
		return HYPERVISOR_update_va_mapping(va, pte, UVMF_INVLPG);
	switch (va >> 21) {
	case KERNEL_BASE >> 21:	l1 = kern_l1; break;
	case AREA_BASE >> 21:	l1 = area_l1; break;
	default:		l1 = user_l1; break;
	}
	l1[L1_INDEX(va)] = pte;
	invlpg(va);
	return 0;
}

static void page_set_or_die(u64 va, u64 pte)
{
	if (page_set(va, pte) < 0)
		panic("a page-table update was refused");
}

void *area_map(u32 slot, u64 frame, u64 flags)
{
	u64 va = area_address(slot);

	page_set_or_die(va, frame * PAGE_SIZE | flags | PTE_P | PTE_A | PTE_D);
	return (void *)va;
}

/* Same rights for a range of the image; flags without PTE_P takes it away. */
static void protect(char *from, char *to, u64 flags)
{
	for (; from < to; from += PAGE_SIZE)
		page_set_or_die((u64)from, flags & PTE_P ? entry(from, flags) : 0);
}

static void fill_tables(void)
{
	u64 user = (u64)user_text_start;
	char *alias = user_image;

	for (u64 va = user; va < (u64)user_data_end; va += PAGE_SIZE, alias += PAGE_SIZE)
		user_l1[L1_INDEX(va)] = entry(alias, PTE_P | PTE_US | PTE_A |
			(va < (u64)user_text_end ? 0 : PTE_RW | PTE_D | PTE_NX));
	user_l2[L2_INDEX(user)] = entry(user_l1, USER_TABLE);
	user_l3[L3_INDEX(user)] = entry(user_l2, USER_TABLE);
	user_l4[L4_INDEX(user)] = entry(user_l3, USER_TABLE);
	area_l2[L2_INDEX(AREA_BASE)] = entry(area_l1, KERNEL_TABLE);
	xen_gdt[GDT_ABSENT_DS / 8] = DESC_ABSENT_DS;
}

void paging_use(void)
{
	write_cr3(frame_of(kern_l4) * PAGE_SIZE);
}

static void hook_native(void)
{
	kern_l3[L3_INDEX(AREA_BASE)] = entry(area_l2, KERNEL_TABLE);
	kern_l4[L4_INDEX(KERNEL_BASE)] = entry(kern_l3, KERNEL_TABLE);
	kern_l4[L4_INDEX((u64)user_text_start)] = entry(user_l3, USER_TABLE);
	paging_use();
}

static void hook_xen(void)
{
	u64 *l4 = (u64 *)start_info->pt_base;
	u64 user = (u64)user_text_start;
	u64 l3 = l4[L4_INDEX(AREA_BASE)] & PTE_FRAME;
	struct mmuext_op pin[] = {
		{ MMUEXT_PIN_L2_TABLE, frame_of(area_l2), 0 },
		{ MMUEXT_PIN_L4_TABLE, frame_of(user_l4), 0 },
		{ MMUEXT_NEW_USER_BASEPTR, frame_of(user_l4), 0 },
	};
	struct mmu_update hook[] = {
		{ l3 + L3_INDEX(AREA_BASE) * 8, entry(area_l2, KERNEL_TABLE) },
		{ (frame_of(l4) * PAGE_SIZE) + L4_INDEX(user) * 8, entry(user_l3, USER_TABLE) },
	};
	u64 gdt_frame = frame_of(xen_gdt);
	u32 done;

	protect(tables_start, tables_end, PTE_P | PTE_A | PTE_NX);
	if (HYPERVISOR_mmuext_op(pin, ARRAY_LEN(pin), &done) < 0 ||
	    HYPERVISOR_mmu_update(hook, ARRAY_LEN(hook), &done) < 0)
		panic("Xen refused a page table");
	if (HYPERVISOR_set_gdt(&gdt_frame, 512) < 0)
		panic("Xen refused the descriptor table");
}

static void guard(char *first_byte_of_stack)
{
	page_set_or_die((u64)first_byte_of_stack - PAGE_SIZE, 0);
}

void paging_init(void)
{
	extern char main_stack[], ist_df_stack[], ist_nmi_stack[], ap_stack[], ap_ist_stack[];
	u64 global = on_xen() ? 0 : PTE_G;	/* Xen sees to it itself (MM-04) */

	fill_tables();
	if (on_xen())
		hook_xen();
	else
		hook_native();
	protect(text_start, text_end, PTE_P | PTE_A | global);
	protect(rodata_start, rodata_end, PTE_P | PTE_A | PTE_NX | global);
	protect(user_image, data_end, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX | global);
	protect(stacks_start, stacks_end, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX | global);
	guard(main_stack);
	guard(trap_stack);
	guard(cell_stack);
	guard(ist_df_stack);
	guard(ist_nmi_stack);
	guard(ap_stack);
	guard(ap_ist_stack);
}
