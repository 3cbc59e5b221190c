package cpu

import "pvlab/hv/x86"

// Segment loading (SDM vol. 3, "Segment and Page-Level Privilege Checks";
// vol. 2, "MOV", "POP").

func nullSel(sel uint16) bool { return sel&^3 == 0 }

// descriptorAddr finds the linear address of the descriptor of sel, which
// must lie with size bytes inside its table; false with fault vec(sel).
func (c *CPU) descriptorAddr(sel uint16, size uint32, vec uint8) (uint64, bool) {
	base, limit := c.GDTR.Base, uint32(c.GDTR.Limit)
	if sel&4 != 0 {
		base, limit = c.LDTR.Base, c.LDTR.Limit
		if c.LDTR.Attr&x86.AttrP == 0 {
			c.exceptCode(vec, selCode(sel))
			return 0, false
		}
	}
	off := uint32(sel &^ 7)
	if off+size-1 > limit {
		c.exceptCode(vec, selCode(sel))
		return 0, false
	}
	return base + uint64(off), true
}

// descriptor reads the 8-byte descriptor of sel. Outside the table the fault
// is vec(sel): #GP, or #TS while a stack comes from the TSS.
func (c *CPU) descriptor(sel uint16, vec uint8) (d x86.Descriptor, at uint64, ok bool) {
	if at, ok = c.descriptorAddr(sel, 8, vec); !ok {
		return 0, 0, false
	}
	v, ok := c.sysLoad(at, 8)
	return x86.Descriptor(v), at, ok
}

// ReadDescriptor reads the 8-byte descriptor that sel names in the current
// GDT or LDT, with supervisor rights; #GP(sel) outside the table.
func (c *CPU) ReadDescriptor(sel uint16) (x86.Descriptor, x86.Fault) {
	d, _, ok := c.descriptor(sel, x86.VectorGP)
	if !ok {
		return 0, c.fault
	}
	return d, x86.Fault{}
}

// systemSegment makes a segment of a system descriptor, whose base goes on in
// a second word in long mode. False with #GP(sel) when that word lies outside
// the table or is not a system descriptor's.
func (c *CPU) systemSegment(sel uint16, d x86.Descriptor, at uint64) (s x86.Segment, ok bool) {
	s = d.Segment(sel)
	if !c.Long() {
		return s, true
	}
	if _, ok = c.descriptorAddr(sel, 16, x86.VectorGP); !ok {
		return s, false
	}
	hi, ok := c.sysLoad(at+8, 8)
	if !ok {
		return s, false
	}
	s.Base |= hi << 32
	if hi>>40&0x1f != 0 || !x86.Canonical(s.Base) {
		c.exceptCode(x86.VectorGP, selCode(sel))
		return s, false
	}
	return s, true
}

// markAccessed sets the accessed bit in memory if it is clear.
func (c *CPU) markAccessed(d x86.Descriptor, at uint64) (x86.Descriptor, bool) {
	const accessed = 1 << 40
	if d&accessed != 0 {
		return d, true
	}
	d |= accessed
	return d, c.sysStore(at+5, 1, uint64(d>>40&0xff)) != stFault
}

// loadSegment loads ES, SS, DS, FS or GS by the rules of the current mode.
// False with c.fault; nothing is changed then.
func (c *CPU) loadSegment(seg uint8, sel uint16) bool {
	if !c.Protected() {
		c.Seg[seg].Sel, c.Seg[seg].Base = sel, uint64(sel)<<4
		return true
	}
	if seg == x86.SS {
		return c.loadSS(sel)
	}
	if nullSel(sel) {
		c.loadNull(seg, sel)
		return true
	}
	d, at, ok := c.descriptor(sel, x86.VectorGP)
	if !ok {
		return false
	}
	s := d.Segment(sel)
	if f := c.dataFault(&s, c.CPL); f.Valid {
		c.fault = f
		return false
	}
	if d, ok = c.markAccessed(d, at); !ok {
		return false
	}
	c.Seg[seg] = d.Segment(sel)
	return true
}

// dataFault checks a descriptor for DS, ES, FS and GS.
func (c *CPU) dataFault(s *x86.Segment, cpl uint8) x86.Fault {
	code := selCode(s.Sel)
	isCode := s.Attr&x86.AttrCode != 0
	if s.Attr&x86.AttrS == 0 || isCode && s.Attr&x86.AttrRW == 0 {
		return x86.WithCode(x86.VectorGP, code)
	}
	conforming := isCode && s.Attr&x86.AttrDown != 0
	if !conforming && max(uint8(s.Sel&3), cpl) > s.DPL() {
		return x86.WithCode(x86.VectorGP, code)
	}
	if s.Attr&x86.AttrP == 0 {
		return x86.WithCode(x86.VectorNP, code)
	}
	return x86.Fault{}
}

// loadNull makes DS, ES, FS or GS unusable. Intel clears the base, AMD
// (before Zen 4, CPUID 8000_0021.EAX[6]) leaves base and limit.
func (c *CPU) loadNull(seg uint8, sel uint16) {
	s := &c.Seg[seg]
	s.Sel, s.Attr = sel, 0
	if c.Vendor == Intel {
		s.Base, s.Limit = 0, 0
	}
}

// loadSS loads SS at the current privilege level.
func (c *CPU) loadSS(sel uint16) bool {
	if nullSel(sel) {
		if c.mode != Mode64 || c.CPL == 3 || uint8(sel&3) != c.CPL {
			c.gp0()
			return false
		}
		c.Seg[x86.SS] = nullSS(sel)
		return true
	}
	s, ok := c.stackSegment(sel, c.CPL, x86.VectorGP)
	if ok {
		c.Seg[x86.SS] = s
	}
	return ok
}

// nullSS is SS as a null selector leaves it in 64-bit code: only its
// privilege level counts.
func nullSS(sel uint16) x86.Segment { return x86.Segment{Sel: sel, Attr: sel & 3 << 5} }

// stackSegment fetches and checks a non-null selector for SS at privilege
// cpl: writable data, RPL = DPL = cpl, else vec(sel); not present #SS(sel).
func (c *CPU) stackSegment(sel uint16, cpl uint8, vec uint8) (s x86.Segment, ok bool) {
	d, at, ok := c.descriptor(sel, vec)
	if !ok {
		return s, false
	}
	s = d.Segment(sel)
	const want = x86.AttrS | x86.AttrRW
	if uint8(sel&3) != cpl || s.DPL() != cpl || s.Attr&(want|x86.AttrCode) != want {
		c.exceptCode(vec, selCode(sel))
		return s, false
	}
	if s.Attr&x86.AttrP == 0 {
		c.exceptCode(x86.VectorSS, selCode(sel))
		return s, false
	}
	d, ok = c.markAccessed(d, at)
	return d.Segment(sel), ok
}

// LoadSegment loads ES, SS, DS, FS or GS (x86.ES ...) with the checks that
// code at privilege level cpl meets in the current mode. On a fault nothing
// is changed. For FS and GS in long mode the descriptor's base replaces the
// 64-bit one.
func (c *CPU) LoadSegment(seg int, sel uint16, cpl uint8) x86.Fault {
	old := c.CPL
	c.CPL = cpl
	ok := c.loadSegment(uint8(seg), sel)
	c.CPL = old
	if !ok {
		return c.fault
	}
	return x86.Fault{}
}
