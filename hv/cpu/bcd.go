package cpu

import "pvlab/hv/x86"

// Decimal adjustment and SALC: outside 64-bit code only.

func bcdRows() []row {
	return []row{
		{m: map1, op: 0x27, modes: not64, name: "DAA", size: sizeB, fn: all(opDAA)},
		{m: map1, op: 0x2f, modes: not64, name: "DAS", size: sizeB, fn: all(opDAS)},
		{m: map1, op: 0x37, modes: not64, name: "AAA", size: sizeB, fn: all(opAAA)},
		{m: map1, op: 0x3f, modes: not64, name: "AAS", size: sizeB, fn: all(opAAS)},
		{m: map1, op: 0xd4, modes: not64, name: "AAM", form: formImm8U, size: sizeB, fn: all(opAAM)},
		{m: map1, op: 0xd5, modes: not64, name: "AAD", form: formImm8U, size: sizeB, fn: all(opAAD)},
		{m: map1, op: 0xd6, modes: not64, name: "SALC", size: sizeB, fn: all(opSALC)},
	}
}

// decimalFlags sets ZF, SF, PF by AL, CF and AF as given; OF is undefined and
// cleared.
func (c *CPU) decimalFlags(al uint8, cf, af bool) {
	setLogic(c, al)
	c.setCO(cf, false)
	if af {
		c.lazy.carry |= carryAF
	}
}

func opDAA(c *CPU, _ *Inst) status {
	al, cf, af := uint8(c.R[x86.RAX]), c.lazy.cf(), c.lazy.af()
	high := al > 0x99 || cf
	low := al&15 > 9 || af
	if low {
		al += 6
	}
	if high {
		al += 0x60
	}
	setReg(c, x86.RAX, al)
	c.decimalFlags(al, high, low)
	return stOK
}

func opDAS(c *CPU, _ *Inst) status {
	al, cf, af := uint8(c.R[x86.RAX]), c.lazy.cf(), c.lazy.af()
	high := al > 0x99 || cf
	low := al&15 > 9 || af
	borrow := low && al < 6
	if low {
		al -= 6
	}
	if high {
		al -= 0x60
	}
	setReg(c, x86.RAX, al)
	c.decimalFlags(al, high || borrow, low)
	return stOK
}

func opAAA(c *CPU, _ *Inst) status { return c.asciiAdjust(0x106) }
func opAAS(c *CPU, _ *Inst) status { return c.asciiAdjust(^uint16(0x105)) }

// asciiAdjust adds delta to AX when AL is no decimal digit.
func (c *CPU) asciiAdjust(delta uint16) status {
	ax := uint16(c.R[x86.RAX])
	adjust := ax&15 > 9 || c.lazy.af()
	if adjust {
		ax += delta
	}
	ax &= 0xff0f
	setReg(c, x86.RAX, ax)
	c.decimalFlags(uint8(ax), adjust, adjust)
	return stOK
}

func opAAM(c *CPU, in *Inst) status {
	al, base := uint8(c.R[x86.RAX]), uint8(in.Imm)
	if base == 0 {
		return c.except(x86.VectorDE)
	}
	setReg(c, x86.RAX, uint16(al/base)<<8|uint16(al%base))
	c.decimalFlags(al%base, false, false)
	return stOK
}

func opAAD(c *CPU, in *Inst) status {
	ax := uint16(c.R[x86.RAX])
	al := uint8(ax) + uint8(ax>>8)*uint8(in.Imm)
	setReg(c, x86.RAX, uint16(al))
	c.decimalFlags(al, false, false)
	return stOK
}

// opSALC sets AL to all ones if CF: undocumented, present in all processors.
func opSALC(c *CPU, _ *Inst) status {
	setReg(c, x86.RAX, -uint8(c.lazy.carryBit()))
	return stOK
}
