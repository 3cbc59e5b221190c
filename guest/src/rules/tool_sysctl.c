/* tool_sysctl.c - TOOL: what a dom0 asks of the host by sysctl. */
#include "tool.h"

#define SYSCTL	35
#define BAD	NOWHERE_KERNEL
#define ALL	(~0UL)

static void tool_01(void)
{
	static const struct tool_step steps[] = {
		{ "command 0", 0 },
		{ "perfc_op", 5 },
		{ "lockprof_op", 15 },
		{ "command 13", 13 },
		{ "command 24", 24 },
		{ "command 28", 28 },
		{ "command 30", 30 },
		{ "coverage_op", 20, { { 8, 4, 9 } } },
		{ "psr_cmt_op", 21 },
		{ "psr_alloc, l3", 23, { { 8, 4, 0 } } },
		{ "psr_alloc, l2", 23, { { 8, 4, 1 } } },
		{ "psr_alloc, mba", 23, { { 8, 4, 2 } } },
		{ "psr_alloc, socket 9", 23, { { 12, 4, 9 } } },
		{ "psr_alloc, 3", 23, { { 8, 4, 3 } } },
	};
	long result;

	result = call_number(SYSCTL, BAD, 0, 0, 0, 0);
	say_result("a structure nowhere", result);
	result = call_number(SYSCTL, (u64)tool_data + PAGE_SIZE - 8, 0, 0, 0, 0);
	say_result("one that is zero", result);
	tool_steps(SYSCTL, SYSCTL_VERSION + 1, steps, 1);
	tool_steps(SYSCTL, SYSCTL_VERSION, steps, ARRAY_LEN(steps));
}

static void tool_02(void)
{
	static const struct tool_step steps[] = {
		{ "sched_id", 4 },
		/* the clock, the memory, the processor's features */
		{ "physinfo", 3, {}, 0x3ffff100 },
		{ "getcpuinfo of 9", 8, { { 8, 4, 9 }, { 16, 8, TOOL_DATA } }, 0, ALL },
		{ "getcpuinfo of 0", 8, { { 8, 4, 0 }, { 16, 8, BAD } } },
		{ "getcpuinfo, bad buffer", 8, { { 8, 4, 1 }, { 16, 8, BAD } } },
		{ "availheap", 9, { { 16, 4, 0xffffffff } }, 0xc0 },
		{ "availheap, node 0", 9, { { 16, 4, 0 } }, 0xc0 },
		{ "availheap, node 1", 9, { { 16, 4, 1 } } },
		{ "availheap, node 99", 9, { { 16, 4, 99 } } },
		{ "availheap, width 200", 9, { { 8, 4, 200 }, { 16, 4, 0xffffffff } } },
		{ "availheap, width 1", 9, { { 12, 4, 1 }, { 16, 4, 0xffffffff } } },
		{ "cputopoinfo, no buffer", 16 },
		{ "cputopoinfo of 9", 16, { { 8, 4, 9 }, { 16, 8, TOOL_DATA } } },
		{ "cputopoinfo of 0", 16, { { 8, 4, 0 }, { 16, 8, TOOL_DATA } } },
		{ "cputopoinfo, bad buffer", 16, { { 8, 4, 1 }, { 16, 8, BAD } } },
		{ "numainfo, no buffer", 17 },
		{ "numainfo", 17, { { 8, 4, 9 }, { 16, 8, TOOL_DATA }, { 24, 8, TOOL_DATA + 64 } }, 0, 0xf },
		{ "numainfo, bad memory buffer", 17, { { 8, 4, 9 }, { 16, 8, BAD } } },
		{ "numainfo, bad distance buffer", 17, { { 8, 4, 9 }, { 24, 8, BAD } } },
		{ "pcitopoinfo, no buffers", 22, { { 8, 4, 1 } } },
		{ "pcitopoinfo of 0", 22, { { 16, 8, TOOL_DATA }, { 24, 8, TOOL_DATA } } },
		{ "pcitopoinfo of 2", 22, { { 8, 4, 2 }, { 16, 8, TOOL_DATA }, { 24, 8, TOOL_DATA + 64 } } },
		{ "pcitopoinfo, bad list", 22, { { 8, 4, 2 }, { 16, 8, BAD }, { 24, 8, TOOL_DATA } } },
		{ "pcitopoinfo, bad answers", 22, { { 8, 4, 2 }, { 16, 8, TOOL_DATA }, { 24, 8, BAD } } },
		{ "levelling_caps", 25 },
		{ "featureset, size", 26 },
		{ "featureset 0", 26, { { 8, 4, 0 }, { 12, 4, 64 }, { 16, 8, TOOL_DATA } }, 0, ALL },
		{ "featureset 1, short", 26, { { 8, 4, 1 }, { 12, 4, 2 }, { 16, 8, TOOL_DATA } }, 0, ALL },
		{ "featureset 6", 26, { { 8, 4, 6 }, { 12, 4, 64 }, { 16, 8, TOOL_DATA } } },
		{ "featureset, bad buffer", 26, { { 8, 4, 1 }, { 12, 4, 64 }, { 16, 8, BAD } } },
		{ "cpu_policy, sizes", 29 },
		{ "cpu_policy 6", 29, { { 8, 4, 6 } } },
		{ "cpu_policy, reserved", 29, { { 20, 4, 1 } } },
		{ "cpu_policy 4, no room", 29, { { 8, 4, 4 }, { 24, 8, TOOL_DATA } } },
	};

	tool_steps(SYSCTL, SYSCTL_VERSION, steps, ARRAY_LEN(steps));
}

static void tool_03(void)
{
	static const struct tool_step steps[] = {
		{ "readconsole of 0", 1, { { 16, 8, TOOL_DATA } } },
		{ "tbuf_op, get_info", 2, { { 8, 4, 0 } }, },
		{ "tbuf_op, set_cpu_mask 0 bits", 2, { { 8, 4, 1 } } },
		{ "tbuf_op, set_cpu_mask 8 bits", 2, { { 8, 4, 1 }, { 16, 8, TOOL_DATA }, { 24, 4, 8 } } },
		{ "tbuf_op, set_cpu_mask bad", 2, { { 8, 4, 1 }, { 16, 8, BAD }, { 24, 4, 8 } } },
		{ "tbuf_op, set_evt_mask", 2, { { 8, 4, 2 }, { 12, 4, 0xff } } },
		{ "tbuf_op, get_info", 2, { { 8, 4, 0 } }, },
		{ "tbuf_op, set_size 0", 2, { { 8, 4, 3 } } },
		{ "tbuf_op, enable", 2, { { 8, 4, 4 } } },
		{ "tbuf_op, disable", 2, { { 8, 4, 5 } } },
		{ "tbuf_op, 6", 2, { { 8, 4, 6 } } },
		{ "getdomaininfolist of 9", 6, { { 8, 2, 0 }, { 12, 4, 9 }, { 16, 8, TOOL_DATA } }, 0, 0x100f03c },
		{ "getdomaininfolist of 0", 6, { { 8, 2, 0 }, { 12, 4, 0 }, { 16, 8, TOOL_DATA } } },
		{ "getdomaininfolist from 1", 6, { { 8, 2, 1 }, { 12, 4, 9 }, { 16, 8, TOOL_DATA } } },
		{ "getdomaininfolist, bad buffer", 6, { { 12, 4, 9 }, { 16, 8, BAD } } },
		{ "debug_keys, none", 7, { { 8, 8, BAD } } },
		{ "debug_keys, bad buffer", 7, { { 8, 8, BAD }, { 16, 4, 1 } } },
		{ "debug_keys, NUL", 7, { { 8, 8, TOOL_DATA }, { 16, 4, 1 } } },
		{ "get_pmstat", 10 },
		{ "get_pmstat max_px", 10, { { 8, 4, 0x11 } } },
		{ "get_pmstat pxstat", 10, { { 8, 4, 0x12 } } },
		{ "get_pmstat reset_px", 10, { { 8, 4, 0x13 } } },
		{ "get_pmstat max_cx", 10, { { 8, 4, 0x21 } } },
		{ "get_pmstat cxstat", 10, { { 8, 4, 0x22 } }, 0xc0 },
		{ "get_pmstat reset_cx", 10, { { 8, 4, 0x23 } } },
		{ "get_pmstat 24", 10, { { 8, 4, 0x24 } } },
		{ "get_pmstat cpu 9", 10, { { 8, 4, 0x21 }, { 12, 4, 9 } } },
		{ "cpu_hotplug online 0", 11, { { 8, 4, 0 }, { 12, 4, 0 } } },
		{ "cpu_hotplug online 200", 11, { { 8, 4, 200 }, { 12, 4, 0 } } },
		{ "cpu_hotplug offline 0", 11, { { 8, 4, 0 }, { 12, 4, 1 } } },
		{ "cpu_hotplug offline 200", 11, { { 8, 4, 200 }, { 12, 4, 1 } } },
		{ "cpu_hotplug smt enable", 11, { { 12, 4, 2 } } },
		{ "cpu_hotplug smt disable", 11, { { 12, 4, 3 } } },
		{ "cpu_hotplug 4", 11, { { 12, 4, 4 } } },
		{ "pm_op 0", 12 },
		{ "pm_op get_para", 12, { { 8, 4, 0x11 } } },
		{ "pm_op set_gov", 12, { { 8, 4, 0x12 } } },
		{ "pm_op set_para", 12, { { 8, 4, 0x13 } } },
		{ "pm_op avgfreq", 12, { { 8, 4, 0x14 } } },
		{ "pm_op set_sched_opt_smt 1", 12, { { 8, 4, 0x21 }, { 16, 4, 1 } } },
		{ "pm_op set_sched_opt_smt 0", 12, { { 8, 4, 0x21 } } },
		{ "pm_op set_sched_opt_smt cpu 1", 12, { { 8, 4, 0x21 }, { 12, 4, 1 } } },
		{ "pm_op get_max_cstate 0", 12, { { 8, 4, 0x22 } } },
		{ "pm_op get_max_cstate 1", 12, { { 8, 4, 0x22 }, { 12, 4, 1 } } },
		{ "pm_op get_max_cstate 2", 12, { { 8, 4, 0x22 }, { 12, 4, 2 } } },
		{ "pm_op set_max_cstate 0", 12, { { 8, 4, 0x23 }, { 16, 4, 0xffffffff } } },
		{ "pm_op set_max_cstate 2", 12, { { 8, 4, 0x23 }, { 12, 4, 2 } } },
		{ "pm_op set migration", 12, { { 8, 4, 0x24 } } },
		{ "pm_op get migration", 12, { { 8, 4, 0x25 } } },
		{ "pm_op enable_turbo", 12, { { 8, 4, 0x26 } } },
		{ "pm_op disable_turbo", 12, { { 8, 4, 0x27 } } },
		{ "pm_op cpu 9", 12, { { 8, 4, 0x26 }, { 12, 4, 9 } } },
	};

	tool_steps(SYSCTL, SYSCTL_VERSION, steps, ARRAY_LEN(steps));
}

static void tool_04(void)
{
	static const struct tool_step steps[] = {
		{ "page_offline, end before start", 14, { { 8, 4, 3 }, { 12, 4, 5 }, { 16, 4, 4 } } },
		{ "page_offline, command 0", 14, { { 8, 4, 0 }, { 12, 4, 5 }, { 16, 4, 5 }, { 24, 8, TOOL_DATA } } },
		{ "page_offline, query of frame 5", 14, { { 8, 4, 3 }, { 12, 4, 5 }, { 16, 4, 5 }, { 24, 8, TOOL_DATA } } },
		{ "page_offline, query of no frame", 14, { { 8, 4, 3 }, { 12, 4, 0xfffffff0 }, { 16, 4, 0xfffffff0 }, { 24, 8, TOOL_DATA } } },
		{ "page_offline, query, bad buffer", 14, { { 8, 4, 3 }, { 12, 4, 5 }, { 16, 4, 5 }, { 24, 8, BAD } } },
		{ "page_offline, online of frame 5", 14, { { 8, 4, 2 }, { 12, 4, 5 }, { 16, 4, 5 }, { 24, 8, TOOL_DATA } } },
		{ "page_offline, online of no frame", 14, { { 8, 4, 2 }, { 12, 4, 0xfffffff0 }, { 16, 4, 0xfffffff0 }, { 24, 8, TOOL_DATA } } },
		{ "page_offline, offline of no frame", 14, { { 8, 4, 1 }, { 12, 4, 0xfffffff0 }, { 16, 4, 0xfffffff0 }, { 24, 8, TOOL_DATA } } },
		{ "cpupool 0", 18 },
		{ "cpupool create, scheduler 77", 18, { { 8, 4, 1 }, { 12, 4, 0xffffffff }, { 16, 4, 77 } } },
		{ "cpupool create, id 0", 18, { { 8, 4, 1 }, { 12, 4, 0 }, { 16, 4, 6 } } },
		{ "cpupool destroy 0", 18, { { 8, 4, 2 }, { 12, 4, 0 } } },
		{ "cpupool destroy 7", 18, { { 8, 4, 2 }, { 12, 4, 7 } } },
		{ "cpupool info, any", 18, { { 8, 4, 3 }, { 12, 4, 0xffffffff }, { 32, 8, TOOL_DATA }, { 40, 4, 64 } } },
		{ "cpupool info 0, no bits", 18, { { 8, 4, 3 }, { 12, 4, 0 } } },
		{ "cpupool info 0, bad buffer", 18, { { 8, 4, 3 }, { 12, 4, 0 }, { 32, 8, BAD }, { 40, 4, 64 } } },
		{ "cpupool info 1", 18, { { 8, 4, 3 }, { 12, 4, 1 }, { 32, 8, TOOL_DATA }, { 40, 4, 64 } } },
		{ "cpupool addcpu 0 to 0", 18, { { 8, 4, 4 } } },
		{ "cpupool addcpu any to 0", 18, { { 8, 4, 4 }, { 24, 4, 0xffffffff } } },
		{ "cpupool addcpu 300 to 0", 18, { { 8, 4, 4 }, { 24, 4, 300 } } },
		{ "cpupool addcpu 0 to 7", 18, { { 8, 4, 4 }, { 12, 4, 7 } } },
		{ "cpupool rmcpu 0 of 0", 18, { { 8, 4, 5 } } },
		{ "cpupool rmcpu 300 of 0", 18, { { 8, 4, 5 }, { 24, 4, 300 } } },
		{ "cpupool rmcpu 0 of 7", 18, { { 8, 4, 5 }, { 12, 4, 7 } } },
		{ "cpupool movedomain 0 to 0", 18, { { 8, 4, 6 } } },
		{ "cpupool movedomain 0 to 7", 18, { { 8, 4, 6 }, { 12, 4, 7 } } },
		{ "cpupool movedomain 5", 18, { { 8, 4, 6 }, { 20, 4, 5 } } },
		{ "cpupool movedomain self", 18, { { 8, 4, 6 }, { 20, 4, DOMID_SELF } } },
		{ "cpupool freeinfo", 18, { { 8, 4, 7 }, { 32, 8, TOOL_DATA }, { 40, 4, 64 } } },
		{ "cpupool 8", 18, { { 8, 4, 8 } } },
		{ "scheduler_op, getinfo", 19, { { 12, 4, 6 }, { 16, 4, 1 } } },
		{ "scheduler_op, credit", 19, { { 12, 4, 5 }, { 16, 4, 1 } } },
		{ "scheduler_op, pool 7", 19, { { 8, 4, 7 }, { 12, 4, 6 }, { 16, 4, 1 } } },
		{ "scheduler_op, cmd 2", 19, { { 12, 4, 6 }, { 16, 4, 2 } } },
		{ "scheduler_op, put 50", 19, { { 12, 4, 6 }, { 16, 4, 0 }, { 24, 4, 50 } } },
		{ "scheduler_op, put 600000", 19, { { 12, 4, 6 }, { 16, 4, 0 }, { 24, 4, 600000 } } },
		{ "scheduler_op, put 2000", 19, { { 12, 4, 6 }, { 16, 4, 0 }, { 24, 4, 2000 } } },
		{ "scheduler_op, getinfo", 19, { { 12, 4, 6 }, { 16, 4, 1 } } },
		{ "scheduler_op, put 0", 19, { { 12, 4, 6 }, { 16, 4, 0 } } },
		{ "scheduler_op, getinfo", 19, { { 12, 4, 6 }, { 16, 4, 1 } } },
		{ "scheduler_op, put 1000", 19, { { 12, 4, 6 }, { 16, 4, 0 }, { 24, 4, 1000 } } },
		{ "livepatch, pad", 27, { { 12, 4, 1 } } },
		{ "livepatch list", 27, { { 8, 4, 2 } } },
		{ "livepatch list, pad", 27, { { 8, 4, 2 }, { 28, 4, 1 } } },
		{ "livepatch list from 1", 27, { { 8, 4, 2 }, { 20, 4, 1 }, { 24, 4, 1 } } },
		{ "livepatch list of 9", 27, { { 8, 4, 2 }, { 24, 4, 9 } } },
		{ "livepatch list of 2000", 27, { { 8, 4, 2 }, { 24, 4, 2000 } } },
		{ "livepatch get, no name", 27, { { 8, 4, 1 } } },
		{ "livepatch get, bad name", 27, { { 8, 4, 1 }, { 16, 8, BAD }, { 24, 2, 5 } } },
		{ "livepatch get, long name", 27, { { 8, 4, 1 }, { 16, 8, TOOL_DATA }, { 24, 2, 129 } } },
		{ "livepatch get, pad", 27, { { 8, 4, 1 }, { 16, 8, TOOL_DATA }, { 24, 2, 5 }, { 26, 2, 1 } } },
		{ "livepatch get, unknown", 27, { { 8, 4, 1 }, { 16, 8, TOOL_DATA }, { 24, 2, 1 } } },
		{ "livepatch get, not ended", 27, { { 8, 4, 1 }, { 16, 8, (u64)"abcdef" }, { 24, 2, 3 } } },
		{ "livepatch action, unknown", 27, { { 8, 4, 3 }, { 16, 8, TOOL_DATA }, { 24, 2, 1 }, { 32, 4, 3 } } },
		{ "livepatch action, 9", 27, { { 8, 4, 3 }, { 16, 8, TOOL_DATA }, { 24, 2, 1 }, { 32, 4, 9 } } },
		{ "livepatch upload, nothing", 27, { { 8, 4, 0 }, { 16, 8, TOOL_DATA }, { 24, 2, 1 } } },
		{ "livepatch upload, huge", 27, { { 8, 4, 0 }, { 16, 8, TOOL_DATA }, { 24, 2, 1 }, { 32, 8, 1UL << 40 }, { 40, 8, TOOL_DATA } } },
		{ "livepatch 4", 27, { { 8, 4, 4 } } },
	};

	tool_steps(SYSCTL, SYSCTL_VERSION, steps, ARRAY_LEN(steps));
}

const struct demo tool_sysctl_demos[] = {
	{ "TOOL-01", FACT, tool_01 },
	{ "TOOL-02", FACT, tool_02 },
	{ "TOOL-03", FACT, tool_03 },
	{ "TOOL-04", FACT, tool_04 },
	{}
};
