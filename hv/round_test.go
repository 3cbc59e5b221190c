package hv_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pvlab/hv/mem"
	"pvlab/hv/probe"
)

// TestRoundLoad: the 1,000 instructions that BenchmarkSnapshot measures write
// at least 8 pages, change 2 page-table entries through Xen and take one
// bounce frame, and all of it is undone by the restore.
func TestRoundLoad(t *testing.T) {
	m := atRound(t)
	entries := map[uint64]bool{} // by address
	frames := 0
	p := m.Probes()
	p.Frame = append(p.Frame, func(f *probe.Frame) { frames++ })
	p.PageTable = append(p.PageTable, func(e *probe.PageTable) {
		if e.Error == 0 {
			entries[e.PA] = true
		}
	})
	before := copyOf(m.Memory())
	s := m.Snapshot()
	steps := m.Steps()
	frames = 0
	clear(entries)
	run(t, m, 1000)
	if n := m.Steps() - steps; n != 1000 {
		t.Errorf("%d instructions, want 1000", n)
	}
	if frames != 1 {
		t.Errorf("%d frames delivered, want 1", frames)
	}
	changed := 0
	for pa := range entries {
		if m.Memory().Read64(pa) != binary.LittleEndian.Uint64(before[pa:]) {
			changed++
		}
	}
	if changed != 2 {
		t.Errorf("%d page-table entries changed (of %d stored), want 2", changed, len(entries))
	}
	if n := different(m.Memory(), before); n < 8+1 {
		t.Errorf("%d frames of memory differ, want 8 pages and a page table", n)
	}
	m.Restore(s)
	if n := different(m.Memory(), before); n != 0 {
		t.Errorf("%d frames of memory differ after the restore", n)
	}
}

func copyOf(m *mem.Memory) []byte {
	b := make([]byte, m.Size())
	m.Read(0, b)
	return b
}

// different counts the frames whose bytes are not those of old.
func different(m *mem.Memory, old []byte) (n int) {
	for mfn := range m.Frames() {
		if !bytes.Equal(m.Frame(mfn), old[mfn<<mem.PageShift:][:mem.PageSize]) {
			n++
		}
	}
	return n
}
