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

static void cmd_nohandlers(void)
{
	print("int3 without any handler\n");
	gates_clear();
	asm volatile("int3");
}

static void run(void)
{
	char value[64];
	u64 n;

	print("bench: running %s\n", on_xen() ? "as a Xen PV guest" : "natively");
	events_init();

	if (cmdline_option("selftest", value, sizeof(value)))
		cmd_selftest();
	else if (cmdline_option("cell", value, sizeof(value)))
		cmd_cell(value);
	else if (cmdline_option("list", value, sizeof(value)))
		cmd_list();
	else if (cmdline_option("loop", value, sizeof(value)) && parse_u64(value, &n) && n)
		print("loop: %lu rounds, sum %016lx\n", n, count_loop(n));
	else if (cmdline_option("int3", value, sizeof(value)) && parse_u64(value, &n))
		cmd_int3(n);
	else if (cmdline_option("snap", value, sizeof(value)))
		cmd_snap();
	else if (cmdline_option("smp", value, sizeof(value)))
		cmd_smp();
	else if (cmdline_option("idle", value, sizeof(value)))
		for (print("idle\n");;)
			events_wait();
	else if (cmdline_option("spin", value, sizeof(value)))
		for (print("spin\n");;)
			barrier();
	else if (cmdline_option("reboot", value, sizeof(value)))
		reboot();
	else if (cmdline_option("crash", value, sizeof(value)))
		panic("asked for by the command line");
	else if (cmdline_option("nohandlers", value, sizeof(value)))
		cmd_nohandlers();
	else if (cmdline_option("hello", value, sizeof(value)))
		print("hello, world\n");
	else
		print("bench: nothing to do in \"%s\"\n", cmdline());
	power_off();
}
