/* cell.c - runs one cell and tells what became of the interrupted code. */
#include "cell.h"

#define FLAGS_PATTERN	(FLAG_CF | FLAG_AF | FLAG_SF | FLAG_OF | FLAG_FIXED)
#define STACK_PATTERN	0x57ac57ac00000000UL
#define STACK_ABOVE	1024		/* bytes of known content above RSP */

const u8 cell_vector_number[CELL_VECTORS] = { 14, 3, 1, 13 };
static const char *const vector_names[CELL_VECTORS] = { "pf", "bp", "db", "gp" };

static const struct { const char *name; u64 value; } registers[15] = {
	{ "r15", 0x1515151515151515 }, { "r14", 0x1414141414141414 },
	{ "r13", 0x1313131313131313 }, { "r12", 0x1212121212121212 },
	{ "rbp", 0xb9b9b9b9b9b9b9b9 }, { "rbx", 0xbbbbbbbbbbbbbbbb },
	{ "r11", 0x1111111111111111 }, { "r10", 0x1010101010101010 },
	{ "r9",  0x0909090909090909 }, { "r8",  0x0808080808080808 },
	{ "rax", 0xaaaaaaaaaaaaaaaa }, { "rcx", 0xcccccccccccccccc },
	{ "rdx", 0xdddddddddddddddd }, { "rsi", 0x5151515151515151 },
	{ "rdi", 0xd1d1d1d1d1d1d1d1 },
};
#define REG_RDI		14

/* What #PF and #GP read from. */
#define UNMAPPED_KERNEL	(AREA_BASE + AREA_HOLE * PAGE_SIZE + 0x123)
#define UNMAPPED_USER	0x00000000004ff123
#define NON_CANONICAL	0x4242424242424242

struct cell {
	const struct variant *variant;
	enum cell_vector vector;
	bool user;
	const struct cell_trigger *trigger;
	struct cell_state *state;	/* as the kernel reads it */
	u64 *stack, *stack_top;		/* likewise, from RSP upwards */
};

extern char user_image[], user_text_start[];

void *user_alias(const void *p)
{
	return user_image + ((u64)p - (u64)user_text_start);
}

/* variant:vector:origin */
static bool cell_parse(const char *spec, struct cell *c)
{
	char word[3][24] = {};
	u32 w = 0, n = 0;

	for (; *spec; spec++) {
		if (*spec == ':') {
			if (++w == 3)
				return false;
			n = 0;
		} else if (n < sizeof(word[0]) - 1) {
			word[w][n++] = *spec;
		}
	}
	c->variant = variant_find(word[0]);
	for (c->vector = 0; c->vector < CELL_VECTORS; c->vector++)
		if (str_equal(word[1], vector_names[c->vector]))
			break;
	c->user = str_equal(word[2], "user");
	return c->variant && c->vector < CELL_VECTORS && (c->user || str_equal(word[2], "kernel"));
}

static void cell_prepare(struct cell *c)
{
	u64 bottom, rsp, address;

	c->trigger = &cell_triggers[c->user][c->vector];
	c->state = c->user ? user_alias(&user_cell) : &kernel_cell;
	bottom = c->user ? (u64)user_cell_stack : (u64)cell_stack;
	rsp = bottom + (c->user ? CELL_USER_STACK : (u64)(cell_stack_top - cell_stack)) - STACK_ABOVE;
	/* A stack used up to its last word: what is pushed next, from the next
	   lower multiple of 16, falls into the guard page. */
	if (c->variant->flags & VARIANT_BAD_STACK && !c->user)
		rsp = bottom + 8;
	c->stack = c->user ? user_alias((void *)rsp) : (u64 *)rsp;
	c->stack_top = c->user ? user_alias((void *)(rsp + STACK_ABOVE)) : (u64 *)cell_stack_top;
	for (u64 i = 0; c->stack + i < c->stack_top; i++)
		c->stack[i] = STACK_PATTERN | i;

	for (u32 i = 0; i < ARRAY_LEN(registers); i++)
		c->state->load.gpr[i] = registers[i].value;
	address = c->vector == CELL_GP ? NON_CANONICAL : c->user ? UNMAPPED_USER : UNMAPPED_KERNEL;
	if (c->vector == CELL_PF || c->vector == CELL_GP)
		c->state->load.gpr[REG_RDI] = address;
	c->state->load.rsp = rsp;
	c->state->load.flags = FLAGS_PATTERN | (c->vector == CELL_DB ? FLAG_TF : 0);
}

static void cell_print_plan(const struct cell *c)
{
	bool fault = c->vector == CELL_PF || c->vector == CELL_GP;

	print("plan vec=%u err=", cell_vector_number[c->vector]);
	if (fault)
		print("%x", c->vector == CELL_PF && c->user ? 4 : 0);
	else
		print("none");
	print(" rip=%016lx insn=%016lx rsp=%016lx cr2=", fault ? c->trigger->insn : c->trigger->resume,
	      c->trigger->insn, c->state->load.rsp);
	if (c->vector == CELL_PF)
		print("%016lx\n", c->state->load.gpr[REG_RDI]);
	else
		print("none\n");
}

static void cell_install(const struct cell *c)
{
	u8 number = cell_vector_number[c->vector];

	gate_set(number, c->variant->stubs[!on_xen()][c->vector]);
	trap_handle(number, cell_chained);
	if (c->variant->flags & VARIANT_BAD_STACK && c->user)
		trap_stack_set(trap_stack);	/* its guard page lies below */
}

static void cell_trigger(const struct cell *c)
{
	if (c->user)
		run_user((u64)user_cell_main, (u64)user_main_stack_top, FLAG_IF | FLAG_FIXED,
			 (u64)c->trigger->run);
	else
		c->trigger->run();
}

/* One difference: its name goes into the list, its values on a line below. */
struct difference { const char *name; u64 want, got; };
static struct difference differences[32];
static u32 difference_count;

static void compare(const char *name, u64 want, u64 got)
{
	if (want != got && difference_count < ARRAY_LEN(differences))
		differences[difference_count++] = (struct difference){ name, want, got };
}

static void cell_compare(const struct cell *c)
{
	const struct cell_regs *want = &c->state->load, *got = &c->state->got;
	u64 flags = want->flags & ~(u64)FLAG_TF;

	/* Real IF is always on in a PV guest (PRIV-02), and in user mode. */
	if (on_xen() || c->user)
		flags |= FLAG_IF;
	for (u32 i = 0; i < ARRAY_LEN(registers); i++)
		compare(registers[i].name, want->gpr[i], got->gpr[i]);
	compare("flags", flags, got->flags);
	compare("rsp", want->rsp, got->rsp);
	for (u64 i = 0; c->stack + i < c->stack_top; i++)
		compare("stack", STACK_PATTERN | i, c->stack[i]);
	compare("fs_base", (u64)&fs_block, fs_base());
	compare("gs_base", (u64)&percpus[0], gs_base());
	compare("events_masked", 1, events_masked());
	if (c->user) {
		compare("user_mode", 1, from_user(&syscall_regs));
		compare("user_rip", (u64)user_cell_after, syscall_regs.ip);
	}
}

static void cell_print_verdict(void)
{
	if (!difference_count) {
		print("survived intact\n");
		return;
	}
	print("survived corrupt=");
	for (u32 i = 0; i < difference_count; i++)
		if (!i || !str_equal(differences[i].name, differences[i - 1].name))
			print("%s%s", i ? "," : "", differences[i].name);
	print("\n");
	for (u32 i = 0; i < difference_count; i++)
		print("differs %s want=%016lx got=%016lx\n", differences[i].name,
		      differences[i].want, differences[i].got);
}

void cmd_cell(const char *spec)
{
	struct cell c = {};

	if (!cell_parse(spec, &c)) {
		print("cell: no such cell \"%s\": want VARIANT:pf|bp|db|gp:kernel|user\n", spec);
		return;
	}
	print("cell %s:%s:%s\n", c.variant->name, vector_names[c.vector], c.user ? "user" : "kernel");
	cell_prepare(&c);
	cell_print_plan(&c);
	cell_install(&c);
	cell_trigger(&c);
	gate_set(cell_vector_number[c.vector], kernel_stub(cell_vector_number[c.vector]));
	trap_handle(cell_vector_number[c.vector], NULL);
	cell_compare(&c);
	cell_print_seen();
	cell_print_verdict();
}
