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
	/* A recorder reads more words than an exception from user mode has put there. */
	trap_stack_set((void *)((u64)trap_stack_top - 256));
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
	/* A jump to what is no address faults by itself, on an Intel; QEMU's does
	   when the next instruction is fetched. */
	if (r->kind == 13 && r->back.ip == address)
		note(" at +0");
	else if (r->back.ip - s->at.ip < 64)
		note(" at +%lx", r->back.ip - s->at.ip);
	else
		note(" at %s", r->back.ip == address ? "target" : named(r->back.ip));
	note_count(name, TRAPPED(r->kind));
	return false;
}

/* What a store does to the word may not depend on the frame number in it: it
   replaces the number or leaves it alone. */
enum kind {
	READS,
	REPLACES,	/* 8 bytes, at any address */
	CHANGES,	/* some bits of an aligned word, none of the number */
	FILLS,		/* aligned words */
	JUMPS,
};

#define CODE(name, text) KERNEL_CODE(name, text "\nud2")
CODE(touch_read, "mov (%rax), %rbx");
CODE(touch_read1, "mov (%rax), %bl");
CODE(touch_prefetch, "prefetchw (%rax)");
CODE(touch_store, "mov %rbx, (%rax)");
CODE(touch_xchg, "xchg %rbx, (%rax)");
CODE(touch_cmpxchg, "mov %rax, %rdi; mov (%rdi), %rax; lock cmpxchg %rbx, (%rdi)");
CODE(touch_cmpxchg_fails, "mov %rax, %rdi; mov $-1, %rax; lock cmpxchg %rbx, (%rdi)");
CODE(touch_stosq, "mov %rax, %rdi; mov %rbx, %rax; stosq");
CODE(touch_movsq, "mov %rax, %rdi; mov $touch_source, %rsi; movsq");
CODE(touch_pop, "push %rbx; pop (%rax)");
CODE(touch_rep_stosq, "mov %rax, %rdi; mov %rbx, %rax; mov $3, %ecx; rep stosq");
CODE(touch_store_imm, "movq $0x234, (%rax)");
CODE(touch_cmpxchg8b, "mov %rax, %rdi; xor %eax, %eax; xor %edx, %edx; mov $0, %ecx; and $0xfff, %ebx; lock cmpxchg8b (%rdi)");
CODE(touch_store4, "and $0xfff, %ebx; mov %ebx, (%rax)");
CODE(touch_store1, "mov %bl, (%rax)");
CODE(touch_setc, "stc; setc (%rax)");
CODE(touch_and, "lock andq $-3, (%rax)");
CODE(touch_and4, "andl $-0x203, (%rax)");
CODE(touch_or, "orq $0x200, (%rax)");
CODE(touch_or2, "lock orw $0x402, (%rax)");
CODE(touch_xor, "lock xorq $0x802, (%rax)");
CODE(touch_xor1, "xorb $3, (%rax)");
CODE(touch_bts, "lock btsq $63, (%rax)");
CODE(touch_btr, "lock btrq $1, (%rax)");
CODE(touch_btc, "btcq $0, (%rax)");
CODE(touch_xadd, "xor %ebx, %ebx; lock xadd %rbx, (%rax)");
CODE(touch_add, "lock addq $0, (%rax)");
CODE(touch_jump, "jmp *%rax");

__attribute__((used)) u64 touch_source;

static const struct { const char *name, *code, *end; enum kind kind; } touches[] = {
#define ROW(name, kind) { #name, touch_##name, touch_##name##_end, kind }
	ROW(read, READS), ROW(read, READS), ROW(read, READS), ROW(read1, READS), ROW(prefetch, READS),
	ROW(store, REPLACES), ROW(store, REPLACES), ROW(store, REPLACES), ROW(store, REPLACES),
	ROW(store, REPLACES), ROW(xchg, REPLACES), ROW(cmpxchg, REPLACES), ROW(cmpxchg_fails, REPLACES),
	ROW(stosq, REPLACES), ROW(movsq, REPLACES), ROW(pop, REPLACES),
	ROW(rep_stosq, FILLS), ROW(store_imm, FILLS), ROW(cmpxchg8b, FILLS),
	ROW(store4, CHANGES), ROW(store1, CHANGES), ROW(setc, CHANGES), ROW(and, CHANGES), ROW(and4, CHANGES),
	ROW(or, CHANGES), ROW(or2, CHANGES), ROW(xor, CHANGES), ROW(xor1, CHANGES), ROW(bts, CHANGES),
	ROW(btr, CHANGES), ROW(btc, CHANGES), ROW(xadd, CHANGES), ROW(add, CHANGES),
	ROW(jump, JUMPS),
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
static bool may_touch_byte(enum kind kind, u64 va)
{
	u64 frame = resolve(va);

	if (frame == NO_FRAME)
		return true;
	if (frame == UNKNOWN_FRAME || kind == JUMPS)
		return false;
	return pool_of(frame) >= 0 || (kind == READS && !frame_is_device(frame));
}

static bool may_touch(enum kind kind, u64 va)
{
	return may_touch_byte(kind, va) && may_touch_byte(kind, va + (kind == FILLS ? 23 : 7));
}

/* A word across two: what of the number is replaced becomes one that is no frame. */
static u64 odd_value(void)
{
	return draw() | 1UL << 43 | 1UL << 59;
}

static bool touch(void)
{
	typeof(&touches[0]) t = &pick(touches);
	u64 va, value;
	struct start s = kernel_code(t->code);
	u32 tries = 0;

	do {
		va = draw_address();
		if (t->kind == REPLACES && va & 7)
			va = (va & ~7UL) + (va & 1 ? 1 : 7);
		else if (t->kind == CHANGES || t->kind == FILLS)
			va &= ~7UL;
		if (t->kind != READS && (va & (PAGE_SIZE - 1)) > PAGE_SIZE - 24 && (t->kind == FILLS || va & 7))
			va = (va & ~(u64)(PAGE_SIZE - 1)) | (va & 7) | 16;	/* not into the next page */
	} while (!may_touch(t->kind, va) && ++tries < 4);
	if (tries == 4) {
		note(" nothing");
		return false;
	}
	value = va & 7 ? odd_value() : draw_value(resolve(va));
	s.gpr[RAX] = va;
	s.gpr[RBX] = touch_source = value;
	note(" ");
	note_place(va);
	if (t->kind == REPLACES || t->kind == CHANGES || t->kind == FILLS) {
		note(" <- ");
		note_entry(value);
	}
	mmuext(MMUEXT_INVLPG_LOCAL, va, 0);
	if (!run_code(t->name, &s, t->end, va))
		return false;
	if (t == &touches[0] && !(va & 7) && pool_of(resolve(va)) >= 0) {
		note(" read ");
		note_entry(seen[0].gpr[RBX]);
	}
	return true;
}

const struct operation touch_operations[] = {
	{ "touch", 24, touch },
	{}
};
