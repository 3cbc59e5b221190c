/*
 * cell_seen.c - the handlers behind the stubs of a cell. As a tracer's they look
 * up nothing: they note what they are shown, and let the program go on behind
 * the instruction that trapped.
 */
#include "cell.h"

#define TRIGGER_LENGTH	3		/* of the memory reads in cell_trigger.S */
#define RECORDS		4
#define LIVELOCK	1000		/* entries: more than the stacks have room to nest */

struct seen {
	const char *by;
	long vector;
	struct pt_regs regs;
};

static struct seen seen[RECORDS];
static u32 seen_count;

static void note_and_fix(struct pt_regs *regs, long vector, const char *by)
{
	if (seen_count < RECORDS)
		seen[seen_count] = (struct seen){ by, vector, *regs };
	if (++seen_count == LIVELOCK) {
		cell_print_seen();
		panic("livelock, the handler is entered again and again");
	}
	if (vector == 14 || vector == 13)
		regs->ip += TRIGGER_LENGTH;
	if (vector == 1)
		regs->flags &= ~(u64)FLAG_TF;
}

void variant_handler(struct pt_regs *regs, long vector)
{
	note_and_fix(regs, vector, "seen");
}

/* The kernel's own handler during a cell: only a stub that hands the trap on
   gets here. */
void cell_chained(struct pt_regs *regs, long vector)
{
	note_and_fix(regs, vector, "kernel seen");
}

void cell_print_seen(void)
{
	u32 shown = seen_count < RECORDS ? seen_count : RECORDS;

	for (u32 i = 0; i < shown; i++) {
		struct pt_regs *r = &seen[i].regs;

		print("%s vec=%ld ", seen[i].by, seen[i].vector);
		if (r->orig == -1UL)
			print("err=none");
		else
			print("err=%lx", r->orig);
		print(" rip=%016lx cs=%04lx flags=%lx rsp=%016lx ss=%lx\n",
		      r->ip, r->cs & 0xffff, r->flags, r->sp, r->ss);
	}
	if (seen_count > RECORDS)
		print("seen %u in all\n", seen_count);
	seen_count = 0;
}
