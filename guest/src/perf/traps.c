/* traps.c - loads that enter and leave the kernel or the hypervisor. A round is
   one of what the name says. */
#include "perf.h"

static void int3_prepare(void)
{
	stub_set(3, bp_xen, bp_native);
}

/* A breakpoint taken by a stub that does nothing but count. */
static u64 int3_run(u64 n)
{
	u64 before = stub_traps;

	for (u64 i = n; i--;)
		asm volatile("int3" : : : "memory");
	return stub_traps - before == n;
}

static void probe_prepare(void)
{
	stub_set(3, bp_step_xen, bp_step_native);
	stub_set(1, db_step_xen, db_step_native);
}

/* As a tracer does: a breakpoint, one step of the instruction behind it, and
   the trap at its end. */
static u64 probe_run(u64 n)
{
	u64 before = stub_traps;

	for (u64 i = n; i--;)
		asm volatile("int3; nop" : : : "memory");
	return stub_traps - before == 2 * n;
}

#define DEMAND_SLOT	128		/* of the area, and the following */
#define DEMAND_PAGES	64
static u64 demand_page[512] __attribute__((aligned(PAGE_SIZE)));
static u64 demand_pte, demand_faults;
static u64 demand_entry;		/* Xen: machine address of the first entry */

/* A table as the kernel sees it: through the M2P table and the boot mapping. */
static u64 *table_at(u64 entry)
{
	u64 pfn = ((const u64 *)0xffff800000000000)[(entry & PTE_FRAME) / PAGE_SIZE];

	return (u64 *)(KERNEL_BASE + pfn * PAGE_SIZE);
}

static u64 entry_address(u64 va)
{
	u64 *table = (u64 *)start_info->pt_base, entry = 0;

	for (int shift = 39; shift > 12; shift -= 9) {
		entry = table[va >> shift & 511];
		table = table_at(entry);
	}
	return (entry & PTE_FRAME) + (va >> 12 & 511) * 8;
}

static void on_demand(struct pt_regs *regs, long vector)
{
	u64 va = fault_address();

	if (va < area_address(DEMAND_SLOT) || va >= area_address(DEMAND_SLOT + DEMAND_PAGES) ||
	    page_set(va & ~(PAGE_SIZE - 1UL), demand_pte) < 0)
		panic_trap(regs, vector);
	demand_faults++;
}

static void demand_take_away(void)
{
	static struct mmu_update list[DEMAND_PAGES];
	struct mmuext_op flush = { MMUEXT_TLB_FLUSH_LOCAL };
	u32 done;

	if (!on_xen()) {
		for (u32 i = 0; i < DEMAND_PAGES; i++)
			page_set(area_address(DEMAND_SLOT + i), 0);
		return;
	}
	for (u32 i = 0; i < DEMAND_PAGES; i++)
		list[i] = (struct mmu_update){ demand_entry + i * 8, 0 };
	if (HYPERVISOR_mmu_update(list, DEMAND_PAGES, &done) < 0 ||
	    HYPERVISOR_mmuext_op(&flush, 1, &done) < 0)
		panic("pages were not taken away");
}

static void fault_prepare(void)
{
	trap_handle(14, on_demand);
	demand_pte = frame_of(demand_page) * PAGE_SIZE | PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX;
	demand_page[0] = 1;
	if (on_xen())
		demand_entry = entry_address(area_address(DEMAND_SLOT));
}

/* A page that is not there is read; the handler maps it by one update. 64 of
   them are taken away again together. */
static u64 fault_run(u64 n)
{
	u64 before = demand_faults, got = 0, slot = 0;

	for (u64 i = 0; i < n; i++) {
		got += *(volatile u64 *)area_address(DEMAND_SLOT + slot);
		if (++slot == DEMAND_PAGES) {
			demand_take_away();
			slot = 0;
		}
	}
	demand_take_away();
	return got == n && demand_faults - before == n;
}

static u64 remap_frames[2];
static u64 remap_pages[2][512] __attribute__((aligned(PAGE_SIZE)));

static void remap_prepare(void)
{
	remap_frames[0] = frame_of(remap_pages[0]);
	remap_frames[1] = frame_of(remap_pages[1]);
	remap_pages[0][0] = 1;
	remap_pages[1][0] = 2;
}

/* Another page is put behind an address: update_va_mapping with a flush of the
   address, or a store and invlpg. */
static u64 remap_run(u64 n)
{
	u64 va = area_address(AREA_ALIAS), bad = 0;

	for (u64 i = 0; i < n; i++)
		bad |= page_set(va, remap_frames[i & 1] * PAGE_SIZE | PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX);
	return bad << 8 | (*(volatile u64 *)va == 2 - (n & 1));
}

static volatile u64 upcalls;
static u32 self_port;

/* As upcall_counting (stubs.S) calls it: fetch what is pending, from the
   selector down (EVT-03). */
void upcall_fetch(void)
{
	volatile struct vcpu_info *v = vcpu_info();
	u64 words;

	v->evtchn_upcall_pending = 0;
	words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (; words; words &= words - 1) {
		u64 w = __builtin_ctzl(words);
		u64 ports = shared_info->evtchn_pending[w] & ~shared_info->evtchn_mask[w];

		__atomic_fetch_and(&shared_info->evtchn_pending[w], ~ports, __ATOMIC_SEQ_CST);
		for (; ports; ports &= ports - 1)
			upcalls += w * 64 + __builtin_ctzl(ports) == self_port;
	}
}

static void selfipi_prepare(void)
{
	struct callback_register reg = { CALLBACKTYPE_event, 0, (u64)upcall_counting };

	if (!on_xen())
		return;
	self_port = events_bind_ipi(0);
	if (HYPERVISOR_callback_op(CALLBACKOP_register, &reg) < 0)
		panic("a callback was refused");
}

/* An event sent to the own CPU, taken at once. */
static u64 selfipi_run(u64 n)
{
	struct evtchn_send send = { self_port };
	u64 before = on_xen() ? upcalls : ipi_count;

	events_unmask();
	for (u64 i = 0; i < n; i++) {
		if (on_xen())
			HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
		else
			ipi_self();
	}
	events_mask();
	return (on_xen() ? upcalls : ipi_count) - before == n;
}

/* An instruction that Xen emulates for a PV kernel: it faults there. */
static u64 priv_run(u64 n)
{
	u64 and = ~0UL, or = 0;

	while (n--) {
		u64 v = read_cr0();

		and &= v;
		or |= v;
	}
	return and == or && (and & CR0_PG);
}

extern char user_calls[], user_main_stack_top[];

/* User code calls the kernel, which counts and returns. */
static u64 syscall_run(u64 n)
{
	return run_user((u64)user_calls, (u64)user_main_stack_top, FLAG_IF | FLAG_FIXED, n) == n;
}

const struct load trap_loads[] = {
	{ "int3", int3_run, int3_prepare },
	{ "probe", probe_run, probe_prepare },
	{ "fault", fault_run, fault_prepare },
	{ "remap", remap_run, remap_prepare },
	{ "selfipi", selfipi_run, selfipi_prepare },
	{ "priv", priv_run },
	{ "syscall", syscall_run },
	{}
};

/* The shortest call there is: xen_version(0). */
static u64 hypercall_run(u64 n)
{
	u64 and = ~0UL, or = 0;

	while (n--) {
		u64 v = HYPERVISOR_xen_version(0, NULL);

		and &= v;
		or |= v;
	}
	return and == or && or;
}

const struct load xen_loads[] = { { "hypercall", hypercall_run, NULL, true }, {} };
