/* attempt.c - runs of one instruction, and what became of it. */
#include "attempt.h"

struct start attempt_start(const struct attempt *a, bool user)
{
	return user ? user_code(a->user) : kernel_code(a->kernel);
}

struct record *attempt_kernel(const struct attempt *a)
{
	struct start s = attempt_start(a, false);

	return go(&s, NULL);
}

struct record *attempt_user(const struct attempt *a)
{
	struct start s = attempt_start(a, true);

	return go(&s, NULL);
}

#define UD2_LENGTH	2

bool went_through(const struct attempt *a, const struct record *r)
{
	return r->kind == 6 && (r->back.ip == (u64)a->kernel_end - UD2_LENGTH ||
				r->back.ip == (u64)a->user_end - UD2_LENGTH);
}

static char *append(char *to, const char *s)
{
	while (*s)
		*to++ = *s++;
	*to = 0;
	return to;
}

const char *outcome(const struct attempt *a, const struct record *r)
{
	static char text[96];
	char *to = text;

	if (went_through(a, r))
		return "went through";
	to = append(to, r->kind < 32 ? vector_name(r->kind) : "handler ");
	if (r->kind >= 32)
		to = append(to, named(r->kind));
	if (r->words == 3) {
		to = append(to, "(");
		to = append(to, named(r->frame[2]));
		to = append(to, ")");
	}
	if (r->back.ip == (u64)a->kernel || r->back.ip == (u64)a->user) {
		append(to, " at the instruction");
		return text;
	}
	to = append(to, " at ");
	if (r->back.ip > (u64)a->kernel && r->back.ip < (u64)a->kernel_end)
		append(append(to, "its byte "), named(r->back.ip - (u64)a->kernel));
	else if (r->back.ip > (u64)a->user && r->back.ip < (u64)a->user_end)
		append(append(to, "its byte "), named(r->back.ip - (u64)a->user));
	else
		append(to, named(r->back.ip));
	return text;
}

struct record *say_attempt(const struct attempt *a, const struct start *s, const char *where)
{
	struct record *r = go(s, NULL);

	say("%s%s: %s", a->what, where, outcome(a, r));
	return r;
}
