package grant

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// everything is a text of all that a System remembers.
func (w *world) everything() string {
	s := ""
	for d := uint16(1); d <= 3; d++ {
		t := w.doms[d].Table
		s += fmt.Sprintf("%d %+v %+v\n", d, t.State, t.free)
		for i := range t.active.len() {
			if e := t.active.at(i); e != (activeEntry{}) {
				s += fmt.Sprintf("active %d %+v\n", i, e)
			}
		}
		for i := range t.track.len() {
			if m := t.track.at(i); m.flags != 0 {
				s += fmt.Sprintf("map %d %+v\n", i, m)
			}
		}
	}
	return s
}

// check derives the counts of all entries and frames from the mappings there
// are.
func (w *world) check(t *rapid.T) {
	type entry struct {
		dom uint16
		ref uint32
	}
	pins := map[entry]uint32{}
	count, typed := map[uint64]uint32{}, map[uint64]uint32{}
	for _, a := range w.doms {
		for h := range a.track.len() {
			if m := a.track.at(h); m.flags != 0 {
				pins[entry{m.domid, m.ref}] += increment(uint32(m.flags))
			}
		}
		a.Held(false, func(mfn uint64, writable bool) {
			count[mfn]++
			if writable {
				typed[mfn]++
			}
		})
	}
	for d, a := range w.doms {
		for ref := range min(a.Entries(), 16) {
			pin := a.active.at(ref).pin
			if want := pins[entry{d, ref}]; pin != want {
				t.Fatalf("domain %d entry %d: pin %#x, mappings come to %#x", d, ref, pin, want)
			}
			use := a.get16(a.status(ref)) & (abi.GTFReading | abi.GTFWriting)
			if a.Version == 1 && a.flags(ref)&abi.GTFTypeMask != abi.GTFPermitAccess {
				continue // the bits mean something else
			}
			if want := uint16(0); pin == 0 && use != want {
				t.Fatalf("domain %d entry %d is not used and says %#x", d, ref, use)
			} else if pin != 0 && use&abi.GTFReading == 0 || pin&pinWriters != 0 && use&abi.GTFWriting == 0 {
				t.Fatalf("domain %d entry %d is used (%#x) and says %#x", d, ref, pin, use)
			}
		}
		if a.v2ops != 0 {
			t.Fatalf("domain %d: %d operations in progress", d, a.v2ops)
		}
	}
	for mfn := uint64(4 * tableFrames); mfn < worldFrames; mfn++ {
		p := w.Mem.Info(mfn)
		if p.Owner != 0 && (p.Count != 1+count[mfn] || p.Type == pagetable.TypeWritable && p.TypeCount != typed[mfn]) {
			t.Fatalf("frame %#x: %+v, mappings come to %d, %d to write", mfn, p, count[mfn], typed[mfn])
		}
	}
}

// act does one random operation.
func (w *world) act(t *rapid.T, pages []uint64) {
	d := uint16(rapid.IntRange(1, 3).Draw(t, "domain"))
	other := uint16(rapid.IntRange(1, 3).Draw(t, "other"))
	ref := uint32(rapid.IntRange(6, 12).Draw(t, "ref"))
	page := rapid.SampledFrom(pages).Draw(t, "page")
	a := w.doms[d]
	switch rapid.SampledFrom([]string{"grant", "map", "map", "map", "unmap", "unmap", "copy", "version", "swap"}).Draw(t, "what") {
	case "grant":
		if a.active.at(ref).pin != 0 {
			return // a guest may; the check above could not tell then
		}
		flags := rapid.SampledFrom([]uint16{0, abi.GTFPermitAccess, abi.GTFPermitAccess, abi.GTFPermitAccess | abi.GTFReadonly,
			abi.GTFPermitAccess | abi.GTFSubPage, abi.GTFTransitive}).Draw(t, "flags")
		at := a.entry(ref)
		a.put16(at, flags)
		a.put16(at+2, other)
		if a.Version == 1 {
			w.Mem.Write(at+4, []byte{byte(page), byte(page >> 8), 0, 0})
			return
		}
		a.put16(at+4, rapid.SampledFrom([]uint16{0, 1, 2, 3, 100}).Draw(t, "word"))
		a.put16(at+6, 100)
		w.Mem.Write64(at+8, rapid.SampledFrom([]uint64{page, uint64(ref)}).Draw(t, "frame"))
	case "map":
		op := abi.GrantMap{HostAddr: 1, Flags: uint32(rapid.IntRange(0, 7).Draw(t, "flags")), Ref: ref, Dom: other}
		w.Map(a, &op)
	case "unmap":
		u := Unmap{HostAddr: uint64(rapid.IntRange(0, 1).Draw(t, "host")), Handle: uint32(rapid.IntRange(0, 6).Draw(t, "handle"))}
		if rapid.Bool().Draw(t, "device") {
			u.DevBusAddr = page << mem.PageShift
		}
		w.Unmap(a, &u)
		w.Finish(&u)
	case "copy":
		c := w.Copy(a.Table)
		for range rapid.IntRange(1, 3).Draw(t, "copies") {
			op := abi.GrantCopy{Len: 4, Flags: uint16(rapid.IntRange(0, 3).Draw(t, "flags")),
				Source: abi.GrantCopyPtr{U: rapid.SampledFrom([]uint64{page, uint64(ref)}).Draw(t, "from"), Domid: other},
				Dest:   abi.GrantCopyPtr{U: rapid.SampledFrom([]uint64{page, uint64(ref)}).Draw(t, "to"), Domid: abi.DomIDSelf, Offset: 100}}
			c.One(&op)
		}
		c.End()
	case "version":
		a.SetVersion(uint32(rapid.IntRange(0, 3).Draw(t, "version")))
	case "swap":
		a.Swap(ref, uint32(rapid.IntRange(6, 12).Draw(t, "with")))
	}
}

// TestCounts: after any operations the counts are those of the mappings there
// are, and a saved state comes back whole.
func TestCounts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, 1)
		var pages []uint64
		for d := uint16(1); d <= 3; d++ {
			pages = append(pages, w.page(d, byte(d)), w.page(d, byte(d)))
		}
		for range rapid.IntRange(1, 40).Draw(rt, "before") {
			w.act(rt, pages)
			w.check(rt)
		}
		saved, snap, was := w.Save(), w.Mem.Snapshot(), w.everything()
		for range rapid.IntRange(1, 20).Draw(rt, "after") {
			w.act(rt, pages)
			w.check(rt)
		}
		w.Load(saved)
		w.Mem.Restore(snap)
		if now := w.everything(); now != was {
			rt.Fatalf("restored:\n%s\nwant\n%s", now, was)
		}
		w.check(rt)
	})
}
