package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// Two roots that differ in where lin leads, and a third like the first.
const (
	rootA, rootB, rootC = 0x1000, 0x5000, 0x8000
	switchLin           = 0x200100
	onlyA               = 0x20b100 // read under the first root alone
)

func switchCPU(t *testing.T) *CPU {
	c := flatCPU(t, nil)
	for _, tables := range [][4]uint64{{rootB, 0x6000, 0x7000, 0}, {rootC, 0x9000, 0xa000, 0x200000}} {
		c.Mem.Write64(tables[0], tables[1]|7)
		c.Mem.Write64(tables[1], tables[2]|7)
		c.Mem.Write64(tables[2], 0|0x87)
		c.Mem.Write64(tables[2]+8, tables[3]|0x87)
	}
	c.Mem.Write64(0x200100, 1)
	c.Mem.Write64(0x000100, 2)
	return c
}

// TestSwitchRoot: each root has its own translations, for reading and for
// writing, and those of the one before are there again on the way back; what
// drops translations drops them for both.
func TestSwitchRoot(t *testing.T) {
	c := switchCPU(t)
	readAt := func(lin, want uint64, what string) {
		t.Helper()
		if v, ok := c.load64(x86.DS, lin); !ok || v != want {
			t.Errorf("%s: read %d (%v), want %d", what, v, ok, want)
		}
	}
	read := func(want uint64, what string) { t.Helper(); readAt(switchLin, want, what) }
	read(1, "first root")
	c.SwitchRoot(rootB)
	read(2, "second root")
	c.store64(x86.DS, switchLin, 22)
	c.SwitchRoot(rootA)
	read(1, "first root again")
	c.store64(x86.DS, switchLin, 11)
	c.SwitchRoot(rootB)
	read(22, "second root again")
	if a, b := c.Mem.Read64(0x200100), c.Mem.Read64(0x100); a != 11 || b != 22 {
		t.Errorf("written: %d and %d, want 11 and 22", a, b)
	}

	c.Mem.Write64(0x20b100, 11)
	c.Mem.Write64(0x00b100, 22)
	// A change of the first root's table behind its back tells whether its
	// translations are still those of before.
	const entry = 0x3000 + 8
	for _, step := range []struct {
		what string
		do   func()
		want uint64
	}{
		{"nothing", func() {}, 11},
		{"a saved and loaded TLB", func() {
			var s TLBState
			c.SaveTLB(&s)
			c.FlushTLB()
			c.LoadTLB(&s)
		}, 11},
		{"a flush", func() { c.FlushTLB() }, 22},
		{"a CR3 load", func() { c.FlushTLBNonGlobal() }, 22},
		{"a visit to a third root", func() { c.SwitchRoot(rootC); c.SwitchRoot(rootB) }, 22},
		{"the generations of tags running out", func() {
			for range 2 * genMask {
				c.dropTags()
			}
		}, 11},
	} {
		c.Mem.Write64(entry, 0x200000|0x87)
		c.FlushTLB()
		c.SwitchRoot(rootA)
		readAt(onlyA, 11, step.what+", before")
		c.SwitchRoot(rootB)
		read(22, step.what+", between")
		c.Mem.Write64(entry, 0|0x87)
		step.do()
		read(22, step.what+", after")
		c.SwitchRoot(rootA)
		readAt(onlyA, step.want, step.what+", back")
		c.SwitchRoot(rootB)
	}
}
