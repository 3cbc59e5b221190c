/* crash_not.c - CRASH-16: what looks fatal and is not. */
#include "rules.h"
#include "code.h"

KERNEL_CODE(jump_nowhere, "mov $0x123456789000, %rax\njmp *%rax");
KERNEL_CODE(load_ds, "mov %eax, %ds\nud2");

static int show_and_leave(struct record *r)
{
	return LEAVE;
}

/* iret to a target, and what came of it. */
static void try_iret(const char *what, u64 cs, u64 ss, u64 ip)
{
	struct start s = kernel_code((void *)ip);

	s.how = START_IRET;
	s.at.cs = cs;
	s.at.ss = ss;
	show_entry(what, go(&s, show_and_leave));
}

static void crash_16(void)
{
	struct start s;
	struct mmu_update bad_pte = { 0, 0 };
	u32 done;

	say_result("hypercall 127", HYPERCALL(127, 0, 0, 0, 0));
	say_result("set_trap_table at an unmapped address",
		   HYPERVISOR_set_trap_table((void *)NOWHERE_KERNEL));
	say_result("set_trap_table in Xen's addresses", HYPERVISOR_set_trap_table((void *)HOLE_START));
	say_result("mmu_update of frame 0", HYPERVISOR_mmu_update(&bad_pte, 1, &done));
	say_result("update_va_mapping to no frame",
		   HYPERVISOR_update_va_mapping((u64)test_pages[0], PTE_FRAME | PTE_P, 0));
	say_result("unregister the NMI callback",
		   HYPERVISOR_callback_op(CALLBACKOP_unregister,
					  &(struct callback_register){ CALLBACKTYPE_nmi }));
	say_result("NMI to itself", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, NULL));

	catch_all();
	NAME_CODE(kernel_read);
	NAME_CODE(kernel_int3);
	s = kernel_code(kernel_read);
	s.gpr[RAX] = HOLE_START + 0x30000000000;
	show_entry("a read in Xen's addresses", go(&s, NULL));
	s.gpr[RAX] = 1UL << 60;
	show_entry("a read of a non-canonical address", go(&s, NULL));
	NAME_CODE(kernel_int32);
	s = kernel_code(kernel_int32);
	show_entry("int $32, which has no handler of DPL 3", go(&s, NULL));
	NAME_CODE(load_ds);
	s = kernel_code(load_ds);
	s.gpr[RAX] = 0x1000;
	show_entry("a selector past the table", go(&s, NULL));
	s = kernel_code(jump_nowhere);
	show_entry("a jump to nowhere", go(&s, NULL));
	try_iret("iret to cs 0", 0, FLAT_DS, (u64)kernel_int3);
	try_iret("iret to cs 1000", 0x1000, FLAT_DS, (u64)kernel_int3);
	try_iret("iret to ss 1000", FLAT_CS & ~3, 0x1000, (u64)kernel_int3);
	try_iret("iret to a non-canonical rip", FLAT_CS & ~3, FLAT_DS, 1UL << 60);
}

const struct demo crash_not_demos[] = {
	{ "CRASH-16", FACT, crash_16 },
	{}
};
