/* main.c - start of day on each platform, and the choice of what to do. */
#include "bench.h"
#include "xen_guest.h"

enum platform platform;
struct start_info *start_info;
volatile struct shared_info *shared_info;

static void __attribute__((noreturn)) run(void);

void __attribute__((noreturn)) main_native(void)
{
	extern char pvh_cmdline[];

	platform = PLATFORM_NATIVE;
	console_init();
	cmdline_set(pvh_cmdline);
	gates_init();
	paging_init();
	cpu_init();
	run();
}

void __attribute__((noreturn)) main_xen(struct start_info *si)
{
	platform = PLATFORM_XEN;
	start_info = si;
	cmdline_set(si->cmd_line);
	gates_init();
	paging_init();
	shared_info = area_map(AREA_SHARED_INFO, si->shared_info / PAGE_SIZE, PTE_RW | PTE_NX);
	console_use_ring();
	cpu_init();
	run();
}

/* A sum that depends on each step, so that no compiler can leave one out. */
static u64 count_loop(u64 n)
{
	u64 sum = 0;

	asm volatile("1:	add	%1, %0\n"
		     "	rol	$7, %0\n"
		     "	xor	%1, %0\n"
		     "	dec	%1\n"
		     "	jnz	1b"
		     : "+r"(sum), "+r"(n));
	return sum;
}

static void cmd_hello(const char *value)
{
	print("hello, world\n");
}

static void cmd_loop(const char *value)
{
	u64 n;

	if (parse_u64(value, &n) && n)
		print("loop: %lu rounds, sum %016lx\n", n, count_loop(n));
	else
		print("loop: \"%s\" is no number of rounds\n", value);
}

static void cmd_idle(const char *value)
{
	print("idle\n");
	for (;;)
		events_wait();
}

static void cmd_spin(const char *value)
{
	print("spin\n");
	for (;;)
		barrier();
}

static void cmd_reboot(const char *value)
{
	print("reboot\n");
	reboot();
}

static void cmd_crash(const char *value)
{
	panic("asked for by the command line");
}

static void cmd_nohandlers(const char *value)
{
	print("int3 without any handler\n");
	gates_clear();
	asm volatile("int3");
}

/* The words of the command line; the first row that it has is run, and then the
   machine is powered off. */
static const struct command {
	const char *name;
	void (*run)(const char *value);
} commands[] = {
	{ "selftest", cmd_selftest },	/* everything, ends in "Test result: ..." */
	{ "cell", cmd_cell },		/* =VARIANT:pf|bp|db|gp:kernel|user */
	{ "list", cmd_list },		/* the variants */
	{ "hello", cmd_hello },
	{ "loop", cmd_loop },		/* =N rounds of five integer instructions */
	{ "int3", cmd_int3 },		/* =N round trips through the good stub */
	{ "snap", cmd_snap },		/* rounds of snap_round for ever */
	{ "smp", cmd_smp },		/* a second CPU, if there is one */
	{ "idle", cmd_idle },		/* sleep, nothing will wake it */
	{ "spin", cmd_spin },		/* loop for ever */
	{ "reboot", cmd_reboot },
	{ "crash", cmd_crash },		/* the kernel's own panic */
	{ "nohandlers", cmd_nohandlers },	/* int3 with an empty IDT or trap table */
};

static void run(void)
{
	char value[64];

	print("bench: running %s\n", on_xen() ? "as a Xen PV guest" : "natively");
	events_init();
	for (u32 i = 0; i < ARRAY_LEN(commands); i++)
		if (cmdline_option(commands[i].name, value, sizeof(value))) {
			commands[i].run(value);
			power_off();
		}
	print("bench: nothing to do in \"%s\"\n", cmdline());
	power_off();
}
