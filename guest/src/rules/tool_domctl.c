/* tool_domctl.c - TOOL: domctl of the only domain on itself, and on others. */
#include "tool.h"

#define DOMCTL	36
#define CONT	49
#define BAD	NOWHERE_KERNEL
#define ON(id)	{ 8, 2, id }
/* its memory, the frame of shared_info, its time, the bits of an address */
#define INFO_VARIES	0x100f00c0UL

static void tool_08(void)
{
	static const u32 commands[] = {
		0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
		33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 54, 55, 56, 57, 58, 59, 60,
		61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87,
		1000, 1001, 1002, 1003, 1004,
	};
	static const u16 ids[] = { 5, DOMID_SELF, 0x7ff1, 0x7ff2, 0x7ff4 };

	say_result("a structure nowhere", call_number(DOMCTL, BAD, 0, 0, 0, 0));
	for (u32 i = 0; i < ARRAY_LEN(commands); i++) {
		u32 request[40] = { commands[i], DOMCTL_VERSION };
		const char *name[ARRAY_LEN(ids)];
		bool same = true;

		for (u32 k = 0; k < ARRAY_LEN(ids); k++) {
			long result;

			memset(request + 2, 0, sizeof(request) - 8);
			request[2] = ids[k];
			result = call_number(DOMCTL, (u64)request, 0, 0, 0, 0);
			name[k] = result ? errno_name(result) : "0";
			same = same && name[k] == name[0];
		}
		if (same && name[0] == errno_name(-3))
			continue;
		say("command %u of domain 5, self, IO, Xen, invalid: %s, %s, %s, %s, %s", commands[i], name[0], name[1],
		    name[2], name[3], name[4]);
	}
}

static void tool_09(void)
{
	static const struct tool_step steps[] = {
		{ "command 0", 0 },
		{ "pausedomain", 3 },
		{ "unpausedomain", 4 },
		{ "getdomaininfo", 5, {}, INFO_VARIES },
		{ "getdomaininfo of 5", 5, { ON(5) } },
		{ "getdomaininfo of self", 5, { ON(DOMID_SELF) } },
		{ "shadow_op 0", 10 },
		{ "shadow_op get_allocation", 10, { { 16, 4, 30 } } },
		{ "shadow_op peek", 10, { { 16, 4, 12 } } },
		{ "shadow_op enable logdirty", 10, { { 16, 4, 2 } } },
		{ "shadow_op 99", 10, { { 16, 4, 99 } } },
		{ "setvcpucontext", 12 },
		{ "getvcpucontext 0", 13, { { 24, 8, TOOL_DATA } } },
		{ "getvcpucontext 9", 13, { { 16, 4, 9 }, { 24, 8, TOOL_DATA } } },
		{ "getvcpuinfo 0", 14, {}, 0x3c0 },
		{ "getvcpuinfo 9", 14, { { 16, 4, 9 } } },
		{ "max_vcpus", 15, { { 16, 4, 1 } } },
		{ "scheduler_op getinfo", 16, { { 16, 4, 6 }, { 20, 4, 1 } } },
		{ "scheduler_op getinfo credit", 16, { { 16, 4, 5 }, { 20, 4, 1 } } },
		{ "scheduler_op putinfo 1", 16, { { 16, 4, 6 }, { 24, 2, 1 }, { 26, 2, 0 } } },
		{ "scheduler_op getinfo", 16, { { 16, 4, 6 }, { 20, 4, 1 } } },
		{ "scheduler_op putinfo 256", 16, { { 16, 4, 6 }, { 24, 2, 256 } } },
		{ "scheduler_op putvcpuinfo", 16, { { 16, 4, 6 }, { 20, 4, 2 } } },
		{ "scheduler_op getvcpuinfo", 16, { { 16, 4, 6 }, { 20, 4, 3 } } },
		{ "scheduler_op getvcpuinfo 1", 16, { { 16, 4, 6 }, { 20, 4, 3 }, { 24, 8, TOOL_DATA }, { 32, 4, 1 } } },
		{ "scheduler_op 4", 16, { { 16, 4, 6 }, { 20, 4, 4 } } },
		{ "setdomainhandle", 17, { { 16, 8, 0x1122334455667788 } } },
		{ "getdomaininfo", 5, {}, INFO_VARIES },
		{ "setdomainhandle", 17 },
		{ "setdebugging", 18, { { 16, 1, 1 } } },
		{ "max_mem", 11, { { 16, 8, 0x100000000 } } },
		{ "getdomaininfo", 5, {}, INFO_VARIES },
		{ "max_mem", 11, { { 16, 8, ~0UL } } },
		{ "getdomaininfo", 5, {}, INFO_VARIES },
		{ "settimeoffset", 24 },
		{ "resumedomain", 27 },
		{ "sendtrigger reset", 28, { { 16, 4, 1 } } },
		{ "sendtrigger power", 28, { { 16, 4, 3 } } },
		{ "sendtrigger sleep", 28, { { 16, 4, 4 } } },
		{ "sendtrigger 5", 28, { { 16, 4, 5 } } },
		{ "sendtrigger vcpu 9", 28, { { 20, 4, 9 } } },
		{ "subscribe", 29 },
		{ "gethvmcontext", 33 },
		{ "sethvmcontext", 34 },
		{ "set_address_size 64", 35, { { 16, 4, 64 } } },
		{ "set_address_size 32", 35, { { 16, 4, 32 } } },
		{ "set_address_size 16", 35, { { 16, 4, 16 } } },
		{ "get_address_size", 36 },
		{ "bind_pt_irq", 38 },
		{ "unbind_pt_irq", 48 },
		{ "ioport_mapping", 40 },
		{ "set_ext_vcpucontext", 42 },
		{ "get_ext_vcpucontext 0", 43 },
		{ "get_ext_vcpucontext 9", 43, { { 16, 4, 9 } } },
		{ "set_target 0", 46 },
		{ "set_target 5", 46, { { 16, 2, 5 } } },
		{ "assign_device", 37 },
		{ "test_assign_device", 45 },
		{ "deassign_device", 47 },
		{ "get_device_group", 50 },
		{ "debug_op", 54 },
		{ "debug_op 9", 54, { { 20, 4, 9 } } },
		{ "gethvmcontext_partial", 55 },
		{ "vm_event_op 0", 56 },
		{ "vm_event_op version", 56, { { 16, 4, 3 } } },
		{ "vm_event_op monitor", 56, { { 20, 4, 2 } } },
		{ "vm_event_op paging", 56, { { 20, 4, 1 } } },
		{ "vm_event_op sharing", 56, { { 20, 4, 3 } } },
		{ "mem_sharing_op", 57 },
		{ "gettscinfo", 59 },
		{ "settscinfo", 60 },
		{ "set_access_required", 64 },
		{ "audit_p2m", 65 },
		{ "set_broken_page_p2m", 67 },
		{ "cacheflush", 71 },
		{ "psr_cmt_op", 75 },
		{ "monitor_op 0", 77 },
		{ "monitor_op caps", 77, { { 16, 4, 2 } } },
		{ "psr_alloc 0", 78 },
		{ "psr_alloc 99", 78, { { 16, 4, 99 } } },
		{ "soft_reset", 79 },
		{ "soft_reset_cont", 23 },
		{ "vuart_op", 81 },
		{ "get_cpu_policy, sizes", 82 },
		{ "get_cpu_policy, no room", 82, { { 24, 8, TOOL_DATA } } },
		{ "destroydomain", 2 },
		{ "set_cpu_policy", 83 },
		{ "vmtrace_op", 84 },
		{ "get_paging_mempool_size", 85 },
		{ "set_paging_mempool_size", 86 },
		{ "gdbsx_guestmemio", 1000 },
		{ "gdbsx_pausevcpu", 1001 },
		{ "gdbsx_unpausevcpu", 1002 },
		{ "gdbsx_domstatus", 1003 },
	};

	tool_steps(DOMCTL, DOMCTL_VERSION, steps, ARRAY_LEN(steps));
	tool_steps(DOMCTL, DOMCTL_VERSION + 1, steps, 1);
}

static void tool_10(void)
{
	static const struct tool_step steps[] = {
		{ "getvcpuaffinity 0", 25, { { 20, 4, 3 }, { 24, 8, TOOL_DATA }, { 32, 4, 64 }, { 40, 8, TOOL_DATA + 64 }, { 48, 4, 64 } } },
		{ "getvcpuaffinity 9", 25, { { 16, 4, 9 }, { 20, 4, 3 } } },
		{ "getvcpuaffinity, flags 0", 25 },
		{ "getvcpuaffinity, flags 4", 25, { { 20, 4, 4 } } },
		{ "getvcpuaffinity, flags 8", 25, { { 20, 4, 8 } } },
		{ "getvcpuaffinity, no bits", 25, { { 20, 4, 3 } } },
		{ "getvcpuaffinity, bad map", 25, { { 20, 4, 1 }, { 24, 8, BAD }, { 32, 4, 64 } } },
		{ "setvcpuaffinity, flags 0", 9 },
		{ "setvcpuaffinity, none", 9, { { 20, 4, 1 }, { 24, 8, TOOL_DATA }, { 32, 4, 64 } } },
		{ "setvcpuaffinity, soft none", 9, { { 20, 4, 2 }, { 40, 8, TOOL_DATA }, { 48, 4, 64 } } },
		{ "getnodeaffinity", 69, { { 16, 8, TOOL_DATA }, { 24, 4, 64 } } },
		{ "getnodeaffinity, bad", 69, { { 16, 8, BAD }, { 24, 4, 64 } } },
		{ "setnodeaffinity none", 68, { { 16, 8, TOOL_DATA }, { 24, 4, 64 } } },
		{ "setnodeaffinity bad", 68, { { 16, 8, BAD }, { 24, 4, 64 } } },
		{ "irq_permission 9999", 19, { { 16, 4, 9999 } } },
		{ "irq_permission 0 deny", 19, { { 16, 4, 0 } } },
		{ "irq_permission 0 allow", 19, { { 16, 4, 0 }, { 20, 1, 1 } } },
		{ "irq_permission 4 allow", 19, { { 16, 4, 4 }, { 20, 1, 1 } } },
		{ "irq_permission 5 allow", 19, { { 16, 4, 5 }, { 20, 1, 1 } } },
		{ "irq_permission 40 allow", 19, { { 16, 4, 40 }, { 20, 1, 1 } } },
		{ "iomem_permission of 0", 20 },
		{ "iomem_permission wraps", 20, { { 16, 8, ~0UL }, { 24, 8, 5 } } },
		{ "iomem_permission a0 allow", 20, { { 16, 8, 0xa0 }, { 24, 8, 1 }, { 32, 1, 1 } } },
		{ "iomem_permission fee00 allow", 20, { { 16, 8, 0xfee00 }, { 24, 8, 1 }, { 32, 1, 1 } } },
		{ "ioport_permission of 0", 21 },
		{ "ioport_permission too many", 21, { { 16, 4, 0xff00 }, { 20, 4, 0x101 } } },
		{ "ioport_permission 20 allow", 21, { { 16, 4, 0x20 }, { 20, 4, 1 }, { 24, 1, 1 } } },
		{ "ioport_permission 80 allow", 21, { { 16, 4, 0x80 }, { 20, 4, 1 }, { 24, 1, 1 } } },
		{ "memory_mapping of 0", 39 },
		{ "memory_mapping wraps", 39, { { 24, 8, ~0UL }, { 32, 8, 5 } } },
		{ "memory_mapping", 39, { { 16, 8, 1 }, { 24, 8, 0xa0 }, { 32, 8, 1 } } },
		{ "memory_mapping high", 39, { { 16, 8, 1 }, { 24, 8, 1UL << 40 }, { 32, 8, 1 } } },
		{ "hypercall_init, no frame", 22, { { 16, 8, 1UL << 40 } } },
		{ "getpageframeinfo3 of 0", 61 },
		{ "getpageframeinfo3 of 1025", 61, { { 16, 8, 1025 } } },
		{ "getpageframeinfo3 of 2^32", 61, { { 16, 8, 1UL << 32 } } },
		{ "getpageframeinfo3, bad", 61, { { 16, 8, 1 }, { 24, 8, BAD } } },
		{ "getpageframeinfo3 of frame 0", 61, { { 16, 8, 1 }, { 24, 8, TOOL_DATA } } },
		{ "setvcpuextstate 0", 62 },
		{ "getvcpuextstate 0", 63 },
		{ "getvcpuextstate 9", 63, { { 16, 4, 9 } } },
		{ "set_virq_handler timer", 66, { { 16, 4, 0 } } },
		{ "set_virq_handler con_ring", 66, { { 16, 4, 8 } } },
		{ "set_virq_handler dom_exc", 66, { { 16, 4, 3 } } },
		{ "set_virq_handler 24", 66, { { 16, 4, 24 } } },
		{ "get_vcpu_msrs 0", 72 },
		{ "get_vcpu_msrs 9", 72, { { 16, 4, 9 } } },
		{ "set_vcpu_msrs 0", 73 },
		{ "setvnumainfo 0", 74 },
		{ "setvnumainfo, pad", 74, { { 28, 4, 1 }, { 24, 4, 1 } } },
		{ "setvnumainfo, 1 vcpu", 74, { { 24, 4, 1 } } },
		{ "createdomain 0, flags", 1, { { 8, 2, 1 }, { 36, 4, ~0U } } },
	};

	tool_steps(DOMCTL, DOMCTL_VERSION, steps, ARRAY_LEN(steps));
	tool_steps(CONT, DOMCTL_VERSION, steps, 1);
}

const struct demo tool_domctl_demos[] = {
	{ "TOOL-08", FACT, tool_08 },
	{ "TOOL-09", FACT, tool_09 },
	{ "TOOL-10", FACT, tool_10 },
	{}
};
