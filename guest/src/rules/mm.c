/* mm.c - MM: page tables, page types, and what else a domain does with memory. */
#include "mm.h"

const struct demo mm_demos[] = {
	{ "MM-01", BREAKABLE, mm_01, mm_01_bad },
	{ "MM-02", BREAKABLE, mm_02, mm_02_bad },
	{ "MM-03", BREAKABLE, mm_03, mm_03_bad },
	{ "MM-04", FACT, mm_04 },
	{ "MM-05", BREAKABLE, mm_05, mm_05_bad },
	{ "MM-06", BREAKABLE, mm_06, mm_06_bad, BAD_DIES },
	{ "MM-07", BREAKABLE, mm_07, mm_07_bad },
	{ "MM-08", BREAKABLE, mm_08, mm_08_bad },
	{ "MM-09", FACT, mm_09 },
	{ "MM-10", BREAKABLE, mm_10, mm_10_bad },
	{ "MM-11", FACT, mm_11 },
	{ "MM-12", BREAKABLE, mm_12, mm_12_bad },
	{ "MM-13", BREAKABLE, mm_13, mm_13_bad },
	{ "MM-14", BREAKABLE, mm_14, mm_14_bad },
	{ "MM-15", BREAKABLE, mm_15, mm_15_bad },
	{ "MM-16", BREAKABLE, mm_16, mm_16_bad },
	{ "MM-17", FACT, mm_17 },
	{ "MM-18", FACT, mm_18 },
	{ "MM-19", FACT, mm_19 },
	{ "MM-20", FACT, mm_20 },
	{ "MM-21", FACT, mm_21 },
	{ "MM-22", BREAKABLE, mm_22, mm_22_bad },
	{ "MM-24", BREAKABLE, mm_24, mm_24_bad },
	{ "MM-25", BREAKABLE, mm_25, mm_25_bad },
	{ "MM-26", FACT, mm_26 },
	{ "MM-27", FACT, mm_27 },
	{}
};
