/* gnt.h - what the demos of grant tables share. */
#ifndef GNT_H
#define GNT_H

#include "mm.h"
#include "xen_grant.h"

/* The demos' references: those below 8 are the toolstack's, and survive what
   others do not. */
#define REF		8
#define OWN_DOMID	0	/* the demos run as domain 0 */
#define NO_DOMID	5

/* gnt.c */
/* The first frame of the table, mapped; grant_end() takes it away and empties it. */
volatile struct grant_v1 *grant_begin(void);
void grant_end(void);
/* Entry ref grants page (of the image) to domain dom. */
void grant(u32 ref, u16 flags, u16 dom, const void *page);
u16 grant_flags(u32 ref);
void say_flags(const char *what, u32 ref);	/* "what: permit_access reading" */
const char *status_name(short status);
void say_status(const char *what, short status);
/* One call with a list of n; what it answers, or the status it left. */
void say_op(const char *what, u32 cmd, void *list, u32 n, const short *status);
#define slot_address(n)	area_address(TEST_SLOT + (n))	/* where the demos map */
/* One mapping of ref at slot n of the area, and its end; the status. */
short map_ref(struct grant_map *m, u32 ref, u32 flags, u32 n);
short unmap_ref(const struct grant_map *m);
/* Frees the page's frame and gives it another. */
void page_renew(void *page);

void gnt_01(void);						/* gnt_table.c */
void gnt_02(void), gnt_02_bad(void), gnt_03(void), gnt_03_bad(void);	/* gnt_map.c */
void gnt_04(void), gnt_05(void), gnt_05_bad(void), gnt_08(void), gnt_09(void);
void gnt_06(void), gnt_06_bad(void), gnt_07(void), gnt_07_bad(void);	/* gnt_unmap.c */
void gnt_17(void), mm_23(void), mm_23_bad(void);
void gnt_10(void), gnt_10_bad(void), gnt_11(void), gnt_11_bad(void);	/* gnt_move.c */
void gnt_15(void);
void gnt_12(void), gnt_12_bad(void), gnt_13(void), gnt_13_bad(void);	/* gnt_version.c */
void gnt_14(void), gnt_16(void), gnt_18(void);			/* gnt_table.c */

#endif /* GNT_H */
