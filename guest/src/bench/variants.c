/* variants.c - the table of entry stubs; each is a file in variants/. */
#include "cell.h"

#define EACH_VARIANT(V)		\
	V(native, 0)		\
	V(retq16, 0)		\
	V(poppop, 0)		\
	V(adjtwice, 0)		\
	V(bareiretq, 0)		\
	V(bareiretq3, 0)	\
	V(noerrcode, 0)		\
	V(extradrop, 0)		\
	V(pushpop, 0)		\
	V(twocalls, 0)		\
	V(chain, 0)		\
	V(chainnopush, 0)	\
	V(chainswapped, 0)	\
	V(swapgs, 0)		\
	V(badstack, VARIANT_BAD_STACK) \
	V(unregistered, 0)	\
	V(auto, 0)		\
	V(vgcf, 0)

#define DECLARE(name, flags)						\
	extern char name##_xen_pf[], name##_xen_bp[], name##_xen_db[],	\
		name##_xen_gp[], name##_native_pf[], name##_native_bp[],	\
		name##_native_db[], name##_native_gp[];
EACH_VARIANT(DECLARE)

#define ROW(name, flags) { #name, flags, {						\
	{ (u64)name##_xen_pf, (u64)name##_xen_bp, (u64)name##_xen_db, (u64)name##_xen_gp },	\
	{ (u64)name##_native_pf, (u64)name##_native_bp, (u64)name##_native_db,		\
	  (u64)name##_native_gp } } },
static const struct variant variants[] = { EACH_VARIANT(ROW) };

/* Addresses of a user's own stub, put here by whoever linked it into
   user_stub_area: Xen pf, bp, db, gp, then native. Zero: none. */
const volatile u64 user_stub_table[2][CELL_VECTORS] = {};

const struct variant *variant_find(const char *name)
{
	static struct variant user = { "user", 0, {} };

	for (u32 i = 0; i < ARRAY_LEN(variants); i++)
		if (str_equal(name, variants[i].name))
			return &variants[i];
	if (!str_equal(name, "user"))
		return NULL;
	for (u32 v = 0; v < CELL_VECTORS; v++) {
		user.stubs[0][v] = user_stub_table[0][v];
		user.stubs[1][v] = user_stub_table[1][v];
	}
	return &user;
}

void cmd_list(const char *value)
{
	for (u32 i = 0; i < ARRAY_LEN(variants); i++)
		print("%s\n", variants[i].name);
}
