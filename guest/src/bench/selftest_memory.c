/* selftest_memory.c - page-table changes seen at once, and pages given on demand. */
#include "selftest.h"

static u64 pages[3][PAGE_SIZE / 8] __attribute__((aligned(PAGE_SIZE)));
static u64 demand_faults, demand_address, demand_pte;

static void on_demand(struct pt_regs *regs, long vector)
{
	if (fault_address() / PAGE_SIZE != demand_address / PAGE_SIZE)
		panic_trap(regs, vector);
	demand_faults++;
	if (page_set(demand_address, demand_pte) < 0)
		panic("no page on demand");
}

static void change(void)
{
	volatile u64 *view = area_map(AREA_ALIAS, frame_of(pages[0]), PTE_RW | PTE_NX);
	struct expectation e;

	pages[0][5] = 0x1111;
	pages[1][5] = 0x2222;
	check(view[5] == 0x1111, "memory, a page seen at a second address");
	area_map(AREA_ALIAS, frame_of(pages[1]), PTE_RW | PTE_NX);
	check(view[5] == 0x2222, "memory, another page put in its place");
	view[5] = 0x3333;
	check(pages[1][5] == 0x3333, "memory, a write through the second address");
	area_map(AREA_ALIAS, frame_of(pages[1]), PTE_NX);
	e = raise_and_catch(RAISE_WRITE, false, (u64)&view[5]);
	check(e.seen && e.vector == 14 && e.error == 3, "memory, a write after it became read-only");
	page_set((u64)view, 0);
	e = raise_and_catch(RAISE_READ, false, (u64)view);
	check(e.seen && e.vector == 14 && e.error == 0, "memory, a read after it was taken away");
}

static void on_demand_kernel(void)
{
	volatile u64 *page = (u64 *)area_address(AREA_DEMAND);
	trap_handler *old = trap_handle(14, on_demand);

	demand_faults = 0;
	demand_address = (u64)page;
	demand_pte = frame_of(pages[2]) * PAGE_SIZE | PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX;
	page[7] = 0x7777;
	check(demand_faults == 1 && page[7] == 0x7777 && pages[2][7] == 0x7777,
	      "memory, a page given to the kernel on demand");
	page_set((u64)page, 0);
	trap_handle(14, old);
}

static void on_demand_user(void)
{
	extern char user_sum[], user_main_stack_top[];
	trap_handler *old = trap_handle(14, on_demand);
	u64 sum;

	for (u32 i = 0; i < 512; i++)
		pages[2][i] = i;
	demand_faults = 0;
	demand_address = 0x480000;
	demand_pte = frame_of(pages[2]) * PAGE_SIZE | PTE_P | PTE_US | PTE_A | PTE_NX;
	sum = run_user((u64)user_sum, (u64)user_main_stack_top, FLAG_IF | FLAG_FIXED, demand_address);
	check(demand_faults == 1 && sum == 511 * 512 / 2, "memory, a page given to user code on demand");
	page_set(demand_address, 0);
	trap_handle(14, old);
}

void selftest_memory(void)
{
	change();
	on_demand_kernel();
	on_demand_user();
}
