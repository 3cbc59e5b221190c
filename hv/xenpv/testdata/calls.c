/* Answers of hypercalls to good and bad arguments. */
#include "guest.h"

#define PAGE __attribute__((aligned(4096)))
static u64 PAGE data1[512], PAGE data2[512], PAGE l1a[512], PAGE l1b[512], PAGE l2a[512], PAGE l3a[512],
	PAGE l4a[512], PAGE l4b[512], PAGE shared[512], PAGE desc[512], PAGE desc2[512], PAGE ldt[512], PAGE scratch[512];
static u32 pdone;
static u64 bad = 0x7000dead0000;
#define HOLE 0xffff820000000000ul
#define NONCANON 0x8000000000000000ul

static long uvm(void *va, u64 val, u64 flags) { return hc(14, P(va), val, flags, 0, 0); }
static long map(void *p, u64 flags) { return uvm(p, (u64)mfn(p) << 12 | flags, 2); }
static long ro(void *p) { return map(p, 1); }
static long rw(void *p) { return map(p, 3); }
static long mmu1(u64 ptr, u64 val)
{
	u64 req[2] = { ptr, val };
	pdone = 77;
	return hc(1, P(req), 1, P(&pdone), 0x7ff0, 0);
}
static long ext(u32 cmd, u64 a, u64 b)
{
	u64 op[3] = { cmd, a, b };
	pdone = 77;
	return hc(26, P(op), 1, P(&pdone), 0x7ff0, 0);
}
static void callbacks(void)
{
	struct { u16 type, flags; u32 pad; u64 addr; } cb = { 0, 0, 0, 0 };
	show("CB-01 event", (cb.addr = P(on_bp), hc(30, 0, P(&cb), 0, 0, 0)));
	for (int t = 0; t < 10; t++) {
		cb.type = t; cb.flags = 1; cb.addr = 0;
		show("CB-01 register type", hc(30, 0, P(&cb), 0, 0, 0));
		show("CB-01 unregister type", hc(30, 1, P(&cb), 0, 0, 0));
	}
	cb.type = 0; cb.addr = NONCANON;
	show("CB-01 non-canonical", hc(30, 0, P(&cb), 0, 0, 0));
	show("CB-01 bad pointer", hc(30, 0, bad, 0, 0, 0));
	show("CB-01 null pointer", hc(30, 0, 0, 0, 0, 0));
	show("CB-01 unknown cmd", hc(30, 2, P(&cb), 0, 0, 0));
	show("CB-02 non-canonical", hc(4, NONCANON, NONCANON, NONCANON, 0, 0));
	show("CB-13 nmi_op register", hc(28, 0, P((u64[2]){ P(on_bp), 0 }), 0, 0, 0));
	show("CB-13 nmi_op non-canonical", hc(28, 0, P((u64[2]){ NONCANON, 0 }), 0, 0, 0));
	show("CB-13 nmi_op unregister", hc(28, 1, 0, 0, 0, 0));
	show("CB-13 nmi_op unknown", hc(28, 2, 0, 0, 0, 0));
	struct trap t[3] = { { 3, 0, 0, 0, P(on_bp) }, { 5, 0, 0, 0, NONCANON }, { 0 } };
	show("FRAME-17 second entry bad", hc(0, P(t), 0, 0, 0, 0));
	show("FRAME-26 bad pointer", hc(0, bad, 0, 0, 0, 0));
	show("FRAME-26 in Xen's hole", hc(0, HOLE, 0, 0, 0, 0));
	show("FRAME-26 null", hc(0, 0, 0, 0, 0, 0));
	show("stack_switch", hc(3, 0, P(data1), 0, 0, 0));
}

static void numbers(void)
{
	static const u8 nosys[] = { 11, 38, 39, 43, 44, 45, 46, 47, 50, 51, 63, 64, 100, 127 };
	for (u64 i = 0; i < sizeof nosys; i++)
		show("HC-06 number", hc(nosys[i], 0, 0, 0, 0, 0));
	show("HC-06 large number", hc(0x100000000ul, 0, 0, 0, 0, 0));
	show("HC-06 xsm_op", hc(27, 0, 0, 0, 0, 0));
	show("xenpmu_op", hc(40, 0, 0, 0, 0, 0));
	show("xen_version", hc(17, 0, 0, 0, 0, 0));
	show("xen_version features", hc(17, 6, P(data1), 0, 0, 0));
	show("BOOT-13 submap 0", ((u32 *)data1)[1]);
	((u32 *)data1)[0] = 1;
	show("xen_version submap 1", hc(17, 6, P(data1), 0, 0, 0));
	show("xen_version pagesize", hc(17, 7, 0, 0, 0, 0));
	show("xen_version pagesize with pointer", hc(17, 7, P(data1), 0, 0, 0));
	show("xen_version platform", hc(17, 5, P(data1), 0, 0, 0));
	show("xen_version virt_start", data1[0]);
	show("xen_version bad pointer", hc(17, 1, bad, 0, 0, 0));
	show("xen_version unknown", hc(17, 11, P(data1), 0, 0, 0));
	show("xen_version guest handle", hc(17, 8, P(data1), 0, 0, 0));
	show("xen_version extraversion", hc(17, 1, P(data1), 0, 0, 0));
	put((char *)data1, len((char *)data1)); put("\n", 1);
	show("xen_version capabilities", hc(17, 3, P(data1), 0, 0, 0));
	put((char *)data1, len((char *)data1)); put("\n", 1);
	show("xen_version compile_info", hc(17, 2, P(data1), 0, 0, 0));
	for (int i = 0; i < 3; i++) {
		char *f = (char *)data1 + (i == 0 ? 0 : i == 1 ? 64 : 80);
		put(f, len(f)); put("\n", 1);
	}
	show(" length of the date", len((char *)data1 + 112));
	show("xen_version changeset", hc(17, 4, P(data1), 0, 0, 0));
	put((char *)data1, len((char *)data1)); put("\n", 1);
	show("xen_version build_id size", hc(17, 10, 0, 0, 0, 0));
	((u32 *)data1)[0] = 64;
	show("xen_version build_id", hc(17, 10, P(data1), 0, 0, 0));
	((u32 *)data1)[0] = 4;
	show("xen_version build_id too short", hc(17, 10, P(data1), 0, 0, 0));
	((u32 *)data1)[0] = 0;
	show("xen_version build_id 0", hc(17, 10, P(data1), 0, 0, 0));
	show("xen_version commandline", hc(17, 9, P(data2), 0, 0, 0));
	show("console_io bad pointer", hc(18, 0, 1, bad, 0, 0));
	show("console_io unknown", hc(18, 2, 1, P(data1), 0, 0));
	show("console_io read", hc(18, 1, 10, P(data1), 0, 0));
	show("console_io read too much", hc(18, 1, 0x80000000u, P(data1), 0, 0));
	for (int i = 0; i < 8; i++)
		show("MM-17 assist type", hc(21, 0, i, 0, 0, 0));
	show("MM-17 assist 32", hc(21, 1, 32, 0, 0, 0));
	show("MM-17 assist 64", hc(21, 0, 64, 0, 0, 0));
	show("MM-17 assist cmd 2", hc(21, 2, 2, 0, 0, 0));
	for (int i = 0; i < 8; i++) hc(21, 1, i, 0, 0, 0);
	show("fpu_taskswitch", hc(5, 1, 0, 0, 0, 0));
	show("fpu_taskswitch clear", hc(5, 0, 0, 0, 0, 0));
}

static void segments(void)
{
	for (int i = 0; i < 5; i++) {
		show("PRIV-10 base", hc(25, i, 0x1000, 0, 0, 0));
		show("PRIV-10 non-canonical", hc(25, i, NONCANON, 0, 0, 0));
	}
	show("PRIV-10 bad selector", hc(25, 3, 0x1234, 0, 0, 0));
	hc(25, 3, 0, 0, 0, 0); hc(25, 0, 0, 0, 0, 0); hc(25, 1, 0, 0, 0, 0); hc(25, 2, 0, 0, 0, 0);
	u64 f[1] = { mfn(desc) };
	show("SEG-02 page mapped writable", hc(2, P(f), 512, 0, 0, 0));
	desc[1] = 0x00cffa000000fffful & ~(3ul << 45);
	show("MM-10 map read-only", ro(desc));
	show("SEG-01 good", hc(2, P(f), 512, 0, 0, 0));
	show("SEG-03 DPL raised", desc[1]);
	show("SEG-01 7169", hc(2, P(f), 7169, 0, 0, 0));
	show("SEG-01 bad pointer", hc(2, bad, 512, 0, 0, 0));
	f[0] = ~0ul >> 12;
	show("SEG-01 bad frame", hc(2, P(f), 1, 0, 0, 0));
	show("MM-02 map it writable", rw(desc));
	show("SEG-05 update", hc(10, ma(&desc[2]), 0x00cff2000000fffful, 0, 0, 0));
	show("SEG-05 value", desc[2]);
	show("SEG-05 unaligned", hc(10, ma(&desc[2]) + 1, 0, 0, 0, 0));
	show("SEG-03 TSS", hc(10, ma(&desc[3]), 0x0000890000000067ul, 0, 0, 0));
	show("SEG-03 LDT", hc(10, ma(&desc[3]), 0x0000820000000067ul, 0, 0, 0));
	show("SEG-03 interrupt gate", hc(10, ma(&desc[3]), 0x00008e0000000000ul, 0, 0, 0));
	show("SEG-03 not present TSS", hc(10, ma(&desc[3]), 0x0000090000000067ul, 0, 0, 0));
	show("SEG-04 call gate", hc(10, ma(&desc[4]), 0x0000ec0000080000ul, 0, 0, 0));
	show("SEG-04 stored", desc[4]);
	show("SEG-04 call gate to Xen's code", hc(10, ma(&desc[5]), 0x0000ec00e0080000ul, 0, 0, 0));
	show("SEG-04 gate with reserved bits", hc(10, ma(&desc[5]), 0x0000ec0100080000ul, 0, 0, 0));
	show("SEG-05 in a data page", hc(10, ma(&data1[1]), 0x00cff2000000fffful, 0, 0, 0));
	show("SEG-05 in a page table", hc(10, start_info[12] ? 0x1000 : 0, 0, 0, 0, 0));
	desc2[7] = 0x0000890000000067ul;
	ro(desc2);
	f[0] = mfn(desc2);
	show("SEG-02 page with a TSS", hc(2, P(f), 512, 0, 0, 0));
	show("SEG-02 writable again", rw(desc2));
	show("SEG-01 no GDT", hc(2, 0, 0, 0, 0, 0));
	show("MM-14 writable again", rw(desc));
	show("SEG-06 misaligned", ext(13, P(ldt) + 8, 1));
	show("SEG-06 too long", ext(13, P(ldt), 8193));
	show("SEG-06 in the hole", ext(13, HOLE, 1));
	show("SEG-06 good", ext(13, P(ldt), 512));
	show("SEG-06 none", ext(13, 0, 0));
}

static void debugregs(void)
{
	show("DBG-11 dr0", hc(8, 0, P(data1), 0, 0, 0));
	show("DBG-11 dr0 read", hc(9, 0, 0, 0, 0, 0) == (long)P(data1));
	show("DBG-11 dr0 in the hole", hc(8, 0, HOLE, 0, 0, 0));
	show("DBG-11 dr1 non-canonical", hc(8, 1, NONCANON, 0, 0, 0));
	show("DBG-11 dr4", hc(8, 4, 0, 0, 0, 0));
	show("DBG-11 dr5", hc(8, 5, 0x400, 0, 0, 0));
	show("DBG-11 dr8", hc(8, 8, 0, 0, 0, 0));
	show("DBG-11 dr6 high", hc(8, 6, 1ul << 32, 0, 0, 0));
	show("DBG-11 dr6", hc(8, 6, 0x1000, 0, 0, 0));
	show("DBG-11 dr6 read", hc(9, 6, 0, 0, 0, 0));
	show("DBG-11 dr7 GD", hc(8, 7, 1 << 13, 0, 0, 0));
	show("DBG-11 dr7 io", hc(8, 7, 2 << 16 | 1, 0, 0, 0));
	show("DBG-11 dr7 io not enabled", hc(8, 7, 2 << 16, 0, 0, 0));
	show("DBG-11 dr7 io beside another", hc(8, 7, 2 << 16 | 4, 0, 0, 0));
	show("DBG-11 dr7 high", hc(8, 7, 1ul << 32, 0, 0, 0));
	show("DBG-11 dr7", hc(8, 7, 0xdc00, 0, 0, 0));
	show("DBG-11 dr7 read", hc(9, 7, 0, 0, 0, 0));
	show("DBG-11 read 8", hc(9, 8, 0, 0, 0, 0));
	show("DBG-11 read 4", hc(9, 4, 0, 0, 0, 0));
	hc(8, 0, 0, 0, 0, 0);
}

/* The guest never touches its boot tables: it builds small ones of its own. */
static void tables(void)
{
	show("MM-01 pin while writable", ext(0, mfn(l1a), 0));
	l1a[0] = mfn(data1) << 12 | 0x63;
	l1a[1] = mfn(data1) << 12 | 0x67;
	l1a[2] = mfn(data1) << 12 | 0x1;
	l1a[3] = 0x123456789abc0;
	ro(l1a);
	show("MM-07 pin L1", ext(0, mfn(l1a), 0));
	show("MM-07 done", pdone);
	show("MM-04 kernel entry", l1a[0] & ~0xffffffffff000ul);
	show("MM-04 user entry", l1a[1] & ~0xffffffffff000ul);
	show("MM-04 read-only entry", l1a[2] & ~0xffffffffff000ul);
	show("MM-04 absent entry", l1a[3]);
	show("MM-07 pin twice", ext(0, mfn(l1a), 0));
	show("MM-07 pin as L2", ext(1, mfn(l1a), 0));
	show("MM-02 map writable", rw(l1a));
	show("MM-08 normal", mmu1(ma(&l1a[4]), mfn(data2) << 12 | 0x63));
	show("MM-08 done", pdone);
	show("MM-08 stored", l1a[4] & ~0xffffffffff000ul);
	show("MM-08 same again", mmu1(ma(&l1a[4]), l1a[4]));
	show("MM-08 preserve A/D", mmu1(ma(&l1a[4]) | 2, mfn(data2) << 12 | 0x3));
	show("MM-08 stored", l1a[4] & ~0xffffffffff000ul);
	show("MM-08 no translate", mmu1(ma(&l1a[5]) | 3, mfn(data2) << 12 | 0x1));
	for (int c = 4; c < 8; c++) show("MM-08 command", mmu1(ma(&l1a[5]) | c, 0));
	show("MM-08 done", pdone);
	show("MM-03 PSE", mmu1(ma(&l1a[6]), mfn(data2) << 12 | 0x83));
	show("MM-03 PCD", mmu1(ma(&l1a[6]), mfn(data2) << 12 | 0x13));
	show("MM-03 flags stored", l1a[6] & ~0xffffffffff000ul);
	show("MM-03 global", mmu1(ma(&l1a[6]), mfn(data2) << 12 | 0x103));
	show("MM-03 stored", l1a[6] & ~0xffffffffff000ul);
	show("MM-03 high bits", mmu1(ma(&l1a[6]), mfn(data2) << 12 | 0x7ful << 52 | 0x3));
	show("MM-03 stored", l1a[6] & ~0xffffffffff000ul);
	show("MM-13 all ones", mmu1(ma(&l1a[7]), 0xffffffffff000ul | 1));
	show("MM-13 local APIC", mmu1(ma(&l1a[7]), 0xfee00ul << 12 | 3));
	show("MM-13 I/O APIC", mmu1(ma(&l1a[7]), 0xfec00ul << 12 | 3));
	show("MM-13 frame of Xen", mmu1(ma(&l1a[7]), start_info[5] - 0x1000 + 1));
	show("MM-02 a page table writable", mmu1(ma(&l1a[7]), mfn(l1a) << 12 | 3));
	show("MM-02 a page table read-only", mmu1(ma(&l1a[7]), mfn(l1a) << 12 | 1));
	show("MM-09 data page", mmu1(ma(&data2[9]), 0x1234567));
	show("MM-09 stored", data2[9]);
	show("MM-08 bad frame", mmu1(0x7ffffff000ul << 3, 0));
	show("MM-08 machphys", mmu1((mfn(data2) << 12) | 1, (P(data2) - BASE) >> 12));
	u64 five[10] = { ma(&l1a[10]), mfn(data2) << 12 | 1, ma(&l1a[11]), mfn(data2) << 12 | 1, ma(&l1a[12]), mfn(data2) << 12 | 0x81 | 2,
			 ma(&l1a[13]), mfn(data2) << 12 | 1, ma(&l1a[14]), mfn(data2) << 12 | 1 };
	five[5] = mfn(data2) << 12 | 0x2000000000000ul | 1;
	pdone = 0;
	show("MM-08 third of five bad", hc(1, P(five), 5, P(&pdone), 0x7ff0, 0));
	show("MM-08 done", pdone);
	show("MM-08 second stored", l1a[11] != 0);
	show("MM-08 fourth not", l1a[13] == 0);
	show("MM-08 bad pointer", hc(1, bad, 1, 0, 0x7ff0, 0));
	show("MM-08 count 0", hc(1, bad, 0, 0, 0x7ff0, 0));
	show("MM-08 no such domain", hc(1, P(five), 1, 0, 5, 0));
	show("MM-08 foreign tables", hc(1, P(five), 1, 0, 6 << 16 | 0x7ff0, 0));
	show("MM-10 no L1", uvm((void *)0x100000, mfn(data2) << 12 | 1, 0));
	show("MM-10 in the hole", uvm((void *)HOLE, mfn(data2) << 12 | 1, 0));
	show("MM-10 non-canonical", uvm((void *)NONCANON, mfn(data2) << 12 | 1, 0));
	show("MM-10 zero and back", uvm(scratch, 0, 2) | map(scratch, 3));
	show("MM-10 bitmap", uvm(scratch, mfn(scratch) << 12 | 3, P(data1) | 1));
	show("MM-10 bad bitmap", uvm(scratch, mfn(scratch) << 12 | 3, bad | 2));
	show("otherdomain self", hc(22, P(scratch), mfn(scratch) << 12 | 3, 2, 0x7ff0, 0));
	show("otherdomain by own id", hc(22, P(scratch), mfn(scratch) << 12 | 3, 2, 0, 0));
	show("otherdomain 5", hc(22, P(scratch), mfn(scratch) << 12 | 3, 2, 5, 0));

	l2a[0] = mfn(l1a) << 12 | 0x63;
	ro(l2a);
	show("MM-07 pin L2", ext(1, mfn(l2a), 0));
	show("MM-04 L2 entry", l2a[0] & ~0xffffffffff000ul);
	show("MM-03 L2 PSE", mmu1(ma(&l2a[1]), mfn(data2) << 12 | 0x83));
	show("MM-03 L2 global", mmu1(ma(&l2a[1]), mfn(l1a) << 12 | 0x103));
	show("MM-01 L2 to a data page", mmu1(ma(&l2a[1]), mfn(data1) << 12 | 0x63));
	show("MM-15 L2 to itself", mmu1(ma(&l2a[2]), mfn(l2a) << 12 | 0x21));
	show("MM-15 L2 to itself writable", mmu1(ma(&l2a[3]), mfn(l2a) << 12 | 0x23));
	l3a[0] = mfn(l2a) << 12 | 0x63;
	ro(l3a);
	show("MM-07 pin L3", ext(2, mfn(l3a), 0));
	l4a[0] = mfn(l3a) << 12 | 0x43;
	l4a[260] = 0x1234567890;
	ro(l4a);
	show("MM-07 pin L4", ext(3, mfn(l4a), 0));
	show("MM-04 L4 entry", l4a[0] & ~0xffffffffff000ul);
	show("MM-12 slot 260", l4a[260] & ~0xffffffffff000ul);
	show("MM-12 slot 256", l4a[256] & ~0xffffffffff000ul);
	show("MM-12 slot 257", l4a[257] & ~0xffffffffff000ul);
	show("MM-12 slot 271", l4a[271] & ~0xffffffffff000ul);
	show("MM-12 set slot 260", mmu1(ma(&l4a[260]), mfn(l3a) << 12 | 0x63));
	show("MM-12 clear slot 271", mmu1(ma(&l4a[271]), 0));
	show("MM-12 set slot 272", mmu1(ma(&l4a[272]), mfn(l3a) << 12 | 0x63));
	show("MM-15 L4 to itself", mmu1(ma(&l4a[510]), mfn(l4a) << 12 | 0x21));
	show("MM-15 L4 to itself writable", mmu1(ma(&l4a[509]), mfn(l4a) << 12 | 0x23));
	ro(l4b);
	show("MM-07 pin second L4", ext(3, mfn(l4b), 0));
	show("MM-15 L4 to another", mmu1(ma(&l4a[508]), mfn(l4b) << 12 | 0x21));
	show("MM-15 chained", mmu1(ma(&l4b[508]), mfn(l4a) << 12 | 0x21));
	show("MM-15 unlink", mmu1(ma(&l4a[508]), 0));
	show("MM-15 the other way now", mmu1(ma(&l4b[508]), mfn(l4a) << 12 | 0x21));
	show("MM-15 unlink", mmu1(ma(&l4b[508]), 0));
	show("MM-06 user root", ext(15, mfn(l4b), 0));
	show("MM-06 same again", ext(15, mfn(l4b), 0));
	show("MM-25 unpin the user root", ext(4, mfn(l4b), 0));
	show("MM-25 still a table", rw(l4b));
	show("MM-06 user root is an L3", ext(15, mfn(l3a), 0));
	show("MM-06 no user root", ext(15, 0, 0));
	show("MM-25 writable now", rw(l4b));
	l4b[0] = 0;
	show("MM-06 root is data", ext(5, mfn(data1), 0));
	show("MM-06 root all ones", ext(5, ~0ul, 0));
	show("MM-07 unpin L4", ext(4, mfn(l4a), 0));
	show("MM-07 unpin twice", ext(4, mfn(l4a), 0));
	show("MM-07 unpin bad", ext(4, ~0ul, 0));
	show("MM-14 L4 writable", rw(l4a));
	show("MM-25 L3 still pinned", rw(l3a));
	ext(4, mfn(l3a), 0);
	show("MM-14 L3 writable", rw(l3a));
	ext(4, mfn(l2a), 0);
	show("MM-14 L2 writable", rw(l2a));
	show("MM-07 unpin L1", ext(4, mfn(l1a), 0));
	show("MM-14 L1 writable", rw(l1a));
	l1b[0] = mfn(data1) << 12 | 1;
	l1b[1] = mfn(l1b) << 12 | 3;
	ro(l1b);
	show("MM-07 L1 that maps itself writable", ext(0, mfn(l1b), 0));
	show("MM-04 first entry stays adjusted", l1b[0] & ~0xffffffffff000ul);
	show("MM-14 writable again", rw(l1b));
	for (int op = 6; op < 24; op++)
		if (op != 13 && op != 15 && op != 16 && op != 17)
			show("MM-26 op", ext(op, P(scratch), 0));
	show("MM-18 multi", ext(8, 0, P(data1)));
	show("MM-18 multi bad pointer", ext(8, 0, bad));
	show("MM-18 INVLPG of Xen", ext(11, HOLE, 0));
	data2[5] = 5;
	show("MM clear page", ext(16, mfn(data2), 0));
	show("MM cleared", data2[5]);
	data1[5] = 6;
	show("MM copy page", ext(17, mfn(data2), mfn(data1)));
	show("MM copied", data2[5]);
	show("MM-26 bad list", hc(26, bad, 1, 0, 0x7ff0, 0));
	show("MM-26 foreign", hc(26, P(data1), 1, 0, 5, 0));
	show("MM-26 DOMID_IO", hc(26, P(data1), 1, 0, 0x7ff1, 0));
	show("MM-26 count 0", hc(26, bad, 0, 0, 0x7ff0, 0));
}

static void events(void)
{
	u32 a[6] = { 0 };
	uvm(shared, start_info[5] | 0x67, 2);
	u8 *vi = (u8 *)shared;
	show("EVT-01 mask at start", vi[1]);
	vi[1] = 1;
	for (int virq = 0; virq < 26; virq += 1) {
		a[0] = virq; a[1] = 0;
		if (virq < 3 || virq > 22) {
			show("EVT-12 bind virq", hc(32, 1, P(a), 0, 0, 0));
			show("EVT-12 port", a[2]);
		}
	}
	a[0] = 0; a[1] = 0;
	show("EVT-12 twice", hc(32, 1, P(a), 0, 0, 0));
	a[0] = 0; a[1] = 9;
	show("EVT-12 bad vcpu", hc(32, 1, P(a), 0, 0, 0));
	a[0] = 2; a[1] = 1;
	show("EVT-12 global on vcpu 1", hc(32, 1, P(a), 0, 0, 0));
	a[0] = 0;
	show("EVT-13 bind ipi", hc(32, 7, P(a), 0, 0, 0));
	u32 ipi = a[1];
	show("EVT-13 port", ipi);
	a[0] = 9;
	show("EVT-13 bad vcpu", hc(32, 7, P(a), 0, 0, 0));
	u64 word = ((u64 *)vi)[256 + 0];
	a[0] = ipi;
	show("EVT-13 send", hc(32, 4, P(a), 0, 0, 0));
	show("EVT-03 pending bit", ((u64 *)vi)[256] ^ word);
	show("EVT-03 selector", ((u64 *)vi)[1]);
	show("EVT-03 pending byte", vi[0]);
	a[0] = 1;
	show("EVT-13 send on a virq", hc(32, 4, P(a), 0, 0, 0));
	a[0] = 0;
	show("EVT-13 send on 0", hc(32, 4, P(a), 0, 0, 0));
	a[0] = 999;
	show("EVT-13 send on 999", hc(32, 4, P(a), 0, 0, 0));
	a[0] = 5000;
	show("EVT-13 send on 5000", hc(32, 4, P(a), 0, 0, 0));
	((u16 *)a)[0] = 0x7ff0; ((u16 *)a)[1] = 0x7ff0;
	show("EVT alloc unbound", hc(32, 6, P(a), 0, 0, 0));
	u32 ub = a[1];
	show("EVT port", ub);
	a[0] = ub;
	show("EVT-13 send on unbound", hc(32, 4, P(a), 0, 0, 0));
	a[0] = 0x7ff0; a[1] = ub;
	show("EVT bind interdomain", hc(32, 0, P(a), 0, 0, 0));
	u32 inter = a[2];
	show("EVT port", inter);
	for (u32 p = 0; p < 9; p++) {
		a[0] = 0x7ff0; a[1] = p; a[2] = a[3] = a[4] = a[5] = 0;
		show("EVT status", hc(32, 5, P(a), 0, 0, 0));
		show("EVT status is", a[2]);
		show("EVT status vcpu", a[3]);
		show("EVT status more", a[4] & 0xffff);
	}
	a[0] = inter;
	show("EVT close", hc(32, 3, P(a), 0, 0, 0));
	show("EVT close again", hc(32, 3, P(a), 0, 0, 0));
	a[0] = 0x7ff0; a[1] = ub;
	show("EVT status", hc(32, 5, P(a), 0, 0, 0));
	show("EVT status is", a[2]);
	a[0] = ipi; a[1] = 0;
	show("EVT bind ipi port to vcpu", hc(32, 8, P(a), 0, 0, 0));
	a[0] = ub;
	show("EVT bind unbound port to vcpu", hc(32, 8, P(a), 0, 0, 0));
	a[1] = 7;
	show("EVT bind to bad vcpu", hc(32, 8, P(a), 0, 0, 0));
	a[0] = ipi;
	show("EVT unmask", hc(32, 9, P(a), 0, 0, 0));
	a[0] = 700;
	show("EVT unmask 700", hc(32, 9, P(a), 0, 0, 0));
	show("EVT unknown", hc(32, 14, P(a), 0, 0, 0));
	show("EVT bad pointer", hc(32, 4, bad, 0, 0, 0));
	for (int p = 62; p < 66; p++) {
		a[0] = p;
		show("EVT unmask near 64", hc(32, 9, P(a), 0, 0, 0));
		show("EVT send near 64", hc(32, 4, P(a), 0, 0, 0));
		show("EVT close near 64", hc(32, 3, P(a), 0, 0, 0));
	}
	a[0] = 0;
	show("EVT unmask 0", hc(32, 9, P(a), 0, 0, 0));
	a[0] = 0x7ff0;
	show("EVT reset_cont", hc(32, 14, P(a), 0, 0, 0));
	show("EVT unknown", hc(32, 15, P(a), 0, 0, 0));
	u32 compat[8] = { 4, ipi };
	show("EVT compat send", hc(16, P(compat), 0, 0, 0, 0));
	compat[0] = 11;
	show("EVT compat init_control", hc(16, P(compat), 0, 0, 0, 0));
	compat[0] = 55;
	show("EVT compat unknown", hc(16, P(compat), 0, 0, 0, 0));
	a[0] = 0x7ff0;
	show("EVT reset", hc(32, 10, P(a), 0, 0, 0));
	a[0] = 0x7ff0; a[1] = ipi;
	show("EVT status after reset", hc(32, 5, P(a), 0, 0, 0));
	show("EVT status is", a[2]);
}

static void vcpus(void)
{
	u64 a[4] = { 0 };
	show("EVT-15 is_up 0", hc(24, 3, 0, 0, 0, 0));
	show("EVT-15 is_up 1", hc(24, 3, 1, 0, 0, 0));
	show("EVT-15 up 5", hc(24, 1, 5, 0, 0, 0));
	show("EVT-15 up 0", hc(24, 1, 0, 0, 0, 0));
	show("EVT-14 initialise again", hc(24, 0, 0, P(data1), 0, 0));
	show("EVT-14 bad pointer", hc(24, 0, 0, bad, 0, 0));
	show("CB-13 nmi with argument", hc(24, 11, 0, 8, 0, 0));
	show("EVT get_physid", hc(24, 12, 0, P(a), 0, 0));
	a[0] = 999999;
	show("EVT-10 period too short", hc(24, 6, 0, P(a), 0, 0));
	a[0] = 1ul << 63;
	show("EVT-10 period too long", hc(24, 6, 0, P(a), 0, 0));
	show("EVT-10 bad pointer", hc(24, 6, 0, bad, 0, 0));
	show("EVT-10 stop", hc(24, 7, 0, 0, 0, 0));
	a[0] = 1; a[1] = 1;
	show("EVT-11 past and future flag", hc(24, 8, 0, P(a), 0, 0));
	show("EVT-11 bad pointer", hc(24, 8, 0, bad, 0, 0));
	show("EVT-11 stop", hc(24, 9, 0, 0, 0, 0));
	show("EVT runstate", hc(24, 4, 0, P(data1), 0, 0));
	show("EVT runstate is", ((u32 *)data1)[0]);
	show("EVT runstate bad pointer", hc(24, 4, 0, bad, 0, 0));
	a[0] = HOLE;
	show("EVT-18 area in the hole", hc(24, 5, 0, P(a), 0, 0));
	a[0] = P(data2);
	show("EVT-18 area", hc(24, 5, 0, P(a), 0, 0));
	a[0] = P(data2) + 64;
	show("EVT-18 time area", hc(24, 13, 0, P(a), 0, 0));
	show("EVT unknown", hc(24, 14, 0, P(a), 0, 0));
	show("EVT unknown 99", hc(24, 99, 0, P(a), 0, 0));
	a[0] = mfn(scratch); a[1] = 4096 - 56;
	show("EVT-16 crosses the page", hc(24, 10, 0, P(a), 0, 0));
	a[1] = 4;
	show("EVT-16 misaligned", hc(24, 10, 0, P(a), 0, 0));
	a[0] = ~0ul; a[1] = 0;
	show("EVT-16 bad frame", hc(24, 10, 0, P(a), 0, 0));
	a[0] = mfn(scratch); a[1] = 64;
	show("EVT-16 good", hc(24, 10, 0, P(a), 0, 0));
	show("EVT-16 selector all ones", scratch[9]);
	show("EVT-16 pending", ((u8 *)scratch)[64]);
	show("EVT-16 mask kept", ((u8 *)scratch)[65]);
	show("EVT-16 twice", hc(24, 10, 0, P(a), 0, 0));
	show("set_timer_op 0", hc(15, 0, 0, 0, 0, 0));
	show("set_timer_op past", hc(15, 1, 0, 0, 0, 0));
	show("set_timer_op far", hc(15, ~0ul >> 1, 0, 0, 0, 0));
	hc(15, 0, 0, 0, 0, 0);
	struct { u64 ports; u32 n, pad; u64 timeout; } poll = { P(data1), 129, 0, 0 };
	show("EVT-08 129 ports", hc(29, 3, P(&poll), 0, 0, 0));
	poll.ports = HOLE; poll.n = 1;
	show("EVT-08 ports in the hole", hc(29, 3, P(&poll), 0, 0, 0));
	poll.ports = P(data1); ((u32 *)data1)[0] = 0;
	show("EVT-08 port 0", hc(29, 3, P(&poll), 0, 0, 0));
	poll.n = 0; poll.timeout = 1;
	show("EVT-08 timeout in the past", hc(29, 3, P(&poll), 0, 0, 0));
	show("EVT-08 bad pointer", hc(29, 3, bad, 0, 0, 0));
	show("sched yield", hc(29, 0, 0, 0, 0, 0));
	show("sched unknown", hc(29, 8, 0, 0, 0, 0));
	show("sched shutdown bad pointer", hc(29, 2, bad, 0, 0, 0));
	show("sched remote no domain", hc(29, 4, P((u32[2]){ 5, 0 }), 0, 0, 0));
	show("sched watchdog bad id", hc(29, 6, P((u32[2]){ 3, 1000 }), 0, 0, 0));
	show("sched watchdog unused", hc(29, 6, P((u32[2]){ 2, 1000 }), 0, 0, 0));
	show("sched watchdog new", hc(29, 6, P((u32[2]){ 0, 1000 }), 0, 0, 0));
	show("sched watchdog second", hc(29, 6, P((u32[2]){ 0, 1000 }), 0, 0, 0));
	show("sched watchdog third", hc(29, 6, P((u32[2]){ 0, 1000 }), 0, 0, 0));
	show("sched watchdog again", hc(29, 6, P((u32[2]){ 1, 1000 }), 0, 0, 0));
	show("sched watchdog stop", hc(29, 6, P((u32[2]){ 1, 0 }), 0, 0, 0));
	show("sched watchdog stop", hc(29, 6, P((u32[2]){ 2, 0 }), 0, 0, 0));
	show("sched_compat unknown", hc(6, 3, 0, 0, 0, 0));
	show("sched_compat yield", hc(6, 0, 0, 0, 0, 0));
}

struct mc { u64 op, result, args[6]; };

static void memory(void)
{
	u64 r[4] = { P(data1), 1, 0, 0x7ff0 };
	u16 self = 0x7ff0;
	show("memory current = nr_pages", hc(12, 3, P(&self), 0, 0, 0) == (long)start_info[4]);
	u16 other = 5;
	show("memory current of 5", hc(12, 3, P(&other), 0, 0, 0));
	show("memory bad pointer", hc(12, 3, bad, 0, 0, 0));
	show("memory continuation", hc(12, 3 | 64, P(&self), 0, 0, 0));
	show("memory maximum", hc(12, 4, P(&self), 0, 0, 0));
	show("memory machphys_mapping", hc(12, 12, P(data1), 0, 0, 0));
	show("memory v_start", data1[0]);
	show("memory v_end", data1[1]);
	show("memory memory_map", hc(12, 9, P((u64[2]){ 1, P(data1) }), 0, 0, 0));
	show("memory unknown", hc(12, 40, P(data1), 0, 0, 0));
	show("MM-22 decrease, bad pointer", hc(12, 1, bad, 0, 0, 0));
	data1[0] = ~0ul >> 12;
	show("MM-22 decrease, bad frame", hc(12, 1, P(r), 0, 0, 0));
	data1[0] = mfn(l4b);
	show("MM-22 decrease", hc(12, 1, P(r), 0, 0, 0));
	show("MM-22 still mapped", l4b[0]);
	show("MM-22 M2P entry", ((u64 *)0xffff800000000000ul)[mfn(l4b)]);
	uvm(l4b, 0, 2);
	data1[0] = 0x4321;
	show("MM-22 populate", hc(12, 6, P(r), 0, 0, 0));
	show("MM-21 M2P entry", ((u64 *)0xffff800000000000ul)[data1[0]]);
	show("MM-22 populate beyond the maximum", hc(12, 6, P(r), 0, 0, 0));
	r[3] = 5;
	show("MM-22 other domain", hc(12, 6, P(r), 0, 0, 0));
	r[3] = 0x7ff0; r[1] = 0;
	show("MM-22 no extents", hc(12, 6, P(r), 0, 0, 0));
	show("MM-21 m2p[p2m]", ((u64 *)0xffff800000000000ul)[mfn(data2)] == (P(data2) - BASE) >> 12);

	struct mc m[4] = { { 17, 0, { 0 } }, { 13, 0, { P(m), 1 } }, { 63, 0, { 0 } }, { 21, 0, { 0, 99 } } };
	show("HC-11 multicall", hc(13, P(m), 4, 0, 0, 0));
	for (int i = 0; i < 4; i++) show("HC-11 result", m[i].result);
	show("HC-11 bad pointer", hc(13, bad, 1, 0, 0, 0));
	show("HC-11 in the hole", hc(13, HOLE, 1, 0, 0, 0));
	show("HC-11 none", hc(13, bad, 0, 0, 0, 0));

	show("BOOT-15 iopl 4", hc(33, 6, P((u32[1]){ 4 }), 0, 0, 0));
	show("BOOT-15 iopl 1", hc(33, 6, P((u32[1]){ 1 }), 0, 0, 0));
	show("BOOT-15 bad pointer", hc(33, 6, bad, 0, 0, 0));
	show("PRIV-13 bitmap too long", hc(33, 7, P((u64[2]){ P(data1), 65537 }), 0, 0, 0));
	show("PRIV-13 bitmap", hc(33, 7, P((u64[2]){ P(data1), 65536 }), 0, 0, 0));
	show("physdev unknown", hc(33, 60, P(data1), 0, 0, 0));
	show("physdev_compat iopl", hc(19, P((u32[4]){ 6, 0, 0, 0 }), 0, 0, 0, 0));
	show("physdev_compat unknown", hc(19, P((u32[4]){ 60, 0, 0, 0 }), 0, 0, 0, 0));
}

void run(u64 *si)
{
	start_info = si;
	mfn_list = (u64 *)si[13];
	callbacks();
	set_traps();
	numbers();
	segments();
	debugregs();
	tables();
	events();
	vcpus();
	memory();
	put("end\n", 4);
	done();
}
