package cpu

import "pvlab/hv/x86"

// Far JMP, CALL and RET (SDM vol. 2, same names). Task gates and TSS targets
// are not modelled and stop loudly; call gates are in callgate.go.

func truncate(v uint64, size int) uint64 {
	if size >= 8 {
		return v
	}
	return v & (1<<(8*size) - 1)
}

// farMem reads a far pointer m16:16, m16:32 or m16:64.
func (c *CPU) farMem(in *Inst) (sel uint16, off uint64, ok bool) {
	lin := c.ea(in)
	size := int(in.Size)
	if in.Size == 8 && c.Vendor == AMD {
		size = 4 // AMD ignores REX.W here (APM vol. 3, "CALL (Far)")
	}
	if off, ok = c.load(in.Seg, lin, size); !ok {
		return 0, 0, false
	}
	s, ok := c.load16(in.Seg, lin+uint64(size))
	return s, off, ok
}

func opJmpFarImm(c *CPU, in *Inst) status {
	return c.farJump(in, uint16(in.Imm>>32), uint64(uint32(in.Imm)))
}

func opJmpFarMem(c *CPU, in *Inst) status {
	sel, off, ok := c.farMem(in)
	if !ok {
		return stFault
	}
	return c.farJump(in, sel, off)
}

func opCallFarImm(c *CPU, in *Inst) status {
	return c.farCall(in, uint16(in.Imm>>32), uint64(uint32(in.Imm)))
}

func opCallFarMem(c *CPU, in *Inst) status {
	sel, off, ok := c.farMem(in)
	if !ok {
		return stFault
	}
	return c.farCall(in, sel, off)
}

func (c *CPU) farJump(in *Inst, sel uint16, off uint64) status {
	if !c.Protected() {
		return c.realJump(sel, off)
	}
	if nullSel(sel) {
		return c.gp0()
	}
	d, at, ok := c.descriptor(sel, x86.VectorGP)
	if !ok {
		return stFault
	}
	if d.Attr()&x86.AttrS == 0 {
		return c.gateJump(in, sel, d, at)
	}
	s, ok := c.checkCode(sel, d, at, c.CPL, codeJump)
	if !ok || !c.targetOK(&s, off) {
		return stFault
	}
	c.enterCode(s, off, c.CPL)
	return stJump
}

func (c *CPU) realJump(sel uint16, off uint64) status {
	cs := &c.Seg[x86.CS]
	if off > uint64(cs.Limit) {
		return c.gp0()
	}
	cs.Sel, cs.Base = sel, uint64(sel)<<4
	c.RIP = off
	return stJump
}

func (c *CPU) farCall(in *Inst, sel uint16, off uint64) status {
	size := int(in.Size)
	st := c.currentStack()
	next := in.Next()
	if !c.Protected() {
		if off > uint64(c.Seg[x86.CS].Limit) {
			return c.gp0()
		}
		if !st.push(size, uint64(c.Seg[x86.CS].Sel)) || !st.push(size, next) {
			return stFault
		}
		st.commit()
		return c.realJump(sel, off)
	}
	if nullSel(sel) {
		return c.gp0()
	}
	d, at, ok := c.descriptor(sel, x86.VectorGP)
	if !ok {
		return stFault
	}
	if d.Attr()&x86.AttrS == 0 {
		return c.gateCall(in, sel, d, at)
	}
	s, ok := c.checkCode(sel, d, at, c.CPL, codeJump)
	if !ok || !c.targetOK(&s, off) {
		return stFault
	}
	if !st.push(size, uint64(c.Seg[x86.CS].Sel)) || !st.push(size, next) {
		return stFault
	}
	st.commit()
	c.enterCode(s, off, c.CPL)
	return stJump
}

// opRetFar is RETF and RETF imm16.
func opRetFar(c *CPU, in *Inst) status {
	size, drop := int(in.Size), uint64(in.Imm)
	st := c.currentStack()
	rip, ok := st.pop(size)
	if !ok {
		return stFault
	}
	w, ok := st.pop(size)
	if !ok {
		return stFault
	}
	sel := uint16(w)
	if !c.Protected() {
		if rip > uint64(c.Seg[x86.CS].Limit) {
			return c.gp0()
		}
		st.sp = (st.sp + drop) & st.mask
		st.commit()
		return c.realJump(sel, rip)
	}
	cs, ok := c.codeSegment(sel, c.CPL, codeReturn)
	if !ok {
		return stFault
	}
	st.sp = (st.sp + drop) & st.mask
	if uint8(sel&3) == c.CPL {
		if !c.targetOK(&cs, rip) {
			return stFault
		}
		st.commit()
		c.enterCode(cs, rip, c.CPL)
		return stJump
	}
	rsp, ok := st.pop(size)
	if !ok {
		return stFault
	}
	w, ok = st.pop(size)
	if !ok {
		return stFault
	}
	ss, ok := c.returnStack(uint16(w), &cs)
	if !ok || !c.targetOK(&cs, rip) {
		return stFault
	}
	cpl := uint8(sel & 3)
	c.setStack(ss, rsp, &cs)
	c.addSP(&cs, drop)
	c.enterCode(cs, rip, cpl)
	c.dropInner(cpl)
	return stJump
}

// returnStack checks the SS that an outward (or 64-bit) return loads together
// with code segment cs.
func (c *CPU) returnStack(sel uint16, cs *x86.Segment) (x86.Segment, bool) {
	rpl := uint8(cs.Sel & 3)
	if nullSel(sel) {
		if !c.is64(cs) || rpl == 3 || uint8(sel&3) != rpl {
			c.gp0()
			return x86.Segment{}, false
		}
		return nullSS(sel), true
	}
	return c.stackSegment(sel, rpl, x86.VectorGP)
}

// setStack loads SS and the popped stack pointer as wide as the code segment
// that goes on sees it: with a 16-bit SS only SP changes.
func (c *CPU) setStack(ss x86.Segment, rsp uint64, cs *x86.Segment) {
	c.Seg[x86.SS] = ss
	st := c.stackAt(ss, rsp, c.is64(cs), c.tlb)
	st.commit()
}

func (c *CPU) addSP(cs *x86.Segment, n uint64) {
	st := c.stackAt(c.Seg[x86.SS], c.R[x86.RSP], c.is64(cs), c.tlb)
	st.sp = (st.sp + n) & st.mask
	st.commit()
}
