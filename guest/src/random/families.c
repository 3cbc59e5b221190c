/* families.c - the families of operations; a new one is a file and a row here. */
#include "random.h"

extern const struct operation table_operations[], mmuext_operations[], touch_operations[], descriptor_operations[];

const struct family families[] = {
	{ "tables", table_operations },
	{ "mmuext", mmuext_operations },
	{ "touch", touch_operations },
	{ "descriptors", descriptor_operations },
	{}
};
