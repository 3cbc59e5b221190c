/* descriptors.c - descriptor tables, and selectors that are loaded from them. */
#include "random.h"

static bool op_set_gdt(void)
{
	static const u32 counts[] = { 0, 1, 512, 512, 512, 513, 1024, 7168, 7169, 8192, 0xffffffff };
	u32 count = pick(counts);
	u64 frames[16];

	note(" %u", count);
	for (u32 n = 0; n < 16; n++) {
		int p = draw_pool(DESCRIPTORS);

		frames[n] = chance(60) ? pool_frame[p] : chance(60) ? frame_of(own_gdt) : draw_frame();
		if (n * 512 < count && count <= 7168)
			note(" %s", frame_name(frames[n]));
	}
	if (chance(95))
		return note_result("set_gdt", HYPERVISOR_set_gdt(frames, count));
	return note_result("set_gdt", HYPERVISOR_set_gdt((void *)draw_bad_pointer(), count));
}

static bool op_update_descriptor(void)
{
	int p = draw_pool(DESCRIPTORS);
	u64 kind = below(10), d = draw_descriptor(), at;

	if (kind < 4) {
		u32 n = GDT_CHANGED + below(GDT_CHANGED_END - GDT_CHANGED);

		note(" gdt[%u]", n);
		at = frame_of(own_gdt) * PAGE_SIZE + n * 8;
	} else {
		u64 frame = kind < 8 ? pool_frame[p] : draw_frame();
		u32 n = slots[below(SLOTS)];

		/* A root keeps its kernel, and the kernel what it lives by. */
		if (pool_of(frame) < 0 || (pool_want[pool_of(frame)] == L4 && n == 511))
			n = 3;
		if (frame_is_device(frame) || frame == start_info->shared_info / PAGE_SIZE || frame == frame_of(own_gdt))
			frame = pool_frame[p];
		note(" %s[%u]", frame_name(frame), n);
		at = frame * PAGE_SIZE + n * 8;
	}
	if (chance(3))
		at += 1 + below(7);
	note(" +%lx %lx", at & 7, d);
	return note_result("update_descriptor", HYPERVISOR_update_descriptor(at, d));
}

#define CODE(name, text) KERNEL_CODE(name, text "\nud2")
#define BACK "\nxor %ecx, %ecx\nmov %ecx, %"
CODE(load_ds, "mov %eax, %ds" BACK "ds");
CODE(load_es, "mov %eax, %es" BACK "es");
CODE(load_fs, "mov %eax, %fs" BACK "fs");
CODE(load_lar, "xor %ebx, %ebx; lar %eax, %ebx; pushfq; pop %rcx");
CODE(load_lsl, "xor %ebx, %ebx; lsl %eax, %ebx; pushfq; pop %rcx");
CODE(load_verr, "verr %ax; pushfq; pop %rcx");
CODE(load_verw, "verw %ax; pushfq; pop %rcx");

static bool op_load(void)
{
	static const struct { const char *name, *code, *end; bool value; } loads[] = {
#define ROW(name, value) { #name, load_##name, load_##name##_end, value }
		ROW(ds, false), ROW(es, false), ROW(fs, false), ROW(lar, true), ROW(lsl, true),
		ROW(verr, true), ROW(verw, true),
#undef ROW
	};
	typeof(&loads[0]) l = &pick(loads);
	struct start s = kernel_code(l->code);
	static const u16 indexes[] = { 0, 1, 2, 3, 8, 16, 17, 18, 19, 20, 255, 300, 511, 512, 7167, 7168, 0x1c04, 0x1c05, 0x1c06, 8191 };
	u16 selector = pick(indexes) << 3 | (chance(35) ? 4 : 0) | (chance(70) ? 3 : below(4));

	s.gpr[RAX] = selector;
	note(" %x", selector);
	if (!run_code(l->name, &s, l->end, 0))
		return false;
	if (l->value)
		note(" %lx ZF %u", seen[0].gpr[RBX], !!(seen[0].gpr[RCX] & FLAG_ZF));
	return true;
}

const struct operation descriptor_operations[] = {
	{ "set_gdt", 4, op_set_gdt },
	{ "update_descriptor", 6, op_update_descriptor },
	{ "load selector", 6, op_load },
	{}
};
