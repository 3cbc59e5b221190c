/* A domU that grants a page to domain 0: "ping" in it, an answer waited for, the
   grant revoked once nobody uses it. It ends with poweroff if all came about,
   else with a crash. */
#include "guest.h"

#define REF	8
#define READING	8
#define WRITING	16

static char shared[4096] __attribute__((aligned(4096)));
static char table[4096] __attribute__((aligned(4096)));

static int starts(const volatile char *s, const char *with)
{
	for (; *with; s++, with++)
		if (*s != *with)
			return 0;
	return 1;
}

static void end(u32 reason)
{
	hc(29, 2, P(&reason), 0, 0, 0);
}

void run(u64 *si)
{
	struct { u16 dom; u32 frames; short status; u64 list; } setup = { 0x7ff0, 1, 77, 0 };
	volatile struct { u16 flags, domid; u32 frame; } *entry = (void *)table;
	volatile char *page = shared;
	u64 frame = 0;

	start_info = si;
	mfn_list = (u64 *)si[13];
	setup.list = P(&frame);
	if (hc(20, 2, P(&setup), 1, 0, 0) || setup.status)
		end(3);
	if (hc(14, P(table), frame << 12 | 0x63, 2, 0, 0))
		end(3);
	for (u64 i = 0; i < 5; i++)
		page[i] = "ping"[i];
	entry[REF].frame = mfn(shared);
	entry[REF].domid = 0;
	asm volatile("" : : : "memory");
	entry[REF].flags = 1;
	while (!starts(page, "pong"))
		hc(29, 0, 0, 0, 0, 0);		/* yield */
	while (entry[REF].flags & (READING | WRITING))
		hc(29, 0, 0, 0, 0, 0);
	entry[REF].flags = 0;
	end(0);
}
