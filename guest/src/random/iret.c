/*
 * iret.c - returns by the iret hypercall and by the instruction, through frames that
 * are right, nearly so, and wrong. A frame that faults comes to the failsafe callback,
 * or as an exception; where the return led, the next trap tells.
 */
#include "random.h"

/* A target for each mode; the next entry is its UD2. */
KERNEL_CODE(return_kernel, "nop\nud2");
USER_CODE(return_user, "nop\nud2");

static const u16 code_selectors[] = { 0xe030, 0xe033, 0xe031, 0xe032, 0, 3, 0xe008, 0xe02b, 0xe010, 0x1230, 7, 0xfffb };
static const u16 stack_selectors[] = { 0xe02b, 0xe028, 0xe02a, 0, 3, 0x13, 0xe033, 0xe010, 7, 0xe008 };

/* What may be in RFLAGS: not TF, which steps into what follows, and RF, VIF and VIP,
   which the reference's processor does not do right. */
#define DRAWN_FLAGS	(FLAG_IOPL | FLAG_NT | FLAG_DF | FLAG_ID | FLAG_CF | FLAG_ZF | FLAG_PF)

static u64 draw_flags(bool hypercall)
{
	u64 flags = (chance(30) ? 0 : FLAG_FIXED) | (draw() & DRAWN_FLAGS) | below(2) * FLAG_IF;

	if (hypercall && chance(15))
		flags |= FLAG_VM;
	return hypercall && chance(15) ? flags | FLAG_AC : flags;
}

static void note_return(const struct start *s, const char *name)
{
	const struct record *r = &seen[0];
	bool there = r->back.ip - s->at.ip < 16;

	note(" %s", r->kind == KIND_FAILSAFE ? "failsafe" : r->kind < 32 ? vector_name(r->kind) : "callback");
	if (r->kind == KIND_FAILSAFE)
		note(" ds %lx es %lx fs %lx gs %lx", r->frame[2] & 0xffff, r->frame[3] & 0xffff, r->frame[4] & 0xffff,
		     r->frame[5] & 0xffff);
	else if (r->words == 3)
		note("[%lx]", r->frame[2]);
	if (there)
		note(" at +%lx", r->back.ip - s->at.ip);
	else
		note(" at %lx", r->back.ip);
	note(" cs %lx ss %lx fl %lx mask %u", r->back.cs & 0xffff, r->back.ss,
	     r->back.flags & (DRAWN_FLAGS | FLAG_IF | FLAG_VM | FLAG_AC | FLAG_TF), r->mask);
	note(" sp %lx on %lx", r->back.sp, r->rsp);
	mixed(0);
	for (u32 i = 0; i < GPRS; i++)
		if (i != RCX && i != R11)
			mix(r->gpr[i]);
	mix(r->frame[0]);
	mix(r->frame[1]);
	note(" regs %lx", mixed(0));
	note_count(name, r->kind == 6 && there ? 0 : r->kind < 256 ? TRAPPED(r->kind) : -14);
}

static bool op_return(void)
{
	bool hyper = chance(70);
	bool user = hyper && chance(45) && current_user_root == user_root_frame;
	struct start s = user ? user_code(return_user) : kernel_code(return_kernel);
	u8 pending = vcpu_info()->evtchn_upcall_pending;

	s.how = hyper ? START_IRET : START_IRETQ;
	s.at.cs = user || !hyper ? FLAT_CS | 3 : FLAT_CS & ~3;
	if (chance(25)) {
		u16 cs = pick(code_selectors);

		/* The hypercall goes to user mode by RPL 3, and there by the user's tables. */
		if (hyper)
			cs = user ? cs | 3 : cs & ~3 ? (cs & 3) == 3 ? cs & ~1 : cs : 0;
		s.at.cs = cs;
	}
	if (chance(25))
		s.at.ss = pick(stack_selectors);
	if (hyper && chance(10)) {
		s.at.cs |= draw() << 32;
		s.at.ss |= draw() << 32;
	}
	s.at.flags = draw_flags(hyper);
	if (hyper)
		s.vgcf = chance(60) ? below(2) * 0x100 : draw();
	if (user)
		s.at.sp = chance(60) ? s.at.sp - below(64) : draw_word();
	else
		s.at.sp -= below(64);
	if (hyper && chance(5))
		s.at.ip = chance(50) ? 0x800000000000 : 0xffff7fffffffffff;
	note(" %s %s cs %lx ss %lx fl %lx vgcf %lx", hyper ? "iret" : "iretq", user ? "user" : "kernel", s.at.cs, s.at.ss,
	     s.at.flags, s.vgcf);
	note(" ip %s sp %lx ->", s.at.ip < 0xffff800000000000 && s.at.ip >= 0x800000000000 ? "bad" : "good", s.at.sp);
	catch_callback(CALLBACKTYPE_failsafe, CALLBACKF_mask_events);
	vcpu_info()->evtchn_upcall_pending = 0;
	vcpu_info()->cr2 = 0;
	run(&s, NULL);
	note_return(&s, hyper ? user ? "iret user" : "iret kernel" : "iretq");
	vcpu_info()->evtchn_upcall_mask = 1;
	vcpu_info()->evtchn_upcall_pending |= pending;
	return seen[0].kind == 6;
}

const struct operation return_operations[] = {
	{ "return", 10, op_return },
	{}
};
