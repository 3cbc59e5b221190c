/* seg_ldt.c - SEG: the LDT, and when segment registers are loaded again. */
#include "seg.h"

static long set_ldt(u64 base, u64 entries)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .mfn = base, .arg2 = entries };
	u32 done;

	return HYPERVISOR_mmuext_op(&op, 1, &done);
}

static const u64 one_data[] = { 0, DESC_DATA_DPL3 };

#define LDT_SELECTOR	(1 * 8 | 7)		/* TI and RPL 3 */

static u64 *prepare(void)
{
	u64 *table;

	catch_all();
	table = seg_page(0, one_data, ARRAY_LEN(one_data));
	say_result("MMUEXT_SET_LDT", set_ldt((u64)table, 512));
	return table;
}

static void writable(const char *when, u64 *table)
{
	long result = page_map((u64)table, table, PAGE_WRITABLE);

	say_result(when, result);
	if (!result)
		page_map((u64)table, table, PAGE_READONLY);
}

/* Another top table with the kernel's entries; its page is a test page, too. */
static void change_cr3(void)
{
	u64 *l4 = (u64 *)test_pages[1];
	u64 old = read_cr3();

	memcpy(l4, (void *)start_info->pt_base, PAGE_SIZE);
	memset(&l4[256], 0, 16 * sizeof(*l4));		/* Xen's slots */
	say_result("making a second top table", page_map((u64)l4, l4, PAGE_READONLY));
	write_cr3(frame_of(l4) * PAGE_SIZE);
	write_cr3(old);
}

void seg_06(void)
{
	u64 *table = prepare();

	say_result("MMUEXT_SET_LDT of a misaligned base", set_ldt((u64)table + 8, 512));
	say_result("MMUEXT_SET_LDT of 8193 entries", set_ldt((u64)table, 8193));
	say_result("MMUEXT_SET_LDT in Xen's addresses", set_ldt(HOLE_START, 512));
	writable("making the page writable before the first use", table);
	seg_load_ds("first use", LDT_SELECTOR);
	seg_load_ds("a zero entry", 2 * 8 | 7);
	seg_load_ds("beyond the LDT's limit", 512 * 8 | 7);
	writable("making the page writable after it", table);
	change_cr3();
	writable("making it writable after a change of CR3", table);
	seg_load_ds("next use", LDT_SELECTOR);
	say_result("MMUEXT_SET_LDT of no entries", set_ldt(0, 0));
	writable("making it writable then", table);
	seg_load_ds("without an LDT", LDT_SELECTOR);
}

KERNEL_CODE(seg_bad_load, "mov %ebx, %ds\nud2");

static void bad_load(const char *what, u64 *table)
{
	static const char *const places[] = { "not in the LDT", "at the descriptor in the LDT" };
	struct start s = kernel_code(seg_bad_load);
	struct record *r;

	s.gpr[RBX] = LDT_SELECTOR;
	r = go(&s, NULL);
	say("%s: %s, error code %s, CR2 is %s", what, vector_name(r->kind),
	    r->words == 3 ? named(r->frame[2]) : "none", places[r->kind == 14 && r->cr2 == (u64)&table[1]]);
}

void seg_06_bad(void)
{
	u64 *table = prepare();

	page_map((u64)table, table, PAGE_WRITABLE);
	bad_load("the page is writable", table);
	table[3] = DESC_TSS;
	page_map((u64)table, table, PAGE_READONLY);
	bad_load("the page has a TSS among its descriptors", table);
	page_map((u64)table, table, 0);
	bad_load("the page is not mapped", table);
	say_result("MMUEXT_SET_LDT of no entries", set_ldt(0, 0));
}

static u16 read_ds(void)
{
	u32 v;

	asm volatile("mov %%ds, %0" : "=r"(v));
	return v;
}

/* DS keeps a selector whose descriptor went away, as long as nothing loads it. */
void seg_08(void)
{
	u64 *table;
	u64 before = timer_ticks;

	table = seg_page(0, one_data, ARRAY_LEN(one_data));
	say_result("set_gdt", seg_use(table, 512));
	asm volatile("mov %0, %%ds" : : "r"(1 * 8 | 3));
	say("DS is %x", read_ds());
	say_result("taking its descriptor away", HYPERVISOR_update_descriptor(seg_machine_address(&table[1]), 0));
	say("after a hypercall DS is %x", read_ds());
	asm volatile("cpuid" : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	asm volatile("mov %%cr0, %%rax" : : : "rax");
	say("after an emulated instruction DS is %x", read_ds());
	timer_arm();
	while (timer_ticks == before)
		events_wait();
	say("after SCHEDOP_block and an event DS is %x", read_ds());
	catch_all();
	seg_load_ds("loading it again", 1 * 8 | 3);
	asm volatile("mov %0, %%fs" : : "r"(FLAT_DS));
	HYPERVISOR_set_segment_base(SEGBASE_FS, (u64)&fs_block);
	HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	say("FS with a selector keeps the base of set_segment_base: %s", fs_base() == (u64)&fs_block ? "yes" : "no");
	asm volatile("mov %0, %%fs" : : "r"(0));
	seg_restore();
}
