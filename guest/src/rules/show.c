/* show.c - values of a transcript as names: sentinels, places in the image. */
#include "rules.h"

static const char *const gpr_names[GPRS] = {
	"R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX", "RDX",
	"RSI", "RDI",
};

static struct range { const char *name; u64 from, to; } ranges[16];
static u32 range_count;

void name_range(const char *name, u64 from, u64 to)
{
	if (range_count < ARRAY_LEN(ranges))
		ranges[range_count++] = (struct range){ name, from, to };
}

void names_forget(void)
{
	range_count = 0;
}

static char *put_text(char *to, const char *s)
{
	while (*s)
		*to++ = *s++;
	*to = 0;
	return to;
}

static char *put_hex(char *to, u64 v)
{
	int shift = 60;

	while (shift && !(v >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[v >> shift & 15];
	*to = 0;
	return to;
}

static char *put_range(char *to, const char *name, u64 offset)
{
	to = put_text(to, name);
	if (offset) {
		*to++ = '+';
		to = put_hex(to, offset);
	}
	return to;
}

const char *named(u64 v)
{
	static char texts[8][40];	/* several in one line */
	static u32 turn;
	char *text = texts[turn++ % ARRAY_LEN(texts)];

	for (u32 i = 0; i < range_count; i++)
		if (v >= ranges[i].from && v < ranges[i].to) {
			put_range(text, ranges[i].name, v - ranges[i].from);
			return text;
		}
	for (u32 i = 0; i < GPRS; i++)
		if (v == sentinel(i)) {
			put_text(put_text(text, gpr_names[i]), "'s value");
			return text;
		}
	for (u64 kind = 0; kind <= KIND_SYSCALL32; kind++)
		if (v && v == recorder_of(kind)) {
			put_hex(put_text(text, "handler "), kind);
			return text;
		}
	if (v > (u64)cell_stack && v <= (u64)cell_stack_top) {
		put_hex(put_text(text, "stack top-"), (u64)cell_stack_top - 256 - v);
		return text;
	}
	if (v > (u64)trap_stack && v <= (u64)trap_stack_top) {
		put_hex(put_text(text, "trap stack top-"), (u64)trap_stack_top - 256 - v);
		return text;
	}
	if (v > (u64)user_code_stack - 4096 && v <= (u64)user_code_stack) {
		put_hex(put_text(text, "user stack top-"), (u64)user_code_stack - v);
		return text;
	}
	put_hex(text, v);
	return text;
}

void show_entry(const char *label, const struct record *r)
{
	if (r->words & 1)		/* 3, or 1 on bare metal */
		say("%s: vector %lx, error %lx, rip %s", label, r->kind, r->frame[r->words - 1],
		    named(r->back.ip));
	else
		say("%s: vector %lx, rip %s", label, r->kind, named(r->back.ip));
}

void show_frame(const char *label, const struct record *r)
{
	static const char *const low[] = { "rcx", "r11", "error", "", "", "" };
	static const char *const segments[] = { "rcx", "r11", "ds", "es", "fs", "gs" };
	static const char *const high[] = { "rip", "cs", "rflags", "rsp", "ss" };

	for (u32 i = 0; i < r->words + 5; i++) {
		u64 v = r->frame[i];

		/* A fault stores RF set (SDM vol. 3, 17.3.1.1), but not in QEMU. */
		if (i == r->words + 2)
			v &= ~FLAG_RF;
		say("%s+%u %s = %s", label, i * 8,
		    i >= r->words ? high[i - r->words] : r->words == 6 ? segments[i] :
		    r->words == 1 ? "error" : low[i],
		    named(v));
	}
}
