/* nat_return.c - NAT, second part: GS, IST and NMI in handlers, the system call
   entry, and ways back. */
#include "nat.h"
#include "nat_stubs.h"
#include "code.h"

static u64 users_block[2];		/* what the user's GS points to here */

static void gs_bases(const void *now, const void *other)
{
	users_block[0] = 0xbad;
	wrmsr(MSR_GS_BASE, (u64)now);
	wrmsr(MSR_USER_GS_BASE, (u64)other);
}

static void gs_restore(void)
{
	gs_bases(&percpus[0], NULL);
}

static const char *whose(u64 gs_base)
{
	return gs_base == (u64)&percpus[0] ? "the kernel's" :
	       gs_base == (u64)users_block ? "the user's" : "unknown";
}

static void swapgs(void) { asm volatile("swapgs" : : : "memory"); }

static u64 first_word(void)
{
	u64 v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

/* NAT-03 */
static int swap_if_from_user(struct record *r)
{
	bool user = r->back.cs & 3;

	say("gs base at the handler's first instruction: %s", whose(gs_base()));
	if (user)
		swapgs();
	say("by it the kernel reads %s data", first_word() == 0xbad ? "the user's" : "its own");
	if (user)
		swapgs();
	return LEAVE;
}

static int swap_never(struct record *r)
{
	say("by gs the kernel reads %s data", first_word() == 0xbad ? "the user's" : "its own");
	return LEAVE;
}

static int swap_always(struct record *r)
{
	swapgs();
	swap_never(r);
	swapgs();
	return LEAVE;
}

static void int3_from_both(record_handler *from_kernel, record_handler *from_user)
{
	struct start kernel = kernel_code(kernel_int3), user = user_code(user_int3);

	catch_all();
	say("int3 in the kernel");
	gs_bases(&percpus[0], users_block);
	go(&kernel, from_kernel);
	say("int3 in user mode");
	gs_bases(users_block, &percpus[0]);
	go(&user, from_user);
	gs_restore();
}

static void nat_03(void) { int3_from_both(swap_if_from_user, swap_if_from_user); }
static void nat_03_bad(void) { int3_from_both(swap_always, swap_never); }

/* A system call that steps into its entry: TF stays set in SYSCALL, so that #DB
   comes at the entry's first instruction. */
static void step_into_syscall(u64 user_sp, record_handler *handler)
{
	struct start s = user_code(user_syscall);

	catch_all();
	catch_syscall(ALL_MASKED & ~FLAG_TF);
	s.at.flags |= FLAG_TF;
	s.at.sp = user_sp;
	go(&s, handler);
}

/* NAT-04 */
static int by_saved_cs(struct record *r)
{
	bool user = r->back.cs & 3;

	show_entry("entered", r);
	say("by the saved cs %lx it came from %s", r->back.cs, user ? "user mode" : "the kernel");
	if (user)
		swapgs();
	say("gs base in use: %s", whose(gs_base()));
	return LEAVE;
}

static int by_gs_base(struct record *r)
{
	bool swap = gs_base() != (u64)&percpus[0];	/* as a kernel tells by the sign */

	show_entry("entered", r);
	say("by the gs base it has to be swapped: %d", swap);
	if (swap)
		swapgs();
	say("gs base in use: %s", whose(gs_base()));
	return LEAVE;
}

static void db_at_syscall_entry(record_handler *handler)
{
	gs_bases(users_block, &percpus[0]);
	gate(1)->ist = 0;
	step_into_syscall((u64)test_pages[0] + 2048, handler);
	gs_restore();
}

static void nat_04(void) { db_at_syscall_entry(by_gs_base); }
static void nat_04_bad(void) { db_at_syscall_entry(by_saved_cs); }

/* NAT-05 */
static void nest(u8 ist)
{
	struct start s = kernel_code(kernel_int3);

	catch_all();
	name_range("the handler, behind its int3", (u64)nest_stub_behind, (u64)nest_stub_stop);
	name_range("the handler's stop", (u64)nest_stub_stop, (u64)nest_stub_end);
	name_range("kernel_int3", (u64)kernel_int3, (u64)kernel_int3_end);
	native_gate_write(3, (u64)nest_stub, 3);
	gate(3)->ist = ist;
	nest_depth = nest_turns = 0;
	go(&s, NULL);
	say("handlers entered: %u, behind the inner int3: %u times", nest_depth, nest_turns);
	show_entry("ended by", &seen[0]);
}

static void nat_05(void) { nest(0); }
static void nat_05_bad(void) { nest(IST_DEMO); }

/* NAT-06: the NMI's gate without an IST, so that nesting does no harm. */
static void nmi_in_nmi(bool int3)
{
	struct start s = kernel_code(native_nmi_code);

	catch_all();
	native_gate_write(2, (u64)nmi_stub, 0);
	gate(2)->ist = 0;
	native_gate_write(3, (u64)plain_iretq, 0);
	nmis = nmis_pending = nmis_at_end = 0;
	nmi_int3 = int3;
	apic_registers = area_address(AREA_APIC);
	s.gpr[RAX] = apic_registers + APIC_COMMAND;
	s.gpr[RBX] = NMI_COMMAND;
	go(&s, NULL);
	say("in the first handler, a second NMI pending: %u taken", nmis_pending);
	say("%s: %u taken", int3 ? "after an int3 there" : "at its end", nmis_at_end);
	say("in the end: %u taken", nmis);
}

static void nat_06(void) { nmi_in_nmi(false); }
static void nat_06_bad(void) { nmi_in_nmi(true); }

/* NAT-07 */
static const char *place(u64 sp)
{
	u64 users = (u64)test_pages[0] + 2048;

	return sp == users ? "the user's" : sp < users && sp > users - 128 ? "a little below the user's" : "another";
}

static void nat_07(void)
{
	struct start s = user_code(user_syscall);
	struct record *r;

	catch_all();
	catch_syscall(ALL_MASKED);
	name_range("user_syscall", (u64)user_syscall, (u64)user_syscall_end);
	s.at.sp = (u64)test_pages[0] + 2048;
	s.at.flags |= FLAG_DF | FLAG_AC | FLAG_ID;
	r = go(&s, NULL);
	say("the entry runs with cs %lx, ss %lx, rsp %s", r->cs, r->ss, place(r->rsp));
	/* QEMU clears the arithmetic flags, too. */
	say("rcx %s, r11 %lx, rflags %lx", named(r->gpr[RCX]), r->gpr[R11], r->flags);
}

static int frame_at_users(struct record *r)
{
	show_entry("at the entry", r);
	say("the frame is at an rsp %s", place(r->rsp));
	return LEAVE;
}

static void nat_07_bad(void)
{
	step_into_syscall((u64)test_pages[0] + 2048, frame_at_users);
}

/* NAT-14 */
static int return_elsewhere(struct record *r)
{
	if (seen_count > 1) {
		say("rsp at the target %s, ss %lx", named(r->back.sp), r->ss);
		return LEAVE;
	}
	say("interrupted: rsp %s, ss %lx", named(r->back.sp), r->back.ss);
	r->back.sp -= 0x40;
	r->back.ip += 2;	/* over the read */
	return BACK_IRET;
}

static void nat_14(void)
{
	struct start s = kernel_code(kernel_read);

	catch_all();
	s.gpr[RAX] = NOWHERE_KERNEL;
	say("back to the same level, with another rsp in the frame");
	go(&s, return_elsewhere);
}

/* The frame as a stub leaves it that does not take the error code off. */
static int return_with_code(struct record *r)
{
	extern char recorder_iretq[];

	if (seen_count > 1) {
		say("vector %lx at %s", r->kind, r->back.ip == (u64)recorder_iretq ? "the stub's iretq" : "another place");
		return LEAVE;
	}
	memcpy(&r->back, &r->frame[0], sizeof(r->back));
	say("iretq takes rip %s, ss %s", named(r->back.ip), named(r->back.ss));
	return BACK_IRET;
}

static void nat_14_bad(void)
{
	struct start s = kernel_code(kernel_read);

	catch_all();
	s.gpr[RAX] = NOWHERE_KERNEL;
	go(&s, return_with_code);
}

/* NAT-15 */
KERNEL_CODE(kernel_sysret, "sysretq");

static void sysret_to(u64 rip)
{
	struct start s = kernel_code(kernel_sysret);
	struct record *r;

	catch_all();
	NAME_CODE(kernel_sysret);
	name_range("user_int3", (u64)user_int3, (u64)user_int3_end);
	s.at.flags &= ~FLAG_IF;
	s.at.sp = (u64)cell_stack_top - 256;
	s.gpr[RCX] = rip;
	s.gpr[R11] = FLAG_FIXED | FLAG_IF | FLAG_CF | FLAG_DF;
	r = go(&s, NULL);
	show_entry("sysret, then", r);
	say("cs %lx, ss %lx, rflags %lx, rsp %s", r->back.cs, r->back.ss, r->back.flags & ~FLAG_RF,
	    named(r->back.sp));
}

static void nat_15(void) { sysret_to((u64)user_int3); }
static void nat_15_bad(void) { sysret_to(0x1234); }	/* RCX was used for something else */

/* NAT-16: a breakpoint on the second of four NOPs. */
static bool resume;

static int at_breakpoint(struct record *r)
{
	show_entry("entered", r);
	if (r->kind != 1 || seen_count == 4)
		return LEAVE;
	r->back.flags = resume ? r->back.flags | FLAG_RF : r->back.flags & ~FLAG_RF;
	write_dr6(0xffff0ff0);
	return BACK_IRET;
}

static void breakpoint(bool with_rf)
{
	struct start s = kernel_code(kernel_nop), soft = kernel_code(kernel_int3);

	catch_all();
	name_range("kernel_nop", (u64)kernel_nop, (u64)kernel_nop_end);
	go(&soft, NULL);
	say("rf in the frame of int3: %d", !!(seen[0].back.flags & FLAG_RF));
	resume = with_rf;
	write_dr0((u64)kernel_nop + 1);
	write_dr7(0x403);		/* DR0, execution */
	go(&s, at_breakpoint);
	write_dr7(0x400);
}

static void nat_16(void) { breakpoint(true); }
static void nat_16_bad(void) { breakpoint(false); }

/* NAT-17 */
static bool nested;

static int read_late(struct record *r)
{
	u64 early = read_cr2(), unused;

	if (nested) {			/* the handler's own fault */
		nested = false;
		r->back.ip += 2;
		return BACK_IRET;
	}
	nested = true;
	asm volatile("mov (%0), %%eax" : "=a"(unused) : "0"(NOWHERE_KERNEL + 0x234) : "memory");
	say("cr2 read first: %lx into the page", early - NOWHERE_KERNEL);
	say("cr2 read after the handler's own fault: %lx", read_cr2() - NOWHERE_KERNEL);
	return LEAVE;
}

static int read_first(struct record *r)
{
	say("cr2 read first: %lx into the page", read_cr2() - NOWHERE_KERNEL);
	return LEAVE;
}

static void fault(record_handler *handler)
{
	struct start s = kernel_code(kernel_read);

	catch_all();
	nested = false;
	s.gpr[RAX] = NOWHERE_KERNEL + 0x128;
	go(&s, handler);
}

static void nat_17(void) { fault(read_first); }
static void nat_17_bad(void) { fault(read_late); }

const struct demo nat_return_demos[] = {
	{ "NAT-03", BREAKABLE, nat_03, nat_03_bad, NATIVE },
	{ "NAT-04", BREAKABLE, nat_04, nat_04_bad, NATIVE },
	{ "NAT-05", BREAKABLE, nat_05, nat_05_bad, NATIVE },
	{ "NAT-06", BREAKABLE, nat_06, nat_06_bad, NATIVE },
	{ "NAT-07", BREAKABLE, nat_07, nat_07_bad, NATIVE },
	{ "NAT-14", BREAKABLE, nat_14, nat_14_bad, NATIVE },
	{ "NAT-15", BREAKABLE, nat_15, nat_15_bad, NATIVE },
	{ "NAT-16", BREAKABLE, nat_16, nat_16_bad, NATIVE },
	{ "NAT-17", BREAKABLE, nat_17, nat_17_bad, NATIVE },
	{ NULL, 0, NULL, NULL, 0 },
};
