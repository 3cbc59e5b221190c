/*
 * main.c - start of day of the random kernel, and the sequences it runs.
 *
 * The command line says which:
 *	seed=S first=N count=M ops=K	M sequences of K operations, from number N
 *	verbose=1			a line for each operation; 2: and the state after it; 3: and the frames
 *	deaths=1			operations that may kill the domain, too
 *	family=NAME			only that family's
 * A module (initrd) instead lists jobs, one a line: "SEQUENCE MASK", where MASK has
 * a 0 or 1 for each operation: 0 leaves it out. What is left runs as in the whole.
 */
#include "random.h"

enum platform platform;
struct start_info *start_info;
volatile struct shared_info *shared_info;
u64 start_info_frame;

static u64 seed, first, count, ops, verbose, deaths;
static char only_family[24];
static u32 total_weight;

void __attribute__((noreturn)) main_native(void)
{
	extern char pvh_cmdline[];

	platform = PLATFORM_NATIVE;
	console_init();
	cmdline_set(pvh_cmdline);
	gates_init();
	paging_init();
	cpu_init();
	print("random: operations are Xen's, and this is bare metal\nTest result: ERROR\n");
	power_off();
}

/* What the shared files of the rule demos ask for. */
const char *demo_id(void)
{
	return "random";
}

void cell_print_seen(void)
{
	print("in operation: %s\n", noted());
}

static bool in_use(const struct family *f, const struct operation *o)
{
	return (!only_family[0] || str_equal(only_family, f->name)) && (deaths || !(o->flags & MAY_DIE));
}

static void weigh(void)
{
	for (const struct family *f = families; f->name; f++)
		for (const struct operation *o = f->operations; o->name; o++)
			if (in_use(f, o))
				total_weight += o->weight;
}

static const struct operation *draw_operation(void)
{
	u64 w = below(total_weight);

	for (const struct family *f = families; f->name; f++)
		for (const struct operation *o = f->operations; o->name; o++) {
			if (!in_use(f, o))
				continue;
			if (w < o->weight)
				return o;
			w -= o->weight;
		}
	panic("no operations");
}

static void reset(u64 sequence)
{
	vcpu_info()->evtchn_upcall_mask = 1;
	cpu_init();
	trap_stack_set((void *)((u64)trap_stack_top - 256));
	catch_all();
	draw_begin(seed, sequence, ~0UL);
	state_reset();
	for (const struct family *f = families; f->name; f++)
		if (f->reset)
			f->reset();
}

static void digest(void)
{
	state_digest();
	for (const struct family *f = families; f->name; f++)
		if (f->digest)
			f->digest();
}

static bool run_operation(u64 sequence, u64 n)
{
	const struct operation *o;
	bool ok;

	draw_begin(seed, sequence, n);
	o = draw_operation();
	note_begin();
	note("%s:", o->name);
	ok = o->run();
	if (!ok)
		note(" refused");
	vcpu_info()->evtchn_upcall_mask = 1;
	state_probe(below(POOL));
	mixed(0);
	digest();
	note(" %lx", mixed(0));
	log_line();
	if (verbose)
		print("%lu.%lu %s\n", sequence, n, noted());
	if (verbose > 1)
		state_show();
	return ok;
}

/* mask: characters '0' and '1' up to any other, or NULL for all. */
static void run_sequence(u64 sequence, const char *mask)
{
	u64 ok = 0, done = 0;

	reset(sequence);
	log_begin();
	for (u64 n = 0; n < ops; n++) {
		if (mask && *mask != '0' && *mask != '1')
			mask = NULL;
		if (!mask || *mask++ == '1') {
			done++;
			ok += run_operation(sequence, n);
		}
	}
	state_probe_deep(verbose);
	print("\nsequence %lu ops %lu ok %lu hash %016lx\n", sequence, done, ok, log_hash());
}

static bool number(const char **s, u64 *v)
{
	const char *from = *s;

	for (*v = 0; **s >= '0' && **s <= '9'; (*s)++)
		*v = *v * 10 + **s - '0';
	return *s != from;
}

static void run_jobs(const char *s, const char *end)
{
	u64 sequence;

	while (s < end && number(&s, &sequence)) {
		while (s < end && *s == ' ')
			s++;
		run_sequence(sequence, s);
		while (s < end && *s != '\n')
			s++;
		s++;
	}
}

static u64 option(const char *key, u64 otherwise)
{
	char value[24];
	u64 v;

	return cmdline_option(key, value, sizeof(value)) && parse_u64(value, &v) ? v : otherwise;
}

void __attribute__((noreturn)) main_xen(struct start_info *si)
{
	static struct start_info copy;

	/* The page itself is one of the frames that operations are given. */
	copy = *si;
	platform = PLATFORM_XEN;
	start_info = &copy;
	cmdline_set(si->cmd_line);
	gates_init();
	paging_init();
	shared_info = area_map(AREA_SHARED_INFO, si->shared_info / PAGE_SIZE, PTE_RW | PTE_NX);
	console_use_ring();
	cpu_init();
	HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	seed = option("seed", 1);
	first = option("first", 0);
	count = option("count", 1);
	ops = option("ops", 100);
	verbose = option("verbose", 0);
	deaths = option("deaths", 0);
	cmdline_option("family", only_family, sizeof(only_family));
	weigh();
	state_init();
	start_info_frame = frame_of(si);
	frames_init();
	if (verbose > 2)
		frames_show();
	if (!total_weight) {
		print("random: no family \"%s\"\nTest result: ERROR\n", only_family);
		power_off();
	}
	if (start_info->mod_len)
		run_jobs((const char *)start_info->mod_start, (const char *)start_info->mod_start + start_info->mod_len);
	else
		for (u64 n = first; n < first + count; n++)
			run_sequence(n, NULL);
	reset(0);			/* the last sequence, too, has to leave what can be put back */
	tally_print();
	print("Test result: SUCCESS\n");
	power_off();
}
