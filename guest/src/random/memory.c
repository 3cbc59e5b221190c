/* memory.c - memory_op: reservations, exchanges, maps, and what a PV domain is
   refused. Frames that come and go are no other operation's: each of these gives
   back what it got. */
#include "random.h"

#define HYP_MEMORY_OP	__HYPERVISOR_memory_op
#define EXTRA		8

enum { INCREASE, DECREASE, MAXIMUM_RAM_PAGE, CURRENT, MAXIMUM, MACHPHYS_LIST, POPULATE, ADD_TO_PHYSMAP, MEMORY_MAP = 9,
       MACHINE_MAP, EXCHANGE, MACHPHYS_MAPPING, SET_MAP, MAXIMUM_GPFN, CLAIM = 24, OPERATIONS = 32 };

static const char *const names[OPERATIONS] = {
	"memory_op increase_reservation", "memory_op decrease_reservation", "memory_op maximum_ram_page",
	"memory_op current_reservation", "memory_op maximum_reservation", "memory_op machphys_mfn_list",
	"memory_op populate_physmap", "memory_op add_to_physmap", "memory_op 8", "memory_op memory_map",
	"memory_op machine_memory_map", "memory_op exchange", "memory_op machphys_mapping",
	"memory_op set_memory_map", "memory_op maximum_gpfn", "memory_op remove_from_physmap",
	"memory_op set_pod_target", "memory_op get_pod_target", "memory_op get_sharing_freed_pages",
	"memory_op get_sharing_shared_pages", "memory_op paging_op", "memory_op access_op", "memory_op sharing_op",
	"memory_op add_to_physmap_batch", "memory_op claim_pages", "memory_op machphys_compat_mfn_list",
	"memory_op get_vnumainfo", "memory_op reserved_device_memory_map", "memory_op acquire_resource",
	"memory_op 29", "memory_op 30", "memory_op 31",
};

struct reservation { u64 list, n; u32 order, flags; u16 domain; };
struct exchange { struct reservation in, out; u64 done; };

static const u64 *const m2p = (const u64 *)M2P_START;

static u16 draw_domain(void)
{
	static const u16 others[] = { 0, 1, 5, DOMID_IO, DOMID_XEN, DOMID_COW, DOMID_INVALID, 0xffff };
	u16 id = chance(90) ? DOMID_SELF : pick(others);

	if (id != DOMID_SELF)
		note(" domain %x", id);
	return id;
}

/* mem_flags: addresses of a width, a node, on demand. */
static u32 draw_flags(void)
{
	static const u32 flags[] = { 1, 12, 13, 20, 60, 255, 1 << 8, 2 << 8, 64 << 8, 65 << 8, 1 << 17, 0x100 | 1 << 17,
		0x200 | 1 << 17, 1 << 16, 1 << 18, 0xfff00000 };
	u32 f = chance(70) ? 0 : pick(flags) | (chance(20) ? pick(flags) & ~0xffU : 0);

	if (f)
		note(" flags %x", f);
	return f;
}

static u32 draw_order(void)
{
	static const u32 large[] = { 19, 31, 32, 63, 64, 0xffffffff };

	return chance(60) ? 0 : chance(80) ? below(4) : pick(large);
}

static long reserve(u32 cmd, u64 *list, u64 n, u32 order)
{
	struct reservation r = { (u64)list, n, order, 0, DOMID_SELF };

	return hypercall(HYP_MEMORY_OP, cmd, (u64)&r, 0, 0, 0);
}

static void give_up(u64 *list, u64 n, u32 order)
{
	if (n && reserve(DECREASE, list, n, order) != (long)n)
		panic("frames could not be given up");
}

static u64 free_frame;			/* has a name in other operations, and stays nobody's */

/* Frames of no page of the kernel's. */
static bool extra_frames(u64 *list, u64 n, u32 order)
{
	u64 kept = 0;
	bool keep = false;

	for (u64 i = 0; i < n; i++) {
		if (reserve(INCREASE, &list[i], 1, order) != 1) {
			give_up(list, i, order);
			return false;
		}
		for (u64 k = 0; k < 1UL << order; k++)
			if (list[i] + k == free_frame) {
				keep = true;
				kept = list[i--];
				break;
			}
	}
	if (keep)
		give_up(&kept, 1, order);
	return true;
}

/* The first extent to be done, in the command. */
static u64 draw_start(void)
{
	static const u64 starts[] = { 1, 2, 3, 1 << 16, 1UL << 26, 1UL << 58 };
	u64 s = chance(92) ? 0 : pick(starts);

	if (s)
		note(" from %lx", s);
	return s << 6;
}

/* Frames that decrease_reservation refuses: a page of the kernel's it would take. */
static u64 draw_refused(void)
{
	static const enum frame_kind kinds[] = { FRAME_FREE, FRAME_DEVICE, FRAME_BEYOND };

	return random_frame_of(pick(kinds));
}

static bool op_reservation(void)
{
	static const u8 commands[] = { INCREASE, DECREASE, POPULATE };
	static u64 list[EXTRA], own[EXTRA];
	u32 cmd = pick(commands), bad = 99;
	struct reservation r = { (u64)list, chance(90) ? below(EXTRA) : draw_word() | 1UL << 40, 0, 0, 0 };
	bool in_list, refused;
	u64 start, n;
	long done;

	note(" %s", names[cmd] + sizeof("memory_op"));
	r.order = draw_order();
	n = r.n <= EXTRA ? r.n : EXTRA;
	if (cmd == DECREASE) {
		if (r.order > 3)
			n = 0;
		if (!extra_frames(own, n, r.order)) {
			note(" no frames");
			return false;
		}
		memcpy(list, own, sizeof(list));
		if (n && chance(30)) {
			bad = below(n);
			list[bad] = draw_refused();
			note(" [%u] %s", bad, frame_name(list[bad]));
		}
	} else {
		for (u32 i = 0; i < EXTRA; i++)
			list[i] = chance(80) ? start_info->nr_pages + below(64) : draw_word();
	}
	note(" %lx of order %x", r.n, r.order);
	r.flags = draw_flags();
	r.domain = draw_domain();
	start = draw_start();
	if (chance(5)) {
		r.list = draw_bad_pointer();
		note(" list %lx", r.list);
	}
	in_list = r.list == (u64)list;
	refused = (start >> 6) >= r.n;
	done = hypercall(HYP_MEMORY_OP, cmd | start, (u64)&r, 0, 0, 0);
	/* Beyond the first extent, the answer is what was done. */
	if (cmd == DECREASE) {
		u64 first = start >> 6 <= n ? start >> 6 : n, last = !in_list || refused ? first : (u64)done;

		if (last > n)
			last = n;
		/* An extent of which a part was bad is gone as far as that. */
		for (u64 i = 0; i < n; i++)
			if (i < first || i >= last)
				give_up(&own[i], 1, r.order);
	} else if (!refused && done > (long)(start >> 6)) {
		if (!in_list && r.list)
			panic("frames without a list");
		if (in_list)
			give_up(list + (start >> 6), done - (start >> 6), r.order);
	}
	note_count(names[cmd], done > (long)(start >> 6) ? 0 : 1);
	note(" = %ld", done);
	return done > (long)(start >> 6);
}

/* A word of the list may be bad, a frame mapped; counts may not match. */
static bool op_exchange(void)
{
	static u64 in[EXTRA], own[EXTRA], out[EXTRA], pages[EXTRA];
	struct exchange x = { { (u64)in, 0, 0, 0, 0 }, { (u64)out, 0, 0, 0, 0 }, 0 };
	u32 order = chance(70) ? 0 : below(3), chunk;
	u64 frames, n, new_n, before, first, start;
	long r;

	x.in.order = order;
	x.out.order = chance(70) ? order : below(3);
	chunk = x.out.order > order ? x.out.order - order : 0;
	frames = 1UL << (order > x.out.order ? order : x.out.order);
	frames *= 1 + below(2);
	x.in.n = n = frames >> order;
	x.out.n = new_n = frames >> x.out.order;
	if (!extra_frames(own, n, order)) {
		note(" no frames");
		return false;
	}
	memcpy(in, own, sizeof(in));
	for (u32 i = 0; i < EXTRA; i++)
		out[i] = pages[i] = start_info->nr_pages + 64 + i * 4;
	note(" %lu of order %u for %lu of order %u", n, order, new_n, x.out.order);
	x.in.domain = x.out.domain = draw_domain();
	x.out.flags = draw_flags();
	if (chance(10)) {
		x.done = below(n + 2);
		note(" done %lu", x.done);
	}
	before = x.done;
	first = before >> chunk << chunk;
	if (chance(15)) {
		u32 i = below(n);

		in[i] = chance(30) ? in[0] : draw_other_frame();
		note(" in[%u] %s", i, in[i] == in[0] ? "the first" : frame_name(in[i]));
	}
	if (chance(15)) {
		u32 mapped = below(n);

		note(" in[%u] mapped", mapped);
		page_set(area_address(PROBE_SLOT), own[mapped] * PAGE_SIZE | POOL_READONLY);
	}
	if (chance(5)) {
		x.out.n++;
		note(" one more");
	}
	if (chance(3)) {
		x.out.order = x.in.order = 19;
		note(" of order 19");
	}
	if (chance(4)) {
		x.out.domain ^= 1;
		note(" of two domains");
	}
	if (chance(4)) {
		x.in.list = draw_bad_pointer();
		note(" in at %lx", x.in.list);
	}
	start = draw_start();
	r = hypercall(HYP_MEMORY_OP, EXCHANGE | start, (u64)&x, 0, 0, 0);
	page_set(area_address(PROBE_SLOT), 0);
	note(" done %lu", x.done);
	for (u64 i = 0; i < new_n; i++)
		if (out[i] != pages[i]) {
			if (m2p[out[i]] != pages[i])
				note(" out[%lu] is at %lx", i, m2p[out[i]]);
			give_up(&out[i], 1, x.out.order);
		}
	/* Those that were not exchanged are still ours. */
	for (u64 i = 0; i < n; i++) {
		bool gone = false;

		for (u64 k = first; x.done > before && k < x.done; k++)
			gone |= in[k] == own[i];
		if (!gone)
			give_up(&own[i], 1, order);
	}
	return note_result(names[EXCHANGE], r);
}

/* The others, with words as their arguments: none has an effect that stays. */
static bool op_others(void)
{
	static u64 answer[64];
	u16 words[20] = { 0 };
	u64 *wide = (u64 *)words, at = chance(94) ? (u64)words : draw_bad_pointer(), start;
	u32 cmd = below(OPERATIONS);
	long r;

	if (cmd == INCREASE || cmd == DECREASE || cmd == POPULATE || cmd == EXCHANGE)
		cmd = CURRENT;
	note(" %s", names[cmd] + sizeof("memory_op"));
	switch (cmd) {
	case MACHPHYS_LIST: case MEMORY_MAP: case MACHINE_MAP:
		wide[0] = below(4);
		wide[1] = chance(90) ? (u64)answer : draw_bad_pointer();
		note(" %lu at %s", wide[0], wide[1] == (u64)answer ? "a good place" : "a bad one");
		break;
	case MACHPHYS_MAPPING:
		break;
	case SET_MAP:
		words[0] = draw_domain();
		wide[1] = chance(80) ? below(3) : 1000 + below(40);
		wide[2] = wide[1] < 3 ? (u64)answer : draw_bad_pointer();
		note(" %lu", wide[1]);
		break;
	default:
		for (u32 i = 0; i < ARRAY_LEN(words); i++)
			words[i] = chance(85) ? 0 : chance(50) ? below(8) : (u16)draw_word();
		if (chance(60))
			words[cmd == CLAIM ? 12 : cmd == 21 ? 1 : cmd == 16 || cmd == 17 ? 16 : 0] = draw_domain();
		for (u32 i = 0; i < ARRAY_LEN(words); i++)
			if (words[i])
				note(" %u:%x", i, words[i]);
		if (cmd == CLAIM && (words[4] > 16 || words[5]))
			words[6] |= 0x1000;	/* how much memory there is differs */
		if (cmd == 27)
			words[4] = words[5] = words[6] = words[7] = 0;	/* where the answer goes */
	}
	if (at != (u64)words)
		note(" at %lx", at);
	start = draw_start();
	r = hypercall(HYP_MEMORY_OP, cmd | start, at, 0, 0, 0);
	if (cmd == MEMORY_MAP && r == 0 && at == (u64)words)
		note(" gives %lu", wide[0]);
	return note_errno(names[cmd], r);
}

const struct operation memory_operations[] = {
	{ "reservation", 2, op_reservation },
	{ "exchange", 2, op_exchange },
	{ "memory_op", 3, op_others },
	{}
};

void memory_reset(void)
{
	struct { u64 domain, n, list; } none = { DOMID_SELF, 0, 0 };
	struct reservation claim = { 0, 0, 0, 0, 0 };

	if (!free_frame)
		free_frame = random_frame_of(FRAME_FREE);
	hypercall(HYP_MEMORY_OP, SET_MAP, (u64)&none, 0, 0, 0);
	hypercall(HYP_MEMORY_OP, CLAIM, (u64)&claim, 0, 0, 0);
}
