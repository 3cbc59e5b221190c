package cpu

import "pvlab/hv/x86"

// XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B.

func exchangeRows() []row {
	const lockWrite = attrLock | attrWrite
	xchgs := fns{
		reg: [4]execFn{xchgReg[uint8], xchgReg[uint16], xchgReg[uint32], xchgReg[uint64]},
		mem: [4]execFn{xchgMem[uint8], xchgMem[uint16], xchgMem[uint32], xchgMem[uint64]},
	}
	xadds := fns{
		reg: [4]execFn{xaddReg[uint8], xaddReg[uint16], xaddReg[uint32], xaddReg[uint64]},
		mem: [4]execFn{xaddMem[uint8], xaddMem[uint16], xaddMem[uint32], xaddMem[uint64]},
	}
	cmpxchgs := fns{
		reg: [4]execFn{cmpxchgReg[uint8], cmpxchgReg[uint16], cmpxchgReg[uint32], cmpxchgReg[uint64]},
		mem: [4]execFn{cmpxchgMem[uint8], cmpxchgMem[uint16], cmpxchgMem[uint32], cmpxchgMem[uint64]},
	}
	return []row{
		{m: map1, op: 0x86, name: "XCHG", form: formModRM, size: sizeB, attr: lockWrite, fn: xchgs},
		{m: map1, op: 0x87, name: "XCHG", form: formModRM, attr: lockWrite, fn: xchgs},
		{m: map1, op: 0x90, span: 8, name: "XCHG", form: formOpReg,
			fn: fns{reg: [4]execFn{1: xchgA[uint16], 2: xchgA[uint32], 3: xchgA[uint64]}}},
		{m: map0F, op: 0xc0, name: "XADD", form: formModRM, size: sizeB, attr: lockWrite, fn: xadds},
		{m: map0F, op: 0xc1, name: "XADD", form: formModRM, attr: lockWrite, fn: xadds},
		{m: map0F, op: 0xb0, name: "CMPXCHG", form: formModRM, size: sizeB, attr: lockWrite, fn: cmpxchgs},
		{m: map0F, op: 0xb1, name: "CMPXCHG", form: formModRM, attr: lockWrite, fn: cmpxchgs},
		{m: map0F, op: 0xc7, digit: d1, mod: modMem, name: "CMPXCHG8B", form: formModRM, size: sizeY, acc: accTwo, attr: lockWrite,
			fn: fns{mem: [4]execFn{2: opCmpxchg8b, 3: opCmpxchg16b}}},
	}
}

func xchgReg[T word](c *CPU, in *Inst) status {
	a, b := reg[T](c, in.RM), reg[T](c, in.Reg)
	setReg(c, in.RM, b)
	setReg(c, in.Reg, a)
	return stOK
}

func xchgMem[T word](c *CPU, in *Inst) status {
	lin := c.ea(in)
	a, ok := loadRMWT[T](c, in, lin)
	if !ok {
		return stFault
	}
	st := storeT(c, in, lin, reg[T](c, in.Reg))
	setReg(c, in.Reg, a)
	return st
}

// xchgA is XCHG with the accumulator. With itself it is NOP (or PAUSE) and
// leaves even the upper half alone.
func xchgA[T word](c *CPU, in *Inst) status {
	if in.RM == x86.RAX {
		return stOK
	}
	a, b := reg[T](c, in.RM), reg[T](c, x86.RAX)
	setReg(c, in.RM, b)
	setReg(c, x86.RAX, a)
	return stOK
}

func xaddReg[T word](c *CPU, in *Inst) status {
	a, b := reg[T](c, in.RM), reg[T](c, in.Reg)
	setReg(c, in.Reg, a)
	setReg(c, in.RM, coreAdd(c, a, b))
	return stOK
}

func xaddMem[T word](c *CPU, in *Inst) status {
	lin := c.ea(in)
	a, ok := loadRMWT[T](c, in, lin)
	if !ok {
		return stFault
	}
	st := storeT(c, in, lin, coreAdd(c, a, reg[T](c, in.Reg)))
	setReg(c, in.Reg, a)
	return st
}

// cmpxchgReg does not write a destination that differs, not even to clear its
// upper half.
func cmpxchgReg[T word](c *CPU, in *Inst) status {
	dst, acc := reg[T](c, in.RM), reg[T](c, x86.RAX)
	if coreSub(c, acc, dst) == 0 {
		setReg(c, in.RM, reg[T](c, in.Reg))
		return stOK
	}
	setReg(c, x86.RAX, dst)
	return stOK
}

// cmpxchgMem writes the destination in both cases (SDM vol. 2, "CMPXCHG").
func cmpxchgMem[T word](c *CPU, in *Inst) status {
	lin := c.ea(in)
	dst, ok := loadRMWT[T](c, in, lin)
	if !ok {
		return stFault
	}
	if coreSub(c, reg[T](c, x86.RAX), dst) == 0 {
		return storeT(c, in, lin, reg[T](c, in.Reg))
	}
	st := storeT(c, in, lin, dst)
	setReg(c, x86.RAX, dst)
	return st
}

// setZF changes ZF alone.
func (c *CPU) setZF(zf bool) {
	if c.lazy.zf() == zf {
		return
	}
	c.lazy.zero = 1
	if zf {
		c.lazy.zero = 0
	}
}

func opCmpxchg8b(c *CPU, in *Inst) status {
	lin := c.ea(in)
	v, ok := c.loadRMW(in.Seg, lin, 8)
	if !ok {
		return stFault
	}
	if uint32(v) == uint32(c.R[x86.RAX]) && uint32(v>>32) == uint32(c.R[x86.RDX]) {
		st := c.store64(in.Seg, lin, c.R[x86.RCX]<<32|c.R[x86.RBX]&0xffffffff)
		c.setZF(true)
		return st
	}
	st := c.store64(in.Seg, lin, v)
	c.R[x86.RAX], c.R[x86.RDX] = v&0xffffffff, v>>32
	c.setZF(false)
	return st
}

// opCmpxchg16b wants its operand aligned to 16 bytes, so it lies on one page.
func opCmpxchg16b(c *CPU, in *Inst) status {
	lin := c.ea(in)
	if lin&15 != 0 {
		return c.gp0()
	}
	lo, ok := c.loadRMW(in.Seg, lin, 8)
	if !ok {
		return stFault
	}
	hi, ok := c.loadRMW(in.Seg, lin+8, 8)
	if !ok {
		return stFault
	}
	equal := lo == c.R[x86.RAX] && hi == c.R[x86.RDX]
	newLo, newHi := lo, hi
	if equal {
		newLo, newHi = c.R[x86.RBX], c.R[x86.RCX]
	}
	st := max(c.store64(in.Seg, lin, newLo), c.store64(in.Seg, lin+8, newHi))
	if !equal {
		c.R[x86.RAX], c.R[x86.RDX] = lo, hi
	}
	c.setZF(equal)
	return st
}
