/* priv_list.c - PRIV: which privileged instructions Xen executes for the guest,
   and what becomes of the others. */
#include "priv.h"

/* Executed by Xen. RDI is a writable place, RDX and RCX are set below. */
ATTEMPT(priv_in, "inb %dx, %al");
ATTEMPT(priv_out, "outb %al, %dx");
ATTEMPT(priv_ins, "insb");
ATTEMPT(priv_outs, "outsb");
ATTEMPT(priv_clts, "clts");
ATTEMPT(priv_wbinvd, "wbinvd");
ATTEMPT(priv_wbnoinvd, ".byte 0xf3, 0x0f, 0x09");
ATTEMPT(priv_read_cr0, "mov %cr0, %rbx");
ATTEMPT(priv_write_cr4, "mov %rbx, %cr4");
ATTEMPT(priv_read_dr7, "mov %dr7, %rbx");
ATTEMPT(priv_write_dr6, "mov %rbx, %dr6");
ATTEMPT(priv_rdmsr, "rdmsr");
ATTEMPT(priv_wrmsr, "wrmsr");
ATTEMPT(priv_rdtsc, "rdtsc");
ATTEMPT(priv_rdtscp, "rdtscp");
ATTEMPT(priv_cpuid, "cpuid");
ATTEMPT(priv_cli, "cli");
ATTEMPT(priv_sti, "sti");

static const struct attempt emulated[] = {
	ATTEMPT_ROW("IN", priv_in), ATTEMPT_ROW("OUT", priv_out), ATTEMPT_ROW("INS", priv_ins),
	ATTEMPT_ROW("OUTS", priv_outs), ATTEMPT_ROW("CLTS", priv_clts),
	ATTEMPT_ROW("WBINVD", priv_wbinvd), ATTEMPT_ROW("WBNOINVD", priv_wbnoinvd),
	ATTEMPT_ROW("MOV from CR0", priv_read_cr0), ATTEMPT_ROW("MOV to CR4", priv_write_cr4),
	ATTEMPT_ROW("MOV from DR7", priv_read_dr7), ATTEMPT_ROW("MOV to DR6", priv_write_dr6),
	ATTEMPT_ROW("RDMSR", priv_rdmsr), ATTEMPT_ROW("WRMSR", priv_wrmsr),
	ATTEMPT_ROW("RDTSC", priv_rdtsc), ATTEMPT_ROW("RDTSCP", priv_rdtscp),
	ATTEMPT_ROW("CPUID", priv_cpuid), ATTEMPT_ROW("CLI", priv_cli), ATTEMPT_ROW("STI", priv_sti),
};

/* Left to the guest. */
ATTEMPT(priv_hlt, "hlt");
ATTEMPT(priv_swapgs, "swapgs");
ATTEMPT(priv_invlpg, "invlpg (%rdi)");
ATTEMPT(priv_lgdt, "lgdt (%rdi)");
ATTEMPT(priv_lidt, "lidt (%rdi)");
ATTEMPT(priv_lldt, "lldt %bx");
ATTEMPT(priv_ltr, "ltr %bx");
ATTEMPT(priv_lmsw, "lmsw %bx");
ATTEMPT(priv_invd, "invd");
ATTEMPT(priv_sysretq, "sysretq");
ATTEMPT(priv_sysexitq, "sysexitq");
ATTEMPT(priv_read_cr8, "mov %cr8, %rbx");
ATTEMPT(priv_write_cr8, "mov %rbx, %cr8");

static const struct attempt refused[] = {
	ATTEMPT_ROW("HLT", priv_hlt), ATTEMPT_ROW("SWAPGS", priv_swapgs),
	ATTEMPT_ROW("INVLPG", priv_invlpg), ATTEMPT_ROW("LGDT", priv_lgdt),
	ATTEMPT_ROW("LIDT", priv_lidt), ATTEMPT_ROW("LLDT", priv_lldt), ATTEMPT_ROW("LTR", priv_ltr),
	ATTEMPT_ROW("LMSW", priv_lmsw), ATTEMPT_ROW("INVD", priv_invd),
	ATTEMPT_ROW("SYSRET", priv_sysretq), ATTEMPT_ROW("SYSEXIT", priv_sysexitq),
	ATTEMPT_ROW("MOV from CR8", priv_read_cr8), ATTEMPT_ROW("MOV to CR8", priv_write_cr8),
};

/* A port that no machine of ours has a device at, a harmless MSR. */
#define UNUSED_PORT	0x5678

/* Memory that both modes reach. User data is too far for an address relative to
   kernel code, hence the pointer. */
static u8 user_bytes[16] __attribute__((section(".user.data")));
static u8 *const volatile shared_bytes = user_bytes;

static void try_all(const struct attempt *list, u32 n, bool user)
{
	const char *where = user ? " in user mode" : " in kernel mode";

	for (u32 i = 0; i < n; i++) {
		struct start s = attempt_start(&list[i], user);

		s.gpr[RBX] = list[i].kernel == priv_write_cr4_k ? read_cr4() : 0;
		s.gpr[RCX] = MSR_FS_BASE;
		s.gpr[RAX] = 0;
		s.gpr[RDX] = list[i].kernel == priv_wrmsr_k ? 0 : UNUSED_PORT;
		s.gpr[RSI] = s.gpr[RDI] = (u64)shared_bytes;
		say_attempt(&list[i], &s, where);
	}
}

/* With virtual IOPL 3, so that ports, CLI and STI are no matter of level. */
void priv_01(void)
{
	catch_all();
	priv_iopl(3);
	try_all(emulated, ARRAY_LEN(emulated), false);
	try_all(refused, ARRAY_LEN(refused), false);
	try_all(emulated, ARRAY_LEN(emulated), true);
	try_all(refused, ARRAY_LEN(refused), true);
}

ATTEMPT(priv_sgdt, "sgdt (%rdi)");
ATTEMPT(priv_sidt, "sidt (%rdi)");
ATTEMPT(priv_sldt, "sldt %ebx");
ATTEMPT(priv_str, "str %ebx");
ATTEMPT(priv_smsw, "smsw %rbx");

void priv_05(void)
{
	static const struct attempt stores[] = {
		ATTEMPT_ROW("SGDT", priv_sgdt), ATTEMPT_ROW("SIDT", priv_sidt),
		ATTEMPT_ROW("SLDT", priv_sldt), ATTEMPT_ROW("STR", priv_str), ATTEMPT_ROW("SMSW", priv_smsw),
	};
	u8 *table = shared_bytes;
	struct mmuext_op flush = { .cmd = MMUEXT_INVLPG_LOCAL, .mfn = (u64)table };
	u32 done;

	catch_all();
	for (u32 i = 0; i < ARRAY_LEN(stores); i++)
		for (u32 user = 0; user < 2; user++) {
			struct start s = attempt_start(&stores[i], user);

			s.gpr[RDI] = (u64)table;
			s.gpr[RBX] = 0;
			memset(table, 0, sizeof(user_bytes));
			struct record *r = say_attempt(&stores[i], &s, user ? " in user mode" : " in kernel mode");
			u64 base;

			memcpy(&base, table + 2, sizeof(base));
			if (i == 0)
				say("limit %x, base in slot %u of the top table", table[0] | table[1] << 8,
				    (u32)(base >> 39 & 511));
			else if (i == 1)
				say("limit %x, base is %s", table[0] | table[1] << 8,
				    base >= HOLE_START && base < HOLE_END ? "Xen's" : "not Xen's");
			else
				say("value %lx", r->gpr[RBX]);
		}
	say_result("MMUEXT_INVLPG_LOCAL", HYPERVISOR_mmuext_op(&flush, 1, &done));
	say_result("stack_switch", HYPERVISOR_stack_switch(FLAT_DS, (u64)trap_stack_top - 256));
}

void priv_05_bad(void)
{
	static const struct attempt loads[] = {
		ATTEMPT_ROW("INVLPG", priv_invlpg), ATTEMPT_ROW("LGDT", priv_lgdt),
		ATTEMPT_ROW("LIDT", priv_lidt), ATTEMPT_ROW("LLDT", priv_lldt), ATTEMPT_ROW("LTR", priv_ltr),
	};

	catch_all();
	priv_iopl(3);
	try_all(loads, ARRAY_LEN(loads), false);
}

static const char *same(bool yes) { return yes ? "untouched" : "changed"; }

KERNEL_CODE(priv_hlt_sentinels, "hlt\nud2");
ATTEMPT(priv_insb, "insb");
ATTEMPT(priv_rep_outsl, "rep outsl");

/* A buffer that ends at a page without mapping. */
static void port_string(const struct attempt *a, u64 buffer, u64 first_bad)
{
	struct start s = attempt_start(a, false);
	struct record *r;

	s.gpr[RDX] = UNUSED_PORT;
	s.gpr[RCX] = 4;
	s.gpr[RSI] = s.gpr[RDI] = buffer;
	r = go(&s, NULL);
	say("%s: %s, CR2 is %s, RCX %lu, buffer moved by %ld", a->what, outcome(a, r),
	    r->cr2 == first_bad ? "the first byte that failed" : named(r->cr2), interrupted_rcx(r),
	    (long)(r->gpr[a->kernel == priv_insb_k ? RDI : RSI] - buffer));
}

void priv_19(void)
{
	static const struct attempt insb = ATTEMPT_ROW("INSB to an unmapped page", priv_insb);
	static const struct attempt outsl = ATTEMPT_ROW("REP OUTSL across the end of a page", priv_rep_outsl);
	struct start s = kernel_code(priv_hlt_sentinels);
	u64 slot = area_address(TEST_SLOT);
	bool all = true;
	struct record *r;

	catch_all();
	NAME_CODE(priv_hlt_sentinels);
	r = go(&s, NULL);
	for (u32 i = 0; i < GPRS; i++)
		if (i != RCX && i != R11)	/* these two are in the frame (FRAME-02) */
			all &= r->gpr[i] == sentinel(i);
	show_frame(vector_name(r->kind), r);
	say("registers other than RCX and R11: %s", same(all));
	priv_iopl(3);
	port_string(&insb, NOWHERE_KERNEL, NOWHERE_KERNEL);
	say_result("mapping a page", page_map(slot, test_pages[0], PAGE_WRITABLE));
	port_string(&outsl, slot + PAGE_SIZE - 10, slot + PAGE_SIZE);
	page_map(slot, NULL, 0);
}
