/* mm_touch.c - single accesses of kernel code. The UD2 behind each tells that the
   access went well; the pages that touch_jump goes to have one too. */
#include "mm.h"

KERNEL_CODE(touch_read, "mov (%rdi), %rax\nud2");
KERNEL_CODE(touch_write, "mov %rsi, (%rdi)\nud2");
KERNEL_CODE(touch_write4, "mov %esi, (%rdi)\nud2");
KERNEL_CODE(touch_write1, "mov %sil, (%rdi)\nud2");
KERNEL_CODE(touch_or, "lock or %rsi, (%rdi)\nud2");
KERNEL_CODE(touch_xchg, "xchg %rsi, (%rdi)\nud2");
KERNEL_CODE(touch_cmpxchg, "lock cmpxchg %rsi, (%rdi)\nud2");
KERNEL_CODE(touch_cmpxchg0, "xor %eax, %eax\nlock cmpxchg %rsi, (%rdi)\nud2");
KERNEL_CODE(touch_jump, "jmp *%rdi");

struct record *touch(const void *code, u64 address, u64 value)
{
	struct start s = kernel_code(code);

	s.gpr[RDI] = address;
	s.gpr[RSI] = value;
	return go(&s, NULL);
}

void say_end(const char *what, const struct record *r, u64 address)
{
	if (r->kind == 6)
		say("%s: goes on", what);
	else if (r->words == 3)
		say("%s: %s, error code %lx%s", what, vector_name(r->kind), r->frame[2],
		    r->kind == 14 && r->cr2 != address ? ", another address" : "");
	else
		say("%s: %s", what, vector_name(r->kind));
}

void say_touch(const char *what, const void *code, u64 address)
{
	say_end(what, touch(code, address, 0), address);
}
