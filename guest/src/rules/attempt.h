/*
 * attempt.h - one piece of code run to its end in kernel or in user mode, and
 * how that went in one line.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "rules.h"

/* The same code twice: NAME_k in kernel text, NAME_u in user text. The UD2 after
   it is how a recorder sees that it went through. */
#define ATTEMPT(name, text)				\
	KERNEL_CODE(name##_k, text "\nud2");		\
	USER_CODE(name##_u, text "\nud2")

struct attempt {
	const char *what;
	char *kernel, *kernel_end, *user, *user_end;
};
#define ATTEMPT_ROW(what, name)	{ what, name##_k, name##_k_end, name##_u, name##_u_end }

/* Run it with sentinels in the registers, or with s, which begins at its code.
   All handlers have to be recorders (catch_all). */
struct record *attempt_kernel(const struct attempt *a);
struct record *attempt_user(const struct attempt *a);
struct start attempt_start(const struct attempt *a, bool user);

/* "went through", or the exception and where it points. */
bool went_through(const struct attempt *a, const struct record *r);
const char *outcome(const struct attempt *a, const struct record *r);
/* Says the outcome of the start as it is. */
struct record *say_attempt(const struct attempt *a, const struct start *s, const char *where);

/* RCX of the interrupted code: the handler's own register is Xen's (FRAME-02). */
static inline u64 interrupted_rcx(const struct record *r) { return r->frame[0]; }

#endif /* ATTEMPT_H */
