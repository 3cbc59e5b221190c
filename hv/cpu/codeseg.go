package cpu

import "pvlab/hv/x86"

// Code segments as targets of far transfers.

// codeRule says which privilege a target code segment may have.
type codeRule uint8

const (
	codeJump   codeRule = iota // JMP, CALL: non-conforming DPL = CPL and RPL <= CPL, conforming DPL <= CPL
	codeGate                   // CALL through a gate: DPL <= CPL
	codeReturn                 // RETF, IRET: by the selector's RPL
)

// codeSegment fetches sel and checks it as the target of a transfer from
// privilege cpl. False with #GP(sel), #NP(sel), #GP(0) for null, or the page
// fault of reading the table.
func (c *CPU) codeSegment(sel uint16, cpl uint8, rule codeRule) (s x86.Segment, ok bool) {
	if nullSel(sel) {
		c.gp0()
		return s, false
	}
	d, at, ok := c.descriptor(sel, x86.VectorGP)
	if !ok {
		return s, false
	}
	return c.checkCode(sel, d, at, cpl, rule)
}

func (c *CPU) checkCode(sel uint16, d x86.Descriptor, at uint64, cpl uint8, rule codeRule) (s x86.Segment, ok bool) {
	s = d.Segment(sel)
	const code = x86.AttrS | x86.AttrCode
	rpl := uint8(sel & 3)
	conforming := s.Attr&x86.AttrDown != 0
	good := s.Attr&code == code
	switch {
	case rule == codeReturn && conforming:
		good = good && rpl >= cpl && s.DPL() <= rpl
	case rule == codeReturn:
		good = good && rpl >= cpl && s.DPL() == rpl
	case conforming || rule == codeGate:
		good = good && s.DPL() <= cpl
	default:
		good = good && s.DPL() == cpl && rpl <= cpl
	}
	if c.Long() && s.Attr&x86.AttrL != 0 && s.Attr&x86.AttrDB != 0 {
		good = false
	}
	if !good {
		c.exceptCode(x86.VectorGP, selCode(sel))
		return s, false
	}
	if s.Attr&x86.AttrP == 0 {
		c.exceptCode(x86.VectorNP, selCode(sel))
		return s, false
	}
	d, ok = c.markAccessed(d, at)
	return d.Segment(sel), ok
}

// is64 reports whether a segment is 64-bit code under the current EFER.
func (c *CPU) is64(s *x86.Segment) bool { return c.Long() && s.Attr&x86.AttrL != 0 }

// targetOK checks the offset of a far transfer into s: canonical for 64-bit
// code, within the limit otherwise; else #GP(0).
func (c *CPU) targetOK(s *x86.Segment, rip uint64) bool {
	if c.is64(s) {
		if x86.Canonical(rip) {
			return true
		}
	} else if rip <= uint64(s.Limit) {
		return true
	}
	c.gp0()
	return false
}

// enterCode loads CS with s at privilege cpl and jumps to rip.
func (c *CPU) enterCode(s x86.Segment, rip uint64, cpl uint8) {
	s.Sel = s.Sel&^3 | uint16(cpl)
	c.Seg[x86.CS] = s
	c.CPL = cpl
	c.RIP = rip
	c.updateMode()
}

// dropInner makes data segments unusable that the outer level cpl may not
// see (SDM vol. 2, "RET", "RETURN-OUTER-PRIVILEGE-LEVEL").
func (c *CPU) dropInner(cpl uint8) {
	for _, i := range [...]uint8{x86.ES, x86.DS, x86.FS, x86.GS} {
		s := &c.Seg[i]
		conforming := s.Attr&(x86.AttrCode|x86.AttrDown) == x86.AttrCode|x86.AttrDown
		switch {
		case s.Attr&x86.AttrP == 0 && s.Sel <= 3:
			s.Sel = 0 // a null selector with an RPL becomes 0 (SEG-07)
		case s.Attr&x86.AttrP != 0 && !conforming && s.DPL() < cpl:
			c.loadNull(i, 0)
		}
	}
}
