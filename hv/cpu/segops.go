package cpu

import "pvlab/hv/x86"

// Instructions that move segment registers: MOV Sreg, PUSH and POP Sreg, LDS
// and its kin (SDM vol. 2).

func segmentRows() []row {
	rows := []row{
		{m: map1, op: 0x8c, name: "MOV", form: formModRM, acc: acc2, attr: attrWrite, fn: all(opMovFromSeg)},
		{m: map1, op: 0x8e, name: "MOV", form: formModRM, acc: acc2, attr: attrEnd, fn: all(opMovToSeg)},
		{m: map1, op: 0xc4, modes: not64, mod: modMem, name: "LES", form: formModRM, acc: accFar, attr: attrEnd, fn: all(loadFar(x86.ES))},
		{m: map1, op: 0xc5, modes: not64, mod: modMem, name: "LDS", form: formModRM, acc: accFar, attr: attrEnd, fn: all(loadFar(x86.DS))},
		{m: map0F, op: 0xb2, mod: modMem, name: "LSS", form: formModRM, acc: accFar, attr: attrEnd, fn: all(loadFar(x86.SS))},
		{m: map0F, op: 0xb4, mod: modMem, name: "LFS", form: formModRM, acc: accFar, attr: attrEnd, fn: all(loadFar(x86.FS))},
		{m: map0F, op: 0xb5, mod: modMem, name: "LGS", form: formModRM, acc: accFar, attr: attrEnd, fn: all(loadFar(x86.GS))},
		{m: map1, op: 0x0e, modes: not64, name: "PUSH CS", size: size64, fn: all(pushSeg(x86.CS))},
	}
	for _, s := range []struct {
		seg       uint8
		m         opMap
		push, pop uint8
		modes     modeSel
	}{
		{x86.ES, map1, 0x06, 0x07, not64},
		{x86.SS, map1, 0x16, 0x17, not64},
		{x86.DS, map1, 0x1e, 0x1f, not64},
		{x86.FS, map0F, 0xa0, 0xa1, 0},
		{x86.GS, map0F, 0xa8, 0xa9, 0},
	} {
		rows = append(rows,
			row{m: s.m, op: s.push, modes: s.modes, name: "PUSH " + x86.SegNames[s.seg], size: size64, fn: all(pushSeg(s.seg))},
			row{m: s.m, op: s.pop, modes: s.modes, name: "POP " + x86.SegNames[s.seg], size: size64, attr: attrEnd, fn: all(popSeg(s.seg))})
	}
	return rows
}

// segReg is the segment register of ModRM.reg (REX.R does not count).
func segReg(in *Inst) (uint8, bool) { return in.Reg & 7, in.Reg&7 < 6 }

func opMovFromSeg(c *CPU, in *Inst) status {
	seg, ok := segReg(in)
	if !ok {
		return c.except(x86.VectorUD)
	}
	sel := c.Seg[seg].Sel
	if in.Flags&FlagMem != 0 {
		return c.store16(in.Seg, c.ea(in), sel)
	}
	c.setRegSize(in.RM, in.Size, uint64(sel))
	return stOK
}

func opMovToSeg(c *CPU, in *Inst) status {
	seg, ok := segReg(in)
	if !ok || seg == x86.CS {
		return c.except(x86.VectorUD)
	}
	sel, ok := c.rm16(in)
	if !ok || !c.loadSegment(seg, sel) {
		return stFault
	}
	return c.segLoaded(seg)
}

// segLoaded ends an instruction that loaded a segment register: one that
// loads SS holds interrupts and debug traps off until after the next one.
func (c *CPU) segLoaded(seg uint8) status {
	if seg == x86.SS {
		c.Shadow = ShadowMovSS
	}
	return stEnd
}

// pushSeg pushes a selector. With a 32-bit operand Intel writes only the low
// word of the slot (SDM vol. 2, "PUSH").
func pushSeg(seg uint8) execFn {
	return func(c *CPU, in *Inst) status {
		st := c.currentStack()
		size, width := int(in.Size), int(in.Size)
		if size == 4 && c.Vendor == Intel {
			width = 2
		}
		if !st.pushWidth(size, width, uint64(c.Seg[seg].Sel)) {
			return stFault
		}
		st.commit()
		return stEnd
	}
}

func popSeg(seg uint8) execFn {
	return func(c *CPU, in *Inst) status {
		st := c.currentStack()
		v, ok := st.pop(int(in.Size))
		if !ok || !c.loadSegment(seg, uint16(v)) {
			return stFault
		}
		st.commit()
		return c.segLoaded(seg)
	}
}

// loadFar is LDS, LES, LFS, LGS and LSS. (LSS does not block anything: only
// MOV SS and POP SS do.)
func loadFar(seg uint8) execFn {
	return func(c *CPU, in *Inst) status {
		sel, off, ok := c.farMem(in)
		if !ok || !c.loadSegment(seg, sel) {
			return stFault
		}
		c.setRegSize(in.Reg, in.Size, off)
		return stEnd
	}
}
