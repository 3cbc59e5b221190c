/*
 * rules.h - demos of the rules of Xen PV: one or two small functions a rule, in
 * a table for each area. What a demo prints depends on nothing but the rules:
 * no frame numbers, times or identity of the processor.
 */
#ifndef RULES_H
#define RULES_H

#include "bench.h"
#include "record.h"
#include "xen.h"
#include "xen_guest.h"
#include "xen_rules.h"

enum kind {
	FACT,			/* run observes it */
	BREAKABLE,		/* run obeys it, run_bad does not */
};

/* The demo ends the domain, or leaves what cannot be put back: it runs alone and
   not in area=. */
#define RUN_DIES	1
#define BAD_DIES	2
#define TWO_VCPUS	4		/* it needs a domain of two vCPUs */
#define ONE_CPU		32		/* which share one processor */
#define MANY_VCPUS	256		/* it needs more than shared_info has room for */
#define NATIVE		64		/* it runs on bare metal, not on Xen */
#define BOTH		128		/* it runs on either */

struct demo {
	const char *id;		/* of the rule: FRAME-01 */
	enum kind kind;
	void (*run)(void);
	void (*run_bad)(void);
	u32 flags;
};

/* One table for each area, in the file of its name; the row of null id ends it.
   (An assembly file needs a base name that no C file has.) */
struct area {
	const char *name;
	const struct demo *demos;
};
extern const struct area areas[];	/* areas.c; ends with a null name */

/* A line of the transcript: "ID: " and the text. One call is one line; the text
   has no newline. */
#define say(fmt, ...) print("%s: " fmt "\n", demo_id(), ##__VA_ARGS__)
const char *demo_id(void);
/* "ID: what = 0", or the name of the error, for a hypercall's result. */
void say_result(const char *what, long result);
const char *errno_name(long result);

/* After each demo the framework restores: gates, callbacks, segment bases, kernel
   stack, events masked, virtual IOPL 0, VM assists off, CR0.TS clear, debug
   registers zero. Anything else the demo puts back itself. */
void demo_reset(void);
void names_forget(void);	/* those of name_range() */

/* pages.c: pages of the image to map, type and protect at will, in state
   of an ordinary writable page between demos. */
#define TEST_PAGES	4
extern u8 test_pages[TEST_PAGES][PAGE_SIZE];
u64 *pte_of(u64 va);			/* the L1 entry, readable; NULL without one */
long page_map(u64 va, const void *page, u64 flags);	/* 0 or -errno; flags 0: unmap */
#define PAGE_WRITABLE	(PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)
#define PAGE_READONLY	(PTE_P | PTE_A | PTE_NX)
enum {	/* slots of the mapping area for demos: area_address(TEST_SLOT + n) */
	TEST_SLOT = 128,
};
/* An address that is never mapped. */
#define NOWHERE_KERNEL	(AREA_BASE + AREA_HOLE * PAGE_SIZE)

#endif /* RULES_H */
