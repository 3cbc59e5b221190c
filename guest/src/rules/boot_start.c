/* boot_start.c - BOOT: the first instructions, before the kernel has told Xen
   anything. What would end the domain there is run there. */
#include "boot.h"

/* The registers at the first instruction, see boot_first.S. */
struct boot_registers {
	u64 gpr[GPRS];
	u64 rsp, flags, cs, ss, ds, es, fs, gs;
};
extern struct boot_registers boot_first;

/* Run before the kernel's own start of day, if it is the demo asked for. */
#define BAD_AT_START	16

/* What shared_info had when nobody had touched it. */
static struct { long map_result; u8 pending, mask; u64 evtchn_mask; } fresh;

static void boot_04(void)
{
	static const char *const names[GPRS] = {
		"R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX",
		"RDX", "RSI", "RDI",
	};
	const struct boot_registers *b = &boot_first;

	u32 zero = 0;

	for (u32 i = 0; i < GPRS; i++)
		if (i != RSI && b->gpr[i])
			say("%s = 0x%lx", names[i], b->gpr[i]);
		else
			zero += i != RSI;
	say("%u registers but RSI and RSP are 0", zero);
	say("RSI = %s", b->gpr[RSI] == (u64)start_info ? "start_info" : "something else");
	say("it begins \"%s\"", start_info->magic);
	say("RSP = the first page after the page tables + 0x%lx", b->rsp - boot_stack());
	say("RFLAGS = 0x%lx", b->flags);
	say("CS %lx SS %lx DS %lx ES %lx FS %lx GS %lx", b->cs, b->ss, b->ds, b->es, b->fs, b->gs);
}

static void boot_06(void)
{
	say_result("update_va_mapping to the machine address", fresh.map_result);
	say("evtchn_upcall_mask = %u, pending = %u", fresh.mask, fresh.pending);
	say("first word of evtchn_mask = %s", named(fresh.evtchn_mask));
}

/* The machine address taken for one that can be read. */
static void boot_06_bad(void)
{
	/* One that would do for any machine: the address of the page itself is not
	   the same everywhere, and no more mapped than this one. */
	volatile struct shared_info *machine = (void *)PAGE_SIZE;

	print("BOOT-06: reading the event mask at a machine address\n");
	(void)machine->vcpu_info[0].evtchn_upcall_mask;
	print("BOOT-06: survived\n");
}

KERNEL_CODE(boot_ud2, "ud2\nboot_ud2_next: ud2");

static void boot_10(void)
{
	struct start s = kernel_code(boot_ud2);
	struct record *r;

	catch_all();
	NAME_CODE(boot_ud2);
	r = go(&s, NULL);
	say("with a handler: %s at %s", vector_name(r->kind), named(r->back.ip));
}

static void boot_10_bad(void)
{
	print("BOOT-10: an undefined instruction before anything is registered\n");
	asm volatile("ud2");
	print("BOOT-10: survived\n");
}

KERNEL_CODE(boot_user_int3, "int3\nboot_user_int3_next: ud2");

/* User mode over the kernel's own root: what it needs is mapped there. */
static struct start user_over_kernel_root(void)
{
	struct start s = kernel_code(boot_user_int3);
	struct mmuext_op op = { MMUEXT_NEW_USER_BASEPTR, frame_of((void *)start_info->pt_base), 0 };
	u32 done;

	print("BOOT-11: new user root: %ld\n", HYPERVISOR_mmuext_op(&op, 1, &done));
	s.how = START_IRET;
	return s;
}

USER_CODE(boot_user_code, "int3\nboot_user_code_next: ud2");

static void boot_11(void)
{
	struct start s = user_code(boot_user_code);
	struct record *r;

	catch_all();
	NAME_CODE(boot_user_code);
	say_result("stack_switch", HYPERVISOR_stack_switch(FLAT_DS, (u64)trap_stack_top - 512));
	r = go(&s, NULL);
	say("%s from CS 0x%lx at %s, RSP = %s", vector_name(r->kind), r->back.cs & 0xffff,
	    named(r->back.ip), named(r->rsp));
}

static void boot_11_bad(void)
{
	struct start s = user_over_kernel_root();

	catch_vector(3, 3);
	go(&s, NULL);
	print("BOOT-11: survived\n");
}

static void boot_12(void)
{
	struct start s = user_code(boot_user_code);
	struct record *r;

	catch_all();
	NAME_CODE(boot_user_code);
	r = go(&s, NULL);
	say("%s from CS 0x%lx at %s", vector_name(r->kind), r->back.cs & 0xffff, named(r->back.ip));
}

static void boot_12_bad(void)
{
	struct start s = kernel_code(boot_user_int3);

	print("BOOT-12: iret to user mode without a user page table\n");
	s.how = START_IRET;
	go(&s, NULL);
	print("BOOT-12: survived\n");
}

const struct demo boot_start_demos[] = {
	{ "BOOT-04", FACT, boot_04 },
	{ "BOOT-06", BREAKABLE, boot_06, boot_06_bad, BAD_DIES | BAD_AT_START },
	{ "BOOT-10", BREAKABLE, boot_10, boot_10_bad, BAD_DIES | BAD_AT_START },
	{ "BOOT-11", BREAKABLE, boot_11, boot_11_bad, BAD_DIES | BAD_AT_START },
	{ "BOOT-12", BREAKABLE, boot_12, boot_12_bad, BAD_DIES | BAD_AT_START },
	{}
};

/* Does the command line ask for the bad form of this demo? */
static bool is_asked_for(const struct demo *d)
{
	char value[64];
	const char *s = cmdline_option("rule", value, sizeof(value)), *id = d->id;

	while (s && *id && *s == *id)
		s++, id++;
	return s && !*id && str_equal(s, ":bad");
}

/* shared_info over a page of the image, for a moment. */
static void look_at_shared_info(void)
{
	volatile struct shared_info *page = (volatile void *)test_pages[0];
	u64 own = frame_of(test_pages[0]) * PAGE_SIZE | PAGE_WRITABLE | PTE_US;

	fresh.map_result = HYPERVISOR_update_va_mapping((u64)page,
		start_info->shared_info | PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D, UVMF_INVLPG);
	fresh.mask = page->vcpu_info[0].evtchn_upcall_mask;
	fresh.pending = page->vcpu_info[0].evtchn_upcall_pending;
	fresh.evtchn_mask = page->evtchn_mask[0];
	HYPERVISOR_update_va_mapping((u64)page, own, UVMF_INVLPG);
}

/* Called by boot_first.S on the first instruction's heels. */
void boot_begin(struct start_info *si)
{
	platform = PLATFORM_XEN;
	start_info = si;
	cmdline_set(si->cmd_line);
	for (const struct demo *d = boot_start_demos; d->id; d++)
		if ((d->flags & BAD_AT_START) && is_asked_for(d))
			d->run_bad();
	look_at_shared_info();
}
