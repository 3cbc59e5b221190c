/* families.c - the families of operations; a new one is a file and a row here. */
#include "random.h"

extern const struct operation table_operations[], mmuext_operations[], touch_operations[], descriptor_operations[];
extern const struct operation event_operations[], host_operations[], tool_operations[], own_operations[], memory_operations[];
void events_reset(void), events_digest(void), host_reset(void), tool_reset(void), memory_reset(void);
extern const struct operation grant_operations[], priv_operations[], trap_operations[], return_operations[];
void grant_reset(void), grant_digest(void);

const struct family families[] = {
	{ "tables", table_operations },
	{ "mmuext", mmuext_operations },
	{ "touch", touch_operations },
	{ "descriptors", descriptor_operations },
	{ "events", event_operations, events_reset, events_digest },
	{ "host", host_operations, host_reset },
	{ "tool", tool_operations, tool_reset },
	{ "own", own_operations },
	{ "memory", memory_operations, memory_reset },
	{ "priv", priv_operations },
	{ "traps", trap_operations },
	{ "returns", return_operations },
	{ "grant", grant_operations, grant_reset, grant_digest },
	{}
};
