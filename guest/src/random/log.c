/* log.c - the log: a line for each operation, kept as a hash of all lines, and
   the tally of results. */
#include <stdarg.h>
#include "random.h"

static char line[1024];
static u32 used;
static u64 digest, hash;

static void put(char c)
{
	if (used < sizeof(line) - 1)
		line[used++] = c;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_to(put, fmt, ap);
	va_end(ap);
	line[used] = 0;
}

void note_begin(void)
{
	used = 0;
	line[0] = 0;
}

const char *noted(void)
{
	return line;
}

void mix(u64 v)
{
	digest = (digest ^ v) * 0x9fb21c651e98df25;
	digest ^= digest >> 32;
}

u64 mixed(u64 start)
{
	u64 v = digest;

	digest = start;
	return v;
}

void log_begin(void)
{
	hash = 0xcbf29ce484222325;
}

/* FNV-1a. */
void log_line(void)
{
	for (u32 i = 0; i < used; i++)
		hash = (hash ^ (u8)line[i]) * 0x100000001b3;
}

u64 log_hash(void)
{
	return hash;
}

static struct { const char *name; long result; u64 count; } tally[4096];

#define SOME_VALUE	1000		/* in the tally for a result that is no error */

void note_count(const char *name, long result)
{
	u64 at = ((u64)name * 31 + (u64)result * 7919) % ARRAY_LEN(tally);

	for (u32 i = 0; i < ARRAY_LEN(tally); i++, at = (at + 1) % ARRAY_LEN(tally)) {
		if (!tally[at].name) {
			tally[at].name = name;
			tally[at].result = result;
		}
		if (tally[at].name == name && tally[at].result == result) {
			tally[at].count++;
			return;
		}
	}
}

static bool is_error(long result)
{
	return result < 0 && result > -200;
}

bool note_errno(const char *name, long result)
{
	bool error = is_error(result);

	if (error)
		note(" = -%s", errno_name(result));
	else
		note(" ok");
	note_count(name, error ? result : SOME_VALUE);
	return !error;
}

bool note_result(const char *name, long result)
{
	if (is_error(result))
		return note_errno(name, result);
	note(" = %lx", (u64)result);
	note_count(name, result ? SOME_VALUE : 0);
	return true;
}

/* Lines "tally NAME RESULT COUNT"; the name may have blanks. */
void tally_print(void)
{
	for (u32 i = 0; i < ARRAY_LEN(tally); i++) {
		long r = tally[i].result;

		if (!tally[i].name)
			continue;
		print("tally %s ", tally[i].name);
		if (r <= TRAPPED(0))
			print("%s/%lu", vector_name(TRAPPED(0) - r), (u64)(TRAPPED(0) - r));
		else
			print("%s%s", is_error(r) ? "-" : "", is_error(r) ? errno_name(r) : r ? "value" : "0");
		print(" %lu\n", tally[i].count);
	}
}
