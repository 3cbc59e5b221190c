/* xen_grant.h - grant tables, as in xen/include/public/grant_table.h. */
#ifndef XEN_GRANT_H
#define XEN_GRANT_H

#include "xen.h"

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

static inline long grant_op(u32 cmd, void *list, u32 n)
{ return HYPERCALL(__HYPERVISOR_grant_table_op, cmd, list, n, 0); }

#endif /* XEN_GRANT_H */
