/* record.c - the C half of the recorders, and their names for values. */
#include "rules.h"

extern const struct { u64 kind; char *stub; } recorders[];
extern struct record *next_record;
void enter_code(const struct start *s);

u64 seen_count;
static record_handler *handler;

/* A handler that never leaves would run for ever; no demo needs this many. */
#define ENTRIES_MAX	2000

/* Words below RIP: RCX and R11, and an error code or the segments of a failsafe.
   On bare metal the processor aligns its frame of five or six words to 16, so
   RSP tells whether there is an error code (NAT-09). */
static u64 words_below_rip(const struct record *r)
{
	if (!on_xen())
		return !(r->rsp & 15);
	if (r->kind == KIND_FAILSAFE)
		return 6;
	return r->kind < 32 && 0x227d00 >> r->kind & 1 ? 3 : 2;
}

int record_decide(struct record *r)
{
	int decision = LEAVE;

	r->cr2 = fault_address();
	if (on_xen()) {
		r->mask = vcpu_info()->evtchn_upcall_mask;
		r->pending = vcpu_info()->evtchn_upcall_pending;
	}
	r->words = words_below_rip(r);
	memcpy(&r->back, &r->frame[r->words], sizeof(r->back));
	r->vgcf = 0;
	seen_count++;
	if (handler)
		decision = handler(r);
	if (seen_count > ENTRIES_MAX) {
		say("given up after %lu entries", seen_count);
		decision = LEAVE;
	}
	if (!on_xen())
		return decision == BACK_IRET ? BACK_NATIVE : decision;
	if (decision == LEAVE)
		vcpu_info()->evtchn_upcall_mask = 1;
	return decision;
}

struct record *go(const struct start *s, record_handler *fn)
{
	next_record = seen;
	seen_count = 0;
	handler = fn;
	enter_code(s);
	handler = NULL;
	return &seen[0];
}

int back_once(struct record *r)
{
	return seen_count == 1 ? BACK_IRET : LEAVE;
}

u64 sentinel(enum gpr reg)
{
	return 0x1111111111111111UL * (reg + 1) >> (reg == RDI ? 4 : 0);
}

static struct start start_of(const void *ip, u64 sp)
{
	struct start s = { .at = { (u64)ip, FLAT_CS, FLAG_IF | FLAG_FIXED, sp, FLAT_DS } };

	if (!on_xen()) {
		s.at.cs = GDT_KERNEL_CS;
		s.at.ss = GDT_KERNEL_DS;
	}
	for (u32 i = 0; i < GPRS; i++)
		s.gpr[i] = sentinel(i);
	return s;
}

struct start kernel_code(const void *ip)
{
	return start_of(ip, (u64)cell_stack_top - 256);
}

struct start user_code(const void *ip)
{
	struct start s = start_of(ip, (u64)user_code_stack);

	if (on_xen()) {
		s.how = START_IRET;
	} else {
		s.at.cs = GDT_USER_CS;
		s.at.ss = GDT_USER_DS;
	}
	return s;
}

u64 recorder_of(u64 kind)
{
	for (u32 i = 0; recorders[i].stub; i++)
		if (recorders[i].kind == kind)
			return (u64)recorders[i].stub;
	return 0;
}

void catch_vector(u8 vector, u8 flags)
{
	struct trap_info one[2] = { { vector, flags, FLAT_CS, recorder_of(vector) } };

	if (!on_xen())
		native_gate_write(vector, recorder_of(vector), flags & 3);
	else if (HYPERVISOR_set_trap_table(one) < 0)
		panic("set_trap_table was refused");
}

void catch_all(void)
{
	for (u32 i = 0; recorders[i].stub && recorders[i].kind < 256; i++) {
		u8 v = recorders[i].kind;

		catch_vector(v, TI_EVENT_MASK | (v == 3 || v == 4 ? 3 : 0));
	}
}

long catch_callback(u16 type, u16 flags)
{
	static const u16 kinds[8] = {
		[CALLBACKTYPE_event] = KIND_EVENT, [CALLBACKTYPE_failsafe] = KIND_FAILSAFE,
		[CALLBACKTYPE_syscall] = KIND_SYSCALL, [CALLBACKTYPE_nmi] = KIND_NMI,
		[CALLBACKTYPE_sysenter] = KIND_SYSENTER, [CALLBACKTYPE_syscall32] = KIND_SYSCALL32,
	};
	struct callback_register reg = { type, flags, recorder_of(kinds[type & 7]) };

	return HYPERVISOR_callback_op(CALLBACKOP_register, &reg);
}
