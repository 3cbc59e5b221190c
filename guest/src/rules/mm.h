/* mm.h - the page tables that the demos of MM build for themselves. */
#ifndef MM_H
#define MM_H

#include "rules.h"

#define TABLE_ENTRIES		512
#define L4_FIRST_XEN		256	/* slots of a top table that are Xen's */
#define L4_LAST_XEN		271
#define L4_PER_DOMAIN		260	/* of them: filled in any top table in use */
#define L4_FREE			272	/* the demos' own slot; the kernel uses 0 and 511 */
#define L4_SPACE(slot)		(0xffff000000000000 | (u64)(slot) << 39)	/* from 256 on */
#define OWN_SPACE		L4_SPACE(L4_FREE)

#define TABLE_FLAGS		(PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define PTE_PWT			0x008
#define PTE_AVAIL		0xe00
#define PTE_GUEST_KERNEL	(1UL << 52)	/* Xen's mark of an entry written without US */

#define MMUEXT_PIN_L1_TABLE	0
#define MMUEXT_PIN_L3_TABLE	2
#define MMUEXT_UNPIN_TABLE	4
#define MMUEXT_NEW_BASEPTR	5
#define MMUEXT_TLB_FLUSH_LOCAL	6
#define MMUEXT_INVLPG_LOCAL	7
#define MMUEXT_TLB_FLUSH_MULTI	8
#define MMUEXT_INVLPG_MULTI	9
#define MMUEXT_TLB_FLUSH_ALL	10
#define MMUEXT_INVLPG_ALL	11
#define MMUEXT_CLEAR_PAGE	16
#define MMUEXT_MARK_SUPER	19
#define MMUEXT_UNMARK_SUPER	20

#define MMU_MACHPHYS_UPDATE		1	/* commands: the low bits of mmu_update.ptr */
#define MMU_PT_UPDATE_PRESERVE_AD	2
#define MMU_PT_UPDATE_NO_TRANSLATE	3

#define VMASST_TYPE_m2p_strict	32

#define UVMF_ALL		4	/* flush on all vCPUs */

#define __HYPERVISOR_memory_op		12
#define XENMEM_increase_reservation	0
#define XENMEM_decrease_reservation	1
#define XENMEM_machphys_mfn_list	5
#define XENMEM_populate_physmap		6
#define XENMEM_exchange			11

/* public/memory.h: struct xen_memory_reservation, xen_memory_exchange */
struct reservation {
	u64 *extents;
	u64 n;
	u32 order, flags;
	u16 domid;
};
struct exchange {
	struct reservation in, out;
	u64 done;
};
static inline long HYPERVISOR_memory_op(u64 cmd, const void *arg)
{ return HYPERCALL(__HYPERVISOR_memory_op, cmd, arg, 0, 0); }

#define DOMID_IO		0x7ff1
#define DOMID_XEN		0x7ff2
#define PTE_FLAGS(entry)	((entry) & ~PTE_FRAME)

/* mm_tables.c: one table of each level, ordinary writable pages between demos. */
extern u64 own_l1[TABLE_ENTRIES], own_l2[TABLE_ENTRIES], own_l3[TABLE_ENTRIES], own_l4[TABLE_ENTRIES];
u64 *boot_table(void);			/* the kernel's top table */
u64 *user_table(void);			/* the top table of user mode */
const u64 *descriptor_page(void);	/* of the kernel's GDT */
u64 machine(const void *p);		/* machine address of memory of the image */
u64 entry_for(const void *page, u64 flags);
/* Each table's slot 0 leads to the next level, own_l1's to the first test page;
   own_l4 also has what the kernel and user mode live in. */
void own_fill(void);
long own_protect(void);			/* maps all four read-only: 0 or the first error */
void own_release(void);			/* unhooked: makes them ordinary pages again */
long table_map(u64 *table, u64 flags);	/* the table's page in the kernel's own mapping */

long update(u64 *slot, u64 value);	/* one mmu_update */
long ext_op(u32 cmd, u64 mfn, u64 arg2);	/* one mmuext_op */
#define pin(cmd, table)	ext_op(cmd, frame_of(table), 0)
#define unpin(table)	ext_op(MMUEXT_UNPIN_TABLE, frame_of(table), 0)

/* mm_touch.c: a load, a store or a jump of kernel code, and how it ended. CMPXCHG
   compares with RAX's sentinel, which no slot holds, or with 0 (touch_cmpxchg0). */
extern char touch_read[], touch_write[], touch_write1[], touch_write4[], touch_jump[];
extern char touch_or[], touch_xchg[], touch_cmpxchg[], touch_cmpxchg0[];
struct record *touch(const void *code, u64 address, u64 value);
/* "what: goes on" or "what: #PF, error code 2", with the address if it is wrong. */
void say_end(const char *what, const struct record *r, u64 address);
void say_touch(const char *what, const void *code, u64 address);

/* The demos, by the file that they are in. */
extern const struct demo mm_demos[];
void mm_01(void), mm_01_bad(void), mm_02(void), mm_02_bad(void), mm_07(void), mm_07_bad(void);
void mm_14(void), mm_14_bad(void), mm_25(void), mm_25_bad(void);		/* mm_types.c */
void mm_03(void), mm_03_bad(void), mm_04(void), mm_12(void), mm_12_bad(void);
void mm_13(void), mm_13_bad(void), mm_19(void), mm_24(void), mm_24_bad(void);	/* mm_entries.c */
void mm_08(void), mm_08_bad(void), mm_09(void), mm_10(void), mm_10_bad(void), mm_11(void);
void mm_16(void), mm_16_bad(void);						/* mm_update.c */
void mm_18(void), mm_26(void);							/* mm_ops.c */
void mm_05(void), mm_05_bad(void), mm_06(void), mm_06_bad(void), mm_15(void), mm_15_bad(void);
void mm_20(void), mm_21(void);							/* mm_spaces.c */
void mm_17(void), mm_22(void), mm_22_bad(void), mm_27(void);			/* mm_domain.c */

void mm_28(void), mm_28_bad(void);						/* mm_exchange.c */
void mm_29(void);								/* mm_reservation.c */
void mm_30(void), mm_31(void), mm_32(void);					/* mm_memory.c */

void mm_33(void), mm_34(void);							/* mm_foreign.c */
void mm_35(void);								/* mm_readonly.c */

#endif /* MM_H */
