/* areas.c - the areas of the rule book that have demos. */
#include "rules.h"

extern const struct demo frame_demos[];

const struct area areas[] = {
	{ "FRAME", frame_demos },
	{ NULL, NULL },
};
