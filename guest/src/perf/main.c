/* main.c - start of day of the perf kernel, and the choice of loads. */
#include "perf.h"

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

/* What panic.c prints first about a trap that nobody expected. */
void cell_print_seen(void)
{
	print("perf: the kernel itself was hit\n");
}

static const struct load *const lists[] = {
	integer_loads, memory_loads, digest_loads, flow_loads, sort_loads, string_loads,
	trap_loads, xen_loads,
};

static const struct load *find(const char *name)
{
	for (u32 i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct load *l = lists[i]; l->name; l++)
			if (str_equal(l->name, name))
				return l;
	return NULL;
}

static bool here(const struct load *l)
{
	return on_xen() || !l->xen;
}

/*
 * One load between two marks, which is where the clock of whoever looks on is
 * read. A round runs before the first one: what is slow the first time is not
 * what is asked for.
 */
static bool run_load(const char *name, u64 n)
{
	const struct load *l = find(name);
	u64 sum;

	if (!l || !n) {
		print("perf: there is no load \"%s\" of %lu rounds\n", name, n);
		return false;
	}
	if (!here(l)) {
		print("perf: %s means nothing on bare metal\n", name);
		return true;
	}
	if (l->prepare)
		l->prepare();
	sum = l->run(1);
	print("perf: begin %s %lu\n", name, n);
	if (l->run(n) != sum) {
		print("perf: %s: the rounds are not alike\n", name);
		return false;
	}
	print("perf: end %s %lu %016lx\n", name, n, sum);
	return true;
}

/* NAME:ROUNDS,NAME:ROUNDS... */
static bool run_list(char *list)
{
	bool good = true;

	while (*list) {
		char *name = list, *rounds;
		u64 n;

		while (*list && *list != ':' && *list != ',')
			list++;
		rounds = list;
		while (*list && *list != ',')
			list++;
		if (*list)
			*list++ = 0;
		if (*rounds)
			*rounds++ = 0;
		good &= parse_u64(rounds, &n) && run_load(name, n);
	}
	return good;
}

static void list_all(void)
{
	for (u32 i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct load *l = lists[i]; l->name; l++)
			if (here(l))
				print("perf: load %s\n", l->name);
}

static void run(void)
{
	static char value[1024];
	bool good = true;

	print("perf: running %s\n", on_xen() ? "as a Xen PV guest" : "natively");
	events_init();
	if (cmdline_option("list", value, sizeof(value)))
		list_all();
	else if (cmdline_option("run", value, sizeof(value)))
		good = run_list(value);
	else
		good = false;
	print("Test result: %s\n", good ? "SUCCESS" : "ERROR");
	power_off();
}
