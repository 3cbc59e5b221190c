package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// SDM vol. 3, table "IA-32 and Intel 64 Processor States Following Power-up,
// Reset, or INIT".
func TestReset(t *testing.T) {
	for v, signature := range map[Vendor]uint64{Intel: 0x506e3, AMD: 0x800f11} {
		b := newBox(t, v)
		b.R[x86.RBX] = 5
		b.SetDR(7, 0xff)
		b.Reset()
		if b.RIP != 0xfff0 || b.Seg[x86.CS].Sel != 0xf000 || b.Seg[x86.CS].Base != 0xffff0000 || b.Seg[x86.CS].Limit != 0xffff {
			t.Errorf("starts at %#x(%#x):%#x", b.Seg[x86.CS].Sel, b.Seg[x86.CS].Base, b.RIP)
		}
		if b.CR0 != 0x60000010 || b.CR4 != 0 || b.EFER != 0 || b.Flags() != 2 || b.DR[6] != 0xffff0ff0 || b.DR[7] != 0x400 {
			t.Errorf("CR0 %#x CR4 %#x EFER %#x flags %#x DR6 %#x DR7 %#x", b.CR0, b.CR4, b.EFER, b.Flags(), b.DR[6], b.DR[7])
		}
		if b.R[x86.RBX] != 0 || b.R[x86.RDX] != signature || b.Mode() != Mode16 || b.CPL != 0 {
			t.Errorf("rbx %#x rdx %#x mode %d cpl %d", b.R[x86.RBX], b.R[x86.RDX], b.Mode(), b.CPL)
		}
	}
}

// INIT keeps the FPU state and the registers that are no task's; a start-up
// IPI starts real-mode code at its vector.
func TestInitAndStartup(t *testing.T) {
	b := newBox(t, Intel)
	b.LSTAR, b.FX[fxXMM], b.Halted = 0x1234, 9, true
	b.Init()
	if b.LSTAR != 0x1234 || b.FX[fxXMM] != 9 || b.Protected() || b.CR3 != 0 || b.EFER != 0 {
		t.Errorf("LSTAR %#x XMM0 %d CR0 %#x CR3 %#x EFER %#x", b.LSTAR, b.FX[fxXMM], b.CR0, b.CR3, b.EFER)
	}
	b.put(0x9000, "b8 34 12") // mov $0x1234,%ax
	b.StartupIPI(9)
	if b.step1(); b.R[x86.RAX] != 0x1234 || b.RIP != 3 || b.Seg[x86.CS].Sel != 0x900 {
		t.Errorf("ax %#x at %#x:%#x", b.R[x86.RAX], b.Seg[x86.CS].Sel, b.RIP)
	}
}

// The last byte of a 64 KiB segment is followed by #GP, not by its first one.
func TestEndOfSegment(t *testing.T) {
	b := newBox(t, Intel)
	b.real()
	b.put(boxCode+0xffff, "90")
	b.RIP = 0xffff
	if f := b.step1(); f.Valid {
		t.Fatal(f)
	}
	if f := b.step1(); f != gp(0) || b.RIP != 0x10000 {
		t.Errorf("%v at %#x", f, b.RIP)
	}
}
