/* selftest.h - the parts of the self-test. Each prints one line a check. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "bench.h"

/* Counts a check and prints its line, with " FAILED" if it did not hold. */
void check(bool holds, const char *what);

enum raise {			/* rows of raise.S */
	RAISE_DE, RAISE_DB, RAISE_BP, RAISE_OF, RAISE_UD, RAISE_NM, RAISE_NP, RAISE_SS,
	RAISE_GP, RAISE_HLT, RAISE_READ, RAISE_WRITE, RAISE_FETCH,
	RAISE_INT30, RAISE_INT31, RAISE_INT80,
};
struct raise_code { void (*run)(u64); u64 insn, resume; };
extern const struct raise_code kernel_raise[], user_raise[];

/* The one exception that is expected, and what came. */
struct expectation {
	const struct raise_code *code;
	bool seen;
	long vector;
	u64 error;
	struct pt_regs regs;
	u64 address;			/* #PF */
};
/* Raises in kernel or user mode and catches whatever vector comes. */
struct expectation raise_and_catch(enum raise what, bool user, u64 operand);

void selftest_exceptions(void);
void selftest_memory(void);
void selftest_user(void);
void selftest_events(void);

#endif /* SELFTEST_H */
