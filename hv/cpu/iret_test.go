package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// IRETQ from 64-bit kernel code: what the five words may be, and which check
// comes first.
func TestIRETQ(t *testing.T) {
	const flags = x86.FlagIF | x86.FlagOne
	np := func(sel uint32) x86.Fault { return x86.WithCode(x86.VectorNP, sel) }
	ss := func(sel uint32) x86.Fault { return x86.WithCode(x86.VectorSS, sel) }
	for _, tc := range []struct {
		name                 string
		cpl                  uint8
		rip, cs, fl, rsp, ss uint64
		want                 x86.Fault
	}{
		{"to the same level", 0, boxTarget, selCode64, flags, boxRSP1, selData0, noFault},
		{"to user code", 0, boxTarget, selCode64U, flags, boxRSP1, selData3, noFault},
		{"to 32-bit user code", 0, boxTarget, selCode32U, flags, boxRSP1, selData3, noFault},
		{"user to user", 3, boxTarget, selCode64U, flags, boxRSP1, selData3, noFault},
		{"to kernel code with a null SS", 0, boxTarget, selCode64, flags, boxRSP1, 0, noFault},
		{"to user code with a null SS", 0, boxTarget, selCode64U, flags, boxRSP1, 3, gp(0)},
		{"to 32-bit code with a null SS", 0, boxTarget, selCode32, flags, boxRSP1, 0, gp(0)},
		{"CS null", 0, boxTarget, 3, flags, boxRSP1, selData3, gp(0)},
		{"CS outside the GDT", 0, boxTarget, 0xe033, flags, boxRSP1, selData3, gp(0xe030)},
		{"CS is data", 0, boxTarget, selData3, flags, boxRSP1, selData3, gp(selData3 &^ 3)},
		{"CS with both L and D", 0, boxTarget, selCodeLD, flags, boxRSP1, selData0, gp(selCodeLD)},
		{"CS of an inner level", 3, boxTarget, selCode64, flags, boxRSP1, selData3, gp(selCode64)},
		{"RPL differs from the DPL", 0, boxTarget, selCode64 | 3, flags, boxRSP1, selData3, gp(selCode64)},
		{"conforming code at an outer RPL", 0, boxTarget, selConform | 3, flags, boxRSP1, selData3, noFault},
		{"conforming code, DPL above RPL", 0, boxTarget, selConfU &^ 3, flags, boxRSP1, selData0, gp(selConfU &^ 3)},
		{"CS not present", 0, boxTarget, selNoCodeU, flags, boxRSP1, selData3, np(selNoCodeU &^ 3)},
		{"SS with another RPL than CS", 0, boxTarget, selCode64U, flags, boxRSP1, selData0, gp(selData0)},
		{"SS with another DPL than CS", 0, boxTarget, selCode64U, flags, boxRSP1, selData0 | 3, gp(selData0)},
		{"SS read-only", 0, boxTarget, selCode64, flags, boxRSP1, selRO0, gp(selRO0)},
		{"SS is code", 0, boxTarget, selCode64U, flags, boxRSP1, selCode64U, gp(selCode64U &^ 3)},
		{"SS not present", 0, boxTarget, selCode64U, flags, boxRSP1, selNoData3, ss(selNoData3 &^ 3)},
		{"RIP not canonical", 0, 0x8000_0000_0000, selCode64U, flags, boxRSP1, selData3, gp(0)},
		{"RIP beyond 4 GiB of 32-bit code", 0, 1 << 32, selCode32U, flags, boxRSP1, selData3, gp(0)},
		{"CS before SS", 0, boxTarget, selNoCodeU, flags, boxRSP1, selNoData3, np(selNoCodeU &^ 3)},
		{"SS before RIP", 0, 0x8000_0000_0000, selCode64U, flags, boxRSP1, selNoData3, ss(selNoData3 &^ 3)},
		{"RSP is not checked", 0, boxTarget, selCode64U, flags, 0x8000_0000_0000, selData3, noFault},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.NMIBlocked = true
			b.code("48 cf")
			b.push(8, tc.rip, tc.cs, tc.fl, tc.rsp, tc.ss)
			before := b.State
			f := b.step1()
			if f != tc.want {
				t.Fatalf("%v, want %v", f, tc.want)
			}
			if b.NMIBlocked {
				t.Error("NMIs still blocked")
			}
			if f.Valid {
				if b.RIP != before.RIP || b.R != before.R || b.Seg != before.Seg || b.Flags() != x86.FlagOne || b.CPL != before.CPL {
					t.Error("the fault changed the state")
				}
				return
			}
			if b.RIP != tc.rip || uint64(b.Seg[x86.CS].Sel) != tc.cs || uint64(b.Seg[x86.SS].Sel) != tc.ss || b.R[x86.RSP] != tc.rsp {
				t.Errorf("rip %#x cs %#x ss %#x rsp %#x", b.RIP, b.Seg[x86.CS].Sel, b.Seg[x86.SS].Sel, b.R[x86.RSP])
			}
			if want := uint8(tc.cs & 3); b.CPL != want {
				t.Errorf("CPL %d, want %d", b.CPL, want)
			}
		})
	}
}

// IretTo is IRETQ of a hypervisor in ring 0: the same checks as CPL 0, no
// stack read, nothing changed on a fault.
func TestIretTo(t *testing.T) {
	for _, tc := range []struct {
		name   string
		rip    uint64
		cs, ss uint16
		want   x86.Fault
	}{
		{"user", boxTarget, selCode64U, selData3, noFault},
		{"32-bit user", boxTarget, selCode32U, selData3, noFault},
		{"not canonical", 1 << 47, selCode64U, selData3, gp(0)},
		{"bad CS", boxTarget, 0xe033, selData3, gp(0xe030)},
		{"bad SS", boxTarget, selCode64U, selRO0 | 3, gp(selRO0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.compat(3) // where the vCPU was does not matter
			b.NMIBlocked = true
			before := b.State
			f := b.IretTo(tc.rip, tc.cs, x86.FlagIF|x86.FlagZF|x86.FlagIOPL, 0x1234, tc.ss)
			if f != tc.want {
				t.Fatalf("%v, want %v", f, tc.want)
			}
			if f.Valid {
				before.NMIBlocked = false
				if b.State != before || b.Mode() != Mode32 {
					t.Error("the fault changed the state")
				}
				return
			}
			if b.RIP != tc.rip || b.CPL != 3 || b.R[x86.RSP] != 0x1234 || b.Flags() != x86.FlagIF|x86.FlagZF|x86.FlagIOPL|x86.FlagOne {
				t.Errorf("rip %#x cpl %d rsp %#x flags %#x", b.RIP, b.CPL, b.R[x86.RSP], b.Flags())
			}
		})
	}
}

// Which flags an IRET may change depends on where it runs.
func TestIRETFlags(t *testing.T) {
	const all = uint64(x86.FlagsDefined &^ (x86.FlagVM | x86.FlagRF))
	const arith = x86.FlagsStatus | x86.FlagTF | x86.FlagDF | x86.FlagNT | x86.FlagOne
	for _, tc := range []struct {
		name string
		cpl  uint8
		old  uint64 // flags before
		op   string
		size int
		want uint64
	}{
		{"kernel", 0, 0, "48 cf", 8, all},
		{"user, IOPL 0", 3, 0, "48 cf", 8, arith | x86.FlagAC | x86.FlagID},
		{"user, IOPL 0 keeps IF", 3, x86.FlagIF, "48 cf", 8, arith | x86.FlagAC | x86.FlagID | x86.FlagIF},
		{"user, IOPL 3", 3, x86.FlagIOPL, "48 cf", 8, arith | x86.FlagAC | x86.FlagID | x86.FlagIF | x86.FlagIOPL},
		{"16-bit operand", 0, x86.FlagAC, "66 cf", 2, arith | x86.FlagAC | x86.FlagIF | x86.FlagIOPL},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBox(t, Intel)
			b.long(tc.cpl)
			b.SetFlags(tc.old)
			b.code(tc.op)
			cs, ss := uint64(b.Seg[x86.CS].Sel), uint64(b.Seg[x86.SS].Sel)
			rip, rsp := uint64(0x4000), uint64(0x8000)
			b.push(tc.size, rip, cs, all, rsp, ss)
			if f := b.step1(); f.Valid {
				t.Fatal(f)
			}
			if got := b.Flags(); got != tc.want {
				t.Errorf("flags %#x, want %#x", got, tc.want)
			}
		})
	}
}

func TestIRETModes(t *testing.T) {
	t.Run("NT in long mode", func(t *testing.T) {
		b := newBox(t, Intel)
		b.SetFlags(x86.FlagNT)
		b.code("48 cf")
		b.push(8, boxTarget, selCode64, x86.FlagOne, boxStack, selData0)
		if f := b.step1(); f != gp(0) {
			t.Errorf("%v", f)
		}
	})
	t.Run("compatibility mode, same level pops three words", func(t *testing.T) {
		b := newBox(t, Intel)
		b.compat(3)
		b.code("cf")
		b.push(4, boxTarget, selCode32U, x86.FlagZF)
		if f := b.step1(); f.Valid || b.RIP != boxTarget || b.R[x86.RSP] != boxStack || b.Flags()&x86.FlagZF == 0 {
			t.Errorf("%v: rip %#x rsp %#x", f, b.RIP, b.R[x86.RSP])
		}
	})
	t.Run("protected mode, to the outer level", func(t *testing.T) {
		b := newBox(t, Intel)
		b.legacy(0)
		b.code("cf")
		b.push(4, boxTarget, selCode32U, x86.FlagIF, boxRSP1, selData3)
		if f := b.step1(); f.Valid || b.CPL != 3 || b.R[x86.RSP] != boxRSP1 {
			t.Fatalf("%v: cpl %d rsp %#x", f, b.CPL, b.R[x86.RSP])
		}
		for _, s := range []int{x86.DS, x86.ES, x86.FS, x86.GS} {
			if b.Seg[s].Sel != 0 || b.Seg[s].Attr&x86.AttrP != 0 {
				t.Errorf("%s of level 0 is still usable: %+v", x86.SegNames[s], b.Seg[s])
			}
		}
	})
	t.Run("16-bit stack segment: only SP changes", func(t *testing.T) {
		b := newBox(t, Intel)
		b.legacy(0)
		b.code("cf")
		b.push(4, boxTarget, selCode32U, x86.FlagIF, 0x1234, selData16)
		high := b.R[x86.RSP] &^ 0xffff
		if f := b.step1(); f.Valid || b.R[x86.RSP] != high|0x1234 {
			t.Errorf("%v: rsp %#x, want upper half of %#x", f, b.R[x86.RSP], high)
		}
	})
	t.Run("real mode", func(t *testing.T) {
		b := newBox(t, Intel)
		b.real()
		b.code("cf")
		b.Mem.Write(0x8000, unhex(t, "34 12 00 40 95 00"))
		if f := b.step1(); f.Valid || b.RIP != 0x1234 || b.Seg[x86.CS].Base != 0x40000 || b.R[x86.RSP] != 0x8006 || b.Flags() != 0x97 {
			t.Errorf("%v: %#x:%#x rsp %#x flags %#x", f, b.Seg[x86.CS].Base, b.RIP, b.R[x86.RSP], b.Flags())
		}
	})
	t.Run("stack not mapped", func(t *testing.T) {
		b := newBox(t, Intel)
		b.code("48 cf")
		b.mapPage(boxStack, 0, 0)
		b.R[x86.RSP] = boxStack - 16 // the third word is missing
		b.put64(boxStack-16, boxTarget)
		b.put64(boxStack-8, selCode64)
		if f, want := b.step1(), x86.PageFault(0, boxStack); f != want || b.R[x86.RSP] != boxStack-16 {
			t.Errorf("%v at %#x", f, f.Addr)
		}
	})
}
