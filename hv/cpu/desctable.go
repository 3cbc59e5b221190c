package cpu

import "pvlab/hv/x86"

// Descriptor table registers, LDTR and TR (SDM vol. 2, "LGDT/LIDT", "SGDT",
// "LLDT", "LTR", "SLDT", "STR").

func tableRows() []row {
	const g6, g7 = 0x00, 0x01
	return []row{
		{m: map0F, op: g6, digit: d0, name: "SLDT", form: formModRM, acc: acc2, attr: attrWrite, fn: all(opSLDT)},
		{m: map0F, op: g6, digit: d1, name: "STR", form: formModRM, acc: acc2, attr: attrWrite, fn: all(opSTR)},
		{m: map0F, op: g6, digit: d2, name: "LLDT", form: formModRM, size: sizeW, attr: attrEnd, fn: all(opLLDT)},
		{m: map0F, op: g6, digit: d3, name: "LTR", form: formModRM, size: sizeW, attr: attrEnd, fn: all(opLTR)},
		{m: map0F, op: g7, digit: d0, mod: modMem, name: "SGDT", form: formModRM, size: size64, acc: accFar, attr: attrWrite, fn: all(opSGDT)},
		{m: map0F, op: g7, digit: d1, mod: modMem, name: "SIDT", form: formModRM, size: size64, acc: accFar, attr: attrWrite, fn: all(opSIDT)},
		{m: map0F, op: g7, digit: d2, mod: modMem, name: "LGDT", form: formModRM, size: size64, acc: accFar, attr: attrEnd, fn: all(opLGDT)},
		{m: map0F, op: g7, digit: d3, mod: modMem, name: "LIDT", form: formModRM, size: size64, acc: accFar, attr: attrEnd, fn: all(opLIDT)},
	}
}

func opSGDT(c *CPU, in *Inst) status { return c.storeTable(in, &c.GDTR) }
func opSIDT(c *CPU, in *Inst) status { return c.storeTable(in, &c.IDTR) }
func opLGDT(c *CPU, in *Inst) status { return c.loadTable(in, &c.GDTR) }
func opLIDT(c *CPU, in *Inst) status { return c.loadTable(in, &c.IDTR) }

// tableOperand is the address of m16&32 or m16&64 and the size of its base.
func (c *CPU) tableOperand(in *Inst, write bool) (lin uint64, size int) {
	if c.mode == Mode64 {
		return c.ea(in), 8
	}
	return c.linear(in.Seg, c.offset(in), 6, write), 4
}

func (c *CPU) storeTable(in *Inst, t *x86.Table) status {
	if c.umipBlocks() {
		return c.gp0()
	}
	lin, size := c.tableOperand(in, true)
	if !c.checkWrite(in.Seg, lin, 2+size) {
		return stFault
	}
	st := c.store16(in.Seg, lin, t.Limit)
	return max(st, c.store(in.Seg, lin+2, size, t.Base))
}

func (c *CPU) loadTable(in *Inst, t *x86.Table) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	lin, size := c.tableOperand(in, false)
	limit, ok := c.load16(in.Seg, lin)
	if !ok {
		return stFault
	}
	base, ok := c.load(in.Seg, lin+2, size)
	if !ok {
		return stFault
	}
	if size == 8 && !x86.Canonical(base) {
		return c.gp0()
	}
	if in.Size == 2 && size == 4 {
		base &= 0xffffff
	}
	*t = x86.Table{Base: base, Limit: limit}
	return stEnd
}

func opSLDT(c *CPU, in *Inst) status { return c.storeSelector(in, c.LDTR.Sel) }
func opSTR(c *CPU, in *Inst) status  { return c.storeSelector(in, c.TR.Sel) }

func (c *CPU) storeSelector(in *Inst, sel uint16) status {
	if !c.Protected() {
		return c.except(x86.VectorUD)
	}
	if c.umipBlocks() {
		return c.gp0()
	}
	if in.Flags&FlagMem != 0 {
		return c.store16(in.Seg, c.ea(in), sel)
	}
	c.setRegSize(in.RM, in.Size, uint64(sel))
	return stOK
}

// systemOperand reads the selector of LLDT and LTR after the common checks.
func (c *CPU) systemOperand(in *Inst) (sel uint16, st status) {
	if !c.Protected() {
		return 0, c.except(x86.VectorUD)
	}
	if c.CPL != 0 {
		return 0, c.gp0()
	}
	sel, ok := c.rm16(in)
	if !ok {
		return 0, stFault
	}
	return sel, stOK
}

func opLLDT(c *CPU, in *Inst) status {
	sel, st := c.systemOperand(in)
	if st != stOK {
		return st
	}
	if nullSel(sel) {
		c.LDTR = x86.Segment{Sel: sel}
		return stEnd
	}
	s, _, _, ok := c.fetchSystem(sel, 1<<x86.TypeLDT)
	if !ok {
		return stFault
	}
	c.LDTR = s
	return stEnd
}

// LoadLDT loads LDTR with base and limit directly; limit 0 and base 0 make it
// unusable, as a null selector does.
func (c *CPU) LoadLDT(sel uint16, base uint64, limit uint32) {
	c.LDTR = x86.Segment{Sel: sel}
	if !nullSel(sel) {
		c.LDTR.Attr, c.LDTR.Base, c.LDTR.Limit = x86.AttrP|x86.TypeLDT, base, limit
	}
}

func opLTR(c *CPU, in *Inst) status {
	sel, st := c.systemOperand(in)
	if st != stOK {
		return st
	}
	if nullSel(sel) {
		return c.gp0()
	}
	types := 1<<x86.TypeTSSAvail | 1<<x86.TypeTSS16Bit
	if c.Long() {
		types = 1 << x86.TypeTSSAvail
	}
	s, d, at, ok := c.fetchSystem(sel, uint32(types))
	if !ok {
		return stFault
	}
	const busy = 1 << 1 // within the type field
	if c.sysStore(at+5, 1, uint64(d>>40&0xff)|busy) == stFault {
		return stFault
	}
	s.Attr |= busy
	c.TR = s
	return stEnd
}

// fetchSystem reads a system descriptor of the GDT whose type must be in the
// set types: #GP(sel) otherwise, #NP(sel) when not present.
func (c *CPU) fetchSystem(sel uint16, types uint32) (s x86.Segment, d x86.Descriptor, at uint64, ok bool) {
	if sel&4 != 0 {
		c.exceptCode(x86.VectorGP, selCode(sel))
		return
	}
	if d, at, ok = c.descriptor(sel, x86.VectorGP); !ok {
		return
	}
	if d.Attr()&x86.AttrS != 0 || types>>(d.Attr()&x86.AttrType)&1 == 0 {
		c.exceptCode(x86.VectorGP, selCode(sel))
		return s, d, at, false
	}
	if d.Attr()&x86.AttrP == 0 {
		c.exceptCode(x86.VectorNP, selCode(sel))
		return s, d, at, false
	}
	s, ok = c.systemSegment(sel, d, at)
	return s, d, at, ok
}
