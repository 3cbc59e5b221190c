/* areas.c - the areas of the rule book that have demos. */
#include "rules.h"

extern const struct demo frame_demos[], frame_gate_demos[];

const struct area areas[] = {
	{ "FRAME", frame_demos },
	{ "FRAME", frame_gate_demos },	/* an area may have several rows */
	{ NULL, NULL },
};
