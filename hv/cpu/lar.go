package cpu

import "pvlab/hv/x86"

// Looking at descriptors without loading them: LAR, LSL, VERR, VERW, ARPL
// (SDM vol. 2). They answer in ZF and fault only for their own operand or the
// table's pages.

func verifyRows() []row {
	return []row{
		{m: map0F, op: 0x02, name: "LAR", form: formModRM, acc: acc2, fn: all(opLAR)},
		{m: map0F, op: 0x03, name: "LSL", form: formModRM, acc: acc2, fn: all(opLSL)},
		{m: map0F, op: 0x00, digit: d4, name: "VERR", form: formModRM, size: sizeW, fn: all(opVERR)},
		{m: map0F, op: 0x00, digit: d5, name: "VERW", form: formModRM, size: sizeW, fn: all(opVERW)},
		{m: map1, op: 0x63, modes: not64, name: "ARPL", form: formModRM, size: sizeW, fn: all(opARPL)},
	}
}

// System descriptor types that LAR and LSL accept.
const (
	larTypes     = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<9 | 1<<11 | 1<<12
	larTypesLong = 1<<2 | 1<<9 | 1<<11 | 1<<12
	lslTypes     = 1<<1 | 1<<2 | 1<<3 | 1<<9 | 1<<11
	lslTypesLong = 1<<2 | 1<<9 | 1<<11
)

// visible fetches the descriptor of sel if the current code may see it.
// found tells; ok is false only with c.fault.
func (c *CPU) visible(sel uint16, sysTypes uint32) (d x86.Descriptor, found, ok bool) {
	if nullSel(sel) {
		return 0, false, true
	}
	if _, ok = c.descriptorAddr(sel, 8, x86.VectorGP); !ok {
		return 0, false, true
	}
	d, at, ok := c.descriptor(sel, x86.VectorGP)
	if !ok {
		return 0, false, false
	}
	a := d.Attr()
	if a&x86.AttrS == 0 {
		if sysTypes>>(a&x86.AttrType)&1 == 0 {
			return d, false, true
		}
		if c.Long() {
			if _, ok = c.descriptorAddr(sel, 16, x86.VectorGP); !ok {
				return d, false, true
			}
			hi, ok := c.sysLoad(at+8, 8)
			if !ok || hi>>40&0x1f != 0 {
				return d, false, ok
			}
		}
	}
	conforming := a&(x86.AttrS|x86.AttrCode|x86.AttrDown) == x86.AttrS|x86.AttrCode|x86.AttrDown
	dpl := uint8(a >> 5 & 3)
	return d, conforming || dpl >= max(c.CPL, uint8(sel&3)), true
}

func opLAR(c *CPU, in *Inst) status {
	types := uint32(larTypes)
	if c.Long() {
		types = larTypesLong
	}
	return c.look(in, types, func(d x86.Descriptor) uint64 { return uint64(d>>32) & 0x00f0ff00 })
}

func opLSL(c *CPU, in *Inst) status {
	types := uint32(lslTypes)
	if c.Long() {
		types = lslTypesLong
	}
	return c.look(in, types, func(d x86.Descriptor) uint64 { return uint64(d.Limit()) })
}

func (c *CPU) look(in *Inst, types uint32, what func(x86.Descriptor) uint64) status {
	if !c.Protected() {
		return c.except(x86.VectorUD)
	}
	sel, ok := c.rm16(in)
	if !ok {
		return stFault
	}
	d, found, ok := c.visible(sel, types)
	if !ok {
		return stFault
	}
	if found {
		c.setRegSize(in.Reg, in.Size, what(d))
	}
	c.setZF(found)
	return stOK
}

func opVERR(c *CPU, in *Inst) status { return c.verify(in, false) }
func opVERW(c *CPU, in *Inst) status { return c.verify(in, true) }

func (c *CPU) verify(in *Inst, write bool) status {
	if !c.Protected() {
		return c.except(x86.VectorUD)
	}
	sel, ok := c.rm16(in)
	if !ok {
		return stFault
	}
	d, found, ok := c.visible(sel, 0)
	if !ok {
		return stFault
	}
	if found {
		code, rw := d.Attr()&x86.AttrCode != 0, d.Attr()&x86.AttrRW != 0
		if write {
			found = !code && rw
		} else {
			found = !code || rw
		}
	}
	c.setZF(found)
	return stOK
}

func opARPL(c *CPU, in *Inst) status {
	if !c.Protected() {
		return c.except(x86.VectorUD)
	}
	rpl := uint16(c.R[in.Reg]) & 3
	if in.Flags&FlagMem == 0 {
		sel := uint16(c.R[in.RM])
		if raise := sel&3 < rpl; raise {
			c.setRegSize(in.RM, 2, uint64(sel&^3|rpl))
			c.setZF(true)
			return stOK
		}
		c.setZF(false)
		return stOK
	}
	lin := c.ea(in)
	v, ok := c.load16(in.Seg, lin) // not a write unless it raises
	if !ok {
		return stFault
	}
	raise := v&3 < rpl
	st := stOK
	if raise {
		lin = c.linear(in.Seg, c.offset(in), 2, true)
		if st = c.store16(in.Seg, lin, v&^3|rpl); st == stFault {
			return st
		}
	}
	c.setZF(raise)
	return st
}
