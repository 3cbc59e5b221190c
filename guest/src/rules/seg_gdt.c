/* seg_gdt.c - SEG: the GDT, its pages and what may stand in them. */
#include "seg.h"

#define GDT_MAX		7168			/* FIRST_RESERVED_GDT_ENTRY */
#define UNSET_SELECTOR	(600 * 8 | 3)		/* on the second page */

static const u64 one_data[] = { 0, DESC_DATA_DPL3 };

void seg_01(void)
{
	static u64 frames[14];
	u64 none = ~0UL;
	u64 *table;

	catch_all();
	table = seg_page(0, one_data, ARRAY_LEN(one_data));
	frames[0] = frame_of(table);
	say_result("set_gdt of 0 entries", HYPERVISOR_set_gdt(frames, 0));
	say_result("set_gdt of 512 entries", HYPERVISOR_set_gdt(frames, 512));
	seg_load_ds("a descriptor of the table", 1 * 8 | 3);
	seg_load_ds("an entry that is zero", 2 * 8 | 3);
	seg_load_ds("an entry on a page not set", UNSET_SELECTOR);
	say_result("set_gdt of 513 entries, the second frame 0", HYPERVISOR_set_gdt(frames, 513));
	for (u32 i = 0; i < ARRAY_LEN(frames); i++)
		frames[i] = frame_of(table);
	say_result("set_gdt of 7168 entries, one page 14 times", HYPERVISOR_set_gdt(frames, GDT_MAX));
	seg_load_ds("the same descriptor by the last page", (13 * 512 + 1) * 8 | 3);
	say_result("set_gdt of 7169 entries", HYPERVISOR_set_gdt(frames, GDT_MAX + 1));
	say_result("set_gdt of a frame that does not exist", HYPERVISOR_set_gdt(&none, 512));
	say_result("set_gdt of an unmapped list", HYPERVISOR_set_gdt((u64 *)NOWHERE_KERNEL, 512));
	seg_load_ds("the table after the refusals", 1 * 8 | 3);
	seg_restore();
}

void seg_02(void)
{
	u64 *table;

	catch_all();
	table = seg_page(0, one_data, ARRAY_LEN(one_data));
	say_result("set_gdt", seg_use(table, 512));
	seg_load_ds("its descriptor", 1 * 8 | 3);
	say_result("making the page writable while it is a GDT", page_map((u64)table, table, PAGE_WRITABLE));
	seg_restore();
	say_result("making it writable when it is none", page_map((u64)table, table, PAGE_WRITABLE));
}

void seg_02_bad(void)
{
	u64 *table = (u64 *)test_pages[0];

	memset(table, 0, PAGE_SIZE);
	say_result("set_gdt of a page that is mapped writable", seg_use(table, 512));
	table[511] = DESC_LDT;
	say_result("making it read-only", page_map((u64)table, table, PAGE_READONLY));
	say_result("set_gdt with an LDT descriptor as entry 511", seg_use(table, 512));
	say_result("set_gdt of 1 entry of that page", seg_use(table, 1));
	seg_restore();
}

static const struct descriptor { const char *what; u64 value; } allowed[] = {
	{ "data of DPL 3", DESC_DATA_DPL3 }, { "data of DPL 0", DESC_DATA_DPL0 },
	{ "64-bit code of DPL 0", DESC_CODE64_DPL0 }, { "conforming code", 0x00af9f000000ffff },
	{ "code with L and D", 0x00effb000000ffff }, { "type 0, present", 0x0000800000000000 },
	{ "data, not present", DESC_DATA_ABSENT }, { "a TSS, not present", DESC_TSS & ~(1UL << 47) },
	{ "zero", 0 },
}, forbidden[] = {
	{ "a TSS", DESC_TSS }, { "a busy TSS", DESC_TSS | 2UL << 40 }, { "an LDT", DESC_LDT },
	{ "an interrupt gate", 0x00008e0000080000 }, { "a trap gate", 0x00008f0000080000 },
	{ "a task gate", 0x0000850000080000 },
};

static void try_descriptors(const struct descriptor *list, u32 n)
{
	static const u64 nothing[] = { 0 };
	u64 *table = seg_page(0, nothing, 1);

	say_result("set_gdt", seg_use(table, 512));
	for (u32 i = 0; i < n; i++) {
		say_result(list[i].what, HYPERVISOR_update_descriptor(seg_machine_address(&table[1]), list[i].value));
		say("the entry reads %016lx", table[1]);
		HYPERVISOR_update_descriptor(seg_machine_address(&table[1]), 0);
	}
	seg_restore();
}

void seg_03(void)
{
	try_descriptors(allowed, ARRAY_LEN(allowed));
}

void seg_03_bad(void)
{
	try_descriptors(forbidden, ARRAY_LEN(forbidden));
}

/* A call gate of DPL 3, present, that leads to offset 0 of a selector (SDM vol. 3,
   "Call Gates"). */
#define GATE(selector)	(0x0000ec0000000000UL | (u64)(selector) << 16)

ATTEMPT(seg_far_call, "lcall *(%rdi)");

void seg_04(void)
{
	static const struct attempt call = ATTEMPT_ROW("far call through the gate", seg_far_call);
	static const struct { const char *what; u64 gate; } gates[] = {
		{ "a gate to the flat code", GATE(FLAT_CS) },
		{ "a gate to a guest's entry", GATE(2 * 8) },
		{ "a gate to an LDT entry", GATE(1 * 8 | 4) },
		{ "a gate to Xen's code", GATE(0xe008) },
		{ "a gate with a parameter count", GATE(FLAT_CS) | 1UL << 32 },
	};
	static struct { u32 offset; u16 selector; } __attribute__((packed)) target = { 0, 2 * 8 | 3 };
	static const u64 nothing[] = { 0 };
	struct start s = attempt_start(&call, false);
	u64 *table;

	catch_all();
	table = seg_page(0, nothing, 1);
	say_result("set_gdt", seg_use(table, 512));
	for (u32 i = 0; i < ARRAY_LEN(gates); i++) {
		say_result(gates[i].what, HYPERVISOR_update_descriptor(seg_machine_address(&table[2]), gates[i].gate));
		say("the entry reads %016lx", table[2]);
		HYPERVISOR_update_descriptor(seg_machine_address(&table[2]), 0);
	}
	HYPERVISOR_update_descriptor(seg_machine_address(&table[2]), GATE(FLAT_CS));
	s.gpr[RDI] = (u64)&target;
	say_attempt(&call, &s, "");
	seg_restore();
}

void seg_05(void)
{
	u64 *gdt, *page = (u64 *)test_pages[1], table = start_info->pt_base;

	gdt = seg_page(0, one_data, ARRAY_LEN(one_data));
	say_result("set_gdt", seg_use(gdt, 512));
	say_result("an entry of the GDT", HYPERVISOR_update_descriptor(seg_machine_address(&gdt[1]), DESC_DATA_DPL0));
	say("the entry reads %016lx", gdt[1]);
	say_result("a misaligned address", HYPERVISOR_update_descriptor(seg_machine_address(&gdt[1]) + 1, DESC_DATA_DPL3));
	page[3] = 0x5555;
	say_result("a word of an ordinary page", HYPERVISOR_update_descriptor(seg_machine_address(&page[3]), DESC_DATA_DPL0));
	say("the word reads %016lx", page[3]);
	say_result("a bad descriptor in an ordinary page", HYPERVISOR_update_descriptor(seg_machine_address(&page[3]), DESC_TSS));
	say("the word reads %016lx", page[3]);
	say_result("an entry of a page table", HYPERVISOR_update_descriptor(seg_machine_address((u64 *)table), DESC_DATA_DPL3));
	say_result("a frame that does not exist", HYPERVISOR_update_descriptor(1UL << 50, DESC_DATA_DPL3));
	say_result("frame 0", HYPERVISOR_update_descriptor(0, DESC_DATA_DPL3));
	seg_restore();
}

/* DS by itself, after a hypercall (Xen leaves by SYSRET), after an emulated
   instruction (by IRET from ring 0), in a handler (SYSRET) and after its
   HYPERVISOR_iret (IRET). An IRETQ of the guest within ring 3 has no
   place here: it changes no selector (SDM vol. 2, "IRET"), but QEMU clears it. */
KERNEL_CODE(seg_low_ds,
	"mov %ebx, %ds\n"
	"mov %ds, %r12d\n"
	"mov $17, %eax\nxor %edi, %edi\nxor %esi, %esi\nsyscall\n"
	"mov %ds, %r13d\n"
	"mov %cr0, %rax\n"
	"mov %ds, %r14d\n"
	"mov %ebx, %ds\n"
	"ud2\n"
	"mov %ds, %r15d\n"
	"ud2");

/* The first UD2 is gone over by HYPERVISOR_iret, the second ends the code. */
static int go_over_once(struct record *r)
{
	r->back.ip += 2;
	return seen_count == 1 ? BACK_IRET : LEAVE;
}

static void low_selectors(void)
{
	for (u64 selector = 0; selector < 4; selector++) {
		struct start s = kernel_code(seg_low_ds);
		struct record *r;

		s.gpr[RBX] = selector;
		go(&s, go_over_once);
		r = &seen[1];
		say("DS loaded with %lu reads %lu, after a hypercall %lu, after an emulated instruction %lu",
		    selector, r->gpr[R12], r->gpr[R13], r->gpr[R14]);
		say("loaded with %lu again it reads %lu in a handler, after HYPERVISOR_iret %lu",
		    selector, seen[0].ds, r->gpr[R15]);
	}
	asm volatile("mov %0, %%ds" : : "r"(0));
}

void seg_07(void)
{
	static const struct descriptor list[] = {
		{ "Xen's code", 0xe008 }, { "Xen's data", 0xe010 }, { "Xen's data, RPL 3", 0xe013 },
		{ "the unused one", 0xe01b }, { "flat 32-bit code", 0xe023 }, { "flat data", 0xe02b },
		{ "flat 64-bit code", 0xe033 }, { "Xen's 32-bit code", 0xe03b }, { "Xen's TSS", 0xe043 },
		{ "Xen's LDT", 0xe053 }, { "Xen's per-CPU entry", 0xe063 },
		{ "beyond the limit", 0xeff3 + 0x10 }, { "a GDT page not set", UNSET_SELECTOR },
		{ "an LDT selector without LDT", 0x000f },
	};

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(list); i++)
		seg_load_ds(list[i].what, list[i].value);
	low_selectors();
}
