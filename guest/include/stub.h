/*
 * stub.h - the building blocks of an exception entry stub.
 *
 * A stub file is ordinary assembly with one stub in it:
 *
 *	#include "stub.h"
 *
 *	STUB(mine)
 *		ADJUST
 *		SAVE_REGS
 *		CALL_HANDLER
 *		RESTORE_REGS
 *		DROP_ERRCODE
 *		RETURN
 *	END_STUB(mine)
 *
 * The file is read once for each platform (xen, native) and each vector (pf,
 * bp, db, gp), and so defines eight symbols: mine_xen_pf ... mine_native_gp.
 * Every instruction keeps the line of this one source, because the file is
 * included again rather than expanded from a macro. Assemble with
 *
 *	cc -g -c -I <this directory> -I <directory of mine.S> mine.S
 *
 * Only one thing differs between the readings: what the blocks below expand
 * to. A line that must exist on one side only is put between
 * `.if stub_xen` / `.if stub_errcode` and `.endif`.
 */

#ifndef STUB_PASS

#define STUB_PASS	1
#define STUB_PLATFORM	xen
#define STUB_VECTOR	pf
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_VECTOR
#define STUB_PASS	2
#define STUB_VECTOR	bp
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_VECTOR
#define STUB_PASS	3
#define STUB_VECTOR	db
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_VECTOR
#define STUB_PASS	4
#define STUB_VECTOR	gp
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_PLATFORM
#undef STUB_VECTOR
#define STUB_PASS	5
#define STUB_PLATFORM	native
#define STUB_VECTOR	pf
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_VECTOR
#define STUB_PASS	6
#define STUB_VECTOR	bp
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_VECTOR
#define STUB_PASS	7
#define STUB_VECTOR	db
#include __BASE_FILE__
#undef STUB_PASS
#undef STUB_VECTOR
/* The eighth reading is the rest of the file that included us. */
#define STUB_PASS	8
#define STUB_VECTOR	gp

#endif /* !STUB_PASS */

#ifndef STUB_H
#define STUB_H

#include "blocks.h"

/* What the blocks ask about the stub being read. */
#define STUB_NUMBER_pf	14
#define STUB_NUMBER_bp	3
#define STUB_NUMBER_db	1
#define STUB_NUMBER_gp	13
#define STUB_ON_xen	1
#define STUB_ON_native	0

#define STUB_GLUE_(a, b)	a##b
#define STUB_GLUE(a, b)		STUB_GLUE_(a, b)
#define STUB_NAME_(n, p, v)	n##_##p##_##v
#define STUB_NAME(n, p, v)	STUB_NAME_(n, p, v)

/* STUB(name): begins the stub of the current platform and vector. */
#define STUB(name)							\
	.text;								\
	STUB_BEGIN STUB_GLUE(STUB_ON_, STUB_PLATFORM),			\
		   STUB_GLUE(STUB_NUMBER_, STUB_VECTOR);		\
	.globl	STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR);		\
	.type	STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR), @function;	\
STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR):

/* END_STUB(name): ends it; what follows belongs to no stub. */
#define END_STUB(name)							\
	.size	STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR),		\
		. - STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR)

/* NO_STUB(name): this variant leaves the vector without a handler. */
#define NO_STUB(name)							\
	.globl	STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR);		\
	.set	STUB_NAME(name, STUB_PLATFORM, STUB_VECTOR), 0

#endif /* STUB_H */
