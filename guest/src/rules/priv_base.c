/* priv_base.c - PRIV: the bases of FS and GS, by MSR, by hypercall and by their
   own instructions; and SWAPGS. */
#include "priv.h"

#define CR4_FSGSBASE	(1UL << 16)
#define NON_CANONICAL	0x800000000000UL

ATTEMPT(base_wrmsr, "wrmsr");
ATTEMPT(base_rdmsr, "rdmsr");

static struct record *wrmsr_with(const char *what, u32 msr, u64 value)
{
	struct attempt a = ATTEMPT_ROW(what, base_wrmsr);
	struct start s = attempt_start(&a, false);

	s.gpr[RCX] = msr;
	s.gpr[RAX] = (u32)value;
	s.gpr[RDX] = value >> 32;
	return say_attempt(&a, &s, "");
}

static void rdmsr_of(const char *what, u32 msr)
{
	struct attempt a = ATTEMPT_ROW(what, base_rdmsr);
	struct start s = attempt_start(&a, false);
	struct record *r;

	s.gpr[RCX] = msr;
	s.gpr[RAX] = s.gpr[RDX] = 0;
	r = go(&s, NULL);
	if (went_through(&a, r))
		say("%s: %lx", what, r->gpr[RAX] | r->gpr[RDX] << 32);
	else
		say("%s: %s", what, outcome(&a, r));
}

/* Blocks that bases lead to; each word is its name. */
static u64 user_words[3] __attribute__((section(".user.data")));
/* User data is too far for an address relative to kernel code. */
static u64 *const volatile user_blocks = user_words;
USER_CODE(base_user_read, "mov %fs:0, %rbx\nmov %gs:0, %r12\nmov %gs, %r13d\nud2");

static const char *block(u64 word)
{
	static const char *const names[] = { "block 0", "block 1", "block 2" };

	for (u32 i = 0; i < ARRAY_LEN(names); i++)
		if (word == user_blocks[i])
			return names[i];
	return word == (u64)&percpus[0] ? "the kernel's block" : "another place";
}

static void user_sees(const char *when)
{
	struct start s = user_code(base_user_read);
	struct record *r = go(&s, NULL);

	if (r->kind == 6)
		say("%s the user sees FS at %s, GS at %s, GS selector %lx", when,
		    block(r->gpr[RBX]), block(r->gpr[R12]), r->gpr[R13]);
	else
		say("%s the user faults: %s", when, vector_name(r->kind));
}

static void name_blocks(void)
{
	for (u32 i = 0; i < ARRAY_LEN(user_words); i++)
		user_blocks[i] = 0xb10c0 + i;
}

#define MSR_APIC_BASE	0x1b
#define MSR_PAT		0x277
#define MSR_TSC		0x10

void priv_09(void)
{
	u64 fs = (u64)&user_blocks[0], gs = (u64)&user_blocks[1];
	u64 tsc;

	name_blocks();
	catch_all();
	wrmsr_with("WRMSR of FS base", MSR_FS_BASE, fs);
	wrmsr_with("WRMSR of the user's GS base", MSR_USER_GS_BASE, gs);
	say("RDMSR gives back FS base %s, user GS base %s, kernel GS base %s",
	    block(*(u64 *)rdmsr(MSR_FS_BASE)), block(*(u64 *)rdmsr(MSR_USER_GS_BASE)),
	    block(*(u64 *)rdmsr(MSR_GS_BASE)));
	user_sees("then");
	wrmsr_with("WRMSR of the kernel's GS base", MSR_GS_BASE, (u64)&user_blocks[2]);
	say("the kernel's GS is at %s", block(gs_base()));
	user_sees("then");
	wrmsr(MSR_GS_BASE, (u64)&percpus[0]);
	wrmsr_with("WRMSR of a non-canonical FS base", MSR_FS_BASE, NON_CANONICAL);
	wrmsr_with("WRMSR of a non-canonical GS base", MSR_GS_BASE, NON_CANONICAL);
	wrmsr_with("WRMSR of a non-canonical user GS base", MSR_USER_GS_BASE, NON_CANONICAL);
	rdmsr_of("RDMSR of EFER", MSR_EFER);
	wrmsr_with("WRMSR of EFER as it reads", MSR_EFER, rdmsr(MSR_EFER));
	wrmsr_with("WRMSR of EFER without SCE", MSR_EFER, rdmsr(MSR_EFER) & ~1UL);
	rdmsr_of("RDMSR of APIC_BASE", MSR_APIC_BASE);
	rdmsr_of("RDMSR of PAT", MSR_PAT);
	wrmsr_with("WRMSR of PAT as it reads", MSR_PAT, rdmsr(MSR_PAT));
	wrmsr_with("WRMSR of another PAT", MSR_PAT, 0x0007040600070406);
	tsc = rdmsr(MSR_TSC);
	say("RDMSR of TSC twice: %s", rdmsr(MSR_TSC) > tsc ? "it grows" : "it does not grow");
	user_sees("after all refusals");
}

static void segment_base(const char *what, u32 which, u64 base)
{
	say_result(what, HYPERVISOR_set_segment_base(which, base));
}

void priv_10(void)
{
	name_blocks();
	catch_all();
	segment_base("0, FS base", SEGBASE_FS, (u64)&user_blocks[0]);
	segment_base("1, user GS base", SEGBASE_GS_USER, (u64)&user_blocks[1]);
	segment_base("2, kernel GS base", SEGBASE_GS_KERNEL, (u64)&user_blocks[2]);
	say("the kernel's GS is at %s", block(gs_base()));
	segment_base("2, kernel GS base", SEGBASE_GS_KERNEL, (u64)&percpus[0]);
	user_sees("then");
	segment_base("0, a non-canonical base", SEGBASE_FS, NON_CANONICAL);
	segment_base("1, a non-canonical base", SEGBASE_GS_USER, NON_CANONICAL);
	segment_base("2, a non-canonical base", SEGBASE_GS_KERNEL, NON_CANONICAL);
	segment_base("4, no such base", 4, 0);
	user_sees("after the refusals");
	segment_base("3, user GS selector e02b", SEGBASE_GS_USER_SEL, FLAT_DS);
	segment_base("1, user GS base", SEGBASE_GS_USER, (u64)&user_blocks[1]);
	user_sees("then");
	segment_base("3, selector e028, without its RPL", SEGBASE_GS_USER_SEL, FLAT_DS & ~3);
	segment_base("1, user GS base", SEGBASE_GS_USER, (u64)&user_blocks[1]);
	user_sees("then");
	segment_base("3, selector 1234 that leads nowhere", SEGBASE_GS_USER_SEL, 0x1234);
	segment_base("1, user GS base", SEGBASE_GS_USER, (u64)&user_blocks[1]);
	user_sees("then");
	segment_base("3, selector 0", SEGBASE_GS_USER_SEL, 0);
}

ATTEMPT(base_wrgsbase, "wrgsbase %rbx");
ATTEMPT(base_rdgsbase, "rdgsbase %rbx");
ATTEMPT(base_rdfsbase, "rdfsbase %rbx");
USER_CODE(base_user_write, "mov %gs:0, %r12\nwrgsbase %rbx\nsyscall\nmov %gs:0, %r13\nud2");

static int across_syscall(struct record *r)
{
	if (r->kind != KIND_SYSCALL)
		return LEAVE;
	say("in the system call the kernel's GS is at %s, and the user's base reads %s by RDMSR",
	    block(gs_base()), block(*(u64 *)rdmsr(MSR_USER_GS_BASE)));
	return BACK_IRET;
}

void priv_18(void)
{
	static const struct attempt list[] = {
		ATTEMPT_ROW("WRGSBASE", base_wrgsbase), ATTEMPT_ROW("RDGSBASE", base_rdgsbase),
		ATTEMPT_ROW("RDFSBASE", base_rdfsbase),
	};
	u64 cr4 = read_cr4();
	struct start s;

	name_blocks();
	catch_all();
	catch_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events);
	HYPERVISOR_set_segment_base(SEGBASE_GS_USER, (u64)&user_blocks[0]);
	for (u32 on = 0; on < 2; on++) {
		write_cr4(on ? cr4 | CR4_FSGSBASE : cr4);
		say("CR4.FSGSBASE reads %u", (u32)(read_cr4() >> 16 & 1));
		for (u32 i = 0; i < ARRAY_LEN(list); i++)
			for (u32 user = 0; user < 2; user++) {
				s = attempt_start(&list[i], user);
				s.gpr[RBX] = (u64)(user ? &user_blocks[0] : (u64 *)&percpus[0]);
				say_attempt(&list[i], &s, user ? " in user mode" : " in kernel mode");
			}
	}
	s = user_code(base_user_write);
	s.gpr[RBX] = (u64)&user_blocks[1];
	go(&s, across_syscall);
	say("the user's GS before WRGSBASE at %s, after it and a system call at %s",
	    block(seen[seen_count - 1].gpr[R12]), block(seen[seen_count - 1].gpr[R13]));
	write_cr4(cr4);
}

/* Reads what GS leads to on either side of a system call. */
USER_CODE(base_user_gs, "mov %gs:0, %rbx\nsyscall\nmov %gs:0, %r12\nud2");
static u64 kernel_gs[2];
static u32 kernel_gs_count;

static int note_gs(struct record *r)
{
	if (kernel_gs_count < ARRAY_LEN(kernel_gs))
		kernel_gs[kernel_gs_count++] = gs_base();
	return r->kind == KIND_SYSCALL ? BACK_IRET : LEAVE;
}

void priv_04(void)
{
	struct start s = user_code(base_user_gs);

	catch_all();
	catch_callback(CALLBACKTYPE_syscall, CALLBACKF_mask_events);
	name_blocks();
	say_result("set_segment_base of the user's GS",
		   HYPERVISOR_set_segment_base(SEGBASE_GS_USER, (u64)&user_blocks[0]));
	kernel_gs_count = 0;
	go(&s, note_gs);
	say("the user's GS before and after a system call: %s, %s",
	    seen[seen_count - 1].gpr[RBX] == user_blocks[0] ? "its own" : "another",
	    seen[seen_count - 1].gpr[R12] == user_blocks[0] ? "its own" : "another");
	say("the kernel's GS in the system call and in an exception: %s, %s",
	    kernel_gs[0] == (u64)&percpus[0] ? "its own" : "another",
	    kernel_gs[1] == (u64)&percpus[0] ? "its own" : "another");
}

/* Two stubs as for bare metal: each #GP is one more entry into the second. */
KERNEL_CODE(base_native_syscall, "swapgs\nud2");
KERNEL_CODE(base_native_gp, "swapgs\nud2");

void priv_04_bad(void)
{
	struct callback_register reg = {
		CALLBACKTYPE_syscall, CALLBACKF_mask_events, (u64)base_native_syscall,
	};
	struct trap_info gp[2] = { { 13, TI_EVENT_MASK, FLAT_CS, (u64)base_native_gp } };
	struct start s = user_code(base_user_gs);

	name_blocks();
	HYPERVISOR_set_segment_base(SEGBASE_GS_USER, (u64)&user_blocks[0]);
	say_result("a native system call entry", HYPERVISOR_callback_op(CALLBACKOP_register, &reg));
	say_result("a native entry of #GP", HYPERVISOR_set_trap_table(gp));
	go(&s, NULL);
}
