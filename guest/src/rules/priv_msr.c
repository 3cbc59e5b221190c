/* priv_msr.c - PRIV: MSRs that a PV guest has no use for, and CPUID. */
#include "priv.h"

#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_CSTAR		0xc0000083

ATTEMPT(msr_wrmsr, "wrmsr");
ATTEMPT(msr_rdmsr, "rdmsr");

static const struct { const char *name; u32 msr; } entry_msrs[] = {
	{ "STAR", MSR_STAR }, { "LSTAR", MSR_LSTAR }, { "CSTAR", MSR_CSTAR },
	{ "SFMASK", MSR_SFMASK }, { "SYSENTER_CS", MSR_SYSENTER_CS },
	{ "SYSENTER_ESP", MSR_SYSENTER_ESP }, { "SYSENTER_EIP", MSR_SYSENTER_EIP },
};

static const char *write_msr(u32 msr, u64 value)
{
	static const struct attempt a = ATTEMPT_ROW("WRMSR", msr_wrmsr);
	struct start s = attempt_start(&a, false);

	s.gpr[RCX] = msr;
	s.gpr[RAX] = (u32)value;
	s.gpr[RDX] = value >> 32;
	return outcome(&a, go(&s, NULL));
}

USER_CODE(msr_user_syscall, "syscall\nmsr_user_syscall_next: ud2");
CODE_NAME(msr_user_syscall_next);

static void user_syscall(void)
{
	struct start s = user_code(msr_user_syscall);
	struct record *r = go(&s, NULL);

	NAME_CODE(msr_user_syscall);
	if (r->kind == KIND_SYSCALL)
		say("SYSCALL from user mode: came to the kernel, from %s", named(r->back.ip));
	else
		say("SYSCALL from user mode: %s at %s", vector_name(r->kind), named(r->back.ip));
}

void priv_07(void)
{
	catch_all();
	say_result("CALLBACKTYPE_syscall", catch_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events));
	user_syscall();
}

void priv_07_bad(void)
{
	struct callback_register none = { CALLBACKTYPE_syscall, CALLBACKF_mask_events, 0 };

	catch_all();
	say_result("no syscall callback", HYPERVISOR_callback_op(CALLBACKOP_register, &none));
	for (u32 i = 0; i < ARRAY_LEN(entry_msrs); i++)
		say("WRMSR of %s: %s", entry_msrs[i].name,
		    write_msr(entry_msrs[i].msr, (u64)msr_user_syscall));
	user_syscall();
}

/* Read by an instruction that has no handler if it faults. */
static void unknown_msr(const char *name, u32 msr)
{
	static const struct attempt a = ATTEMPT_ROW("RDMSR", msr_rdmsr);
	struct start s = attempt_start(&a, false);
	struct record *r;

	s.gpr[RCX] = msr;
	r = go(&s, NULL);
	if (went_through(&a, r))
		say("RDMSR of %s: reads %lx", name, r->gpr[RAX] | r->gpr[RDX] << 32);
	else
		say("RDMSR of %s: %s", name, outcome(&a, r));
}

void priv_08(void)
{
	HYPERVISOR_set_trap_table(NULL);
	catch_vector(6, TI_EVENT_MASK);
	say("without a handler of #GP:");
	unknown_msr("SFMASK", MSR_SFMASK);
	unknown_msr("LSTAR", MSR_LSTAR);
	catch_vector(13, TI_EVENT_MASK);
	say("with a handler of #GP:");
	unknown_msr("SFMASK", MSR_SFMASK);
	unknown_msr("LSTAR", MSR_LSTAR);
	unknown_msr("0x40000100", 0x40000100);
}

#define PREFIX	".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n"
#define XEN_LEAF	0x40000000
#define OSXSAVE_BIT	27

ATTEMPT(cpuid_forced, PREFIX "cpuid");
ATTEMPT(cpuid_plain, "cpuid");
ATTEMPT(cpuid_forced_rdtsc, PREFIX "rdtsc");
ATTEMPT(cpuid_forced_nop, PREFIX "nop");
ATTEMPT(cpuid_forced_bad, ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6f\ncpuid");

static struct record *run_leaf(const struct attempt *a, bool user, u32 leaf)
{
	struct start s = attempt_start(a, user);

	s.gpr[RAX] = leaf;
	s.gpr[RCX] = 0;
	return go(&s, NULL);
}

static const char *signature(const struct record *r)
{
	static char text[13];
	u32 words[3] = { r->gpr[RBX], interrupted_rcx(r), r->gpr[RDX] };

	memcpy(text, words, 12);
	return str_equal(text, "XenVMMXenVMM") ? "Xen's signature" : "no signature of Xen";
}

/* The prefix, cut off by a page that is not there. */
static void straddle(const char *what, u32 bytes)
{
	static const u8 code[] = { 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2 };
	u64 slot = area_address(TEST_SLOT);
	struct start s = kernel_code((void *)(slot + PAGE_SIZE - bytes));
	struct record *r;

	memcpy(test_pages[0] + PAGE_SIZE - bytes, code, bytes);
	page_map(slot, test_pages[0], PTE_P | PTE_A);
	r = go(&s, NULL);
	say("%s: %s, error code %s, %s, RIP at the UD2: %s", what, vector_name(r->kind),
	    r->words == 3 ? named(r->frame[2]) : "none",
	    r->kind == 14 && r->cr2 == slot + PAGE_SIZE ? "CR2 at the missing page" : "no CR2 of it",
	    r->back.ip == s.at.ip ? "yes" : "no");
	page_map(slot, NULL, 0);
}

void priv_11(void)
{
	static const struct attempt forced = ATTEMPT_ROW("prefix and CPUID", cpuid_forced);
	static const struct attempt others[] = {
		ATTEMPT_ROW("prefix and RDTSC", cpuid_forced_rdtsc),
		ATTEMPT_ROW("prefix and NOP", cpuid_forced_nop),
		ATTEMPT_ROW("a wrong prefix and CPUID", cpuid_forced_bad),
	};

	catch_all();
	for (u32 user = 0; user < 2; user++) {
		struct record *r = run_leaf(&forced, user, XEN_LEAF);

		say("%s in %s mode: %s, %s", forced.what, user ? "user" : "kernel",
		    outcome(&forced, r), signature(r));
	}
	for (u32 i = 0; i < ARRAY_LEN(others); i++)
		say("%s: %s", others[i].what, outcome(&others[i], run_leaf(&others[i], false, XEN_LEAF)));
	straddle("the page ends after UD2 and x", 3);
	straddle("the page ends after the prefix", 5);
	straddle("the page ends within CPUID", 6);
}

void priv_12(void)
{
	static const struct attempt forced = ATTEMPT_ROW("forced CPUID", cpuid_forced);
	static const struct attempt plain = ATTEMPT_ROW("plain CPUID", cpuid_plain);
	u64 cr4 = read_cr4();

	catch_all();
	say("plain CPUID of leaf 40000000: %s", signature(run_leaf(&plain, false, XEN_LEAF)));
	say("forced CPUID of leaf 40000000: %s", signature(run_leaf(&forced, false, XEN_LEAF)));
	for (u32 on = 0; on < 2; on++) {
		write_cr4(on ? cr4 | 1UL << 18 : cr4);
		say("CR4.OSXSAVE %u: plain CPUID says OSXSAVE %u, forced %u", on,
		    (u32)(interrupted_rcx(run_leaf(&plain, false, 1)) >> OSXSAVE_BIT & 1),
		    (u32)(interrupted_rcx(run_leaf(&forced, false, 1)) >> OSXSAVE_BIT & 1));
	}
	write_cr4(cr4);
}
