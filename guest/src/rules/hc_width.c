/* hc_width.c - HC: how much of an argument's register counts. */
#include "hc.h"

#define HIGH	(1UL << 32)
#define BAD	NOWHERE_KERNEL

static u16 width_words[64] __attribute__((aligned(8)));
#define WORDS	((u64)width_words)

static void hc_15(void)
{
	static const struct { const char *what; u8 number; u64 a1, a2, a3, a4, a5; } table[] = {
		{ "xen_version, command 0", 17, HIGH },
		{ "console_io, command 9", 18, HIGH | 9 },
		{ "console_io, a count of 0", 18, 0, HIGH, BAD },
		{ "vcpu_op is_up of 0", 24, HIGH | 3, HIGH },
		{ "sched_op yield", 29, HIGH },
		{ "sched_op_compat yield", 6, HIGH },
		{ "event_channel_op unmask 0", 32, HIGH | 9, WORDS },
		{ "physdev_op set_iopl 0", 33, HIGH | 6, WORDS },
		{ "vm_assist, command 9", 21, HIGH | 9, 0 },
		{ "vm_assist, type 2", 21, HIGH | 1, HIGH | 2 },
		{ "callback_op 9", 30, HIGH | 9 },
		{ "callback_op unregister event", 30, HIGH | 1, WORDS },
		{ "nmi_op unregister", 28, HIGH | 1 },
		{ "grant_table_op query_size of 0", 20, HIGH | 6, WORDS, HIGH },
		{ "memory_op maximum_ram_page", 12, HIGH | 2 },
		{ "memory_op current_reservation", 12, HIGH | 3, WORDS },
		{ "set_segment_base 9", 25, HIGH | 9 },
		{ "set_debugreg 9", 8, HIGH | 9 },
		{ "get_debugreg 1", 9, HIGH | 1 },
		{ "fpu_taskswitch 0", 5, HIGH },
		{ "set_gdt of 0", 2, BAD, HIGH | 8193 },
		{ "mmu_update of 0", 1, WORDS, HIGH, 0, HIGH | DOMID_SELF },
		{ "mmuext_op of 0", 26, WORDS, HIGH, 0, HIGH | DOMID_SELF },
		{ "multicall of 0", 13, WORDS, HIGH },
		{ "kexec_op 7", 37, HIGH | 7 },
		{ "kexec_op status", 37, HIGH | 6, WORDS },
		{ "hvm_op get_time", 34, HIGH | 10, WORDS },
		{ "hypfs_op get_version", 42, HIGH },
		{ "dm_op of no buffer", 41, 0, HIGH, 0 },
		{ "dm_op of domain 0", 41, HIGH, HIGH | 1, WORDS },
		{ "xenoprof_op 18", 31, HIGH | 18 },
		{ "xenpmu_op 0", 40, HIGH },
		{ "update_va_mapping_otherdomain", 22, HOLE_START, 0, 0, HIGH | DOMID_SELF },
	};

	for (u32 i = 0; i < ARRAY_LEN(table); i++) {
		long result;

		memset(width_words, 0, sizeof(width_words));
		width_words[0] = table[i].number == 12 || table[i].number == 20 ? DOMID_SELF : 0;
		result = call_number(table[i].number, table[i].a1, table[i].a2, table[i].a3, table[i].a4, table[i].a5);
		if (result > 1000)		/* a number of pages */
			result = 1000;
		say_result(table[i].what, result);
	}
}

const struct demo hc_width_demos[] = {
	{ "HC-15", FACT, hc_15 },
	{}
};
