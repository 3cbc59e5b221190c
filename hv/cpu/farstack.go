package cpu

import "pvlab/hv/x86"

// Stack is a cursor that pushes to or pops from a stack without touching RSP, so that an
// instruction that fails half-way has changed no register.
type Stack struct {
	c    *CPU
	seg  x86.Segment // segment in force unless flat
	sp   uint64
	mask uint64 // of the stack pointer: 16, 32 or 64 bits
	flat bool   // 64-bit mode: neither base nor limit
	view *[tlbSize]tlbEntry
}

// currentStack is SS:RSP as the current code sees it.
func (c *CPU) currentStack() Stack {
	return c.stackAt(c.Seg[x86.SS], c.R[x86.RSP], c.mode == Mode64, c.tlb)
}

func (c *CPU) stackAt(ss x86.Segment, sp uint64, flat bool, view *[tlbSize]tlbEntry) Stack {
	s := Stack{c: c, seg: ss, sp: sp, flat: flat, view: view, mask: 0xffff}
	switch {
	case flat:
		s.mask = ^uint64(0)
	case ss.Attr&x86.AttrDB != 0:
		s.mask = 0xffffffff
	}
	return s
}

// innerStack is a stack of privilege level cpl that an inward transfer uses:
// its accesses are implicit supervisor ones below level 3.
func (c *CPU) innerStack(ss x86.Segment, sp uint64, flat bool) Stack {
	return c.stackAt(ss, sp, flat, &c.tlbs[viewKernel])
}

// linear checks [sp, sp+size) of the stack; false with #SS(0).
func (s *Stack) linear(off uint64, size int) (uint64, bool) {
	if s.flat {
		if !x86.Canonical(off) || !x86.Canonical(off+uint64(size)-1) {
			s.c.exceptCode(x86.VectorSS, 0)
			return 0, false
		}
		return off, true
	}
	if !inLimit(&s.seg, off, size) {
		s.c.exceptCode(x86.VectorSS, 0)
		return 0, false
	}
	return (s.seg.Base + off) & 0xffffffff, true
}

// inLimit reports whether [off, off+size) lies in the segment; expand-down
// segments hold what is above their limit.
func inLimit(s *x86.Segment, off uint64, size int) bool {
	last := off + uint64(size) - 1
	if s.Attr&(x86.AttrS|x86.AttrCode|x86.AttrDown) == x86.AttrS|x86.AttrDown {
		top := uint64(0xffff)
		if s.Attr&x86.AttrDB != 0 {
			top = 0xffffffff
		}
		return off > uint64(s.Limit) && last <= top
	}
	return last <= uint64(s.Limit)
}

func (s *Stack) push(size int, v uint64) bool { return s.pushWidth(size, size, v) }

// pushWidth makes a slot of size bytes and writes the low width bytes of it.
func (s *Stack) pushWidth(size, width int, v uint64) bool {
	sp := (s.sp - uint64(size)) & s.mask
	lin, ok := s.linear(sp, size)
	if !ok {
		return false
	}
	save := s.c.tlb
	s.c.tlb = s.view
	st := s.c.store(x86.SS, lin, width, v)
	s.c.tlb = save
	s.sp = sp
	return st != stFault
}

func (s *Stack) pop(size int) (uint64, bool) {
	lin, ok := s.linear(s.sp&s.mask, size)
	if !ok {
		return 0, false
	}
	save := s.c.tlb
	s.c.tlb = s.view
	v, ok := s.c.load(x86.SS, lin, size)
	s.c.tlb = save
	s.sp = (s.sp + uint64(size)) & s.mask
	return v, ok
}

// commit makes the cursor's pointer the current stack pointer; a 16-bit stack
// leaves the upper part of RSP alone.
func (s *Stack) commit() {
	r := &s.c.R[x86.RSP]
	if s.mask == 0xffff {
		*r = *r&^0xffff | s.sp&0xffff
	} else {
		*r = s.sp & s.mask
	}
}
