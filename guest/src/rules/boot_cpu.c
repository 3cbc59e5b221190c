/* boot_cpu.c - BOOT: the hypercall page, privilege and segments of a new domain. */
#include "boot.h"

KERNEL_CODE(boot_wrmsr, "wrmsr\nboot_wrmsr_next: ud2");
/* Xen's prefix: CPUID as Xen answers it, not the processor. */
KERNEL_CODE(boot_cpuid, "ud2\n.ascii \"xen\"\ncpuid\nboot_cpuid_next: ud2");
CODE_NAME(boot_cpuid_next);

static struct record *xen_cpuid(u32 leaf)
{
	struct start s = kernel_code(boot_cpuid);

	s.gpr[RAX] = leaf;
	s.gpr[RCX] = 0;
	return go(&s, NULL);
}

static void ask_hypercall_page(const char *what, u64 value)
{
	struct start s = kernel_code(boot_wrmsr);
	struct record *r;

	s.gpr[RCX] = 0x40000000;
	s.gpr[RAX] = value & 0xffffffff;
	s.gpr[RDX] = value >> 32;
	r = go(&s, NULL);
	say("WRMSR, %s: %s at %s, error code 0x%lx", what, vector_name(r->kind), named(r->back.ip),
	    r->words == 3 ? r->frame[2] : 0);
}

static void boot_03(void)
{
	const u8 *page = (const u8 *)hypercall_page;
	u32 calls = 0, same = 0;
	struct record *r;

	for (u32 n = 0; n < PAGE_SIZE / 32; n++)
		calls += page[n * 32] == 0x51;
	say("%u stubs in the page of the note", calls);
	catch_all();
	NAME_CODE(boot_wrmsr);
	NAME_CODE(boot_cpuid);
	r = xen_cpuid(0x40000000);
	say("CPUID 0x40000000: \"%c%c%c%c\", ended at %s", (u8)r->gpr[RBX], (u8)(r->gpr[RBX] >> 8),
	    (u8)(r->gpr[RBX] >> 16), (u8)(r->gpr[RBX] >> 24), named(r->back.ip));
	r = xen_cpuid(0x40000002);
	say("CPUID 0x40000002: %lu page, MSR 0x%lx", r->gpr[RAX], r->gpr[RBX]);
	ask_hypercall_page("the frame of a writable page", frame_of(test_pages[0]) * PAGE_SIZE);
	for (u32 i = 0; i < PAGE_SIZE; i++)
		same += test_pages[0][i] == page[i];
	say("%u bytes of it are as in the other", same);
}

static void boot_03_bad(void)
{
	catch_all();
	NAME_CODE(boot_wrmsr);
	ask_hypercall_page("page number 1", frame_of(test_pages[0]) * PAGE_SIZE | 1);
	ask_hypercall_page("a page table", frame_of((void *)start_info->pt_base) * PAGE_SIZE);
	ask_hypercall_page("no memory", 1UL << 48);
}

KERNEL_CODE(boot_cli, "cli\nboot_cli_next: ud2");
KERNEL_CODE(boot_sti, "sti\nboot_sti_next: ud2");
KERNEL_CODE(boot_in, "mov $0x80, %dx\nin %dx, %al\nboot_in_next: ud2");

static void show_privileged(const char *what, const void *code)
{
	struct start s = kernel_code(code);
	struct record *r = go(&s, NULL);

	if (r->kind == 6)
		say("%s goes on, event mask %u", what, r->mask);
	else
		say("%s: %s, error code 0x%lx", what, vector_name(r->kind), r->frame[2]);
}

static long set_iopl(u32 level)
{
	return HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &level);
}

static void boot_15(void)
{
	catch_all();
	say_result("set_iopl(4)", set_iopl(4));
	say_result("set_iopl(1)", set_iopl(1));
	show_privileged("CLI", boot_cli);
	show_privileged("STI", boot_sti);
	show_privileged("IN", boot_in);
}

static void boot_15_bad(void)
{
	catch_all();
	show_privileged("CLI", boot_cli);
	show_privileged("STI", boot_sti);
	show_privileged("IN", boot_in);
}

KERNEL_CODE(boot_data, "mov %eax, %ds\nmov %ds, %ebx\nxor %ecx, %ecx\nmov %ecx, %ds\nboot_data_next: ud2");
KERNEL_CODE(boot_far, "push %rax\nlea boot_far_there(%rip), %rbx\npush %rbx\nlretq\nboot_far_there: mov %cs, %ebx\nud2");
KERNEL_CODE(boot_lar, "lar %ax, %ebx\nmov $0, %esi\nlsl %ax, %esi\nsetz %dl\nboot_lar_next: ud2");

static void selector_with(const char *what, const void *code, u64 selector)
{
	struct start s = kernel_code(code);
	struct record *r;

	s.gpr[RAX] = selector;
	r = go(&s, NULL);
	if (r->kind == 6)
		say("%s 0x%lx: taken, 0x%lx after it", what, selector, r->gpr[RBX]);
	else
		say("%s 0x%lx: %s, error code 0x%lx", what, selector, vector_name(r->kind), r->frame[2]);
}

static void boot_16(void)
{
	static const u64 flat[] = { 0xe023, 0xe02b, 0xe033 };

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(flat); i++) {
		struct start s = kernel_code(boot_lar);
		struct record *r;

		s.gpr[RAX] = flat[i];
		r = go(&s, NULL);
		say("0x%lx: access rights 0x%lx, limit 0x%lx, %s", flat[i], r->gpr[RBX] & 0xffffffff,
		    r->gpr[RSI] & 0xffffffff, r->gpr[RDX] & 1 ? "valid" : "not valid");
		selector_with("DS", boot_data, flat[i]);
	}
	selector_with("DS", boot_data, 0);
	selector_with("far return to", boot_far, 0xe033);
}

static void boot_16_bad(void)
{
	catch_all();
	selector_with("far return to", boot_far, 0x08);
	selector_with("far return to", boot_far, 0xe030);
	selector_with("far return to", boot_far, 0xe02b);
	selector_with("DS", boot_data, 0x10);
}

const struct demo boot_cpu_demos[] = {
	{ "BOOT-03", BREAKABLE, boot_03, boot_03_bad },
	{ "BOOT-15", BREAKABLE, boot_15, boot_15_bad },
	{ "BOOT-16", BREAKABLE, boot_16, boot_16_bad },
	{}
};
