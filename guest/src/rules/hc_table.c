/* hc_table.c - HC: the numbers, and pointers that are none. */
#include "hc.h"

/* Every number but iret, with arguments that mean nothing to most calls. */
static void hc_13(void)
{
	static const struct { u8 number; const char *name; u64 a1, a2, a3; } table[] = {
		{ 0, "set_trap_table", NOWHERE_KERNEL },
		{ 1, "mmu_update", NOWHERE_KERNEL, 1 },
		{ 2, "set_gdt", NOWHERE_KERNEL, 1 },
		{ 3, "stack_switch", FLAT_DS, 0 },
		{ 4, "set_callbacks", 1UL << 60, 0, 0 },
		{ 5, "fpu_taskswitch", 0 },
		{ 6, "sched_op_compat", 99 },
		{ 7, "platform_op", NOWHERE_KERNEL },
		{ 8, "set_debugreg", 99, 0 },
		{ 9, "get_debugreg", 99 },
		{ 10, "update_descriptor", 0, ~0UL },
		{ 12, "memory_op", 63, NOWHERE_KERNEL },
		{ 13, "multicall", NOWHERE_KERNEL, 1 },
		{ 14, "update_va_mapping", HOLE_START, 0, 0 },
		{ 15, "set_timer_op", 0 },
		{ 16, "event_channel_op_compat", NOWHERE_KERNEL },
		{ 17, "xen_version", 99, 0 },
		{ 18, "console_io", 99, 0, 0 },
		{ 19, "physdev_op_compat", NOWHERE_KERNEL },
		{ 20, "grant_table_op", 99, 0, 1 },
		{ 21, "vm_assist", 99, 0 },
		{ 22, "update_va_mapping_otherdomain", HOLE_START, 0, 0 },
		{ 24, "vcpu_op", 99, 0, 0 },
		{ 25, "set_segment_base", 99, 0 },
		{ 26, "mmuext_op", NOWHERE_KERNEL, 1 },
		{ 27, "xsm_op", NOWHERE_KERNEL },
		{ 28, "nmi_op", 99, 0 },
		{ 29, "sched_op", 99, 0 },
		{ 30, "callback_op", 99, 0 },
		{ 31, "xenoprof_op", 99, 0 },
		{ 32, "event_channel_op", 99, 0 },
		{ 33, "physdev_op", 99, 0 },
		{ 34, "hvm_op", 99, 0 },
		{ 35, "sysctl", NOWHERE_KERNEL },
		{ 36, "domctl", NOWHERE_KERNEL },
		{ 37, "kexec_op", 99, 0 },
		{ 39, "argo_op", 99, 0 },
		{ 40, "xenpmu_op", 99, 0 },
		{ 41, "dm_op", DOMID_SELF, 0, 0 },
		{ 42, "hypfs_op", 99, 0 },
		{ 48, "mca", NOWHERE_KERNEL },
		{ 49, "paging_domctl_cont", NOWHERE_KERNEL },
	};

	for (u32 i = 0; i < ARRAY_LEN(table); i++)
		say_result(table[i].name, call_number(table[i].number, table[i].a1, table[i].a2,
						      table[i].a3, DOMID_SELF, 0));
}

/* A trap would end in the kernel's own handlers, which give up. */
static void hc_14(void)
{
	static const struct { const char *what; u64 p; } places[] = {
		{ "nothing is mapped", NOWHERE_KERNEL },
		{ "Xen's M2P table is", HOLE_START },
		{ "Xen's own data is", 0xffff830000000000 },
		{ "no address can be", 0x800000000000 },
		{ "a null pointer points", 0 },
	};
	u64 text_pte = *pte_of((u64)text_start);

	for (u32 i = 0; i < ARRAY_LEN(places); i++) {
		say("an argument where %s:", places[i].what);
		say_result("  console_io", HYPERVISOR_console_io(CONSOLEIO_write, 1, (void *)places[i].p));
		say_result("  mmu_update", call_number(__HYPERVISOR_mmu_update, places[i].p, 1, 0, DOMID_SELF, 0));
		say_result("  multicall", call_number(__HYPERVISOR_multicall, places[i].p, 1, 0, 0, 0));
	}
	say("an answer to a page of %s text:", text_pte & PTE_RW ? "writable" : "read-only");
	say_result("  xen_version", HYPERVISOR_xen_version(1, text_start));
}

const struct demo hc_table_demos[] = {
	{ "HC-13", FACT, hc_13 },
	{ "HC-14", FACT, hc_14 },
	{}
};
