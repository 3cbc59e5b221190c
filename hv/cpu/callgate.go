package cpu

import "pvlab/hv/x86"

// Far transfers through system descriptors: call gates (SDM vol. 3,
// "Accessing a Code Segment Through a Call Gate", "Stack Switching").

// callGate is what a call gate names.
type callGate struct {
	sel    uint16
	off    uint64
	params uint8
	size   int // bytes of each word it pushes: 2, 4 or 8
}

// readGate reads and checks the gate behind a JMP or CALL. done is true when
// st already says how the instruction ends.
func (c *CPU) readGate(in *Inst, sel uint16, d x86.Descriptor, at uint64) (g callGate, st status, done bool) {
	typ := d.Attr() & x86.AttrType
	seg := d.Segment(sel)
	switch {
	case typ == x86.TypeCallGate:
	case c.Long():
		return g, c.exceptCode(x86.VectorGP, selCode(sel)), true
	case typ == typeCallGate16:
	case typ == typeTaskGate, typ == x86.TypeTSSAvail, typ == x86.TypeTSS16Bit:
		return g, c.unmodelled(in, "task switch"), true
	default:
		return g, c.exceptCode(x86.VectorGP, selCode(sel)), true
	}
	if seg.DPL() < max(c.CPL, uint8(sel&3)) {
		return g, c.exceptCode(x86.VectorGP, selCode(sel)), true
	}
	g = callGate{sel: uint16(d >> 16), off: uint64(d)&0xffff | uint64(d)>>48<<16, params: uint8(d >> 32 & 31), size: 4}
	if typ == typeCallGate16 {
		g.size, g.off = 2, g.off&0xffff
	}
	if c.Long() {
		if _, ok := c.descriptorAddr(sel, 16, x86.VectorGP); !ok {
			return g, stFault, true
		}
		hi, ok := c.sysLoad(at+8, 8)
		if !ok {
			return g, stFault, true
		}
		if hi>>40&0x1f != 0 {
			return g, c.exceptCode(x86.VectorGP, selCode(sel)), true
		}
		g.size, g.off, g.params = 8, g.off|hi<<32, 0
	}
	if seg.Attr&x86.AttrP == 0 {
		return g, c.exceptCode(x86.VectorNP, selCode(sel)), true
	}
	return g, stOK, false
}

// System descriptor types of protected mode only.
const (
	typeCallGate16 = 4
	typeTaskGate   = 5
)

// gateCode fetches the code segment behind a gate.
func (c *CPU) gateCode(g *callGate, rule codeRule) (x86.Segment, bool) {
	cs, ok := c.codeSegment(g.sel, c.CPL, rule)
	if ok && c.Long() && cs.Attr&x86.AttrL == 0 {
		c.exceptCode(x86.VectorGP, selCode(g.sel))
		return cs, false
	}
	return cs, ok
}

func (c *CPU) gateJump(in *Inst, sel uint16, d x86.Descriptor, at uint64) status {
	g, st, done := c.readGate(in, sel, d, at)
	if done {
		return st
	}
	g.sel &^= 3 // the RPL in a gate does not count
	cs, ok := c.gateCode(&g, codeJump)
	if !ok || !c.targetOK(&cs, g.off) {
		return stFault
	}
	c.enterCode(cs, g.off, c.CPL)
	return stJump
}

func (c *CPU) gateCall(in *Inst, sel uint16, d x86.Descriptor, at uint64) status {
	g, st, done := c.readGate(in, sel, d, at)
	if done {
		return st
	}
	cs, ok := c.gateCode(&g, codeGate)
	if !ok {
		return stFault
	}
	cpl := c.CPL
	if cs.Attr&x86.AttrDown == 0 {
		cpl = cs.DPL()
	}
	old := c.Seg[x86.SS]
	oldSP := c.R[x86.RSP]
	stack := c.currentStack()
	ss := old
	if cpl < c.CPL {
		if stack, ss, ok = c.privilegeStack(cpl); !ok {
			return stFault
		}
		if !stack.push(g.size, uint64(old.Sel)) || !stack.push(g.size, oldSP) || !c.copyParams(&stack, &g) {
			return stFault
		}
	} else if c.Long() {
		stack.flat, stack.mask = true, ^uint64(0)
	}
	if !stack.push(g.size, uint64(c.Seg[x86.CS].Sel)) || !stack.push(g.size, in.Next()) || !c.targetOK(&cs, g.off) {
		return stFault
	}
	c.Seg[x86.SS] = ss
	stack.commit()
	c.enterCode(cs, g.off, cpl)
	return stJump
}

// copyParams copies the gate's parameters from the caller's stack.
func (c *CPU) copyParams(to *Stack, g *callGate) bool {
	from := c.currentStack()
	for i := int(g.params) - 1; i >= 0; i-- {
		at := from
		at.sp = (from.sp + uint64(i*g.size)) & from.mask
		v, ok := at.pop(g.size)
		if !ok || !to.push(g.size, v) {
			return false
		}
	}
	return true
}

// privilegeStack reads the stack of privilege level cpl from the TSS and
// checks it (SDM vol. 3, "Stack Switching", "Stack Switching in IA-32e
// Mode"): #TS(TSS) when the TSS is too short, #TS(ss) for a bad selector.
func (c *CPU) privilegeStack(cpl uint8) (s Stack, ss x86.Segment, ok bool) {
	if c.Long() {
		rsp, ok := c.tssWord(4+8*uint32(cpl), 8)
		if !ok {
			return s, ss, false
		}
		ss = nullSS(uint16(cpl))
		return c.innerStack(ss, rsp, true), ss, true
	}
	size, at := 4, 4+8*uint32(cpl)
	if c.TR.Attr&x86.AttrType == x86.TypeTSS16Busy {
		size, at = 2, 2+4*uint32(cpl)
	}
	sp, ok := c.tssWord(at, size)
	if !ok {
		return s, ss, false
	}
	sel, ok := c.tssWord(at+uint32(size), 2)
	if !ok {
		return s, ss, false
	}
	if nullSel(uint16(sel)) {
		c.exceptCode(x86.VectorTS, selCode(uint16(sel)))
		return s, ss, false
	}
	if ss, ok = c.stackSegment(uint16(sel), cpl, x86.VectorTS); !ok {
		return s, ss, false
	}
	return c.innerStack(ss, sp, false), ss, true
}

// tssWord reads size bytes at offset off of the current TSS; #TS(TR) outside
// its limit.
func (c *CPU) tssWord(off uint32, size int) (uint64, bool) {
	if off+uint32(size)-1 > c.TR.Limit {
		c.exceptCode(x86.VectorTS, selCode(c.TR.Sel))
		return 0, false
	}
	return c.sysLoad(c.TR.Base+uint64(off), size)
}
