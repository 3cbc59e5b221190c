package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// MOV Sreg, AX: 8e /r.
var movSreg = map[int]string{x86.ES: "8e c0", x86.SS: "8e d0", x86.DS: "8e d8", x86.FS: "8e e0", x86.GS: "8e e8"}

func TestSegmentLoad(t *testing.T) {
	np := func(sel uint32) x86.Fault { return x86.WithCode(x86.VectorNP, sel) }
	ss := func(sel uint32) x86.Fault { return x86.WithCode(x86.VectorSS, sel) }
	for _, tc := range []struct {
		name string
		mode func(*box, uint8)
		cpl  uint8
		seg  int
		sel  uint16
		want x86.Fault
	}{
		{"data", (*box).long, 0, x86.DS, selData0, noFault},
		{"data of an outer level", (*box).long, 0, x86.DS, selData3, noFault},
		{"data of an inner level", (*box).long, 3, x86.DS, selData0, gp(selData0)},
		{"RPL weaker than DPL", (*box).long, 0, x86.DS, selData0 | 3, gp(selData0)},
		{"readable code", (*box).long, 3, x86.ES, selCode32U, noFault},
		{"execute-only code", (*box).long, 3, x86.ES, selExec3, gp(selExec3 &^ 3)},
		{"conforming code of an inner level", (*box).long, 3, x86.FS, selConform, noFault},
		{"system descriptor", (*box).long, 0, x86.GS, selTSS, gp(selTSS)},
		{"not present", (*box).long, 3, x86.DS, selNoData3, np(selNoData3 &^ 3)},
		{"privilege before presence", (*box).long, 3, x86.DS, selNoData0, gp(selNoData0)},
		{"beyond the limit of the GDT", (*box).long, 0, x86.DS, gdtEnd, gp(gdtEnd)},
		{"in the LDT", (*box).long, 3, x86.DS, selInLDT, noFault},
		{"beyond the limit of the LDT", (*box).long, 3, x86.DS, 0x107, gp(0x104)},
		{"null", (*box).long, 3, x86.DS, 3, noFault},
		{"stack", (*box).long, 3, x86.SS, selData3, noFault},
		{"stack: RPL differs from CPL", (*box).long, 0, x86.SS, selData3, gp(selData3 &^ 3)},
		{"stack: DPL differs from CPL", (*box).long, 0, x86.SS, selData3 &^ 3, gp(selData3 &^ 3)},
		{"stack: read-only", (*box).long, 0, x86.SS, selRO0, gp(selRO0)},
		{"stack: code", (*box).long, 0, x86.SS, selCode64, gp(selCode64)},
		{"stack: not present", (*box).long, 3, x86.SS, selNoData3, ss(selNoData3 &^ 3)},
		{"stack: null in 64-bit kernel code", (*box).long, 0, x86.SS, 0, noFault},
		{"stack: null with RPL 1 at level 0", (*box).long, 0, x86.SS, 1, gp(0)},
		{"stack: null in user code", (*box).long, 3, x86.SS, 3, gp(0)},
		{"stack: null in compatibility mode", (*box).compat, 0, x86.SS, 0, gp(0)},
		{"data in protected mode", (*box).legacy, 0, x86.DS, selData3, noFault},
		{"stack: null in protected mode", (*box).legacy, 0, x86.SS, 0, gp(0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			tc.mode(b, tc.cpl)
			b.code(movSreg[tc.seg])
			b.R[x86.RAX] = uint64(tc.sel)
			old := b.Seg[tc.seg]
			if got := b.step1(); got != tc.want {
				t.Fatalf("fault %v, want %v", got, tc.want)
			}
			s := b.Seg[tc.seg]
			if tc.want.Valid {
				if s != old || b.RIP != boxCode {
					t.Errorf("state changed by a fault: %+v, rip %#x", s, b.RIP)
				}
				return
			}
			if s.Sel != tc.sel || b.RIP != boxCode+2 {
				t.Errorf("selector %#x, rip %#x", s.Sel, b.RIP)
			}
			if usable := s.Attr&x86.AttrP != 0; usable != (tc.sel&^3 != 0) {
				t.Errorf("usable %v", usable)
			}
		})
	}
}

func TestAccessedBit(t *testing.T) {
	b := newBox(t, Intel)
	for _, seg := range []int{x86.DS, x86.SS} {
		b.gdt(selData0, desc(0, 0xfffff, dData))
		b.code(movSreg[seg])
		b.R[x86.RAX] = selData0
		if f := b.step1(); f.Valid {
			t.Fatal(f)
		}
		if d := b.get64(boxGDT + selData0); d>>40&1 == 0 {
			t.Errorf("%s: accessed bit of the descriptor not set: %#x", x86.SegNames[seg], d)
		}
	}
	// A GDT on a read-only page: the write of the bit faults, the load has
	// not happened.
	b.gdt(selData0, desc(0, 0xfffff, dData))
	b.mapPage(boxGDT, boxGDT, pteP|pteU)
	b.FlushTLB()
	b.set(x86.DS, 0)
	b.code(movSreg[x86.DS])
	want := x86.PageFault(x86.PFPresent|x86.PFWrite, boxGDT+selData0+5)
	if f := b.step1(); f != want || b.Seg[x86.DS].Sel != 0 {
		t.Errorf("read-only GDT: %v at %#x, DS %#x", f, f.Addr, b.Seg[x86.DS].Sel)
	}
}

// An unmapped descriptor table is a supervisor access, whatever the CPL.
func TestDescriptorPageFault(t *testing.T) {
	b := newBox(t, Intel)
	b.mapPage(boxGDT, boxGDT, 0)
	b.long(3)
	b.code(movSreg[x86.DS])
	b.R[x86.RAX] = selData3
	if f, want := b.step1(), x86.PageFault(0, boxGDT+selData3&^7); f != want {
		t.Errorf("%v at %#x, want %v at %#x", f, f.Addr, want, want.Addr)
	}
}

func TestNullSelectorBase(t *testing.T) {
	for _, tc := range []struct {
		v    Vendor
		want uint64
	}{{Intel, 0}, {AMD, 0x12345000}} {
		b := newBox(t, tc.v)
		b.Seg[x86.FS].Base = 0x12345000
		b.code("8e e0") // mov %eax,%fs with eax = 0
		b.R[x86.RAX] = 0
		b.step1()
		if got := b.Seg[x86.FS].Base; got != tc.want {
			t.Errorf("vendor %d: base %#x after a null selector, want %#x", tc.v, got, tc.want)
		}
	}
}

func TestSegmentStackForms(t *testing.T) {
	b := newBox(t, Intel)
	b.put64(boxStack-8, ^uint64(0))
	b.code("0f a0 0f a9") // push %fs; pop %gs
	b.set(x86.FS, selData3)
	b.step1()
	if got := b.get64(boxStack - 8); got != selData3 || b.R[x86.RSP] != boxStack-8 {
		t.Errorf("push %%fs stored %#x at rsp %#x", got, b.R[x86.RSP])
	}
	b.step1()
	if b.Seg[x86.GS].Sel != selData3 || b.R[x86.RSP] != boxStack {
		t.Errorf("pop %%gs: %#x, rsp %#x", b.Seg[x86.GS].Sel, b.R[x86.RSP])
	}
	// A 32-bit push writes the low word only on Intel; AMD writes zeros.
	for v, want := range map[Vendor]uint64{Intel: 0xffff0010, AMD: 0x10} {
		b := newBox(t, v)
		b.legacy(0)
		b.put64(boxStack-4, 0xffffffff)
		b.code("1e") // push %ds
		b.step1()
		if got := b.get64(boxStack-4) & 0xffffffff; got != want {
			t.Errorf("vendor %d: push %%ds stored %#x, want %#x", v, got, want)
		}
	}
	b = newBox(t, Intel)
	b.put(boxData, "44 33 22 11 2b 00")
	b.code("0f b4 0c 25 00 00 03 00") // lfs 0x30000,%ecx
	if f := b.step1(); f.Valid || b.R[x86.RCX] != 0x11223344 || b.Seg[x86.FS].Sel != selData3 {
		t.Errorf("lfs: %v, rcx %#x, fs %#x", f, b.R[x86.RCX], b.Seg[x86.FS].Sel)
	}
}

func TestInspectDescriptors(t *testing.T) {
	type result struct {
		zf  bool
		val uint64
	}
	for _, tc := range []struct {
		name string
		op   string // with source %ax, destination %ecx
		cpl  uint8
		sel  uint16
		want result
	}{
		{"lar: data", "0f 02 c8", 0, selData0, result{true, 0x00c09200}},
		{"lar: inner level", "0f 02 c8", 3, selData0, result{false, 0xaaaa}},
		{"lar: conforming", "0f 02 c8", 3, selConform, result{true, 0x00a09e00}},
		{"lar: TSS", "0f 02 c8", 0, selTSS, result{true, 0x00008900}},
		{"lar: call gate", "0f 02 c8", 3, selGate, result{true, 0x0000ec00}},
		{"lar: null", "0f 02 c8", 0, 0, result{false, 0xaaaa}},
		{"lar: not present", "0f 02 c8", 3, selNoData3, result{true, 0x00c07200}},
		{"lsl: data", "0f 03 c8", 0, selData0, result{true, 0xffffffff}},
		{"lsl: TSS", "0f 03 c8", 0, selTSS, result{true, 0x200}},
		{"lsl: call gate", "0f 03 c8", 0, selGate, result{false, 0xaaaa}},
		{"lsl: outside", "0f 03 c8", 0, gdtEnd, result{false, 0xaaaa}},
		{"verr: data", "0f 00 e0", 3, selData3, result{true, 0xaaaa}},
		{"verr: execute-only", "0f 00 e0", 3, selExec3, result{false, 0xaaaa}},
		{"verr: system", "0f 00 e0", 0, selTSS, result{false, 0xaaaa}},
		{"verw: data", "0f 00 e8", 3, selData3, result{true, 0xaaaa}},
		{"verw: read-only", "0f 00 e8", 0, selRO0, result{false, 0xaaaa}},
		{"verw: code", "0f 00 e8", 0, selCode64, result{false, 0xaaaa}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.code(tc.op)
			b.R[x86.RAX], b.R[x86.RCX] = uint64(tc.sel), 0xaaaa
			if f := b.step1(); f.Valid {
				t.Fatal(f)
			}
			got := result{b.Flags()&x86.FlagZF != 0, b.R[x86.RCX]}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	b := newBox(t, Intel)
	b.real()
	b.code("0f 02 c8")
	if f := b.step1(); f != ud {
		t.Errorf("lar in real mode: %v", f)
	}
}

func TestTableRegisters(t *testing.T) {
	b := newBox(t, Intel)
	b.put(boxData, "34 12 00 10 00 00 00 80 ff ff")
	b.code("0f 01 14 25 00 00 03 00" + // lgdt 0x30000
		"0f 01 04 25 00 01 03 00") // sgdt 0x30100
	if f := b.step1(); f.Valid || b.GDTR != (x86.Table{Base: 0xffff800000001000, Limit: 0x1234}) {
		t.Fatalf("lgdt: %v, %+v", f, b.GDTR)
	}
	b.step1()
	if got := b.get64(boxData + 0x102); got != 0xffff800000001000 || b.get64(boxData+0x100)&0xffff != 0x1234 {
		t.Errorf("sgdt stored base %#x", got)
	}
	for _, tc := range []struct {
		name, code string
		cpl        uint8
		cr4        uint64
		rax        uint64
		want       x86.Fault
	}{
		{"lgdt in user code", "0f 01 14 25 00 00 03 00", 3, 0, 0, gp(0)},
		{"lgdt of a non-canonical base", "0f 01 14 25 00 02 03 00", 0, 0, 0, gp(0)},
		{"sgdt in user code", "0f 01 04 25 00 00 03 00", 3, 0, 0, noFault},
		{"sgdt under UMIP", "0f 01 04 25 00 00 03 00", 3, x86.CR4UMIP, 0, gp(0)},
		{"str under UMIP", "0f 00 c8", 3, x86.CR4UMIP, 0, gp(0)},
		{"smsw under UMIP", "0f 01 e0", 3, x86.CR4UMIP, 0, gp(0)},
		{"ltr", "0f 00 d8", 0, 0, selTSS, noFault},
		{"ltr null", "0f 00 d8", 0, 0, 0, gp(0)},
		{"ltr of an LDT", "0f 00 d8", 0, 0, selLDT, gp(selLDT)},
		{"ltr with a selector of the LDT", "0f 00 d8", 0, 0, selInLDT, gp(selInLDT &^ 3)},
		{"ltr in user code", "0f 00 d8", 3, 0, selTSS, gp(0)},
		{"lldt", "0f 00 d0", 0, 0, selLDT, noFault},
		{"lldt null", "0f 00 d0", 0, 0, 0, noFault},
		{"lldt of a TSS", "0f 00 d0", 0, 0, selTSS, gp(selTSS)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.CR4 |= tc.cr4
			b.put(boxData+0x200, "00 00 00 00 00 00 00 00 01 00")
			b.code(tc.code)
			b.R[x86.RAX] = tc.rax
			if f := b.step1(); f != tc.want {
				t.Errorf("%v, want %v", f, tc.want)
			}
		})
	}
	b = newBox(t, Intel)
	b.code("0f 00 d8 0f 00 d8") // ltr twice
	b.R[x86.RAX] = selTSS
	b.step1()
	if typ := b.get64(boxGDT+selTSS) >> 40 & 0xf; typ != x86.TypeTSSBusy {
		t.Errorf("ltr left type %d in the descriptor", typ)
	}
	if f := b.step1(); f != gp(selTSS) {
		t.Errorf("ltr of a busy TSS: %v", f)
	}
}
