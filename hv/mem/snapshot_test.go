package mem

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestSnapshotTree takes, restores and releases snapshots at random between
// random writes, and compares the whole memory with plain copies each time.
func TestSnapshotTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const frames = 8
		m, err := New(frames * PageSize)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		type copyOf struct {
			snap *Snapshot
			data []byte
			info [frames]PageInfo
		}
		state := func() (c copyOf) {
			c.data = append(c.data, m.data...)
			copy(c.info[:], m.info)
			return c
		}
		same := func(want copyOf) {
			t.Helper()
			if !bytes.Equal(m.data, want.data) {
				t.Fatalf("memory differs from what it was at the snapshot")
			}
			for i, w := range want.info {
				if m.Info(uint64(i)) != w {
					t.Fatalf("info of frame %d is %+v, was %+v", i, m.Info(uint64(i)), w)
				}
			}
		}
		var kept []copyOf
		for range rapid.IntRange(1, 60).Draw(t, "operations") {
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0, 1:
				pa := rapid.Uint64Range(0, frames*PageSize-16).Draw(t, "pa")
				m.Write(pa, rapid.SliceOfN(rapid.Byte(), 1, 16).Draw(t, "bytes"))
			case 2:
				mfn := rapid.Uint64Range(0, frames-1).Draw(t, "mfn")
				m.SetInfo(mfn, PageInfo{Count: rapid.Uint32().Draw(t, "count")})
			case 3:
				c := state()
				c.snap = m.Snapshot()
				same(c)
				kept = append(kept, c)
			case 4:
				if len(kept) > 0 {
					c := kept[rapid.IntRange(0, len(kept)-1).Draw(t, "which")]
					m.Restore(c.snap)
					same(c)
				}
			case 5:
				if len(kept) > 0 {
					i := rapid.IntRange(0, len(kept)-1).Draw(t, "which")
					m.Release(kept[i].snap)
					kept = append(kept[:i], kept[i+1:]...)
				}
			}
		}
		for _, c := range kept {
			m.Restore(c.snap)
			same(c)
		}
	})
}

// TestPrepareWrite: a frame may be written through a cached pointer only
// while nobody needs to hear of it.
func TestPrepareWrite(t *testing.T) {
	m, err := New(4 * PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !m.Direct(1) {
		t.Error("a fresh frame: Direct is false")
	}
	gen := m.MarkCode(1)
	if m.Direct(1) {
		t.Error("frame with decoded code: Direct is true")
	}
	if !m.PrepareWrite(1) || m.CodeGen(1) == gen {
		t.Error("write to decoded code: not reported as stale")
	}
	if !m.Direct(1) || m.PrepareWrite(1) {
		t.Error("after PrepareWrite the frame should be direct and fresh")
	}
	r := m.Revocations
	s := m.Snapshot()
	if m.Revocations == r || m.Direct(1) {
		t.Error("a snapshot must revoke write permission")
	}
	m.Release(s)

	m.TrackTables = true
	m.MarkTable(2)
	w := m.TableWrites
	m.PrepareWrite(2)
	if m.TableWrites != w+1 || m.Direct(2) {
		t.Error("every write to a tracked table must be counted")
	}
}

// TestBounds: addresses past the end are refused, never a panic.
func TestBounds(t *testing.T) {
	m, err := New(2 * PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, pa := range []uint64{2*PageSize - 7, 2 * PageSize, 1 << 40, ^uint64(0), ^uint64(0) - 7} {
		if m.Write64(pa, 1) {
			t.Errorf("Write64(%#x) succeeded", pa)
		}
		if m.Read64(pa) != ^uint64(0) {
			t.Errorf("Read64(%#x) is not open bus", pa)
		}
		if m.Read(pa, make([]byte, 8)) {
			t.Errorf("Read(%#x) succeeded", pa)
		}
	}
	for _, size := range []uint64{0, 1, PageSize + 1, MaxBytes + PageSize} {
		if _, err := New(size); err == nil {
			t.Errorf("New(%#x) succeeded", size)
		}
	}
}
