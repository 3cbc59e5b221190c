/* grant.h - what the operations on grants share. */
#ifndef GRANT_H
#define GRANT_H

#include "random.h"
#include "xen_grant.h"

union grant_table { struct grant_v1 v1[512]; struct grant_v2 v2[256]; };
extern volatile union grant_table *grant_entries;

/* Mappings that were made and have not ended. */
#define GRANT_LIVE	24
extern struct live {
	u32 handle, ref, flags, left;	/* left: of GNTMAP_host_map, GNTMAP_device_map */
	u64 frame, host_addr;
} grant_live[GRANT_LIVE];
extern u32 grant_live_count;

bool grant_v2(void);
u64 entry_frame(u32 ref);
u32 draw_ref(void);			/* mostly one that may be used */
u16 draw_grantee(void);			/* mostly oneself */
bool ref_is_delicate(u32 ref);
bool frame_is_nobodys(u64 mfn);		/* or none at all: no call can read it */

enum grant_kind {
	GRANT_MAP, GRANT_UNMAP, GRANT_REPLACE, GRANT_COPY, GRANT_SWAP, GRANT_TRANSFER, GRANT_SETUP, GRANT_SIZE,
	GRANT_STATUS_FRAMES,
};
bool note_status(enum grant_kind kind, short status);	/* true: okay */

bool op_map(void), op_unmap(void);			/* grant_map.c */
bool op_copy(void), op_transfer(void);			/* grant_move.c */
void transfer_init(void);

void grant_reset(void), grant_digest(void);		/* grant.c */

#endif /* GRANT_H */
