/* touch.c - code that is run with a recorder in its way, and loads, stores and
   jumps made of it. */
#include "random.h"

static bool running;

/* The recorder asks the demos' record_decide(), which the linker leads here:
   nothing but the code of an operation is to be interrupted. */
int __real_record_decide(struct record *r);
int __wrap_record_decide(struct record *r);
int __wrap_record_decide(struct record *r)
{
	int decision = __real_record_decide(r);

	if (!running) {
		print("in operation: %s\nkind %lx, error %lx, rip %lx, cr2 %lx\n", noted(), r->kind, r->frame[2],
		      r->back.ip, r->cr2);
		panic("the kernel itself was interrupted");
	}
	return decision;
}

struct record *run(const struct start *s, record_handler *handler)
{
	running = true;
	go(s, handler);
	running = false;
	return &seen[0];
}

/* A piece of code ends with UD2: there it has come to its end. */
bool run_code(const char *name, struct start *s, const char *end, u64 address)
{
	struct record *r = run(s, NULL);

	if (r->kind == 6 && r->back.ip == (u64)end - 2) {
		note(" %s ok", name);
		note_count(name, 0);
		return true;
	}
	note(" %s", name);
	if (r->kind < 32)
		note(" %s", vector_name(r->kind));
	else
		note(" vector %lx", r->kind);
	/* The reference's processor, QEMU's TCG, reads and writes a word that is
	   changed by two accesses, and blames the first. */
	if (r->kind == 14 && !(r->frame[2] & 1))
		note("[%lx]", r->frame[2] & ~2UL);
	else if (r->words == 3)
		note("[%lx]", r->frame[2]);
	if (r->kind == 14) {
		note(" cr2 ");
		if (r->cr2 - address < PAGE_SIZE)
			note("+%lx", r->cr2 - address);
		else
			note_place(r->cr2);
	}
	if (r->back.ip - s->at.ip < 64)
		note(" at +%lx", r->back.ip - s->at.ip);
	else
		note(" at %s", r->back.ip == address ? "target" : named(r->back.ip));
	note_count(name, TRAPPED(r->kind));
	return false;
}

#define READS	0
#define WRITES	1
#define JUMPS	2

#define CODE(name, text) KERNEL_CODE(name, text "\nud2")
CODE(touch_read, "mov (%rax), %rbx");
CODE(touch_read1, "mov (%rax), %bl");
CODE(touch_store, "mov %rbx, (%rax)");
CODE(touch_store4, "mov %ebx, (%rax)");
CODE(touch_store2, "mov %bx, (%rax)");
CODE(touch_store1, "mov %bl, (%rax)");
CODE(touch_store_imm, "movq $0x1234, (%rax)");
CODE(touch_xchg, "xchg %rbx, (%rax)");
CODE(touch_cmpxchg, "mov %rax, %rdi; mov (%rdi), %rax; lock cmpxchg %rbx, (%rdi)");
CODE(touch_cmpxchg_fails, "mov %rax, %rdi; mov $-1, %rax; lock cmpxchg %rbx, (%rdi)");
CODE(touch_cmpxchg8b, "mov %rax, %rdi; xor %eax, %eax; xor %edx, %edx; mov $0, %ecx; lock cmpxchg8b (%rdi)");
CODE(touch_and, "lock andq $-3, (%rax)");
CODE(touch_or, "orq $0x200, (%rax)");
CODE(touch_bts, "lock btsq $9, (%rax)");
CODE(touch_btr, "lock btrq $1, (%rax)");
CODE(touch_xadd, "lock xadd %rbx, (%rax)");
CODE(touch_inc, "lock incq (%rax)");
CODE(touch_neg, "negq (%rax)");
CODE(touch_stosq, "mov %rax, %rdi; mov %rbx, %rax; stosq");
CODE(touch_rep_stosq, "mov %rax, %rdi; mov %rbx, %rax; mov $3, %ecx; rep stosq");
CODE(touch_movsq, "mov %rax, %rdi; mov $touch_source, %rsi; movsq");
CODE(touch_pop, "push %rbx; pop (%rax)");
CODE(touch_setc, "stc; setc (%rax)");
CODE(touch_jump, "jmp *%rax");
CODE(touch_prefetch, "prefetchw (%rax)");

__attribute__((used)) u64 touch_source;

static const struct { const char *name, *code, *end; u8 kind; } touches[] = {
#define ROW(name, kind) { #name, touch_##name, touch_##name##_end, kind }
	ROW(read, READS), ROW(read, READS), ROW(read, READS), ROW(read1, READS), ROW(prefetch, READS),
	ROW(store, WRITES), ROW(store, WRITES), ROW(store, WRITES), ROW(store, WRITES), ROW(store, WRITES),
	ROW(store4, WRITES), ROW(store2, WRITES), ROW(store1, WRITES), ROW(store_imm, WRITES),
	ROW(xchg, WRITES), ROW(cmpxchg, WRITES), ROW(cmpxchg_fails, WRITES), ROW(cmpxchg8b, WRITES),
	ROW(and, WRITES), ROW(or, WRITES), ROW(bts, WRITES), ROW(btr, WRITES), ROW(xadd, WRITES),
	ROW(inc, WRITES), ROW(neg, WRITES), ROW(stosq, WRITES), ROW(rep_stosq, WRITES), ROW(movsq, WRITES),
	ROW(pop, WRITES), ROW(setc, WRITES), ROW(jump, JUMPS),
#undef ROW
};

/* A value to store: mostly an entry as the page there would want it. */
static u64 draw_value(u64 frame)
{
	int p = pool_of(frame);

	if (chance(20))
		return draw_word();
	return draw_entry(p < 0 || chance(20) ? below(6) : pool_want[p]);
}

/* Where the tables lead to out of the pool is not ours to change, nor to look at
   if it may be a device; and code is found nowhere there. */
static bool may_touch(u8 kind, u64 frame)
{
	if (frame == NO_FRAME)
		return true;
	if (frame == UNKNOWN_FRAME || kind == JUMPS)
		return false;
	return pool_of(frame) >= 0 || (kind == READS && !frame_is_device(frame));
}

static bool touch(void)
{
	typeof(&touches[0]) t = &pick(touches);
	u64 va = 0, frame = UNKNOWN_FRAME, value;
	struct start s = kernel_code(t->code);

	for (u32 i = 0; i < 4 && !may_touch(t->kind, frame); i++)
		frame = resolve(va = draw_address());
	if (!may_touch(t->kind, frame)) {
		note(" nothing");
		return false;
	}
	value = draw_value(frame);
	s.gpr[RAX] = va;
	s.gpr[RBX] = touch_source = value;
	note(" ");
	note_place(va);
	if (t->kind == WRITES) {
		note(" <- ");
		note_entry(value);
	}
	mmuext(MMUEXT_INVLPG_LOCAL, va, 0);
	if (!run_code(t->name, &s, t->end, va))
		return false;
	if (t == &touches[0] && pool_of(frame) >= 0) {
		note(" read ");
		note_entry(seen[0].gpr[RBX]);
	}
	return true;
}

const struct operation touch_operations[] = {
	{ "touch", 24, touch },
	{}
};
