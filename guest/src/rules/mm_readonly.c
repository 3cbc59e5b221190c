/* mm_readonly.c - MM: stores to what Xen maps for looking only. */
#include "mm.h"

KERNEL_CODE(store_imm, "movl $5, (%rdi)\nud2");
KERNEL_CODE(store_2, "mov %si, (%rdi)\nud2");
KERNEL_CODE(store_stos, "mov %rsi, %rax\nstosq\nud2");
KERNEL_CODE(store_rep_stos, "mov %rsi, %rax\nmov $3, %ecx\nrep stosl\nud2");
KERNEL_CODE(store_movs, "lea store_movs(%rip), %rsi\nmovsl\nud2");
KERNEL_CODE(store_set, "test %eax, %eax\nsetz (%rdi)\nud2");
KERNEL_CODE(store_add, "add %esi, (%rdi)\nud2");
KERNEL_CODE(store_movnti, "movnti %rsi, (%rdi)\nud2");
KERNEL_CODE(store_bts, "lock btsl $3, (%rdi)\nud2");

static const struct { const char *what; const void *code; u64 at; } stores[] = {
	{ "8 bytes", touch_write, 0 }, { "4 bytes", touch_write4, 0x10 }, { "2 bytes", store_2, 0x10 },
	{ "1 byte", touch_write1, 0x11 }, { "a number", store_imm, 0x20 }, { "8 bytes at 4", touch_write, 4 },
	{ "4 bytes at 2", touch_write4, 2 }, { "2 bytes at 1", store_2, 1 }, { "STOS", store_stos, 0x40 },
	{ "REP STOS", store_rep_stos, 0x40 }, { "MOVS", store_movs, 0x40 }, { "SETZ", store_set, 0x80 }, { "ADD", store_add, 0x80 }, { "MOVNTI", store_movnti, 0x80 },
	{ "LOCK BTS", store_bts, 0x80 }, { "LOCK OR", touch_or, 0x80 }, { "XCHG", touch_xchg, 0x80 },
	{ "CMPXCHG", touch_cmpxchg, 0x80 },
};

static void try_stores(const char *place, u64 entry)
{
	u64 va = area_address(TEST_SLOT);

	say("%s:", place);
	if (page_set(va, entry))
		say("  refused");
	for (u32 i = 0; i < ARRAY_LEN(stores); i++) {
		struct start s = kernel_code(stores[i].code);
		struct record *r;

		s.gpr[RDI] = va + stores[i].at;
		s.gpr[RSI] = 0x1122334455667788;
		r = go(&s, NULL);
		say_end(stores[i].what, r, va + stores[i].at);
		if (r->kind == 6 && stores[i].code == store_stos)
			say("  RDI has moved by %ld", (long)(r->gpr[RDI] - (va + stores[i].at)));
		if (r->kind == 6 && stores[i].code == store_rep_stos)
			say("  RDI has moved by %ld, RCX is %ld", (long)(r->gpr[RDI] - (va + stores[i].at)), (long)r->frame[0]);
	}
	page_set(va, 0);
}

void mm_35(void)
{
	struct start s = kernel_code(touch_write4);
	struct record *r;
	u64 va = area_address(TEST_SLOT);

	catch_all();
	try_stores("the HPET", 0xfed00000 | PAGE_READONLY);
	try_stores("the I/O APIC", 0xfec00000 | PAGE_READONLY);
	try_stores("the I/O APIC, made read-only by Xen", 0xfec00000 | PAGE_WRITABLE);
	try_stores("another device", 0xfec01000 | PAGE_READONLY);
	try_stores("the BIOS", 0xf0000 | PAGE_READONLY);
	try_stores("memory", entry_for(test_pages[0], PAGE_READONLY));
	/* A single step over such a store, and the store by user mode. */
	page_set(va, 0xfed00000 | PAGE_READONLY);
	s.gpr[RDI] = va;
	s.at.flags |= FLAG_TF;
	r = go(&s, NULL);
	say_end("single step over a store to the HPET", r, 0);
	say("  RIP is %s", r->back.ip == (u64)touch_write4 + 2 ? "behind it" : "somewhere else");
	page_set(va, 0);
}
