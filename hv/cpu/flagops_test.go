package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// TestPopf: which bits POPF may change (SDM vol. 2, "POPF", table "Effect of
// POPF/POPFD on the EFLAGS Register").
func TestPopf(t *testing.T) {
	const (
		ifl, iopl = uint64(x86.FlagIF), uint64(x86.FlagIOPL)
		always    = uint64(x86.FlagsStatus | x86.FlagTF | x86.FlagDF | x86.FlagNT)
		wide      = uint64(x86.FlagAC | x86.FlagID)
		all       = ^uint64(0)
	)
	tests := []struct {
		about  string
		cpl    uint8
		old    uint64
		pop    uint64
		size16 bool
		want   uint64
	}{
		{"CPL 0 changes everything but VM, VIF and VIP", 0, 0, all, false, always | wide | ifl | iopl},
		{"... and clears it", 0, (always | wide | ifl | iopl) &^ x86.FlagTF, 0, false, 0},
		{"16 bits leave the upper half", 0, wide, all, true, wide | always | ifl | iopl},
		{"CPL 3 with IOPL 0 keeps IF and IOPL", 3, 0, all, false, always | wide},
		{"... also when they are set", 3, ifl, 0, false, ifl},
		{"CPL 3 with IOPL 3 changes IF, not IOPL", 3, iopl, ifl, false, iopl | ifl},
		{"... and clears IF", 3, iopl | ifl, 0, false, iopl},
		{"CPL 1 with IOPL 1", 1, 1 << 12, ifl | iopl, false, 1<<12 | ifl},
		{"VIF and VIP stay as they are", 0, x86.FlagVIF | x86.FlagVIP, 0, false, x86.FlagVIF | x86.FlagVIP},
		{"RF ends up clear", 0, x86.FlagRF, x86.FlagRF, false, 0},
	}
	for _, tt := range tests {
		code := []byte{0x9d}
		if tt.size16 {
			code = []byte{0x66, 0x9d}
		}
		c := flatCPU(t, code)
		c.SetFlags(tt.old)
		c.setCPL(tt.cpl)
		c.Mem.Write64(0x80000, tt.pop)
		ex := c.Run(1)
		if ex.Kind != ExitBudget {
			t.Errorf("%s: %v %v", tt.about, ex.Kind, ex.Fault)
			continue
		}
		if got := c.Flags(); got != tt.want|x86.FlagOne {
			t.Errorf("%s: %#x, want %#x", tt.about, got, tt.want|x86.FlagOne)
		}
	}
}

// TestPopfTF: the trap of a TF that POPF sets comes after the next
// instruction, and clearing TF by POPF still traps after it.
func TestPopfTF(t *testing.T) {
	c := flatCPU(t, []byte{0x9d, 0x90, 0x90})
	c.Mem.Write64(0x80000, x86.FlagTF)
	ex := c.Run(100)
	if ex.Kind != ExitFault || ex.Fault.Vector != x86.VectorDB || c.RIP != 0x10002 {
		t.Errorf("set: %v %v at %#x, want #DB after the NOP", ex.Kind, ex.Fault, c.RIP)
	}
	c = flatCPU(t, []byte{0x9d, 0x90, 0x90})
	c.SetFlags(x86.FlagTF)
	ex = c.Run(100)
	if ex.Kind != ExitFault || ex.Fault.Vector != x86.VectorDB || c.RIP != 0x10001 {
		t.Errorf("cleared: %v %v at %#x, want #DB after POPF", ex.Kind, ex.Fault, c.RIP)
	}
}

// TestPushf: RF and VM are pushed as 0, everything else as it is.
func TestPushf(t *testing.T) {
	c := flatCPU(t, []byte{0x9c})
	want := uint64(x86.FlagsStatus | x86.FlagDF | x86.FlagIOPL | x86.FlagNT | x86.FlagAC | x86.FlagID | x86.FlagIF)
	c.SetFlags(want | x86.FlagRF)
	c.Run(1)
	if got := c.Mem.Read64(0x80000 - 8); got != want|x86.FlagOne {
		t.Errorf("pushed %#x, want %#x", got, want|x86.FlagOne)
	}
}

// TestLazyFlags: RFLAGS reads back as it was written, for every combination
// of the arithmetic flags.
func TestLazyFlags(t *testing.T) {
	c := flatCPU(t, nil)
	bits := []uint64{x86.FlagCF, x86.FlagPF, x86.FlagAF, x86.FlagZF, x86.FlagSF, x86.FlagOF}
	for n := range 1 << len(bits) {
		var f uint64
		for i, b := range bits {
			if n>>i&1 != 0 {
				f |= b
			}
		}
		c.SetFlags(f)
		if got := c.Flags(); got != f|x86.FlagOne {
			t.Errorf("wrote %#x, read %#x", f, got)
		}
		for _, cf := range []bool{false, true} {
			c.SetFlags(f)
			c.lazy.setCarry(cf)
			want := f &^ x86.FlagCF
			if cf {
				want |= x86.FlagCF
			}
			if got := c.Flags(); got != want|x86.FlagOne {
				t.Errorf("CF = %v on %#x: read %#x", cf, f, got)
			}
		}
	}
}
