/*
 * cell.h - one cell: a variant of entry stub on one vector, entered from kernel
 * or user mode, with everything the interrupted code owns known beforehand.
 */
#ifndef CELL_H
#define CELL_H

/* Offsets in struct cell_state, for cell_trigger.S. */
#define CELL_LOAD	0
#define CELL_LOAD_RSP	120
#define CELL_LOAD_FLAGS	128
#define CELL_GOT	136
#define CELL_GOT_RSP	256
#define CELL_GOT_FLAGS	264
#define CELL_SAVED_RSP	272
#define CELL_SIZE	280

#define CELL_USER_STACK	2048		/* bytes */

#ifndef __ASSEMBLER__
#include "bench.h"

struct cell_regs {			/* the 15 registers in the order of struct pt_regs */
	u64 gpr[15];
	u64 rsp;
	u64 flags;
};

struct cell_state {
	struct cell_regs load;		/* what the interrupted code has */
	struct cell_regs got;		/* what it has when it goes on */
	u64 saved_rsp;
};
_Static_assert(sizeof(struct cell_state) == CELL_SIZE, "cell_trigger.S knows the offsets");

enum cell_vector { CELL_PF, CELL_BP, CELL_DB, CELL_GP, CELL_VECTORS };
extern const u8 cell_vector_number[CELL_VECTORS];

/* cell_trigger.S: function that loads the state, raises, and stores; the
   instruction that raises; where the program goes on. */
struct cell_trigger { void (*run)(void); u64 insn, resume; };
extern const struct cell_trigger cell_triggers[2][CELL_VECTORS];	/* [user] */
extern struct cell_state kernel_cell, user_cell;
extern char user_cell_main[], user_cell_after[], user_main_stack_top[], user_cell_stack[];

/* variants.c */
#define VARIANT_BAD_STACK	1	/* the frame has no mapped stack to go to */
struct variant {
	const char *name;
	u32 flags;
	u64 stubs[2][CELL_VECTORS];	/* [native]; 0: no handler */
};
const struct variant *variant_find(const char *name);

/* cell_seen.c */
void variant_handler(struct pt_regs *regs, long vector);
void cell_chained(struct pt_regs *regs, long vector);
void cell_print_seen(void);

/* user code is seen by the kernel at another address */
void *user_alias(const void *p);

#endif /* !__ASSEMBLER__ */
#endif /* CELL_H */
