package pagetable

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

const (
	testFrames = 64
	dom1       = uint16(2) // OwnerOf(1)
)

// newRules makes rules over frames that domain 1 owns, but for the last two:
// one of another domain, one free.
func newRules(t interface{ Fatal(...any) }) *Rules {
	m, err := mem.New(testFrames << mem.PageShift)
	if err != nil {
		t.Fatal(err)
	}
	for mfn := uint64(0); mfn < testFrames; mfn++ {
		m.SetInfo(mfn, mem.PageInfo{Owner: dom1, Count: 1, Flags: Allocated})
	}
	m.SetInfo(testFrames-2, mem.PageInfo{Owner: OwnerOf(7), Count: 1, Flags: Allocated})
	m.SetInfo(testFrames-1, mem.PageInfo{})
	r := &Rules{M: m, MaxPA: 46}
	for i := range r.XenSlots {
		r.XenSlots[i] = Make(uint64(i), Present)
	}
	return r
}

func (r *Rules) put(mfn uint64, slot int, e Entry) { r.setEntry(mfn, slot, e) }

const rw = Present | Writable | Accessed | Dirty

// TestEntryErrors: the errno of an L1 entry by what it maps (MM-02, MM-03,
// MM-13, MM-24). Frame 1 is a pinned L1, frame 2 data.
func TestEntryErrors(t *testing.T) {
	cases := []struct {
		rule string
		e    Entry
		want abi.Errno
	}{
		{"MM-01 data, writable", Make(2, rw), 0},
		{"MM-02 page table, writable", Make(1, rw), abi.EBUSY},
		{"MM-02 page table, read-only", Make(1, Present), 0},
		{"MM-03 PCD", Make(2, rw|PCD), abi.EINVAL},
		{"MM-03 PWT", Make(2, rw|PWT), abi.EINVAL},
		{"MM-24 PSE", Make(2, rw|PSE), abi.EINVAL},
		{"MM-03 global", Make(2, rw|Global), 0},
		{"MM-03 available bits", Make(2, rw|7<<9|0x7ff<<52), 0},
		{"MM-03 NX", Make(2, rw|NX), 0},
		{"MM-13 another domain's", Make(testFrames-2, Present), abi.EBUSY},
		{"MM-13 free", Make(testFrames-1, Present), abi.EBUSY},
		{"MM-13 MMIO", Make(0xfee00, Present), abi.EPERM},
		{"MM-13 all ones", Make(noMFN, Present), abi.EINVAL},
		{"MM-19 not present, any value", 0xfffffffffffffffe &^ Present, 0},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			r := newRules(t)
			defer r.M.Close()
			if err := r.Pin(1, dom1, TypeL1); err != 0 {
				t.Fatal(err)
			}
			level, err := r.Apply(1<<12+8, c.e, dom1, dom1, false)
			if err != c.want || level != TypeL1 {
				t.Errorf("level %d, %v; want level 1, %v", level, err, c.want)
			}
		})
	}
}

// TestAdjust: Xen rewrites what a guest writes (MM-04).
func TestAdjust(t *testing.T) {
	for _, c := range []struct {
		level     Type
		e, stored Entry
	}{
		{TypeL1, Make(2, Present), Make(2, Present|User|GuestKernel)},
		{TypeL1, Make(2, Present|User), Make(2, Present|User|Global)},
		{TypeL1, Make(2, Present|User|GuestKernel), Make(2, Present|User|GuestKernel)},
		{TypeL2, Make(2, Present), Make(2, Present|User)},
		{TypeL4, Make(2, Present), Make(2, Present|User|Accessed)},
		{TypeL1, 0x1234560, 0x1234560},
	} {
		if got := adjust(c.e, c.level); got != c.stored {
			t.Errorf("L%d %#x: %#x, want %#x", c.level, c.e, got, c.stored)
		}
		if s := adjust(c.stored, c.level); s != c.stored {
			t.Errorf("L%d %#x is not stable: %#x", c.level, c.stored, s)
		}
	}
}

// tables builds L4 10 -> L3 11 -> L2 12 -> L1 13 -> data 2 and pins the L4.
func (r *Rules) tables(t *testing.T) {
	for i, mfn := range []uint64{10, 11, 12} {
		r.put(mfn, 5*i, Make(mfn+1, rw))
	}
	r.put(13, 0, Make(2, rw))
	r.put(13, 1, Make(3, Present))
	if err := r.Pin(10, dom1, TypeL4); err != 0 {
		t.Fatal(err)
	}
}

// TestPin: one pin validates a whole tree and its end gives everything back
// (MM-01, MM-07, MM-25).
func TestPin(t *testing.T) {
	r := newRules(t)
	defer r.M.Close()
	before := r.snapshotInfo()
	r.tables(t)
	for mfn, want := range map[uint64]Type{10: TypeL4, 11: TypeL3, 12: TypeL2, 13: TypeL1, 2: TypeWritable} {
		if p := r.M.Info(mfn); p.Type != want || p.TypeCount != 1 {
			t.Errorf("frame %d: type %d count %d, want type %d count 1", mfn, p.Type, p.TypeCount, want)
		}
	}
	if p := r.M.Info(3); p.TypeCount != 0 || p.Count != 2 {
		t.Errorf("a read-only mapping: type count %d, references %d", p.TypeCount, p.Count)
	}
	if err := r.Pin(10, dom1, TypeL4); err != abi.EINVAL {
		t.Errorf("pinned twice: %v", err)
	}
	if err := r.Pin(11, dom1, TypeL2); err != abi.EINVAL {
		t.Errorf("an L3 as L2: %v", err)
	}
	if err := r.Unpin(10, dom1); err != 0 {
		t.Fatal(err)
	}
	if err := r.Unpin(10, dom1); err != abi.EINVAL {
		t.Errorf("unpinned twice: %v", err)
	}
	r.compareCounts(t, before)
}

// TestFailedPin: a bad entry deep in the tree takes nothing (MM-07).
func TestFailedPin(t *testing.T) {
	r := newRules(t)
	defer r.M.Close()
	for i, mfn := range []uint64{10, 11, 12} {
		r.put(mfn, 0, Make(20+uint64(i), rw)) // empty tables 20 to 22, valid
		r.put(mfn, 1, Make(mfn+1, rw))
	}
	r.put(13, 0, Make(2, rw))
	r.put(13, 511, Make(13, rw)) // the L1 itself, writable
	before := r.snapshotInfo()
	if err := r.Pin(10, dom1, TypeL4); err != abi.EBUSY {
		t.Fatalf("pin: %v", err)
	}
	r.compareCounts(t, before)
}

// TestXenSlots: slots 256 to 271 of an L4 are Xen's (MM-12).
func TestXenSlots(t *testing.T) {
	r := newRules(t)
	defer r.M.Close()
	r.put(10, 260, 0x123456789)
	r.tables(t)
	for i := range r.XenSlots {
		want := r.XenSlots[i]
		if i == 0 {
			want = 0 // the M2P comes when the root is loaded
		}
		if i == 2 {
			want = Make(10, Present) // the linear map: the root itself
		}
		if got := r.entry(10, abi.L4FirstXenSlot+i); got != want {
			t.Errorf("slot %d: %#x, want %#x", 256+i, got, want)
		}
	}
	for slot, want := range map[uint64]abi.Errno{255: 0, 256: abi.EINVAL, 271: abi.EINVAL, 272: 0} {
		if _, err := r.Apply(10<<12+8*slot, 0, dom1, dom1, false); err != want {
			t.Errorf("clearing slot %d: %v, want %v", slot, err, want)
		}
	}
}

// TestLinear: a root may map itself or another root, read-only, one level
// deep (MM-15).
func TestLinear(t *testing.T) {
	r := newRules(t)
	defer r.M.Close()
	for _, mfn := range []uint64{10, 20, 30} {
		if err := r.Pin(mfn, dom1, TypeL4); err != 0 {
			t.Fatal(err)
		}
	}
	before := r.snapshotInfo()
	set := func(table, slot uint64, e Entry, want abi.Errno) {
		t.Helper()
		if _, err := r.Apply(table<<12+8*slot, e, dom1, dom1, false); err != want {
			t.Errorf("L4 %d slot %d = %#x: %v, want %v", table, slot, e, err, want)
		}
	}
	set(10, 300, Make(10, Present), 0)
	set(10, 301, Make(10, rw), abi.EINVAL)
	set(10, 302, Make(20, rw), abi.EINVAL)
	set(10, 302, Make(20, Present), 0)
	set(20, 303, Make(30, Present), abi.EINVAL) // 20 is a target already
	set(30, 303, Make(10, Present), abi.EINVAL) // 10 has such entries already
	set(30, 303, Make(20, Present), 0)          // a target may have many
	set(10, 302, 0, 0)
	set(30, 303, 0, 0)
	set(20, 303, Make(30, Present), 0) // free again
	set(20, 303, 0, 0)
	set(10, 300, 0, 0)
	r.compareCounts(t, before)
}

// TestDescriptors: what may stand in a GDT or LDT (SEG-03, SEG-04).
func TestDescriptors(t *testing.T) {
	for _, c := range []struct {
		name      string
		d, stored uint64
		ok        bool
	}{
		{"not present", 0x0000090000000067, 0x0000090000000067, true},
		{"data, DPL 0", 0x00cf92000000ffff, 0x00cff2000000ffff, true},
		{"code, DPL 3", 0x00affa000000ffff, 0x00affa000000ffff, true},
		{"type 0", 0x0000800000001234, 0x0000800000001234, true},
		{"LDT", 0x0000820000000067, 0, false},
		{"TSS", 0x0000890000000067, 0, false},
		{"interrupt gate", 0x00008e0000080000, 0, false},
		{"task gate", 0x0000850000080000, 0, false},
		{"call gate", 0x0000ec0000081234, 0x00008c00000b1234, true},
		{"call gate to Xen", 0x0000ec00e0081234, 0, false},
		{"call gate, reserved bits", 0x0000ec0100081234, 0, false},
	} {
		stored, ok := CheckDescriptor(c.d)
		if ok != c.ok || ok && stored != c.stored {
			t.Errorf("%s: %#x %v, want %#x %v", c.name, stored, ok, c.stored, c.ok)
		}
	}
}

func (r *Rules) snapshotInfo() (all [testFrames]mem.PageInfo) {
	for i := range all {
		all[i] = r.M.Info(uint64(i))
	}
	return all
}

// compareCounts compares references; the type of a frame without type
// references is only a memory of its last use.
func (r *Rules) compareCounts(t interface{ Errorf(string, ...any) }, want [testFrames]mem.PageInfo) {
	for i, w := range want {
		p := r.M.Info(uint64(i))
		if p.Count != w.Count || p.TypeCount != w.TypeCount || p.Flags&Pinned != w.Flags&Pinned || p.TypeCount != 0 && p.Type != w.Type {
			t.Errorf("frame %d: %+v, was %+v", i, p, w)
		}
	}
}

// check holds what must always be true: no frame is writable and a page table
// at once, and every type reference is accounted for by an entry or a pin.
func (r *Rules) check() error {
	var refs, types [testFrames]uint32
	for mfn := uint64(0); mfn < testFrames; mfn++ {
		p := r.M.Info(mfn)
		if p.Flags&Pinned != 0 {
			refs[mfn]++
			types[mfn]++
		}
		if p.TypeCount == 0 || p.Type < TypeL1 || p.Type > TypeL4 {
			continue
		}
		for i := 0; i < entries; i++ {
			e := r.entry(mfn, i)
			target := e.MFN()
			if !guestSlot(p.Type, i) || !e.Has(Present) || target >= testFrames || target == mfn && p.Type != TypeL1 {
				continue
			}
			refs[target]++
			if p.Type != TypeL1 || e.Has(Writable) {
				types[target]++
			}
			if q := r.M.Info(target); p.Type == TypeL1 && e.Has(Writable) && q.Type != TypeWritable {
				return fmt.Errorf("frame %d of type %d is mapped writable by %d[%d]", target, q.Type, mfn, i)
			}
		}
	}
	for mfn := uint64(0); mfn < testFrames; mfn++ {
		p := r.M.Info(mfn)
		if p.Flags&Allocated != 0 {
			refs[mfn]++
		}
		if p.Count != refs[mfn] || p.TypeCount != types[mfn] {
			return fmt.Errorf("frame %d: %d references, %d type references; entries and pins make %d, %d",
				mfn, p.Count, p.TypeCount, refs[mfn], types[mfn])
		}
	}
	return nil
}

// TestCountsHold: whatever a guest asks for in whatever order, the counts are
// those that its tables and pins justify, and undoing all of it leaves
// nothing behind.
func TestCountsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRules(t)
		defer r.M.Close()
		before, audit := r.snapshotInfo(), NewAuditor(r)
		frame := rapid.Uint64Range(0, 7)
		for n := rapid.IntRange(1, 60).Draw(t, "steps"); n > 0; n-- {
			mfn, slot := frame.Draw(t, "mfn"), rapid.SampledFrom([]uint64{0, 1, 255, 256, 511}).Draw(t, "slot")
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0:
				r.Pin(mfn, dom1, Type(rapid.IntRange(1, 4).Draw(t, "type")))
			case 1:
				r.Unpin(mfn, dom1)
			default:
				flags := rapid.SampledFrom([]Entry{0, Present, rw, rw | User, Present | Global}).Draw(t, "flags")
				r.Apply(mfn<<12+8*slot, Make(frame.Draw(t, "target"), flags), dom1, dom1, rapid.Bool().Draw(t, "keep"))
			}
			if err := r.check(); err != nil {
				t.Fatal(err)
			}
			if err := audit.Audit(nil); err != nil {
				t.Fatal(err)
			}
		}
		for mfn := uint64(0); mfn < 8; mfn++ {
			r.Unpin(mfn, dom1)
		}
		r.compareCounts(t, before)
	})
}
