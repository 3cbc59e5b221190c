/* frames.c - frames by role: their numbers differ from machine to machine. */
#include "random.h"

struct role { const char *name; enum frame_kind kind; u64 frame; };
static struct role roles[40];
static u32 role_count;

/* Frames known by number, in an open hash: pool pages and roles. */
#define BUCKETS	256
static struct { u64 frame; u16 key; } known[BUCKETS];	/* key: 1 + pool page, or 100 + role */
#define ROLE_KEY	100
#define FAR_KEY		1000		/* the same number on any machine */
#define OTHER_KEY	999

static void remember(u64 frame, u16 key)
{
	u32 at = frame % BUCKETS;

	while (known[at].key)
		at = (at + 1) % BUCKETS;
	known[at].frame = frame;
	known[at].key = key;
}

static u16 key_of(u64 frame)
{
	for (u32 at = frame % BUCKETS; known[at].key; at = (at + 1) % BUCKETS)
		if (known[at].frame == frame)
			return known[at].key;
	return frame >= FAR ? FAR_KEY : OTHER_KEY;
}

int pool_of(u64 mfn)
{
	u16 key = key_of(mfn);

	return key && key < ROLE_KEY ? key - 1 : -1;
}

static void add_role(const char *name, enum frame_kind kind, u64 frame)
{
	if (key_of(frame) == OTHER_KEY || key_of(frame) == FAR_KEY)
		remember(frame, ROLE_KEY + role_count);		/* else it has a name already */
	roles[role_count++] = (struct role){ name, kind, frame };
}

const char *frame_name(u64 mfn)
{
	static char names[4][24];
	static u32 turn;
	char *name = names[turn++ % 4];
	u16 key = key_of(mfn);

	if (key < ROLE_KEY) {
		u32 n = 0, p = key - 1;

		name[n++] = 'p';
		if (p > 9)
			name[n++] = '0' + p / 10;
		name[n++] = '0' + p % 10;
		name[n] = 0;
		return name;
	}
	if (key == FAR_KEY) {
		u32 n = 0;

		name[n++] = '#';
		for (int shift = 48; shift >= 0; shift -= 4)
			name[n++] = "0123456789abcdef"[mfn >> shift & 15];
		name[n] = 0;
		return name;
	}
	return key == OTHER_KEY ? "other" : roles[key - ROLE_KEY].name;
}

/* A and D are the processor's, and depend on when it forgets a translation. They
   outlive the entry when an update preserves them. */
#define UNSEEN	(PTE_A | PTE_D)

u64 entry_key(u64 e)
{
	u64 frame = (e & PTE_FRAME) / PAGE_SIZE;
	u16 key = key_of(frame);

	e &= ~UNSEEN;
	return (key == FAR_KEY ? e : e & ~PTE_FRAME) ^ (u64)key << 16;
}

void note_entry(u64 e)
{
	if (!e)
		note("0");
	else
		note("%s|%lx", frame_name((e & PTE_FRAME) / PAGE_SIZE), e & ~(PTE_FRAME | UNSEEN));
}

bool frame_is_device(u64 mfn)
{
	u16 key = key_of(mfn);

	if (key < ROLE_KEY)
		return false;
	return key >= OTHER_KEY || roles[key - ROLE_KEY].kind >= FRAME_DEVICE;
}

/* For reading. */
void frames_show(void)
{
	for (u32 i = 0; i < role_count; i++)
		print("    role %s frame %lx\n", roles[i].name, roles[i].frame);
}

static u64 frame_at(u64 entry)
{
	return (entry & PTE_FRAME) / PAGE_SIZE;
}

/* One page of the domain's is given up, so that a frame is nobody's. */
static u64 free_frame(void)
{
	static u8 page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	u64 mfn = frame_of(page);
	struct { u64 *extents, count; u32 order, flags; u16 domain; } args = { &mfn, 1, 0, 0, DOMID_SELF };

	if (page_set((u64)page, 0) < 0 ||
	    hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, (u64)&args, 0, 0, 0) != 1)
		panic("no page could be given up");
	return mfn;
}

void frames_init(void)
{
	struct { u32 max, pad; u64 *extents; u32 count, pad2; } m2p = { 1, 0, NULL, 0, 0 };
	static u64 m2p_frame;
	u64 end = hypercall(__HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0, 0, 0);
	const u64 *l4 = (const u64 *)start_info->pt_base;

	for (u32 p = 0; p < POOL; p++)
		remember(pool_frame[p], 1 + p);
	m2p.extents = &m2p_frame;
	if (hypercall(__HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, (u64)&m2p, 0, 0, 0) < 0)
		panic("machphys_mfn_list was refused");
	add_role("root", FRAME_TABLE, root_frame);
	add_role("user-root", FRAME_TABLE, user_root_frame);
	add_role("kernel-l3", FRAME_TABLE, frame_at(l4[511]));
	add_role("user-l3", FRAME_TABLE, frame_at(l4[0]));
	add_role("gdt", FRAME_TABLE, frame_of(own_gdt));
	add_role("start-info", FRAME_TABLE, start_info_frame);
	add_role("shared-info", FRAME_XEN, start_info->shared_info / PAGE_SIZE);
	add_role("m2p", FRAME_XEN, m2p_frame);
	add_role("per-domain-l3", FRAME_XEN, frame_at(l4[260]));
	add_role("xen-l3", FRAME_XEN, frame_at(l4[261]));
	add_role("free", FRAME_FREE, free_frame());
	add_role("end", FRAME_BEYOND, end + 1);
	add_role("frame-0", FRAME_DEVICE, 0);
	add_role("vga", FRAME_DEVICE, 0xb8);
	add_role("pci-hole", FRAME_DEVICE, 0xe0000);
	add_role("ioapic", FRAME_DEVICE, 0xfec00);
	add_role("apic", FRAME_DEVICE, 0xfee00);
	add_role("high-device", FRAME_DEVICE, 0xffffff);
	add_role("far", FRAME_BEYOND, 1UL << 30);
	add_role("far-end", FRAME_BEYOND, (1UL << 40) - 1);
}

u64 random_frame_of(enum frame_kind kind)
{
	u32 n = 0;

	if (kind == FRAME_POOL)
		return pool_frame[below(POOL)];
	for (u32 i = 0; i < role_count; i++)
		n += roles[i].kind == kind;
	n = below(n);
	for (u32 i = 0; i < role_count; i++)
		if (roles[i].kind == kind && !n--)
			return roles[i].frame;
	return 0;
}

u64 draw_other_frame(void)
{
	return chance(85) ? random_frame_of(1 + below(FRAME_KINDS - 1)) : FAR | (draw() & (FAR - 1)) | below(1 << 12) << 28;
}

u64 draw_frame(void)
{
	return chance(80) ? pool_frame[below(POOL)] : draw_other_frame();
}

u64 draw_foreign_frame(void)
{
	u64 frame;

	do
		frame = draw_other_frame();
	while (frame == start_info->shared_info / PAGE_SIZE || frame == start_info_frame ||
	       frame == frame_of(own_gdt));
	return frame;
}
