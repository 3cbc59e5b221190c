/* priv.c - PRIV: privileged instructions of a guest in ring 3. */
#include "priv.h"

void priv_iopl(u32 iopl)
{
	if (HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl) < 0)
		panic("set_iopl was refused");
}

u64 priv_cr4(u64 v)
{
	write_cr4(v);
	return read_cr4();
}

const struct demo priv_demos[] = {
	{ "PRIV-01", FACT, priv_01 },
	{ "PRIV-02", BREAKABLE, priv_02, priv_02_bad },
	{ "PRIV-03", BREAKABLE, priv_03, priv_03_bad },
	{ "PRIV-04", BREAKABLE, priv_04, priv_04_bad, BAD_DIES },
	{ "PRIV-05", BREAKABLE, priv_05, priv_05_bad },
	{ "PRIV-06", BREAKABLE, priv_06, priv_06_bad },
	{ "PRIV-07", BREAKABLE, priv_07, priv_07_bad },
	{ "PRIV-08", FACT, priv_08 },
	{ "PRIV-09", FACT, priv_09 },
	{ "PRIV-10", FACT, priv_10 },
	{ "PRIV-11", FACT, priv_11 },
	{ "PRIV-12", FACT, priv_12 },
	{ "PRIV-13", FACT, priv_13 },
	{ "PRIV-14", FACT, priv_14 },
	{ "PRIV-15", FACT, priv_15 },
	{ "PRIV-16", FACT, priv_16 },
	{ "PRIV-17", FACT, priv_17 },
	{ "PRIV-18", FACT, priv_18 },
	{ "PRIV-19", FACT, priv_19 },
	{ "PRIV-20", FACT, priv_20 },
	{ "PRIV-21", FACT, priv_21 },
	{}
};
