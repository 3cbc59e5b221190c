package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// Far pointers in memory at boxData: jmp/call *0x30000.
const (
	farJump = "ff 2c 25 00 00 03 00"
	farCall = "ff 1c 25 00 00 03 00"
)

func TestFarJump(t *testing.T) {
	np := func(sel uint32) x86.Fault { return x86.WithCode(x86.VectorNP, sel) }
	for _, tc := range []struct {
		name string
		cpl  uint8
		sel  uint64
		off  uint64
		want x86.Fault
	}{
		{"64-bit code", 0, selCode64, boxTarget, noFault},
		{"32-bit code", 0, selCode32, boxTarget, noFault},
		{"conforming code of level 0 from user code", 3, selConform, boxTarget, noFault},
		{"null", 0, 0, boxTarget, gp(0)},
		{"data", 0, selData0, boxTarget, gp(selData0)},
		{"inner level", 3, selCode64, boxTarget, gp(selCode64)},
		{"outer level", 0, selCode64U, boxTarget, gp(selCode64U &^ 3)},
		{"RPL above CPL", 0, selCode64 | 3, boxTarget, gp(selCode64)},
		{"L and D", 0, selCodeLD, boxTarget, gp(selCodeLD)},
		{"not present", 0, selNoCode, boxTarget, np(selNoCode)},
		{"TSS in long mode", 0, selTSS, boxTarget, gp(selTSS)},
		{"16-bit code beyond its limit", 0, selCode16, 0x10000, gp(0)},
		{"call gate to the same level", 0, selGate, 0, noFault},
		{"call gate to an inner level", 3, selGate, 0, gp(selCode64)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.put64(boxData, tc.off|tc.sel<<32)
			b.code(farJump)
			f := b.step1()
			if f != tc.want {
				t.Fatalf("%v, want %v", f, tc.want)
			}
			if f.Valid {
				return
			}
			if b.RIP != boxTarget || b.CPL != tc.cpl || b.Seg[x86.CS].Sel&3 != uint16(tc.cpl) {
				t.Errorf("rip %#x cpl %d cs %#x", b.RIP, b.CPL, b.Seg[x86.CS].Sel)
			}
		})
	}
}

// The pointer of a far transfer with REX.W: Intel reads 64 bits of offset,
// AMD 32. (QEMU reads the Intel form for both.)
func TestFarPointerVendors(t *testing.T) {
	for _, tc := range []struct {
		v    Vendor
		want uint64
	}{{Intel, 0xffff_8000_0004_0000}, {AMD, boxTarget}} {
		b := newBox(t, tc.v)
		if tc.v == AMD {
			b.put64(boxData, boxTarget|selCode64<<32)
		} else {
			b.put64(boxData, tc.want)
			b.put64(boxData+8, selCode64)
		}
		b.code("48 " + farJump)
		if f := b.step1(); f.Valid || b.RIP != tc.want {
			t.Errorf("vendor %d: %v, rip %#x, want %#x", tc.v, f, b.RIP, tc.want)
		}
	}
}

func TestFarCallAndReturn(t *testing.T) {
	b := newBox(t, Intel)
	b.put64(boxData, boxTarget|selCode32<<32)
	b.code(farCall)
	b.put(boxTarget, "cb") // retf in 32-bit code
	if f := b.step1(); f.Valid || b.Mode() != Mode32 || b.RIP != boxTarget || b.R[x86.RSP] != boxStack-8 {
		t.Fatalf("call: %v, mode %d rip %#x rsp %#x", f, b.Mode(), b.RIP, b.R[x86.RSP])
	}
	if got, want := b.get64(boxStack-8), uint64(boxCode+7|selCode64<<32); got != want {
		t.Fatalf("pushed %#x, want %#x", got, want)
	}
	if f := b.step1(); f.Valid || b.Mode() != Mode64 || b.RIP != boxCode+7 || b.R[x86.RSP] != boxStack {
		t.Fatalf("return: %v, mode %d rip %#x rsp %#x", f, b.Mode(), b.RIP, b.R[x86.RSP])
	}
}

// A call gate from user code: stack of the TSS, a null SS, 8-byte words.
func TestCallGateInward(t *testing.T) {
	b := newBox(t, Intel)
	b.long(3)
	b.put64(boxData, selGate<<32)
	b.code(farCall)
	if f := b.step1(); f.Valid {
		t.Fatal(f)
	}
	if b.CPL != 0 || b.RIP != boxTarget || b.R[x86.RSP] != boxRSP0-32 || b.Seg[x86.SS].Sel != 0 {
		t.Fatalf("cpl %d rip %#x rsp %#x ss %#x", b.CPL, b.RIP, b.R[x86.RSP], b.Seg[x86.SS].Sel)
	}
	for i, want := range []uint64{boxCode + 7, selCode64U, boxStack, selData3} {
		if got := b.get64(boxRSP0 - 32 + uint64(8*i)); got != want {
			t.Errorf("word %d: %#x, want %#x", i, got, want)
		}
	}
	// And back by RETFQ, which also drops the kernel's data segments.
	b.set(x86.DS, selData0)
	b.put(boxTarget, "48 cb")
	if f := b.step1(); f.Valid || b.CPL != 3 || b.RIP != boxCode+7 || b.R[x86.RSP] != boxStack || b.Seg[x86.SS].Sel != selData3 {
		t.Fatalf("%v: cpl %d rip %#x rsp %#x ss %#x", f, b.CPL, b.RIP, b.R[x86.RSP], b.Seg[x86.SS].Sel)
	}
	if b.Seg[x86.DS].Sel != 0 {
		t.Errorf("DS of level 0 survived: %#x", b.Seg[x86.DS].Sel)
	}
}

func TestCallGateFaults(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setup func(*box)
		want  x86.Fault
	}{
		{"gate of an inner level", func(b *box) { b.callGate(selGate, selCode64, boxTarget, 0) }, gp(selGate &^ 3)},
		{"gate not present", func(b *box) {
			b.gdt(selGate, b.get64(boxGDT+selGate&^7)&^(x86.AttrP<<40))
		}, x86.WithCode(x86.VectorNP, selGate&^3)},
		{"to 32-bit code", func(b *box) { b.callGate(selGate, selCode32, boxTarget, dpl3) }, gp(selCode32)},
		{"to a null selector", func(b *box) { b.callGate(selGate, 0, boxTarget, dpl3) }, gp(0)},
		{"to code not present", func(b *box) { b.callGate(selGate, selNoCode, boxTarget, dpl3) }, x86.WithCode(x86.VectorNP, selNoCode)},
		{"type bits in the second word", func(b *box) { b.put64(boxGDT+selGate&^7+8, 1<<40) }, gp(selGate &^ 3)},
		{"TSS too short", func(b *box) { b.TR.Limit = 8 }, x86.WithCode(x86.VectorTS, selTSS)},
		{"stack not canonical", func(b *box) { b.put64(boxTSS+4, 1<<48) }, x86.WithCode(x86.VectorSS, 0)},
		{"stack not mapped", func(b *box) { b.mapPage(boxRSP0-0x1000, 0, 0); b.FlushTLB() }, x86.PageFault(x86.PFWrite, boxRSP0-8)},
		{"target not canonical", func(b *box) { b.callGate(selGate, selCode64, 1<<47, dpl3) }, gp(0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(3)
			tc.setup(b)
			b.put64(boxData, selGate<<32)
			b.code(farCall)
			before := b.State
			if f := b.step1(); f != tc.want {
				t.Errorf("%v at %#x, want %v", f, f.Addr, tc.want)
			}
			if b.R != before.R || b.Seg != before.Seg || b.RIP != before.RIP || b.CPL != 3 {
				t.Error("the fault changed the state")
			}
		})
	}
}

// A 32-bit call gate copies its parameters to the inner stack.
func TestCallGate32(t *testing.T) {
	b := newBox(t, Intel)
	b.legacy(3)
	b.put64(boxTSS+4, boxRSP0|selData0<<32) // ESP0, SS0
	b.gdt(selGate, boxTarget&0xffff|selCode32<<16|2<<32|(x86.AttrP|x86.TypeCallGate|dpl3)<<40|boxTarget>>16<<48)
	b.push(4, 0x11, 0x22)
	b.code("9a 00 00 00 00 83 00") // lcall $0x83,$0
	if f := b.step1(); f.Valid {
		t.Fatal(f)
	}
	if b.CPL != 0 || b.RIP != boxTarget || b.R[x86.RSP] != boxRSP0-24 || b.Seg[x86.SS].Sel != selData0 {
		t.Fatalf("cpl %d rip %#x rsp %#x ss %#x", b.CPL, b.RIP, b.R[x86.RSP], b.Seg[x86.SS].Sel)
	}
	for i, want := range []uint64{boxCode + 7, selCode32U, 0x11, 0x22, boxStack - 8, selData3} {
		if got := b.get64(boxRSP0-24+uint64(4*i)) & 0xffffffff; got != want {
			t.Errorf("word %d: %#x, want %#x", i, got, want)
		}
	}
	b.put(boxTarget, "ca 08 00") // lret $8
	if f := b.step1(); f.Valid || b.CPL != 3 || b.R[x86.RSP] != boxStack {
		t.Errorf("return: %v cpl %d rsp %#x", f, b.CPL, b.R[x86.RSP])
	}
}

func TestFarReturn(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cpl   uint8
		words []uint64
		want  x86.Fault
	}{
		{"same level", 0, []uint64{boxTarget, selCode64}, noFault},
		{"to user code", 0, []uint64{boxTarget, selCode64U, boxRSP1, selData3}, noFault},
		{"CS null", 0, []uint64{boxTarget, 0}, gp(0)},
		{"inward", 3, []uint64{boxTarget, selCode64}, gp(selCode64)},
		{"RIP not canonical", 0, []uint64{1 << 47, selCode64}, gp(0)},
		{"SS null for user code", 0, []uint64{boxTarget, selCode64U, boxRSP1, 0}, gp(0)},
		{"SS of another level", 0, []uint64{boxTarget, selCode64U, boxRSP1, selData0}, gp(selData0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.code("48 cb")
			b.push(8, tc.words...)
			if f := b.step1(); f != tc.want {
				t.Errorf("%v, want %v", f, tc.want)
			} else if !f.Valid && b.RIP != boxTarget {
				t.Errorf("rip %#x", b.RIP)
			}
		})
	}
	b := newBox(t, Intel)
	b.real()
	b.code("9a 78 56 00 40") // lcall $0x4000,$0x5678
	b.put(0x45678, "cb")
	if f := b.step1(); f.Valid || b.Seg[x86.CS].Base != 0x40000 || b.RIP != 0x5678 || b.R[x86.RSP] != 0x7ffc {
		t.Fatalf("%v: %#x:%#x", f, b.Seg[x86.CS].Base, b.RIP)
	}
	if b.step1(); b.Seg[x86.CS].Base != boxCode || b.RIP != 5 {
		t.Errorf("back at %#x:%#x", b.Seg[x86.CS].Base, b.RIP)
	}
}

// From real mode to 64-bit code, as a start-up code does it.
func TestEnterLongMode(t *testing.T) {
	b := newBox(t, Intel)
	b.real()
	b.put(boxData, "cf 00 00 50 00 00") // GDTR: limit 0xcf, base 0x5000
	b.code("b8 00 30 8e d8" +           // mov $0x3000,%ax; mov %ax,%ds
		"0f 01 16 00 00" + // lgdtw 0
		"66 b8 a0 00 00 00 0f 22 e0" + // mov $PAE|PGE,%eax; mov %eax,%cr4
		"66 b8 00 00 10 00 0f 22 d8" + // mov $boxTables,%eax; mov %eax,%cr3
		"66 b9 80 00 00 c0 66 b8 00 09 00 00 66 31 d2 0f 30" + // EFER = LME|NXE
		"66 b8 01 00 00 80 0f 22 c0" + // CR0 = PG|PE
		"66 ea 00 00 04 00 08 00") // ljmpl $8,$boxTarget
	b.put(boxTarget, "48 b8 88 77 66 55 44 33 22 11") // movabs
	for range 16 {
		if f := b.step1(); f.Valid {
			t.Fatalf("%v at %#x", f, b.RIP)
		}
		if b.R[x86.RAX] == 0x1122334455667788 {
			break
		}
	}
	if b.Mode() != Mode64 || !b.Long() || b.R[x86.RAX] != 0x1122334455667788 {
		t.Errorf("mode %d, EFER %#x, rax %#x, rip %#x", b.Mode(), b.EFER, b.R[x86.RAX], b.RIP)
	}
}
