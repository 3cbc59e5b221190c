/* priv_cr.c - PRIV: control registers, and what hangs on their bits: the FPU,
   XCR0, the time-stamp counter. */
#include "priv.h"

#define CR4_TSD		(1UL << 2)
#define CR4_DE		(1UL << 3)
#define CR4_OSXSAVE	(1UL << 18)
#define CR0_BITS_WP	(1UL << 16)

ATTEMPT(cr_write_cr0, "mov %rbx, %cr0");
ATTEMPT(cr_write_cr3, "mov %rbx, %cr3");
ATTEMPT(cr_read_cr4, "mov %cr4, %rbx");
ATTEMPT(cr_write_cr4, "mov %rbx, %cr4");
ATTEMPT(cr_write_cr2, "mov %rbx, %cr2\nmov %cr2, %r12");

static void write_with(const struct attempt *a, u64 value)
{
	struct start s = attempt_start(a, false);

	s.gpr[RBX] = value;
	say_attempt(a, &s, "");
}

void priv_06(void)
{
	static const struct attempt to_cr0[] = {
		ATTEMPT_ROW("MOV to CR0 with TS set", cr_write_cr0),
		ATTEMPT_ROW("MOV to CR0 with WP clear", cr_write_cr0),
	}, to_cr3[] = {
		ATTEMPT_ROW("MOV to CR3 of the same table", cr_write_cr3),
		ATTEMPT_ROW("MOV to CR3 of an ordinary page", cr_write_cr3),
	};
	static const struct attempt to_cr2 = ATTEMPT_ROW("MOV to CR2", cr_write_cr2);
	u64 cr0 = read_cr0(), cr3 = read_cr3(), cr4 = read_cr4();
	struct start s = attempt_start(&to_cr2, false);
	struct record *r;

	catch_all();
	say("CR0 reads %lx, CR4 reads %lx", cr0, cr4);
	say("CR3 reads %s", cr3 == frame_of((void *)start_info->pt_base) * PAGE_SIZE ?
	    "the kernel's top table" : "something else");
	write_with(&to_cr0[0], cr0 | CR0_TS);
	say("CR0.TS reads %u", (u32)(read_cr0() >> 3 & 1));
	HYPERVISOR_fpu_taskswitch(0);
	write_with(&to_cr0[1], cr0 & ~CR0_BITS_WP);
	write_with(&to_cr3[0], cr3);
	write_with(&to_cr3[1], frame_of(test_pages[0]) * PAGE_SIZE);
	s.gpr[RBX] = 0x123456789;
	r = say_attempt(&to_cr2, &s, "");
	say("CR2 reads %lx, vcpu_info has %lx", r->gpr[R12], vcpu_info()->cr2);
	say("CR4 with TSD and DE set reads %lx more", priv_cr4(cr4 | CR4_TSD | CR4_DE) ^ cr4);
	say("CR4 with OSXSAVE set reads %lx more", priv_cr4(cr4 | CR4_OSXSAVE) ^ cr4);
	say("CR4 of 0 reads %lx", priv_cr4(0));
	say("CR4 of all ones reads %lx", priv_cr4(~0UL));
	write_cr4(cr4);
}

/* Flushing the way bare metal does it: no fault, no PGE, nothing happened. */
void priv_06_bad(void)
{
	static const struct attempt pge = ATTEMPT_ROW("MOV to CR4 with PGE set", cr_write_cr4);
	u64 cr4 = read_cr4();

	catch_all();
	write_with(&pge, cr4 | CR4_PGE);
	say("CR4.PGE reads %u", (u32)(read_cr4() >> 7 & 1));
	write_cr4(cr4);
}

ATTEMPT(cr_fninit, "fninit");

static u64 ts_in_handler[8];
static u32 ts_count;

static int note_ts(struct record *r)
{
	if (r->kind != 7 || ts_count == ARRAY_LEN(ts_in_handler))
		return LEAVE;
	ts_in_handler[ts_count++] = read_cr0() >> 3 & 1;
	return BACK_IRET;
}

static void fpu_use(const char *how, bool user)
{
	static const struct attempt fninit = ATTEMPT_ROW("FNINIT", cr_fninit);
	struct start s = attempt_start(&fninit, user);
	struct record *r;

	ts_count = 0;
	go(&s, note_ts);
	r = &seen[seen_count - 1];
	say("%s, %s mode: #NM %u times; then FNINIT %s", how, user ? "user" : "kernel", ts_count,
	    outcome(&fninit, r));
	for (u32 i = 0; i < ts_count; i++)
		say("CR0.TS in the handler reads %lu", ts_in_handler[i]);
}

void priv_14(void)
{
	catch_all();
	for (u32 user = 0; user < 2; user++) {
		fpu_use("TS clear", user);
		HYPERVISOR_fpu_taskswitch(1);
		say("after fpu_taskswitch(1) CR0.TS reads %u", (u32)(read_cr0() >> 3 & 1));
		fpu_use("TS set by fpu_taskswitch", user);
		fpu_use("again", user);
		write_cr0(read_cr0() | CR0_TS);
		fpu_use("TS set by MOV to CR0", user);
	}
	HYPERVISOR_fpu_taskswitch(1);
	asm volatile("clts");
	fpu_use("TS cleared by CLTS", false);
}

ATTEMPT(cr_xsetbv, "xsetbv");

static void xsetbv(const char *what, bool user, u32 index, u64 value)
{
	struct attempt a = ATTEMPT_ROW(what, cr_xsetbv);
	struct start s = attempt_start(&a, user);

	s.gpr[RCX] = index;
	s.gpr[RAX] = (u32)value;
	s.gpr[RDX] = value >> 32;
	say_attempt(&a, &s, user ? " in user mode" : "");
}

static u32 xgetbv(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo;
}

void priv_15(void)
{
	u64 cr4 = read_cr4();
	u32 before = xgetbv();

	catch_all();
	say("XGETBV without CR4.OSXSAVE in the guest: XCR0 = %x", before);
	xsetbv("XSETBV with CR4.OSXSAVE clear", false, 0, 3);
	xsetbv("XSETBV with CR4.OSXSAVE clear", true, 0, 3);
	write_cr4(cr4 | CR4_OSXSAVE);
	xsetbv("XSETBV of index 1", false, 1, 3);
	xsetbv("XSETBV of 0, without x87", false, 0, 0);
	xsetbv("XSETBV of 2, without x87", false, 0, 2);
	xsetbv("XSETBV of bit 62", false, 0, 3 | 1UL << 62);
	xsetbv("XSETBV of 3", true, 0, 3);
	xsetbv("XSETBV of 1", false, 0, 1);
	say("XGETBV: XCR0 = %x", xgetbv());
	xsetbv("XSETBV of 3", false, 0, 3);
	say("XGETBV: XCR0 = %x", xgetbv());
	write_cr4(cr4);
}

ATTEMPT(cr_rdtsc, "rdtsc");
ATTEMPT(cr_rdtscp, "rdtscp");

void priv_17(void)
{
	static const struct attempt list[] = {
		ATTEMPT_ROW("RDTSC", cr_rdtsc), ATTEMPT_ROW("RDTSCP", cr_rdtscp),
	};
	u64 cr4 = read_cr4();

	catch_all();
	for (u32 tsd = 0; tsd < 2; tsd++) {
		write_cr4(tsd ? cr4 | CR4_TSD : cr4);
		for (u32 i = 0; i < ARRAY_LEN(list); i++)
			for (u32 user = 0; user < 2; user++) {
				struct start s = attempt_start(&list[i], user);

				say("%s with CR4.TSD %u in %s mode: %s", list[i].what, tsd,
				    user ? "user" : "kernel", outcome(&list[i], go(&s, NULL)));
			}
	}
	write_cr4(cr4);
}
