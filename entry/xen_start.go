package entry

import "pvlab/hv/x86"

// Start makes a vCPU that VCPUOP_initialise set up ready for its first
// instruction, as scheduling it in does: data segments by their selectors,
// then the bases, then an IRET to its context (EVT-14).
func (x *Xen) Start() {
	v, c := x.V, x.V.CPU
	v.Fresh = false
	v.Reload, v.Sysret = true, false
	ok := x.loadSegments(v.StartSel)
	c.Seg[x86.FS].Base, c.Seg[x86.GS].Base = v.StartFS, v.StartGS
	if !ok {
		x.Failsafe(v.StartSel)
	}
}

// ReloadSegments does what Xen does to a vCPU that was descheduled for
// another one: its data selectors are loaded again, keeping the bases, and
// one that has gone bad meanwhile raises the failsafe callback (CB-08,
// SEG-08).
func (x *Xen) ReloadSegments() {
	c := x.V.CPU
	sel := [4]uint16{c.Seg[x86.DS].Sel, c.Seg[x86.ES].Sel, c.Seg[x86.FS].Sel, c.Seg[x86.GS].Sel}
	fs, gs := c.Seg[x86.FS].Base, c.Seg[x86.GS].Base
	ok := x.loadSegments(sel)
	c.Seg[x86.FS].Base, c.Seg[x86.GS].Base = fs, gs
	if !ok {
		x.Failsafe(sel)
	}
}

// loadSegments loads DS, ES, FS and GS (in that order in sel); a bad one
// becomes NUL and makes the result false (X/domain.c:load_segments).
func (x *Xen) loadSegments(sel [4]uint16) bool {
	v, c, ok := x.V, x.V.CPU, true
	for _, s := range [...]struct {
		seg int
		sel uint16
	}{{x86.FS, sel[2]}, {x86.GS, sel[3]}, {x86.DS, sel[0]}, {x86.ES, sel[1]}} {
		f := c.LoadSegment(s.seg, s.sel, 0)
		if f.Valid && f.Vector == x86.VectorPF {
			if off, ldt, in := v.LDTWindow(f.Addr); in && ldt && v.MapLDTPage(off) {
				f = c.LoadSegment(s.seg, s.sel, 0)
			}
		}
		if f.Valid {
			c.LoadSegment(s.seg, 0, 0)
			ok = false
		}
	}
	return ok
}
