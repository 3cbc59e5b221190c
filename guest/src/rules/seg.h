/* seg.h - the demos of SEG, and the descriptor tables that they use. */
#ifndef SEG_H
#define SEG_H

#include "attempt.h"

/* seg_gdt.c: the GDT and its descriptors */
void seg_01(void), seg_02(void), seg_02_bad(void), seg_03(void), seg_03_bad(void);
void seg_04(void), seg_05(void), seg_07(void);
/* seg_ldt.c: the LDT, and when selectors are loaded */
void seg_06(void), seg_06_bad(void), seg_08(void);

/* Descriptors (SDM vol. 3, "Segment Descriptors"): flat data and code. */
#define DESC_DATA_DPL3	0x00cff3000000ffffUL
#define DESC_DATA_DPL0	0x00cf93000000ffffUL
#define DESC_CODE64_DPL0	0x00af9b000000ffffUL
#define DESC_DATA_ABSENT	0x00cf73000000ffffUL
#define DESC_LDT	0x0000820000000fffUL
#define DESC_TSS	0x0000890000000067UL

/* A test page as descriptor page: filled with n descriptors, the rest zero, and
   read-only. Returns its descriptors. */
u64 *seg_page(u32 page, const u64 *descs, u32 n);
/* set_gdt with one frame; and with the kernel's own again. */
long seg_use(const void *page, u32 entries);
void seg_restore(void);
u64 seg_machine_address(const void *p);	/* of kernel memory */

/* MOV of a selector to DS; says "what: " and the outcome. DS is 0 afterwards. */
void seg_load_ds(const char *what, u16 selector);

#endif /* SEG_H */
