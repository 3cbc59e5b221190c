/* main.c - start of day of the rules kernel, and the choice of demos. */
#include "rules.h"
#include "nat.h"

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

static const struct demo *current;

const char *demo_id(void)
{
	return current ? current->id : "rules";
}

/* What panic.c prints first about a trap that nobody expected. */
void cell_print_seen(void)
{
	say("the kernel itself was hit");
}

static void reset_xen(void)
{
	u32 iopl = 0;

	HYPERVISOR_fpu_taskswitch(0);
	HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
	HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_architectural_iopl);
	HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl);
	for (u32 i = 0; i < 4; i++)
		HYPERVISOR_set_debugreg(i, 0);
	HYPERVISOR_set_debugreg(7, 0);
	HYPERVISOR_set_debugreg(6, 0);
}

void demo_reset(void)
{
	if (on_xen())
		vcpu_info()->evtchn_upcall_mask = 1;
	names_forget();
	gates_clear();
	gates_init();
	cpu_init();
	/* The recorder reads a little above the frame. */
	trap_stack_set((void *)((u64)trap_stack_top - 256));
	if (on_xen())
		reset_xen();
	else
		reset_native();
	for (u32 i = 0; i < TEST_PAGES; i++)
		if (page_map((u64)test_pages[i], test_pages[i], PAGE_WRITABLE) < 0)
			say("test page %u is not an ordinary page any more", i);
	memset(test_pages, 0, sizeof(test_pages));
}

static void run_demo(const struct demo *d, bool bad)
{
	demo_reset();
	current = d;
	if (bad)
		d->run_bad();
	else
		d->run();
	current = NULL;
	demo_reset();
}

/* Whether the demo runs where we are. */
static bool runs_here(const struct demo *d)
{
	return d->flags & BOTH || !(d->flags & NATIVE) == on_xen();
}

static bool do_rule(char *id)
{
	bool bad = false;

	for (char *s = id; *s; s++)
		if (*s == ':') {
			*s = 0;
			bad = true;
			if (!str_equal(s + 1, "bad")) {
				say("\"%s\" is not \"bad\"", s + 1);
				return false;
			}
		}
	for (const struct area *a = areas; a->name; a++)
		for (const struct demo *d = a->demos; d->id; d++) {
			if (!str_equal(d->id, id))
				continue;
			if (bad && !d->run_bad) {
				say("%s has no bad demo", id);
				return false;
			}
			if (!runs_here(d)) {
				say("%s is about %s", id, on_xen() ? "bare metal" : "Xen");
				return false;
			}
			run_demo(d, bad);
			return true;
		}
	say("there is no demo of \"%s\"", id);
	return false;
}

static bool do_area(char *name)
{
	bool found = false;

	for (const struct area *a = areas; a->name; a++) {
		if (!str_equal(a->name, name))
			continue;
		for (const struct demo *d = a->demos; d->id; d++) {
			if (d->flags & RUN_DIES || !runs_here(d))
				continue;
			print("== %s\n", d->id);
			run_demo(d, false);
		}
		found = true;
	}
	if (!found)
		say("there is no area \"%s\"", name);
	return found;
}

static bool do_list(char *unused)
{
	for (const struct area *a = areas; a->name; a++)
		for (const struct demo *d = a->demos; d->id; d++)
			print("%s %s%s%s%s%s\n", d->id, d->kind == FACT ? "fact" : "breakable",
			      d->run_bad ? " bad" : "", d->flags & MANY_VCPUS ? " vcpus=34" : d->flags & TWO_VCPUS ? " vcpus=2" : "",
			      d->flags & ONE_CPU ? " pcpus=1" : "",
			      d->flags & BOTH ? " both" : d->flags & NATIVE ? " native" : "");
	return true;
}

/* The words of the command line; the first row that it has is run. */
static const struct command {
	const char *name;
	bool (*run)(char *value);	/* false: there is no such thing to run */
} commands[] = {
	{ "rule", do_rule },	/* =ID or =ID:bad */
	{ "area", do_area },	/* =AREA, all its demos that survive and run here */
	{ "list", do_list },	/* ID kind [bad] [vcpus=2] [native | both] of each demo */
};

static void run(void)
{
	char value[64];
	bool done = false;
	u32 i = 0;

	print("rules: running %s\n", on_xen() ? "as a Xen PV guest" : "natively");
	events_init();
	while (i < ARRAY_LEN(commands) && !cmdline_option(commands[i].name, value, sizeof(value)))
		i++;
	if (i == ARRAY_LEN(commands))
		say("nothing to do in \"%s\"", cmdline());
	else
		done = commands[i].run(value);
	print("Test result: %s\n", done ? "SUCCESS" : "ERROR");
	power_off();
}
