/* gnt.h - grant tables: the public interface (public/grant_table.h), and what its
   demos share. */
#ifndef GNT_H
#define GNT_H

#include "mm.h"

#define __HYPERVISOR_grant_table_op	20

enum {
	GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_setup_table, GNTTABOP_dump_table,
	GNTTABOP_transfer, GNTTABOP_copy, GNTTABOP_query_size, GNTTABOP_unmap_and_replace,
	GNTTABOP_set_version, GNTTABOP_get_status_frames, GNTTABOP_get_version,
	GNTTABOP_swap_grant_ref, GNTTABOP_cache_flush,
};

#define GTF_permit_access	1
#define GTF_accept_transfer	2
#define GTF_transitive		3
#define GTF_readonly		4
#define GTF_reading		8
#define GTF_writing		16
#define GTF_sub_page		256

#define GNTMAP_device_map	1
#define GNTMAP_host_map		2
#define GNTMAP_readonly		4
#define GNTMAP_application_map	8
#define GNTMAP_contains_pte	16
#define GNTMAP_avail(bits)	((u32)(bits) << 16)

#define GNTCOPY_source_gref	1
#define GNTCOPY_dest_gref	2

#define GNTTAB_CACHE_CLEAN	1
#define GNTTAB_CACHE_INVAL	2

struct grant_v1 { u16 flags, domid; u32 frame; };
struct grant_v2 {
	u16 flags, domid;
	u16 page_off, length;		/* of a part; page_off is trans_domid, too */
	u64 frame;			/* gref, if transitive */
};

struct grant_map { u64 host_addr; u32 flags, ref; u16 dom; short status; u32 handle; u64 dev_bus_addr; };
struct grant_unmap { u64 host_addr, dev_bus_addr; u32 handle; short status; };
struct grant_replace { u64 host_addr, new_addr; u32 handle; short status; };
struct grant_setup { u16 dom; u32 nr_frames; short status; u64 frame_list; };
struct grant_size { u16 dom; u32 nr_frames, max_nr_frames; short status; };
struct grant_transfer { u64 mfn; u16 domid; u32 ref; short status; };
struct grant_side { u64 u; u16 domid, offset; };
struct grant_copy { struct grant_side source, dest; u16 len, flags; short status; };
struct grant_status_frames { u32 nr_frames; u16 dom; short status; u64 frame_list; };
struct grant_get_version { u16 dom; u32 version; };
struct grant_swap { u32 a, b; short status; };
struct grant_flush { u64 dev_bus_addr; u16 offset, length; u32 op; };

/* The demos' references: those below 8 are the toolstack's, and survive what
   others do not. */
#define REF		8
#define OWN_DOMID	0	/* the demos run as domain 0 */
#define NO_DOMID	5

/* gnt.c */
static inline long grant_op(u32 cmd, void *list, u32 n)
{ return HYPERCALL(__HYPERVISOR_grant_table_op, cmd, list, n, 0); }
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
