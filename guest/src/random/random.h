/*
 * random.h - sequences of random operations, the same ones wherever the image
 * runs: a model and real Xen are compared by what is logged. Xen only.
 *
 * A sequence begins with every page, table and setting that operations can
 * change as it was after boot (state.c), so that it runs alone as among others.
 * What operation i does depends on (seed, sequence, i) and on the state it
 * meets, not on random numbers used up before: leaving operations out changes
 * the others as little as possible.
 *
 * Nothing that differs between two machines may be logged: frames are named by
 * their role, time is not read, accessed and dirty bits are left out.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include "bench.h"
#include "record.h"
#include "xen_guest.h"
#include "xen_rules.h"

#define GDT_ENTRIES	512

/* A family of operations: one file, one row in families.c. */
struct operation {
	const char *name;
	u32 weight;
	/* Does one operation and notes it; true if it succeeded. */
	bool (*run)(void);
	u32 flags;
};
#define MAY_DIE	1			/* only with deaths=1 */

struct family {
	const char *name;
	const struct operation *operations;	/* ends with a null name */
	/* Puts back what its operations change, beside what state.c does; NULL if
	   nothing. Called before each sequence. */
	void (*reset)(void);
	/* Mixes the state that its operations change into digest(); NULL if none. */
	void (*digest)(void);
};
extern const struct family families[];	/* ends with a null name */

/* draw.c: the random numbers of the current operation. */
void draw_begin(u64 seed, u64 sequence, u64 operation);
u64 draw(void);
u64 below(u64 n);			/* 0 .. n-1 */
bool chance(u32 percent);
#define pick(array)	((array)[below(ARRAY_LEN(array))])
/* Frame numbers from here on are beyond the memory of any machine that this runs
   on, and so mean the same on each. */
#define FAR		(1UL << 28)
/* The word, changed if what would be the frame in it is one that may be memory. */
u64 no_frame(u64 word);
u64 draw_word(void);			/* no_frame():  64 bits: small, huge, near a power of two ... */
u64 draw_bad_pointer(void);		/* to give where memory is asked for */

/* log.c: the line of the current operation. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *noted(void);
void note_begin(void);
void mix(u64 v);			/* into the digest being made */
u64 mixed(u64 start);			/* the digest so far; the next begins with start */
/* " = 0", " = 17" or " = -EINVAL", counted in the tally under name; true if it is
   no error. name is a constant text: "mmuext_op pin_l1". */
bool note_result(const char *name, long result);
bool note_errno(const char *name, long result);	/* the same, but a value is only told from an error */
void note_count(const char *name, long result);	/* in the tally only */
#define TRAPPED(vector)	(-1000 - (long)(vector))	/* as a result */
void tally_print(void);
const char *errno_name(long result);

/* The log of a sequence, as one number. */
u64 log_hash(void);
void log_begin(void);
void log_line(void);			/* the current line is complete */

/* frames.c: frames by role. */
const char *frame_name(u64 mfn);
void frames_init(void);
void frames_show(void);
extern u64 start_info_frame;		/* of the page as Xen gave it */
void note_entry(u64 entry);		/* "p3|8000000000000067" */
u64 entry_key(u64 entry);		/* the same as a number, without A and D */
enum frame_kind {
	FRAME_POOL, FRAME_TABLE, FRAME_XEN, FRAME_FREE, FRAME_DEVICE, FRAME_BEYOND, FRAME_KINDS
};
u64 draw_frame(void);			/* of any role, mostly the pool */
u64 draw_other_frame(void);		/* not the pool */
u64 draw_foreign_frame(void);		/* nor another that Xen might take: for what cannot be undone */
bool frame_is_device(u64 mfn);		/* or may be */
u64 random_frame_of(enum frame_kind kind);

/* state.c: the pool of pages that operations work on. */
#define POOL		16
extern u8 pool[POOL][PAGE_SIZE];
extern u64 pool_frame[POOL];
int pool_of(u64 mfn);			/* number, or -1 */
static inline u64 pool_va(u32 p) { return (u64)pool[p]; }
/* The page as it can always be read: a second, read-only mapping. */
static inline volatile u64 *pool_view(u32 p);
/* What is wanted of a page in this sequence: 0 data, 1 to 4 a table, 5 a page of
   descriptors. Operations need not keep to it. */
enum want { DATA, L1, L2, L3, L4, DESCRIPTORS };
extern u8 pool_want[POOL];
extern bool pool_pinned[POOL];
int draw_pool(enum want want);		/* a page of that kind, or -1 */
u64 pte(u64 va);			/* the kernel's own L1 entry of a pool page or window */
#define POOL_WRITABLE	(PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)
#define POOL_READONLY	(PTE_P | PTE_A | PTE_NX)
bool pool_is_writable(u32 p);		/* by its own address */
bool pool_is_readonly(u32 p);

/* Entries of a page that operations use and the digest reads. Slot 0 is none of
   them: a table of level 3 that is refused for its slot 0, while a failed root and
   a failed level 2 stand above and below it, makes Xen 4.17 lose a reference
   (docs/limits.md), and the page could not be used again. The last is another
   one in tables that are no root, as slot 511 of a root has the kernel. */
#define SLOTS		8
extern const u16 slots[SLOTS];
u32 slot_of(u32 p, u32 n);
/* Slots that hold only what may be read and written by a touch; the others may
   lead to device memory. */
#define TOUCHED_SLOTS	4

/* Windows: addresses of the kernel's mapping area for operations to map into. */
#define WINDOWS		8
#define WINDOW_SLOT	200
#define VIEW_SLOT	160
#define PROBE_SLOT	220
static inline u64 window(u32 n) { return area_address(WINDOW_SLOT + n); }
static inline volatile u64 *pool_view(u32 p) { return (volatile u64 *)area_address(VIEW_SLOT + p); }

/* The descriptor table in use at the beginning of a sequence. The entries from
   GDT_CHANGED on are for update_descriptor. */
extern u64 own_gdt[GDT_ENTRIES];
#define GDT_CHANGED	16
#define GDT_CHANGED_END	24

#define OTHER_SLOT	1		/* tried in tables that are not the pool's */

/* Slots of the two roots that operations hook their tables into. */
#define HOOKS		4
extern const u16 hooks[HOOKS];		/* kernel: any; user: the first two, below the hole */
u64 hook_space(u32 n);			/* first address */
extern u64 root_frame, user_root_frame;	/* of the boot tables */
extern u64 current_root, current_user_root;	/* what was loaded last; user: 0 if none */
volatile u64 *hook_entry(u32 n);		/* in the boot root */

void state_init(void);
void state_reset(void);
void state_digest(void);
void state_show(void);			/* lines, for reading */
void state_probe(u32 p);		/* notes what the page may become; changes nothing */
void state_probe_deep(bool show);	/* at the end: tries types on all pages */

/* What lies at an address by the current tables, as far as they are the pool's
   and the kernel's own: a frame, or NO_FRAME. */
#define NO_FRAME	(~0UL)		/* nothing is mapped */
#define UNKNOWN_FRAME	(~1UL)		/* the tables lead elsewhere */
u64 resolve(u64 va);
u64 draw_address(void);			/* in a window, pool page or hooked space */

u64 *pte_of(u64 va);			/* rules/pages.c */
u64 pte_address(u64 va);		/* machine address of pte(va) */

/* entries.c */
u64 draw_entry(u32 level);		/* for a table of that level: valid, nearly so, or hostile */
u64 draw_descriptor(void);

/* touch.c */
struct record *run(const struct start *s, record_handler *handler);	/* use it for go() */
/* Runs code until something interrupts it, notes how it ended; true if it came to
   its end. */
bool run_code(const char *name, struct start *s, const char *end, u64 address);
void note_place(u64 va);		/* "p3+8", "window2+0", "hook1:0.1.2+8" or a number */

/* hyper.c */
long hypercall(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
long mmu_update(u64 *done, struct mmu_update *list, u64 count, u64 domain);
long mmuext(u32 cmd, u64 arg1, u64 arg2);	/* one, on oneself */
#define __HYPERVISOR_memory_op			12
#define __HYPERVISOR_update_va_mapping_otherdomain 22
#define XENMEM_maximum_ram_page		2
#define XENMEM_decrease_reservation	1
#define XENMEM_machphys_mfn_list	5

#define MMUEXT_PIN_L1_TABLE		0
#define MMUEXT_PIN_L3_TABLE		2
#define MMUEXT_UNPIN_TABLE		4
#define MMUEXT_TLB_FLUSH_LOCAL		6
#define MMUEXT_TLB_FLUSH_MULTI		8
#define MMUEXT_INVLPG_MULTI		9
#define MMUEXT_TLB_FLUSH_ALL		10
#define MMUEXT_INVLPG_ALL		11
#define MMUEXT_CLEAR_PAGE		16
#define MMUEXT_COPY_PAGE		17
#define MMUEXT_FLUSH_CACHE_GLOBAL	18
#define MMUEXT_MARK_SUPER		19
#define MMUEXT_UNMARK_SUPER		20
#define MMU_NORMAL_PT_UPDATE		0
#define MMU_MACHPHYS_UPDATE		1
#define MMU_PT_UPDATE_PRESERVE_AD	2
#define MMU_PT_UPDATE_NO_TRANSLATE	3
#define DOMID_IO			0x7ff1
#define DOMID_XEN			0x7ff2
#define DOMID_COW			0x7ff3
#define DOMID_INVALID			0x7ff4
#define PTE_PWT				0x008
#define PTE_GUEST_KERNEL		(1UL << 52)

#endif /* RANDOM_H */
