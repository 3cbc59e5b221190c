/* tool_misc.c - TOOL: kexec_op, hypfs_op, and the calls for other kinds of domain. */
#include "tool.h"

#define BAD	NOWHERE_KERNEL
#define KEXEC	37
#define HYPFS	42

struct plain { const char *what; u64 a1, a2, a3, a4, a5; };

static void plain_calls(u32 call, const struct plain *list, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		memset(tool_data, 0, 64);
		say_result(list[i].what, call_number(call, list[i].a1, list[i].a2, list[i].a3, list[i].a4,
						     list[i].a5));
	}
}

/* An argument of kexec_op: a type, and what else a load has. */
static long kexec(u32 op, u8 type, u16 arch, u32 segments, u64 list)
{
	struct { u8 type, pad; u16 arch; u32 segments; u64 list, entry, rest[20]; } arg = {
		type, 0, arch, segments, list,
	};

	return call_number(KEXEC, op, (u64)&arg, 0, 0, 0);
}

static void tool_11(void)
{
	static const char *names[] = { "kexec", "load_v1", "unload_v1", "get_range", "load", "unload", "status",
				       "command 7", "command 8" };

	for (u32 op = 0; op < ARRAY_LEN(names); op++) {
		say("%s:", names[op]);
		say_result("  an argument nowhere", call_number(KEXEC, op, BAD, 0, 0, 0));
		if (op == 1 || op == 3)
			continue;
		for (u8 type = 0; type < 3; type++) {
			say("  type %u:", type);
			say_result("   ", kexec(op, type, 0, 0, 0));
		}
	}
	say_result("load of 16 segments", kexec(4, 0, 62, 16, TOOL_DATA));
	say_result("load of a segment nowhere", kexec(4, 0, 62, 1, BAD));
	memset(tool_data, 0, 128);
	((u64 *)tool_data)[2] = 1;
	say_result("load to an odd address", kexec(4, 0, 62, 1, TOOL_DATA));
	((u64 *)tool_data)[2] = 0;
	((u64 *)tool_data)[1] = 1;
	say_result("load of more than fits", kexec(4, 0, 62, 1, TOOL_DATA));
	for (u32 i = 0; i < 2; i++) {
		((u64 *)tool_data)[4 * i + 1] = 0;
		((u64 *)tool_data)[4 * i + 3] = PAGE_SIZE;
	}
	say_result("load of two that overlap", kexec(4, 0, 62, 2, TOOL_DATA));
	for (u32 range = 0; range < 8; range++) {
		struct { u32 range, nr; u64 size, start; } arg = { range, range == 2 ? 9 : 0, 77, 77 };

		if (range == 1 || range == 6)
			continue;
		say("range %u:", range);
		say_result("  ", call_number(KEXEC, 3, (u64)&arg, 0, 0, 0));
		say("   size %lu from %lu", arg.size, arg.start);
	}
}

static u32 length(const char *s)
{
	u32 n = 0;

	while (s[n])
		n++;
	return n;
}

static long hypfs_read(const char *path, u64 room)
{
	memset(tool_data, 0, PAGE_SIZE);
	return call_number(HYPFS, 1, (u64)path, length(path) + 1, TOOL_DATA, room);
}

static void tool_12(void)
{
	static const struct plain list[] = {
		{ "get_version", 0 },
		{ "get_version, a path", 0, TOOL_DATA },
		{ "get_version, a length", 0, 0, 1 },
		{ "a path nowhere", 1, BAD, 5 },
		{ "a long path", 1, TOOL_DATA, 1025 },
		{ "no path", 1, TOOL_DATA, 0 },
		{ "a path without slash", 1, (u64)"params", 7 },
		{ "a path not ended", 1, (u64)"/params", 7 },
		{ "a path ended early", 1, (u64)"/p\0rams", 8 },
		{ "/, no buffer", 1, (u64)"/", 2, 0, 0 },
		{ "/, small buffer", 1, (u64)"/", 2, TOOL_DATA + 64, 11 },
		{ "/, buffer for the head", 1, (u64)"/", 2, TOOL_DATA + 64, 12 },
		{ "/, bad buffer", 1, (u64)"/", 2, BAD, 2000 },
		{ "/nothing", 1, (u64)"/nothing", 9, TOOL_DATA + 64, 2000 },
		{ "/param", 1, (u64)"/param", 7, TOOL_DATA + 64, 2000 },
		{ "//", 1, (u64)"//", 3, TOOL_DATA + 64, 2000 },
		{ "/params/", 1, (u64)"/params/", 9, TOOL_DATA + 64, 3000 },
		{ "below a value", 1, (u64)"/buildinfo/config/x", 20, TOOL_DATA + 64, 3000 },
		{ "below a value, nothing", 1, (u64)"/buildinfo/config/", 19, TOOL_DATA + 64, 12 },
		{ "write /", 2, (u64)"/", 2, TOOL_DATA + 64, 4 },
		{ "write /buildinfo/version/major", 2, (u64)"/buildinfo/version/major", 25, TOOL_DATA + 64, 4 },
		{ "write /nothing", 2, (u64)"/nothing", 9, TOOL_DATA + 64, 4 },
		{ "write /params/loglvl, long", 2, (u64)"/params/loglvl", 15, TOOL_DATA + 64, 129 },
		{ "write /params/loglvl, nowhere", 2, (u64)"/params/loglvl", 15, BAD, 4 },
		{ "write /params/loglvl, nothing", 2, (u64)"/params/loglvl", 15, TOOL_DATA + 64, 0 },
		{ "write /params/loglvl, ended early", 2, (u64)"/params/loglvl", 15, TOOL_DATA + 64, 4 },
		{ "write /params/pcid, long", 2, (u64)"/params/pcid", 13, TOOL_DATA + 64, 9 },
		{ "write /cpupool/0/sched-gran, zeros", 2, (u64)"/cpupool/0/sched-gran", 22, TOOL_DATA + 64, 4 },
		{ "write /cpupool/0/sched-gran, cpu", 2, (u64)"/cpupool/0/sched-gran", 22, (u64)"cpu", 4 },
		{ "write /params/global-pages, short", 2, (u64)"/params/global-pages", 21, TOOL_DATA + 64, 0 },
		{ "write /cpupool/0/sched-gran", 2, (u64)"/cpupool/0/sched-gran", 22, TOOL_DATA + 64, 9 },
		{ "command 3", 3, (u64)"/", 2, TOOL_DATA, 4 },
		{ "command 3, nothing", 3, (u64)"/nothing", 9, TOOL_DATA, 4 },
		{ "command 3, no path", 3 },
	};
	static const char *const dirs[] = { "/", "/params", "/buildinfo", "/buildinfo/version",
					    "/buildinfo/compileinfo", "/cpupool", "/cpupool/0" };
	static const char *const files[] = { "/params/ept", "/params/loglvl", "/params/guest_loglvl", "/params/pcid",
		"/params/console_timestamps", "/params/conswitch", "/params/gnttab_max_frames",
		"/params/gnttab_max_maptrack_frames", "/buildinfo/changeset", "/buildinfo/version/extra",
		"/cpupool/0/sched-gran" };
	const u32 *h = (const u32 *)tool_data;

	plain_calls(HYPFS, list, ARRAY_LEN(list));
	for (u32 i = 0; i < ARRAY_LEN(dirs); i++) {
		long r = hypfs_read(dirs[i], PAGE_SIZE);

		say("%s = %ld: type %u, %u bytes, at most %u", dirs[i], r, h[0], h[1], h[2]);
		for (u32 at = 12; at < h[1] + 12 && at < PAGE_SIZE - 64; ) {
			const u32 *e = (const u32 *)(tool_data + at);
			u32 next = *(const u16 *)(e + 3);

			say("  %s: type %u, encoding %u, %u bytes, at most %u, next %u", (const char *)e + 14,
			    e[0] & 0xff, e[0] >> 8, e[1], e[2], next);
			if (!next)
				break;
			at += next;
		}
	}
	for (u32 i = 0; i < ARRAY_LEN(files); i++) {
		long r = hypfs_read(files[i], PAGE_SIZE - 1);

		say("%s = %ld: type %u, %u bytes, at most %u: \"%s\"", files[i], r, h[0], h[1], h[2],
		    (const char *)(h + 3));
	}
}

static void tool_13(void)
{
	for (u32 op = 0; op < 19; op++) {
		memset(tool_data, 0, 128);
		say("xenoprof_op %u:", op);
		say_result("  an argument nowhere", call_number(31, op, BAD, 0, 0, 0));
		if (op != 14)
			say_result("  zeros", call_number(31, op, TOOL_DATA, 0, 0, 0));
	}
	say_result("xenoprof_op -1", call_number(31, -1, TOOL_DATA, 0, 0, 0));
}

static void tool_14(void)
{
	static const struct plain hvm[] = {
		{ "get_time, null", 10 },
		{ "get_time, nowhere", 10, BAD },
		{ "get_time", 10, TOOL_DATA },
		{ "xentrace, nowhere", 11, BAD },
		{ "xentrace", 11, TOOL_DATA },
		{ "guest_request, argument", 24, TOOL_DATA },
		{ "guest_request", 24, 0 },
		{ "command 1 << 32", 1UL << 32, TOOL_DATA },
	};
	static const struct plain dm[] = {
		{ "dm_op of none", 0, 0, 0 },
		{ "dm_op of 4", 0, 4, 0 },
		{ "dm_op nowhere", 0, 1, BAD },
		{ "dm_op of 0", 0, 1, TOOL_DATA },
		{ "dm_op of self", DOMID_SELF, 1, TOOL_DATA },
		{ "dm_op of 5", 5, 1, TOOL_DATA },
		{ "dm_op of Xen", 0x7ff2, 1, TOOL_DATA },
		{ "dm_op of 1 << 16", 1 << 16, 1, TOOL_DATA },
	};
	u16 *word = (u16 *)tool_data;

	for (u32 op = 0; op < 28; op++) {
		if (op == 10 || op == 11 || op == 24)
			continue;
		memset(tool_data, 0, 128);
		say("hvm_op %u:", op);
		say_result("  null", call_number(34, op, 0, 0, 0, 0));
		say_result("  an argument nowhere", call_number(34, op, BAD, 0, 0, 0));
		say_result("  zeros", call_number(34, op, TOOL_DATA, 0, 0, 0));
		word[0] = DOMID_SELF;
		say_result("  on itself", call_number(34, op, TOOL_DATA, 0, 0, 0));
		word[0] = 5;
		say_result("  on domain 5", call_number(34, op, TOOL_DATA, 0, 0, 0));
		word[2] = 999;
		say_result("  parameter 999", call_number(34, op, TOOL_DATA, 0, 0, 0));
		word[0] = 0;
		word[2] = 38;
		say_result("  parameter 38", call_number(34, op, TOOL_DATA, 0, 0, 0));
	}
	plain_calls(34, hvm, ARRAY_LEN(hvm));
	memset(tool_data, 0, 64);
	word[1] = 29;
	say_result("xentrace, long", call_number(34, 11, TOOL_DATA, 0, 0, 0));
	word[1] = 28;
	word[0] = 0x1000;
	say_result("xentrace, another class", call_number(34, 11, TOOL_DATA, 0, 0, 0));
	plain_calls(41, dm, ARRAY_LEN(dm));
	for (u32 op = 0; op < 9; op++) {
		say("operation %u:", op);
		say_result("  xenpmu_op", call_number(40, op, TOOL_DATA, 0, 0, 0));
		say_result("  xenpmu_op nowhere", call_number(40, op, BAD, 0, 0, 0));
		say_result("  argo_op", call_number(39, op, TOOL_DATA, 0, 0, 0));
		say_result("  xsm_op", call_number(27, TOOL_DATA, op, 0, 0, 0));
		say_result("  tmem_op", call_number(38, op, TOOL_DATA, 0, 0, 0));
	}
}

const struct demo tool_misc_demos[] = {
	{ "TOOL-11", FACT, tool_11 },
	{ "TOOL-12", FACT, tool_12 },
	{ "TOOL-13", FACT, tool_13 },
	{ "TOOL-14", FACT, tool_14 },
	{}
};
