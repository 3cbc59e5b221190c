/*
 * own.c - the calls a kernel makes for itself: segment bases, debug registers,
 * callbacks, gates, stacks, and batches of calls. What they set is looked at and
 * put back before the operation ends.
 */
#include "random.h"

#define HYP_SET_TRAP_TABLE	0
#define HYP_STACK_SWITCH	3
#define HYP_SET_CALLBACKS	4
#define HYP_FPU_TASKSWITCH	5
#define HYP_SCHED_OP_COMPAT	6
#define HYP_SET_DEBUGREG	8
#define HYP_GET_DEBUGREG	9
#define HYP_MULTICALL		13
#define HYP_XEN_VERSION		17
#define HYP_VM_ASSIST		21
#define HYP_SET_SEGMENT_BASE	25
#define HYP_NMI_OP		28
#define HYP_CALLBACK_OP		30

/* Addresses to register or load: none of them is ever used. */
static u64 draw_address_word(void)
{
	static const u64 edges[] = {
		0, 0x7fffffffffff, 0x800000000000, 0xffff7fffffffffff, 0xffff800000000000, 0xffff87ffffffffff,
		0xffff880000000000, 0xffffffffffffffff, 0x8000000000000000, 0x4000000000000000,
	};

	return chance(50) ? pool_va(below(POOL)) + below(PAGE_SIZE) : chance(50) ? pick(edges) : draw_word();
}

static bool op_segment_base(void)
{
	static const char *const names[] = {
		"set_segment_base fs", "set_segment_base gs_user", "set_segment_base gs_kernel", "set_segment_base gs_user_sel",
		"set_segment_base 4", "set_segment_base 5",
	};
	static const u32 msrs[] = { 0xc0000100, 0xc0000102, 0xc0000101, 0xc0000102 };
	u32 which = chance(95) ? below(4) : below(ARRAY_LEN(names));
	u64 base = which == 3 ? below(0x200) : draw_address_word();
	long ret = hypercall(HYP_SET_SEGMENT_BASE, which, base, 0, 0, 0);

	note(" %s %lx", names[which] + sizeof("set_segment_base"), base);
	if (which < 3)
		note(" base %lx", rdmsr(msrs[which]));
	/* A selector that stays could fail to load when Xen gets to run this vCPU
	   again, which is not always at the same place. */
	hypercall(HYP_SET_SEGMENT_BASE, 3, 0, 0, 0, 0);
	for (u32 i = 0; i < 3; i++)
		hypercall(HYP_SET_SEGMENT_BASE, i, 0, 0, 0, 0);
	return note_result(names[which], ret);
}

static bool op_debugreg(void)
{
	u32 reg = chance(93) ? below(8) : 8 + draw() % 100;
	/* No breakpoint on what runs here: the pool, or nowhere. */
	u64 v = reg == 7 ? (chance(60) ? (draw() & 0xffff03ff) | 0x400 : draw_word()) : reg == 6 ? draw() & 0xfffff : draw_address_word();
	long ret = hypercall(HYP_SET_DEBUGREG, reg, v, 0, 0, 0);

	note(" %x %lx", reg, v);
	for (u32 i = 0; i < 8; i++)
		note(" %lx", hypercall(HYP_GET_DEBUGREG, i, 0, 0, 0, 0));
	hypercall(HYP_SET_DEBUGREG, 7, 0, 0, 0, 0);
	hypercall(HYP_SET_DEBUGREG, 6, 0, 0, 0, 0);
	for (u32 i = 0; i < 4; i++)
		hypercall(HYP_SET_DEBUGREG, i, 0, 0, 0, 0);
	return note_result("set_debugreg", ret);
}

static bool op_get_debugreg(void)
{
	u32 reg = chance(80) ? below(8) : 8 + below(100);

	note(" %x", reg);
	return note_result("get_debugreg", hypercall(HYP_GET_DEBUGREG, reg, 0, 0, 0, 0));
}

static bool op_callback(void)
{
	static const char *const names[] = { "callback_op register", "callback_op unregister", "callback_op 2", "callback_op 3" };
	u32 cmd = chance(80) ? 0 : below(ARRAY_LEN(names));
	struct { u16 type, flags; u32 pad; u64 address; } reg = { below(9), chance(80) ? below(2) : draw(), 0, draw_address_word() };
	u64 at = chance(92) ? (u64)&reg : draw_bad_pointer();
	long ret;

	if (chance(3))
		reg.type = draw();
	note(" %s type %x flags %x %lx", names[cmd] + sizeof("callback_op"), reg.type, reg.flags, reg.address);
	if (at != (u64)&reg)
		note(" at %lx", at);
	ret = hypercall(HYP_CALLBACK_OP, cmd, at, 0, 0, 0);
	cpu_init();
	catch_all();
	return note_result(names[cmd], ret);
}

static bool op_callbacks(void)
{
	u64 a = draw_address_word(), b = draw_address_word(), c = draw_address_word();
	long ret = hypercall(HYP_SET_CALLBACKS, a, b, c, 0, 0);

	note(" %lx %lx %lx", a, b, c);
	cpu_init();
	return note_result("set_callbacks", ret);
}

static bool op_nmi(void)
{
	static const char *const names[] = { "nmi_op register_callback", "nmi_op unregister_callback", "nmi_op 2" };
	u32 cmd = below(ARRAY_LEN(names));
	u64 a[2] = { draw_address_word() }, at = chance(90) ? (u64)a : draw_bad_pointer();
	long ret;

	note(" %s %lx", names[cmd] + sizeof("nmi_op"), a[0]);
	if (at != (u64)a)
		note(" at %lx", at);
	ret = hypercall(HYP_NMI_OP, cmd, at, 0, 0, 0);
	catch_all();
	return note_result(names[cmd], ret);
}

/* Gates of vectors that nothing raises. */
static bool op_gates(void)
{
	static struct { u8 vector, flags; u16 cs; u32 pad; u64 address; } gates[70];
	u32 n = chance(90) ? below(6) : below(ARRAY_LEN(gates));
	u64 at = chance(92) ? (u64)gates : draw_bad_pointer();
	long ret;

	memset(gates, 0, sizeof(gates));
	for (u32 i = 0; i < n; i++) {
		gates[i].vector = 0xa0 + below(0x40);
		gates[i].flags = draw();
		gates[i].cs = draw();
		gates[i].address = chance(80) ? pool_va(below(POOL)) : draw_address_word();
		note(" %x:%lx", gates[i].vector, gates[i].address);
	}
	if (!at)
		at = 8;			/* a null pointer takes all gates away */
	if (at != (u64)gates)
		note(" at %lx", at);
	ret = hypercall(HYP_SET_TRAP_TABLE, at, 0, 0, 0, 0);
	catch_all();
	return note_result("set_trap_table", ret);
}

static bool op_stack(void)
{
	u64 ss = chance(50) ? FLAT_DS : draw(), sp = draw_address_word();
	long ret = hypercall(HYP_STACK_SWITCH, ss, sp, 0, 0, 0);

	note(" %lx %lx", ss, sp);
	trap_stack_set((void *)((u64)trap_stack_top - 256));
	return note_result("stack_switch", ret);
}

static bool op_ts(void)
{
	u64 on = chance(70) ? below(2) : draw_word();
	long ret = hypercall(HYP_FPU_TASKSWITCH, on, 0, 0, 0, 0);
	u64 cr0;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	note(" %lx TS %u", on, !!(cr0 & CR0_TS));
	hypercall(HYP_FPU_TASKSWITCH, 0, 0, 0, 0, 0);
	return note_result("fpu_taskswitch", ret);
}

static bool op_sched_compat(void)
{
	u32 cmd = chance(50) ? 0 : 3 + draw_word();

	if (cmd == 1 || cmd == 2)	/* to block for ever, and to end */
		cmd = 3;
	note(" %x", cmd);
	return note_result("sched_op_compat", hypercall(HYP_SCHED_OP_COMPAT, cmd, draw(), 0, 0, 0));
}

/* Calls that answer and leave nothing, in a batch; and batches in it. */
static bool op_multicall(void)
{
	static struct { u64 op, result, args[6]; } list[12];
	u32 n = chance(90) ? below(ARRAY_LEN(list) + 1) : 0;
	u64 at = chance(92) ? (u64)list : draw_bad_pointer(), count = n;
	long ret;

	for (u32 i = 0; i < n; i++) {
		list[i].result = 0x1234567812345678;
		for (u32 k = 0; k < 6; k++)
			list[i].args[k] = draw_word();
		switch (below(6)) {
		case 0:
			list[i].op = HYP_XEN_VERSION;
			list[i].args[0] = chance(70) ? 0 : 99;
			break;
		case 1:
			list[i].op = HYP_GET_DEBUGREG;
			list[i].args[0] = below(10);
			break;
		case 2:
			list[i].op = HYP_VM_ASSIST;
			list[i].args[0] = 5 + below(5);
			break;
		case 3:
			list[i].op = HYP_MULTICALL;
			break;
		case 4:
			list[i].op = HYP_SCHED_OP_COMPAT;
			list[i].args[0] = below(2) * 7;
			break;
		default:
			list[i].op = chance(50) ? 11 : 60 + below(60);
			break;
		}
	}
	if (chance(8)) {
		/* More than there are: the next lies where nothing is. */
		count = draw_word();
		at = AREA_BASE + AREA_HOLE * PAGE_SIZE;
	}
	note(" of %lx", count);
	if (at != (u64)list)
		note(" at %lx", at);
	ret = hypercall(HYP_MULTICALL, at, count, 0, 0, 0);
	for (u32 i = 0; i < n; i++)
		note(" %lu:%lx", list[i].op, list[i].result);
	return note_result("multicall", ret);
}

const struct operation own_operations[] = {
	{ "segment_base", 2, op_segment_base },
	{ "debugreg", 2, op_debugreg },
	{ "get_debugreg", 1, op_get_debugreg },
	{ "callback", 2, op_callback },
	{ "callbacks", 1, op_callbacks },
	{ "nmi", 1, op_nmi },
	{ "gates", 1, op_gates },
	{ "stack", 1, op_stack },
	{ "ts", 1, op_ts },
	{ "sched_compat", 1, op_sched_compat },
	{ "multicall", 2, op_multicall },
	{}
};
