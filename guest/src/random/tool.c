/*
 * tool.c - what a dom0's tools ask: sysctl, domctl, platform_op, mca, kexec_op,
 * hypfs_op, and the calls for other kinds of domain. Drawn are operations of which
 * nothing changes the machine; what they change of the domain's settings,
 * tool_reset() puts back.
 */
#include "random.h"

#define HYP_PLATFORM	7
#define HYP_XSM		27
#define HYP_XENOPROF	31
#define HYP_HVM		34
#define HYP_SYSCTL	35
#define HYP_DOMCTL	36
#define HYP_KEXEC	37
#define HYP_TMEM	38
#define HYP_ARGO	39
#define HYP_PMU		40
#define HYP_DM		41
#define HYP_HYPFS	42
#define HYP_MCA		48
#define HYP_PAGING	49

#define REQUEST_WORDS	40
static u32 request[REQUEST_WORDS] __attribute__((aligned(256)));
/* The same where it cannot be written: an answer does not come back. */
#define READONLY_SLOT	232
static u64 readonly_request(void)
{
	return area_address(READONLY_SLOT) + ((u64)request & (PAGE_SIZE - 1));
}
static u8 buffer[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* Kinds of field; a field is {offset, kind}, size and value follow from the kind. */
enum kind {
	END, SMALL,		/* u32 0-11, now and then huge */
	SMALL16, SMALL8, COUNT,	/* u32, how many */
	COUNT64, BUF,		/* a handle: the buffer, or a bad one */
	GOODBUF,		/* the buffer */
	CPU, ZERO_ONE, FRAME, PERMITTED, WORD, WORD64, DOMAIN, ONES, KEYLESS, RATE, WEIGHT, BIGPAD, FARWORD, FIRST_TWO,
};

struct tool_op {
	const char *name;
	u8 call;
	u16 cmd;
	struct { u8 at, kind; } field[6];
	u64 show;		/* words of the structure that are logged after success */
	bool data;		/* and the first bytes of the buffer */
};

static const struct tool_op ops[] = {
	{ "sysctl tbuf_op", HYP_SYSCTL, 2, { { 8, SMALL }, { 16, BUF }, { 24, COUNT }, { 32, WORD } }, 1 << 8 },
	{ "sysctl physinfo", HYP_SYSCTL, 3, {}, 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 },
	{ "sysctl sched_id", HYP_SYSCTL, 4, {}, 1 << 2 },
	{ "sysctl getdomaininfolist", HYP_SYSCTL, 6, { { 8, SMALL16 }, { 12, COUNT }, { 16, BUF } }, 1 << 6 },
	{ "sysctl debug_keys", HYP_SYSCTL, 7, { { 8, BUF }, { 16, KEYLESS } } },
	{ "sysctl getcpuinfo", HYP_SYSCTL, 8, { { 8, COUNT }, { 16, BUF } }, 1 << 6 },
	{ "sysctl cpu_hotplug", HYP_SYSCTL, 11, { { 8, CPU }, { 12, SMALL } } },
	{ "sysctl cputopoinfo", HYP_SYSCTL, 16, { { 8, COUNT }, { 16, BUF } }, 1 << 2, true },
	{ "sysctl numainfo", HYP_SYSCTL, 17, { { 8, COUNT }, { 24, BUF } }, 1 << 2, true },
	{ "sysctl cpupool_op", HYP_SYSCTL, 18,
	  { { 8, BIGPAD }, { 12, SMALL }, { 20, SMALL }, { 24, SMALL }, { 32, BUF }, { 40, COUNT } }, 1 << 3 | 1 << 4 | 1 << 7, true },
	{ "sysctl scheduler_op", HYP_SYSCTL, 19, { { 8, ZERO_ONE }, { 12, SMALL }, { 16, ZERO_ONE }, { 24, RATE } }, 1 << 6 },
	{ "sysctl scheduler_op credit2", HYP_SYSCTL, 19, { { 12, ONES }, { 16, SMALL }, { 24, RATE } }, 1 << 6 },
	{ "sysctl get_cpu_levelling_caps", HYP_SYSCTL, 25, {}, 1 << 2 },
	{ "sysctl get_cpu_featureset", HYP_SYSCTL, 26, { { 8, FIRST_TWO }, { 12, COUNT }, { 16, BUF } }, 1 << 3 },
	{ "sysctl livepatch_op", HYP_SYSCTL, 27,
	  { { 8, SMALL }, { 12, ZERO_ONE }, { 16, BUF }, { 24, SMALL16 }, { 28, SMALL16 } }, 1 << 4 | 1 << 6 },
	{ "sysctl get_cpu_policy", HYP_SYSCTL, 29, { { 8, SMALL }, { 20, ZERO_ONE } }, 1 << 3 | 1 << 4 },
	{ "domctl getdomaininfo", HYP_DOMCTL, 5, { { 8, DOMAIN } }, 0x1f30000f00 | 1 << 2 | 1 << 5 },
	{ "domctl setvcpuaffinity", HYP_DOMCTL, 9,
	  { { 16, CPU }, { 20, SMALL }, { 24, BUF }, { 32, COUNT }, { 40, BUF }, { 48, COUNT } }, 0, true },
	{ "domctl getvcpuaffinity", HYP_DOMCTL, 25,
	  { { 16, CPU }, { 20, SMALL }, { 24, BUF }, { 32, COUNT }, { 40, BUF }, { 48, COUNT } }, 0, true },
	{ "domctl max_mem", HYP_DOMCTL, 11, { { 8, DOMAIN }, { 16, WORD64 } } },
	{ "domctl getvcpuinfo", HYP_DOMCTL, 14, { { 8, DOMAIN }, { 16, CPU } }, 1 << 5 | 1 << 8 },
	{ "domctl scheduler_op", HYP_DOMCTL, 16, { { 16, ONES }, { 20, SMALL }, { 24, WEIGHT } }, 1 << 6 },
	{ "domctl setdomainhandle", HYP_DOMCTL, 17, { { 8, DOMAIN }, { 16, WORD }, { 28, WORD } } },
	{ "domctl iomem_permission", HYP_DOMCTL, 20, { { 8, DOMAIN }, { 16, PERMITTED }, { 32, ONES } } },
	{ "domctl ioport_permission", HYP_DOMCTL, 21, { { 8, DOMAIN }, { 16, SMALL }, { 20, SMALL }, { 24, ONES } } },
	{ "domctl hypercall_init", HYP_DOMCTL, 22, { { 8, DOMAIN }, { 16, FRAME } } },
	{ "domctl sendtrigger", HYP_DOMCTL, 28, { { 8, DOMAIN }, { 16, BIGPAD }, { 20, CPU } } },
	{ "domctl subscribe", HYP_DOMCTL, 29, { { 8, DOMAIN }, { 16, WORD } } },
	{ "domctl set_address_size", HYP_DOMCTL, 35, { { 8, DOMAIN }, { 16, RATE } } },
	{ "domctl get_address_size", HYP_DOMCTL, 36, { { 8, DOMAIN } }, 1 << 4 },
	{ "domctl memory_mapping", HYP_DOMCTL, 39, { { 8, DOMAIN }, { 16, WORD64 }, { 24, PERMITTED }, { 40, ZERO_ONE } } },
	{ "domctl vm_event_op", HYP_DOMCTL, 56, { { 8, DOMAIN }, { 16, SMALL }, { 20, SMALL } }, 1 << 6 },
	{ "domctl getpageframeinfo3", HYP_DOMCTL, 61, { { 8, DOMAIN }, { 16, COUNT64 }, { 24, BUF } }, 0, true },
	{ "domctl set_virq_handler", HYP_DOMCTL, 66, { { 8, DOMAIN }, { 16, SMALL } } },
	{ "domctl setnodeaffinity", HYP_DOMCTL, 68, { { 16, BUF }, { 24, COUNT } } },
	{ "domctl getnodeaffinity", HYP_DOMCTL, 69, { { 16, BUF }, { 24, COUNT } }, 0, true },
	{ "platform_op read_memtype", HYP_PLATFORM, 33, { { 8, SMALL } }, 1 << 4 | 1 << 6 | 1 << 8 },
	{ "platform_op platform_quirk", HYP_PLATFORM, 39, { { 8, BIGPAD } } },
	{ "platform_op get_cpu_version", HYP_PLATFORM, 48, { { 8, CPU } }, 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 },
	{ "platform_op firmware_info", HYP_PLATFORM, 50, { { 8, SMALL }, { 12, ZERO_ONE } } },
	{ "platform_op get_cpuinfo", HYP_PLATFORM, 55, { { 8, CPU } }, 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 },
	{ "platform_op cpu_online", HYP_PLATFORM, 56, { { 8, CPU } } },
	{ "platform_op cpu_offline", HYP_PLATFORM, 57, { { 8, CPU } } },
	{ "platform_op core_parking", HYP_PLATFORM, 60, { { 8, SMALL }, { 12, SMALL } }, 1 << 3 },
	{ "platform_op resource_op", HYP_PLATFORM, 61, { { 8, COUNT }, { 12, CPU }, { 16, BUF } } },
	{ "platform_op settime64", HYP_PLATFORM, 62, { { 8, SMALL }, { 16, SMALL }, { 20, SMALL } } },
	{ "mca fetch", HYP_MCA, 1, { { 8, BIGPAD }, { 16, SMALL }, { 24, BUF } }, 1 << 2 | 1 << 4 },
	{ "mca physcpuinfo", HYP_MCA, 3, { { 8, COUNT } }, 1 << 2 },
	{ "mca msrinject", HYP_MCA, 4, { { 8, CPU } } },
};

/* Refused to the only domain whatever their arguments. */
static const struct tool_op refused[] = {
	{ "sysctl perfc_op", HYP_SYSCTL, 5, { { 8, WORD } } },
	{ "sysctl get_pmstat", HYP_SYSCTL, 10, { { 12, CPU } } },
	{ "sysctl 13", HYP_SYSCTL, 13, { { 8, WORD } } },
	{ "sysctl coverage_op", HYP_SYSCTL, 20, { { 8, SMALL } } },
	{ "sysctl psr_cmt_op", HYP_SYSCTL, 21, { { 8, SMALL } } },
	{ "sysctl psr_alloc", HYP_SYSCTL, 23, { { 8, SMALL }, { 12, SMALL } } },
	{ "domctl 0", HYP_DOMCTL, 0, { { 8, DOMAIN } } },
	{ "domctl destroydomain", HYP_DOMCTL, 2, { { 8, DOMAIN } } },
	{ "domctl pausedomain", HYP_DOMCTL, 3, { { 8, DOMAIN } } },
	{ "domctl unpausedomain", HYP_DOMCTL, 4, { { 8, DOMAIN } } },
	{ "domctl shadow_op", HYP_DOMCTL, 10, { { 8, DOMAIN }, { 16, SMALL } } },
	{ "domctl setvcpucontext", HYP_DOMCTL, 12, { { 8, DOMAIN }, { 16, CPU }, { 24, BUF } } },
	{ "domctl getvcpucontext", HYP_DOMCTL, 13, { { 8, DOMAIN }, { 16, CPU }, { 24, BUF } } },
	{ "domctl max_vcpus", HYP_DOMCTL, 15, { { 8, DOMAIN }, { 16, SMALL } } },
	{ "domctl setdebugging", HYP_DOMCTL, 18, { { 8, DOMAIN }, { 16, SMALL8 } } },
	{ "domctl irq_permission", HYP_DOMCTL, 19, { { 8, DOMAIN }, { 16, FARWORD }, { 20, SMALL8 } } },
	{ "domctl soft_reset_cont", HYP_DOMCTL, 23, { { 8, DOMAIN } } },
	{ "domctl resumedomain", HYP_DOMCTL, 27, { { 8, DOMAIN } } },
	{ "domctl get_ext_vcpucontext", HYP_DOMCTL, 43, { { 8, DOMAIN }, { 16, CPU } } },
	{ "domctl set_target", HYP_DOMCTL, 46, { { 8, DOMAIN }, { 16, DOMAIN } } },
	{ "domctl debug_op", HYP_DOMCTL, 54, { { 8, DOMAIN }, { 16, SMALL }, { 20, CPU } } },
	{ "domctl getvcpuextstate", HYP_DOMCTL, 63, { { 8, DOMAIN }, { 16, CPU } } },
	{ "domctl get_vcpu_msrs", HYP_DOMCTL, 72, { { 8, DOMAIN }, { 16, CPU } } },
	{ "domctl setvnumainfo", HYP_DOMCTL, 74, { { 16, SMALL }, { 20, SMALL }, { 28, ONES } } },
	{ "domctl psr_cmt_op", HYP_DOMCTL, 75, { { 8, DOMAIN } } },
	{ "domctl monitor_op", HYP_DOMCTL, 77, { { 8, DOMAIN }, { 16, SMALL } } },
	{ "domctl soft_reset", HYP_DOMCTL, 79, { { 8, DOMAIN } } },
	{ "domctl 87", HYP_DOMCTL, 87, { { 8, DOMAIN } } },
	{ "domctl real_mode_area", HYP_DOMCTL, 26, { { 8, DOMAIN } } },
	{ "domctl gethvmcontext", HYP_DOMCTL, 33, { { 8, DOMAIN } } },
	{ "domctl sethvmcontext", HYP_DOMCTL, 34, { { 8, DOMAIN } } },
	{ "domctl assign_device", HYP_DOMCTL, 37, { { 8, DOMAIN } } },
	{ "domctl bind_pt_irq", HYP_DOMCTL, 38, { { 8, DOMAIN } } },
	{ "domctl ioport_mapping", HYP_DOMCTL, 40, { { 8, DOMAIN } } },
	{ "domctl set_ext_vcpucontext", HYP_DOMCTL, 42, { { 8, DOMAIN } } },
	{ "domctl set_opt_feature", HYP_DOMCTL, 44, { { 8, DOMAIN } } },
	{ "domctl test_assign_device", HYP_DOMCTL, 45, { { 8, DOMAIN } } },
	{ "domctl deassign_device", HYP_DOMCTL, 47, { { 8, DOMAIN } } },
	{ "domctl unbind_pt_irq", HYP_DOMCTL, 48, { { 8, DOMAIN } } },
	{ "domctl get_device_group", HYP_DOMCTL, 50, { { 8, DOMAIN } } },
	{ "domctl gethvmcontext_partial", HYP_DOMCTL, 55, { { 8, DOMAIN } } },
	{ "domctl mem_sharing_op", HYP_DOMCTL, 57, { { 8, DOMAIN } } },
	{ "domctl gettscinfo", HYP_DOMCTL, 59, { { 8, DOMAIN } } },
	{ "domctl settscinfo", HYP_DOMCTL, 60, { { 8, DOMAIN } } },
	{ "domctl set_access_required", HYP_DOMCTL, 64, { { 8, DOMAIN } } },
	{ "domctl audit_p2m", HYP_DOMCTL, 65, { { 8, DOMAIN } } },
	{ "domctl set_broken_page_p2m", HYP_DOMCTL, 67, { { 8, DOMAIN } } },
	{ "domctl cacheflush", HYP_DOMCTL, 71, { { 8, DOMAIN } } },
	{ "domctl vuart_op", HYP_DOMCTL, 81, { { 8, DOMAIN } } },
	{ "domctl set_cpu_policy", HYP_DOMCTL, 83, { { 8, DOMAIN } } },
	{ "domctl vmtrace_op", HYP_DOMCTL, 84, { { 8, DOMAIN } } },
	{ "domctl get_paging_mempool_size", HYP_DOMCTL, 85, { { 8, DOMAIN } } },
	{ "domctl set_paging_mempool_size", HYP_DOMCTL, 86, { { 8, DOMAIN } } },
	{ "domctl gdbsx_guestmemio", HYP_DOMCTL, 1000, { { 8, DOMAIN } } },
	{ "domctl gdbsx_pausevcpu", HYP_DOMCTL, 1001, { { 8, DOMAIN } } },
	{ "domctl gdbsx_unpausevcpu", HYP_DOMCTL, 1002, { { 8, DOMAIN } } },
	{ "domctl gdbsx_domstatus", HYP_DOMCTL, 1003, { { 8, DOMAIN } } },
	{ "sysctl lockprof_op", HYP_SYSCTL, 15, { { 8, SMALL } } },
	{ "paging_domctl_cont", HYP_PAGING, 10, { { 8, DOMAIN }, { 16, SMALL } } },
	{ "paging_domctl_cont 11", HYP_PAGING, 11, { { 8, DOMAIN } } },
	{ "platform_op efi_runtime_call", HYP_PLATFORM, 49, { { 8, SMALL } } },
	{ "platform_op change_freq", HYP_PLATFORM, 52, { { 8, SMALL } } },
	{ "platform_op getidletime", HYP_PLATFORM, 53, { { 8, BUF } } },
	{ "platform_op mem_hotadd", HYP_PLATFORM, 59, { { 8, SMALL }, { 16, SMALL } } },
	{ "platform_op 64", HYP_PLATFORM, 64, {} },
	{ "mca 0", HYP_MCA, 0, {} },
	{ "mca notifydomain", HYP_MCA, 2, { { 8, WORD } } },
};

static u64 draw_small(void)
{
	static const u32 odd[] = { 16, 63, 64, 128, 129, 255, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff };

	return chance(90) ? below(12) : pick(odd);
}

static u64 draw_count(void)
{
	static const u32 odd[] = { 16, 19, 20, 63, 64, 65, 128, 1024, 1025, 4096 };

	return chance(85) ? below(6) : pick(odd);
}

static u64 draw_value(enum kind kind)
{
	switch (kind) {
	case SMALL: case SMALL16: case SMALL8:
		return draw_small();
	case COUNT: case COUNT64:
		return draw_count();
	case BUF:
		return chance(85) ? (u64)buffer : draw_bad_pointer();
	case GOODBUF:
		return (u64)buffer;
	case CPU:
		return chance(70) ? 0 : pick(((const u32[]){ 1, 2, 63, 256, 8192, 0x7fffffff, 0xffffffff }));
	case ZERO_ONE:
		return chance(95) ? below(2) : draw_small();
	case FIRST_TWO:
		return chance(90) ? below(2) : 6 + below(100);
	case ONES:		/* credit2's number, and true */
		return 6;
	case FRAME:
		return chance(70) ? pool_frame[below(POOL)] : random_frame_of(FRAME_BEYOND);
	case PERMITTED:		/* and a number of frames behind it */
		return chance(50) ? 0xa0 : chance(50) ? 0xfee00 : draw_word();
	case WORD: case WORD64:
		return draw_word();
	case DOMAIN:
		return chance(85) ? 0 : pick(((const u16[]){ 1, 5, 0x7fef, DOMID_SELF, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0xffff }));
	case KEYLESS:
		return below(3) * below(200);
	case RATE:
		return chance(50) ? 100 * below(8) : pick(((const u32[]){ 0, 16, 32, 64, 99, 100, 500000, 500001, 0xffffffff }));
	case WEIGHT:		/* and no cap */
		return below(1 << 16);
	case BIGPAD:		/* of commands whose 1 or 0 would do something */
		return chance(80) ? 2 + below(12) : 4 + draw_small();
	case FARWORD:
		return pick(((const u32[]){ 208, 255, 256, 9999, 0x7fffffff, 0xffffffff }));
	default:
		return 0;
	}
}

static const u8 kind_size[] = {
	[SMALL] = 4, [SMALL16] = 2, [SMALL8] = 1, [COUNT] = 4, [COUNT64] = 8, [BUF] = 8, [GOODBUF] = 8, [CPU] = 4, [ZERO_ONE] = 4,
	[FRAME] = 8, [PERMITTED] = 8, [WORD] = 4, [WORD64] = 8, [DOMAIN] = 2, [ONES] = 4, [KEYLESS] = 4, [RATE] = 4, [WEIGHT] = 2,
	[BIGPAD] = 4, [FARWORD] = 4, [FIRST_TWO] = 4,
};

static void put(u32 at, u32 size, u64 value)
{
	for (u8 *p = (u8 *)request + at; size; size--, value >>= 8)
		*p++ = value;
}

static u64 get(u32 at)
{
	u64 v = 0;

	for (u32 i = 8; i-- > 0;)
		v = v << 8 | ((u8 *)request)[at + i];
	return v;
}

static u32 version(u8 call)
{
	return call == HYP_PLATFORM ? 0x03000001 : call == HYP_MCA ? 0x01ecc003 : 0x15;
}

/* What the buffer has before: frames of all roles, or bytes. */
static void fill_buffer(const struct tool_op *o)
{
	u64 *words = (u64 *)buffer;

	memset(buffer, 0, sizeof(buffer));
	if (o->call == HYP_DOMCTL && o->cmd == 61)
		for (u32 i = 0; i < 6; i++)
			words[i] = chance(70) ? pool_frame[below(POOL)] : random_frame_of(FRAME_BEYOND);
	else if (o->call == HYP_DOMCTL && o->cmd == 68)
		words[0] = chance(70) ? 1 + 2 * below(8) : below(16) * 2;
	else if (o->call == HYP_DOMCTL && o->cmd == 9)
		words[0] = below(4);
	else if (o->call == HYP_PLATFORM && o->cmd == 61)
		for (u32 i = 0; i < 3; i++) {
			words[3 * i] = chance(90) ? below(2) : draw_small() | (u64)below(2) << 32;
			words[3 * i + 1] = chance(60) ? 0x10 : chance(50) ? draw_small() : 1UL << 33;
		}
}

static bool op_tool(void)
{
	const struct tool_op *o = chance(88) ? &ops[below(ARRAY_LEN(ops))] : &refused[below(ARRAY_LEN(refused))];
	u64 at = chance(88) ? (u64)request : chance(75) ? readonly_request() : draw_bad_pointer();
	long ret;

	memset(request, 0, sizeof(request));
	request[0] = o->cmd;
	request[1] = version(o->call) + (chance(94) ? 0 : 1 + below(3));
	fill_buffer(o);
	note(" %s", o->name);
	for (u32 i = 0; i < ARRAY_LEN(o->field) && o->field[i].kind; i++) {
		u64 v = draw_value(o->field[i].kind);

		put(o->field[i].at, kind_size[o->field[i].kind], v);
		if (o->field[i].kind == FRAME)
			note(" %s", frame_name(v));
		else
			note(" %lx", v);
		if (o->field[i].kind == PERMITTED)
			put(o->field[i].at + 8, 8, below(8));
	}
	/* Not what would do something: to make a CPU pool of a good scheduler, to
	   fetch frames of buffers that are not there, to upload a patch. */
	if (o->call == HYP_SYSCTL && o->cmd == 18 && request[2] == 1)
		request[4] = 77;
	if (o->call == HYP_PLATFORM && o->cmd == 60 && request[2] == 1)
		request[3] = 0;
	if (at == readonly_request())
		note(" read-only");
	else if (at != (u64)request)
		note(" at %lx", at);
	ret = hypercall(o->call, at, 0, 0, 0, 0);
	for (u32 i = 0; ret == 0 && at == (u64)request && i < REQUEST_WORDS; i++)
		if (o->show >> i & 1)
			note(" +%u:%x", 4 * i, request[i]);
	if (o->data && at == (u64)request)
		note(" data %lx %lx %lx", ((u64 *)buffer)[0] >> (o->cmd == 61 ? 28 : 0), ((u64 *)buffer)[1] >> (o->cmd == 61 ? 28 : 0),
		     ((u64 *)buffer)[2] >> (o->cmd == 61 ? 28 : 0));
	return note_result(o->name, ret);
}

/* kexec_op: nothing is loaded; to unload turns to the other slot. */
static bool op_kexec(void)
{
	static const char *const names[] = {
		"kexec_op kexec", "kexec_op get_range", "kexec_op unload_v1", "kexec_op get_range", "kexec_op load",
		"kexec_op unload", "kexec_op status", "kexec_op 7", "kexec_op 8",
	};
	u32 op = below(ARRAY_LEN(names));
	u64 at = chance(90) ? (u64)request : draw_bad_pointer();
	long ret;

	memset(request, 0, sizeof(request));
	if (op == 1)
		op = 3;
	if (op == 3) {
		static const u32 ranges[] = { 0, 2, 3, 4, 5, 7, 8, 0x80000000 };

		request[0] = pick(ranges);
		request[1] = request[0] == 2 ? 1 + draw_small() : draw_small();
	} else if (op == 4) {
		((u8 *)request)[0] = chance(50) ? 1 : 2 + below(3);
		request[1] = draw_count();
		put(8, 8, chance(80) ? (u64)buffer : draw_bad_pointer());
	} else {
		request[0] = chance(80) ? below(2) : 2 + below(100);
	}
	note(" %s %x %x", names[op] + sizeof("kexec_op"), request[0], request[1]);
	if (op == 4)
		note(" %lx", get(8));
	if (at != (u64)request)
		note(" at %lx", at);
	ret = hypercall(HYP_KEXEC, op, at, 0, 0, 0);
	if (op == 3 && !ret)
		note(" size %lx", get(8));
	return note_result(names[op], ret);
}

static bool op_hypfs(void)
{
	static const char *const paths[] = {
		"/", "/params", "/params/", "/buildinfo", "/buildinfo/version", "/buildinfo/version/major", "/buildinfo/version/minor/",
		"/cpupool", "/cpupool/0", "/cpupool/0/sched-gran", "/cpupool/1", "/params/ept", "/params/pcid", "/params/global-pages",
		"/nothing", "", "params", "//", "/params//ept", "/params/pci",
	};
	u32 cmd = chance(80) ? 1 + below(2) : chance(50) ? 0 : draw_small();
	const char *path = pick(paths);
	u32 length = 0;
	u64 size = chance(80) ? below(600) : draw_count(), at = chance(90) ? (u64)buffer : draw_bad_pointer();
	u64 name = chance(95) ? (u64)path : draw_bad_pointer(), said;
	long ret;

	while (path[length])
		length++;
	said = chance(90) ? length + 1 : draw_count();
	memset(buffer, 0, sizeof(buffer));
	if (cmd == 2) {		/* nothing that would do */
		buffer[0] = 'x';
		if (length > 12 && path[1] == 'p' && path[8] == 'g')
			size = 2;
	}
	if (!cmd && chance(70))		/* the version takes no arguments */
		return note_result("hypfs_op get_version", hypercall(HYP_HYPFS, 0, 0, 0, 0, 0));
	note(" hypfs_op %u %s", cmd, path);
	if (name != (u64)path)
		note(" at %lx", name);
	note(" %lx %lx %lx", said, at == (u64)buffer ? 0 : at, size);
	/* A string that ends is a value, which would be taken over. */
	if (cmd == 2 && size)
		memset(buffer, 'x', sizeof(buffer));
	ret = hypercall(HYP_HYPFS, cmd, name, said, at, size);
	if (cmd == 1 && ret == 0) {
		note(" %x %x %x", ((u32 *)buffer)[0], ((u32 *)buffer)[1], ((u32 *)buffer)[2]);
	}
	return note_result(cmd == 1 ? "hypfs_op read" : cmd == 2 ? "hypfs_op write_contents" : "hypfs_op", ret);
}

static bool op_foreign(void)
{
	static const struct { const char *name; u8 nr, most; } calls[] = {
		{ "hvm_op", HYP_HVM, 28 }, { "dm_op", HYP_DM, 4 }, { "xenoprof_op", HYP_XENOPROF, 20 }, { "xenpmu_op", HYP_PMU, 9 },
		{ "argo_op", HYP_ARGO, 6 }, { "xsm_op", HYP_XSM, 3 }, { "tmem_op", HYP_TMEM, 4 }, { "number 11", 11, 2 },
		{ "number 43", 43, 2 }, { "number 63", 63, 2 },
	};
	u32 i = chance(60) ? below(3) : below(ARRAY_LEN(calls)), op = chance(95) ? below(calls[i].most) : draw_small();
	static const u8 hvm_ops[] = { 0, 1, 5, 9, 10, 11, 15, 23, 24, 25 };
	u16 *word = (u16 *)request;
	u64 at = chance(80) ? (u64)request : chance(40) ? readonly_request() : chance(40) ? 0 : draw_bad_pointer();
	long ret;

	memset(request, 0, sizeof(request));
	word[0] = chance(70) ? pick(((const u16[]){ 0, DOMID_SELF })) : pick(((const u16[]){ 1, 5, 0x7ff1, 0x7ff2, 0xffff }));
	word[1] = calls[i].nr == HYP_HVM && op == 11 ? below(40) : 0;
	word[2] = below(50);
	if (calls[i].nr == HYP_HVM && chance(60))
		op = pick(hvm_ops);
	if (calls[i].nr == HYP_XENOPROF && op == 14)
		at = draw_bad_pointer();
	if (calls[i].nr == HYP_XENOPROF && op == 8)
		op = 9;		/* not the one with a message */
	if (calls[i].nr == HYP_HVM && op == 10 && at == (u64)request)
		at = 0;		/* the time */
	note(" %s %x %x %x %x", calls[i].name, op, word[0], word[1], word[2]);
	if (at == readonly_request())
		note(" read-only");
	else if (at != (u64)request)
		note(" at %lx", at);
	if (calls[i].nr == HYP_DM)
		ret = hypercall(HYP_DM, word[0], op, at, 0, 0);
	else if (calls[i].nr == HYP_XSM)
		ret = hypercall(HYP_XSM, at, op, 0, 0, 0);
	else
		ret = hypercall(calls[i].nr, op, at, 0, 0, 0);
	return note_result(calls[i].name, ret);
}

static void order(u8 call, u32 cmd, u32 at, u32 size, u64 value, u32 at2, u32 size2, u64 value2)
{
	memset(request, 0, sizeof(request));
	request[0] = cmd;
	request[1] = version(call);
	put(at, size, value);
	put(at2, size2, value2);
	hypercall(call, (u64)request, 0, 0, 0, 0);
}

void tool_reset(void)
{
	area_map(READONLY_SLOT, frame_of(request), PTE_NX);
	order(HYP_SYSCTL, 2, 8, 4, 2, 32, 4, 0x0ffff000);		/* trace events */
	memset(request, 0, sizeof(request));
	request[3] = 6;
	order(HYP_SYSCTL, 19, 12, 4, 6, 24, 4, 1000);			/* rate limit */
	order(HYP_DOMCTL, 16, 16, 4, 6, 24, 2, 256);			/* weight */
	order(HYP_DOMCTL, 11, 16, 8, ~0UL, 24, 0, 0);			/* most memory */
	order(HYP_DOMCTL, 17, 16, 8, 0, 24, 8, 0);			/* handle */
	((u64 *)buffer)[0] = ~0UL;
	memset(request, 0, sizeof(request));
	request[0] = 9;
	request[1] = version(HYP_DOMCTL);
	request[5] = 3;
	put(24, 8, (u64)buffer);
	request[8] = 64;
	put(40, 8, (u64)buffer);
	request[12] = 64;
	hypercall(HYP_DOMCTL, (u64)request, 0, 0, 0, 0);		/* affinity to all */
	((u64 *)buffer)[0] = ~0UL;
	order(HYP_DOMCTL, 68, 16, 8, (u64)buffer, 24, 4, 64);		/* nodes */
	for (u32 type = 0; type < 2; type++) {				/* slots for images */
		request[0] = type;
		if (hypercall(HYP_KEXEC, 6, (u64)request, 0, 0, 0) == 1)
			hypercall(HYP_KEXEC, 5, (u64)request, 0, 0, 0);
	}
}

const struct operation tool_operations[] = {
	{ "tool", 12, op_tool },
	{ "kexec", 1, op_kexec },
	{ "hypfs", 1, op_hypfs },
	{ "foreign", 1, op_foreign },
	{}
};
