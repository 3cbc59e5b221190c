package pagetable

import (
	"errors"
	"strings"
	"testing"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// TestAuditFinds: each way in which counts, types and tables can disagree is
// found, and the report names the frame, the counts and the references. The
// tables are L4 10 -> L3 11 -> L2 12 -> L1 13 -> data 2 (writable), 3; frame
// 20 is an L4 with a linear entry for 10.
func TestAuditFinds(t *testing.T) {
	count := func(mfn uint64, f func(p *mem.PageInfo)) func(*Rules) {
		return func(r *Rules) {
			p := r.M.Info(mfn)
			f(&p)
			r.M.SetInfo(mfn, p)
		}
	}
	entry := func(mfn uint64, slot int, e Entry) func(*Rules) {
		return func(r *Rules) { r.setEntry(mfn, slot, e) }
	}
	cases := []struct {
		name   string
		breaks func(r *Rules)
		want   string // in the error
	}{
		{"a reference too many", count(3, func(p *mem.PageInfo) { p.Count++ }),
			"frame 0x3: general count; owner d1, type none, flags allocated: general count 3, found 2; type count 0, found 0\n" +
				"  allocation of owner 0\n  frame 0xd slot 1"},
		{"a reference too few", count(3, func(p *mem.PageInfo) { p.Count-- }), "frame 0x3: general count"},
		{"a type reference too many", count(13, func(p *mem.PageInfo) { p.TypeCount++ }),
			"frame 0xd: type count; owner d1, type L1, flags validated+allocated: general count 2, found 2; type count 2, found 1"},
		{"a pin forgotten", count(10, func(p *mem.PageInfo) { p.Flags &^= Pinned }), "frame 0xa: general count"},
		{"an allocation forgotten", count(5, func(p *mem.PageInfo) { p.Flags &^= Allocated }), "frame 0x5: general count"},
		{"a free frame with a type", count(testFrames-1, func(p *mem.PageInfo) { p.Type = TypeL1 }), "free, but with a type"},
		{"a page table mapped writable", entry(13, 5, Make(12, rw)), "frame 0xc: used frame 0xd slot 5 as writable, which it is not"},
		{"an entry that took no reference", entry(13, 5, Make(4, Present)), "frame 0x4: general count"},
		{"an entry gone without its references", entry(13, 0, 0), "frame 0x2: general count"},
		{"a large page", entry(12, 10, Make(13, rw|PSE)), "with flags no guest may have"},
		{"a linear entry made writable", entry(20, 300, Make(10, rw)), "slot 300 is a writable linear entry"},
		{"the table itself, writable", entry(10, 300, Make(10, rw)), "slot 300 maps the table itself writable"},
		{"a linear count too high", count(20, func(p *mem.PageInfo) { p.Aux++ }), "frame 0x14: linear count"},
		{"one of Xen's slots", entry(10, 260, Make(2, Present)), "frame 0xa: slot 260 is"},
		{"a table of another domain", count(11, func(p *mem.PageInfo) { p.Owner = OwnerOf(7) }), "owned by d7, but a page table of d1"},
		{"never validated", count(12, func(p *mem.PageInfo) { p.Flags &^= Validated }), "frame 0xc: used frame 0xb slot 5 as L2, which it is not"},
		{"validated without a reference", count(5, func(p *mem.PageInfo) { p.Type, p.Flags = TypeL2, p.Flags|Validated }),
			"frame 0x5: validated as a page table without a reference"},
	}
	build := func(t *testing.T) *Rules {
		r := newRules(t)
		t.Cleanup(r.M.Close)
		r.tables(t)
		r.put(20, 300, Make(10, Present))
		if err := r.Pin(20, dom1, TypeL4); err != 0 {
			t.Fatal(err)
		}
		if err := r.GetPageAndType(10, dom1, TypeL4); err != 0 {
			t.Fatal(err)
		}
		return r
	}
	held := []Held{{MFN: 10, Type: TypeL4, By: "kernel root of vCPU", N: 3}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := build(t)
			a := NewAuditor(r)
			if err := a.Audit(held); err != nil {
				t.Fatalf("before: %v", err)
			}
			c.breaks(r)
			err := a.Audit(held)
			var v *Violation
			if !errors.As(err, &v) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %q", err, c.want)
			}
		})
	}
	t.Run("a root not listed", func(t *testing.T) {
		if err := NewAuditor(build(t)).Audit(nil); err == nil {
			t.Error("not found")
		}
	})
	t.Run("a reference past the end", func(t *testing.T) {
		err := NewAuditor(build(t)).Audit([]Held{held[0], {MFN: 1 << 30, By: "GDT of vCPU", N: 1}})
		if err == nil || !strings.Contains(err.Error(), "frame 0x40000000: reference to a frame past the end by GDT of vCPU 1") {
			t.Error(err)
		}
	})
}

// TestAuditShared: a frame that Xen lends has one type reference of Xen's,
// none included, and what maps it is counted on top.
func TestAuditShared(t *testing.T) {
	r := newRules(t)
	defer r.M.Close()
	Share(r.M, 40, dom1, TypeWritable)
	Share(r.M, 41, OwnerXen, TypeNone)
	Share(r.M, 42, OwnerIO, TypeWritable)
	r.put(13, 0, Make(40, rw))
	if err := r.Pin(13, dom1, TypeL1); err != 0 {
		t.Fatal(err)
	}
	for _, c := range []struct {
		e    Entry
		want abi.Errno
	}{{Make(41, Present), 0}, {Make(41, rw), abi.EBUSY}} {
		if _, err := r.Apply(13<<mem.PageShift+8, c.e, dom1, OwnerXen, false); err != c.want {
			t.Errorf("frame of Xen's, %#x: %v, want %v", c.e, err, c.want)
		}
	}
	if err := NewAuditor(r).Audit(nil); err != nil {
		t.Error(err)
	}
}
