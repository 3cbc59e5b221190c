/* tool_platform.c - TOOL: platform_op and mca, by which dom0 looks at the hardware. */
#include "tool.h"

#define PLATFORM	7
#define MCA		48
#define BAD	NOWHERE_KERNEL
#define ALL	(~0UL)

static void tool_05(void)
{
	static const struct tool_step steps[] = {
		{ "command 0", 0 },
		{ "command 34", 34 },
		{ "command 64", 64 },
		{ "settime64, mbz", 62, { { 20, 4, 1 } } },
		{ "add_memtype of 3 frames", 31, { { 8, 8, 0x100 }, { 16, 8, 3 }, { 24, 4, 6 } } },
		{ "add_memtype, type 9", 31, { { 8, 8, 0x100 }, { 16, 8, 1 }, { 24, 4, 9 } } },
		{ "add_memtype, size 0", 31, { { 8, 8, 0x100 }, { 16, 8, 0 }, { 24, 4, 6 } } },
		{ "del_memtype, handle 1", 32, { { 8, 4, 1 } } },
		{ "del_memtype, reg -1", 32, { { 12, 4, 0xffffffff } } },
		{ "del_memtype, reg 99", 32, { { 12, 4, 99 } } },
		{ "del_memtype, reg 7", 32, { { 12, 4, 7 } } },
		{ "read_memtype 0", 33 },
		{ "read_memtype 7", 33, { { 8, 4, 7 } } },
		{ "read_memtype 8", 33, { { 8, 4, 8 } } },
		{ "read_memtype 99", 33, { { 8, 4, 99 } } },
		{ "microcode_update, no data", 35, { { 8, 8, BAD }, { 16, 4, 0 } } },
		{ "microcode_update, bad data", 35, { { 8, 8, BAD }, { 16, 4, 100 } } },
		{ "platform_quirk 0", 39 },
		{ "platform_quirk 2", 39, { { 8, 4, 2 } } },
		{ "platform_quirk 3", 39, { { 8, 4, 3 } } },
		{ "platform_quirk 4", 39, { { 8, 4, 4 } } },
		{ "firmware_info 0", 50 },
		{ "firmware_info disk 0", 50, { { 8, 4, 1 }, { 24, 8, TOOL_DATA } } },
		{ "firmware_info disk 99", 50, { { 8, 4, 1 }, { 12, 4, 99 } } },
		{ "firmware_info mbr 0", 50, { { 8, 4, 2 } } },
		{ "firmware_info vbeddc 0", 50, { { 8, 4, 3 }, { 24, 8, TOOL_DATA } } },
		{ "firmware_info vbeddc 1", 50, { { 8, 4, 3 }, { 12, 4, 1 } } },
		{ "firmware_info efi 0", 50, { { 8, 4, 4 } } },
		{ "firmware_info efi 9", 50, { { 8, 4, 4 }, { 12, 4, 9 } } },
		{ "firmware_info kbd 0", 50, { { 8, 4, 5 } } },
		{ "firmware_info kbd 1", 50, { { 8, 4, 5 }, { 12, 4, 1 } } },
		{ "firmware_info 6", 50, { { 8, 4, 6 } } },
		{ "efi_runtime_call get_time", 49, { { 8, 4, 1 } } },
		{ "efi_runtime_call 99", 49, { { 8, 4, 99 } } },
		{ "enter_acpi_sleep S0", 51 },
		{ "enter_acpi_sleep S9", 51, { { 12, 4, 9 } } },
		{ "enter_acpi_sleep S5, flags", 51, { { 12, 4, 5 }, { 16, 4, 2 } } },
		{ "change_freq", 52 },
		{ "getidletime", 53 },
		{ "set_pminfo type 4", 54, { { 12, 4, 4 } } },
		{ "set_pminfo cx", 54, { { 12, 4, 0 } } },
		{ "set_pminfo px", 54, { { 12, 4, 1 } } },
		{ "set_pminfo tx", 54, { { 12, 4, 2 } } },
		{ "set_pminfo pdc", 54, { { 12, 4, 3 }, { 16, 8, TOOL_DATA } } },
		{ "set_pminfo pdc, bad buffer", 54, { { 12, 4, 3 }, { 16, 8, BAD } } },
		{ "get_cpuinfo 0", 55 },
		{ "get_cpuinfo 9", 55, { { 8, 4, 9 } } },
		{ "get_cpuinfo 999", 55, { { 8, 4, 999 } } },
		{ "get_cpu_version 0", 48, {}, 0x3f0 },
		{ "get_cpu_version 9", 48, { { 8, 4, 9 }, { 16, 4, 5 }, { 28, 4, 7 } } },
		{ "cpu_online 0", 56 },
		{ "cpu_online 99", 56, { { 8, 4, 99 } } },
		{ "cpu_online -1", 56, { { 8, 4, 0xffffffff } } },
		{ "cpu_offline 0", 57 },
		{ "cpu_offline 9", 57, { { 8, 4, 9 } } },
		{ "cpu_offline -1", 57, { { 8, 4, 0xffffffff } } },
		{ "cpu_hotadd apic 9999", 58, { { 8, 4, 9999 } } },
		{ "cpu_hotadd apic 0", 58, { { 8, 4, 0 } } },
		{ "cpu_hotadd acpi 9999", 58, { { 8, 4, 5 }, { 12, 4, 9999 } } },
		{ "cpu_hotadd pxm 999", 58, { { 8, 4, 5 }, { 12, 4, 5 }, { 16, 4, 999 } } },
		{ "mem_hotadd nothing", 59 },
		{ "mem_hotadd unaligned", 59, { { 8, 8, 1 }, { 16, 8, 2 } } },
		{ "mem_hotadd existing", 59, { { 8, 8, 0x1000 }, { 16, 8, 0x9000 } } },
		{ "core_parking 0", 60 },
		{ "core_parking set 0", 60, { { 8, 4, 1 } } },
		{ "core_parking set 5", 60, { { 8, 4, 1 }, { 12, 4, 5 } } },
		{ "core_parking get", 60, { { 8, 4, 2 }, { 12, 4, 7 } } },
		{ "resource_op of 0", 61 },
		{ "resource_op of 4", 61, { { 8, 4, 4 } } },
		{ "resource_op, bad entries", 61, { { 8, 4, 1 }, { 16, 8, BAD } } },
		{ "resource_op, MSR 0", 61, { { 8, 4, 1 }, { 16, 8, TOOL_DATA } } },
		{ "resource_op, MSR 0, cpu 99", 61, { { 8, 4, 1 }, { 12, 4, 99 }, { 16, 8, TOOL_DATA } } },
	};

	say_result("a structure nowhere", call_number(PLATFORM, BAD, 0, 0, 0, 0));
	tool_steps(PLATFORM, PLATFORM_VERSION + 1, steps, 1);
	tool_steps(PLATFORM, PLATFORM_VERSION, steps, ARRAY_LEN(steps));
}

/* The entries of a resource_op: {cmd or result, reserved, index, value}. */
static void resource(const char *what, u32 cpu, u32 cmd, u32 reserved, u64 index, u64 cmd2, u64 index2,
		     bool hide)
{
	struct { u32 cmd, version, entries, cpu; u64 at; u32 rest[34]; } request = {
		61, PLATFORM_VERSION, 2, cpu, TOOL_DATA,
	};
	u32 was[40];
	u64 *entry = (u64 *)tool_data;

	memset(tool_data, 0, sizeof(tool_data));
	entry[0] = (u64)reserved << 32 | cmd;
	entry[1] = index;
	entry[3] = cmd2;
	entry[4] = index2;
	memcpy(was, &request, sizeof(was));
	tool_show(what, call_number(PLATFORM, (u64)&request, 0, 0, 0, 0), was, (u32 *)&request, 40, 0, hide ? 0xc30 : 0);
}

static void tool_06(void)
{
	resource("read TSC, read MSR 0", 0, 0, 0, 0x10, 0, 0, true);
	resource("read TSC twice", 0, 0, 0, 0x10, 0, 0x10, true);
	resource("read TSC on CPU 99", 99, 0, 0, 0x10, 0, 0x10, false);
	resource("write TSC", 0, 1, 0, 0x10, 0, 0x10, false);
	resource("read EFER", 0, 0, 0, 0xc0000080, 0, 0x10, false);
	resource("read a 33-bit MSR", 0, 0, 0, 1UL << 32, 0, 0x10, false);
	resource("read with reserved 1", 0, 0, 1, 0x10, 0, 0x10, false);
	resource("command 2", 0, 2, 0, 0x10, 0, 0x10, false);
	resource("read TSC, then command 7", 0, 0, 0, 0x10, 7, 0x10, true);
}

static void tool_07(void)
{
	static const struct tool_step steps[] = {
		{ "command 0", 0 },
		{ "command 7", 7 },
		{ "fetch, flags 0", 1 },
		{ "fetch, flags 3", 1, { { 8, 4, 3 } } },
		{ "fetch nonurgent, no buffer", 1, { { 8, 4, 1 } } },
		{ "fetch nonurgent", 1, { { 8, 4, 1 }, { 16, 8, 77 }, { 24, 8, TOOL_DATA } } },
		{ "fetch urgent, bad buffer", 1, { { 8, 4, 2 }, { 16, 8, 77 }, { 24, 8, BAD } } },
		{ "fetch ack", 1, { { 8, 4, 5 }, { 16, 8, 0 } } },
		{ "notifydomain", 2 },
		{ "physcpuinfo, no buffer", 3 },
		{ "physcpuinfo of 9", 3, { { 8, 4, 9 }, { 16, 8, TOOL_DATA } }, 0, ALL << 8 },
		{ "physcpuinfo of 0", 3, { { 16, 8, TOOL_DATA } } },
		{ "physcpuinfo of -1", 3, { { 8, 4, 0xffffffff }, { 16, 8, TOOL_DATA } } },
		{ "physcpuinfo, bad buffer", 3, { { 8, 4, 1 }, { 16, 8, BAD } } },
		{ "msrinject of 0", 4 },
		{ "msrinject, cpu 999", 4, { { 8, 4, 999 } } },
		{ "msrinject, MSR 0", 4, { { 20, 4, 1 } } },
		{ "mceinject, cpu 999", 5, { { 8, 4, 999 } } },
		{ "inject_v2, no cpus", 6 },
		{ "inject_v2, type 7", 6, { { 8, 4, 0xf } } },
		{ "inject_v2, cmci", 6, { { 8, 4, 0x9 } } },
		{ "inject_v2, lmce", 6, { { 8, 4, 0xa } } },
	};

	say_result("a structure nowhere", call_number(MCA, BAD, 0, 0, 0, 0));
	tool_steps(MCA, MCA_VERSION + 1, steps, 1);
	tool_steps(MCA, MCA_VERSION, steps, ARRAY_LEN(steps));
}

const struct demo tool_platform_demos[] = {
	{ "TOOL-05", FACT, tool_05 },
	{ "TOOL-06", FACT, tool_06 },
	{ "TOOL-07", FACT, tool_07 },
	{}
};
