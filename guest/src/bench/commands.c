/* commands.c - small loads for measurements. */
#include "bench.h"

static u64 breakpoints;

static void count_breakpoint(struct pt_regs *regs, long vector)
{
	breakpoints++;
}

void cmd_int3(const char *value)
{
	u64 n;

	if (!parse_u64(value, &n)) {
		print("int3: \"%s\" is no number\n", value);
		return;
	}
	trap_handle(3, count_breakpoint);
	for (u64 i = 0; i < n; i++)
		asm volatile("int3");
	print("int3: %lu asked, %lu taken\n", n, breakpoints);
}

#define SNAP_PAGES	8
static u64 snap_pages[SNAP_PAGES][PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));
static u64 snap_frames[2];

/*
 * One round of a fixed load, about 1,000 instructions: eight pages written, two
 * page-table entries exchanged, one int3 taken, the rest arithmetic.
 */
void __attribute__((noinline)) snap_round(u64 round)
{
	u64 pte = PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX;
	u64 sum = round;

	for (u32 i = 0; i < SNAP_PAGES; i++)
		snap_pages[i][round % 512] = sum + i;
	page_set(area_address(AREA_SNAP_0), snap_frames[round & 1] * PAGE_SIZE | pte);
	page_set(area_address(AREA_SNAP_1), snap_frames[~round & 1] * PAGE_SIZE | pte);
	asm volatile("int3");
	for (u32 i = 0; i < 72; i++)
		sum = (sum << 7 | sum >> 57) ^ (i + snap_pages[i % SNAP_PAGES][round % 512]);
	snap_pages[0][round % 512] = sum;
}

void cmd_snap(const char *value)
{
	trap_handle(3, count_breakpoint);
	snap_frames[0] = frame_of(snap_pages[0]);
	snap_frames[1] = frame_of(snap_pages[1]);
	print("snap: ready\n");
	for (u64 round = 0;; round++)
		snap_round(round);
}

