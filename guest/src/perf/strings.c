/* strings.c - the processor's string instructions under REP. */
#include "perf.h"

#define BYTES	8192
static u8 from[BYTES], to[BYTES] __attribute__((aligned(8)));

static void string_prepare(void)
{
	for (u32 i = 0; i < BYTES; i++)
		from[i] = i * 7 | 1;	/* no zero but the last byte */
	from[BYTES - 1] = 0;
}

/* A round fills 8 KiB by words, copies them by bytes and by words, finds the
   end, and compares. */
static u64 string_run(u64 n)
{
	u64 left = 0, same = 0;

	while (n--) {
		void *d = to;
		const void *s = from;
		u64 c = BYTES / 8;

		asm volatile("rep stosq" : "+D"(d), "+c"(c) : "a"(0UL) : "memory");
		d = to, s = from, c = BYTES / 2;
		asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(c) : : "memory");
		c = BYTES / 16;
		asm volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(c) : : "memory");
		d = to, left = BYTES;
		asm volatile("repne scasb" : "+D"(d), "+c"(left) : "a"(0) : "memory", "cc");
		d = to, s = from, same = BYTES;
		asm volatile("repe cmpsb" : "+D"(d), "+S"(s), "+c"(same) : : "memory", "cc");
	}
	return left << 32 | same;
}

const struct load string_loads[] = { { "string", string_run, string_prepare }, {} };
