package grant

import (
	"testing"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// world is three domains, each with its table and its frames, and no page
// tables.
type world struct {
	*System
	t    testing.TB
	doms map[uint16]*Actor
	last uint64 // frame in use, as the domains get them
}

// Frames of the tables; those of the domains begin behind them.
const (
	tableFrames = MaxFrames + MaxStatusFrames
	worldFrames = 4*tableFrames + 64
)

func newWorld(t testing.TB, vcpus int) *world {
	t.Helper()
	m, err := mem.New(worldFrames << mem.PageShift)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	w := &world{t: t, doms: map[uint16]*Actor{}, last: 4 * tableFrames}
	w.System = &System{Mem: m, Rules: &pagetable.Rules{M: m, MaxPA: 46}, SetM2P: func(_, _ uint64) {}}
	for d := uint16(1); d <= 3; d++ {
		base := uint64(d) * tableFrames
		w.doms[d] = &Actor{Table: w.Add(d, vcpus, Frames{base, base + MaxFrames}), Mapper: noTables{}}
	}
	return w
}

// page gives domain d a frame that begins with a byte.
func (w *world) page(d uint16, first byte) uint64 {
	w.last++
	w.Mem.SetInfo(w.last, mem.PageInfo{Owner: pagetable.OwnerOf(d), Flags: pagetable.Allocated, Count: 1})
	w.Mem.Write(w.last<<mem.PageShift, []byte{first})
	return w.last
}

// version2 makes an entry {flags, domid, three words behind them}.
func (w *world) version2(d uint16, ref uint32, flags, to, word4, word6 uint16, frame uint64) {
	t := w.doms[d].Table
	if err := t.SetVersion(2); err != 0 {
		w.t.Fatal(err)
	}
	at := t.entry(ref)
	t.put16(at, flags)
	t.put16(at+2, to)
	t.put16(at+4, word4)
	t.put16(at+6, word6)
	w.Mem.Write64(at+8, frame)
}

// copyOne has domain d copy a byte from a grant of another's to its frame.
func (w *world) copyOne(d, from uint16, ref uint32, offset uint16, to uint64) abi.GrantStatus {
	c := w.Copy(w.doms[d].Table)
	defer c.End()
	return c.One(&abi.GrantCopy{Source: abi.GrantCopyPtr{U: uint64(ref), Domid: from, Offset: offset},
		Dest: abi.GrantCopyPtr{U: to, Domid: abi.DomIDSelf}, Len: 1, Flags: abi.GntcopySourceGref})
}

func (w *world) want(what string, got, want abi.GrantStatus) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestTransitive: a grant may lead to another domain's, one step far, for
// copies alone (GNT-13).
func TestTransitive(t *testing.T) {
	w := newWorld(t, 1)
	secret, mine := w.page(1, 0x42), w.page(3, 0)
	w.version2(1, 8, abi.GTFPermitAccess|abi.GTFReadonly, 2, 0, 0, secret)
	w.version2(2, 9, abi.GTFTransitive, 3, 1, 0, 8) // domain 1's entry 8
	w.want("copy", w.copyOne(3, 2, 9, 0, mine), 0)
	if b := w.Mem.Frame(mine)[0]; b != 0x42 {
		t.Errorf("copied %#x", b)
	}
	for d, ref := range map[uint16]uint32{1: 8, 2: 9} {
		tab := w.doms[d].Table
		if pin, st := tab.active.at(ref).pin, tab.get16(tab.status(ref)); pin != 0 || st != 0 {
			t.Errorf("domain %d's entry is left with pin %#x, status %#x", d, pin, st)
		}
		if tab.v2ops != 0 {
			t.Errorf("domain %d: %d operations are left in progress", d, tab.v2ops)
		}
	}
	if p := w.Mem.Info(secret); p.Count != 1 || p.TypeCount != 0 {
		t.Errorf("references of the page: %+v", p)
	}

	op := abi.GrantMap{Flags: abi.GntmapHostMap, Ref: 9, Dom: 2}
	w.Map(w.doms[3], &op)
	w.want("map", op.Status, abi.GrantGeneralError)

	c := w.Copy(w.doms[3].Table)
	to := abi.GrantCopyPtr{U: 9, Domid: 2}
	w.want("write through a readonly one", c.One(&abi.GrantCopy{Source: abi.GrantCopyPtr{U: mine, Domid: abi.DomIDSelf}, Dest: to,
		Len: 1, Flags: abi.GntcopyDestGref}), abi.GrantGeneralError)
	c.End()

	w.version2(3, 8, abi.GTFTransitive, 1, 2, 0, 9)
	w.want("two steps", w.copyOne(1, 3, 8, 0, w.page(1, 0)), abi.GrantGeneralError)
	w.version2(2, 9, abi.GTFTransitive, 3, 1, 0, 7)
	w.want("to an empty entry", w.copyOne(3, 2, 9, 0, mine), abi.GrantGeneralError)
	w.version2(2, 9, abi.GTFTransitive, 3, 1, 0, 1<<20)
	w.want("to an entry past the end", w.copyOne(3, 2, 9, 0, mine), abi.GrantBadGntref)
	w.version2(2, 9, abi.GTFTransitive, 3, 2, 0, 10)
	w.want("to the own domain's", w.copyOne(3, 2, 9, 0, mine), abi.GrantGeneralError)
}

// TestTransitivePart: what a transitive grant gives access to is what the
// grant behind it does.
func TestTransitivePart(t *testing.T) {
	w := newWorld(t, 1)
	secret, mine := w.page(1, 0x42), w.page(3, 0)
	w.version2(1, 8, abi.GTFPermitAccess|abi.GTFSubPage, 2, 100, 10, secret)
	w.version2(2, 9, abi.GTFTransitive, 3, 1, 0, 8)
	w.want("in the part", w.copyOne(3, 2, 9, 109, mine), 0)
	w.want("before it", w.copyOne(3, 2, 9, 99, mine), abi.GrantGeneralError)
	w.want("past it", w.copyOne(3, 2, 9, 110, mine), abi.GrantGeneralError)
}

// TestHandles: a domain may have 262144 mappings; then other vCPUs' free
// handles serve, and in the end there are none (GNT-08).
func TestHandles(t *testing.T) {
	w := newWorld(t, 2)
	a := w.doms[2]
	other := &Actor{Table: a.Table, VCPU: 1, Mapper: noTables{}}
	page := w.page(1, 0)
	grants := w.doms[1].Table
	grants.grow(MaxFrames)
	const perRef = 128 * 4 // of each kind of use
	kinds := []uint32{abi.GntmapHostMap, abi.GntmapDeviceMap, abi.GntmapHostMap | abi.GntmapReadonly,
		abi.GntmapDeviceMap | abi.GntmapReadonly}
	mapOne := func(by *Actor, n uint32) (uint32, abi.GrantStatus) {
		op := abi.GrantMap{HostAddr: 1, Flags: kinds[n%4], Ref: 8 + n/perRef, Dom: 1}
		w.Map(by, &op)
		return op.Handle, op.Status
	}
	const all = maxMaptrack * chunkSize
	for ref := uint32(8); ref <= 8+all/perRef; ref++ {
		grants.Grant(ref, 2, page)
	}
	if h, st := mapOne(other, 0); st != 0 || h != 0 {
		t.Fatalf("the first: handle %d, %v", h, st)
	}
	n, writers := uint32(1), uint32(1)
	for ; ; n++ {
		_, st := mapOne(a, n)
		if st == abi.GrantNoSpace {
			break
		}
		if st != 0 {
			t.Fatalf("mapping %d: %v", n, st)
		}
		if kinds[n%4]&abi.GntmapReadonly == 0 {
			writers++
		}
	}
	if n != all-2 { // each vCPU keeps one
		t.Errorf("%d mappings, want %d", n, all-2)
	}
	if a.track.len() != all {
		t.Errorf("%d handles, want %d", a.track.len(), all)
	}
	if p := w.Mem.Info(page); p.Count != n+1 || p.TypeCount != writers {
		t.Errorf("%d mappings have %d references, %d to write", n, p.Count, p.TypeCount)
	}
	for h := uint32(0); h < all; h++ {
		if m := a.track.at(h); m.flags != 0 {
			u := Unmap{HostAddr: 1, DevBusAddr: page << mem.PageShift, Handle: h}
			w.want("unmap", w.Unmap(a, &u), 0)
			w.Finish(&u)
			n--
		}
	}
	if p := w.Mem.Info(page); n != 0 || p.Count != 1 || p.TypeCount != 0 {
		t.Errorf("left: %d mappings, %+v", n, p)
	}
	if got := grants.flags(8); got != abi.GTFPermitAccess {
		t.Errorf("flags %#x", got)
	}
}

// TestBackend: a domain without page tables uses others' grants as a guest
// would.
func TestBackend(t *testing.T) {
	w := newWorld(t, 1)
	b := w.Backend(w.doms[3].Table)
	grants := w.doms[1].Table
	page := w.page(1, 7)
	grants.Grant(1, 3, page)
	m, st := b.Map(1, 1, false)
	if st != 0 || m.MFN != page {
		t.Fatalf("map: %v, frame %#x", st, m.MFN)
	}
	if got := grants.flags(1); got != abi.GTFPermitAccess|abi.GTFReading|abi.GTFWriting {
		t.Errorf("flags %#x", got)
	}
	if w.Rules.GetType(page, pagetable.TypeSegDesc) == 0 {
		t.Error("a page mapped writable became a descriptor page")
	}
	held := 0
	w.doms[3].Held(false, func(mfn uint64, writable bool) {
		if mfn != page || !writable {
			t.Errorf("held: frame %#x, writable %v", mfn, writable)
		}
		held++
	})
	if held != 1 {
		t.Errorf("%d references held", held)
	}
	w.want("unmap", b.Unmap(m.Handle), 0)
	w.want("unmap again", b.Unmap(m.Handle), abi.GrantBadHandle)
	if p := w.Mem.Info(page); p.Count != 1 || p.TypeCount != 0 {
		t.Errorf("references: %+v", p)
	}
	_, st = b.Map(1, 2, false)
	w.want("map an empty entry", st, abi.GrantGeneralError)
	mine := w.page(3, 0)
	w.want("copy", b.Copy(&abi.GrantCopy{Source: abi.GrantCopyPtr{U: 1, Domid: 1}, Dest: abi.GrantCopyPtr{U: mine, Domid: abi.DomIDSelf},
		Len: 1, Flags: abi.GntcopySourceGref}), 0)
	if w.Mem.Frame(mine)[0] != 7 {
		t.Error("nothing was copied")
	}
}
