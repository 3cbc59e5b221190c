package cpu

// INC, DEC, NEG, NOT.

func unaryRows() []row {
	const lockWrite = attrLock | attrWrite
	inc, dec := unary(coreInc[uint8], coreInc[uint16], coreInc[uint32], coreInc[uint64]),
		unary(coreDec[uint8], coreDec[uint16], coreDec[uint32], coreDec[uint64])
	not, neg := unary(coreNot[uint8], coreNot[uint16], coreNot[uint32], coreNot[uint64]),
		unary(coreNeg[uint8], coreNeg[uint16], coreNeg[uint32], coreNeg[uint64])
	return []row{
		{m: map1, op: 0x40, span: 8, modes: not64, name: "INC", form: formOpReg, fn: inc},
		{m: map1, op: 0x48, span: 8, modes: not64, name: "DEC", form: formOpReg, fn: dec},
		{m: map1, op: 0xfe, digit: d0, name: "INC", form: formModRM, size: sizeB, attr: lockWrite, fn: inc},
		{m: map1, op: 0xfe, digit: d1, name: "DEC", form: formModRM, size: sizeB, attr: lockWrite, fn: dec},
		{m: map1, op: 0xff, digit: d0, name: "INC", form: formModRM, attr: lockWrite, fn: inc},
		{m: map1, op: 0xff, digit: d1, name: "DEC", form: formModRM, attr: lockWrite, fn: dec},
		{m: map1, op: 0xf6, digit: d2, name: "NOT", form: formModRM, size: sizeB, attr: lockWrite, fn: not},
		{m: map1, op: 0xf7, digit: d2, name: "NOT", form: formModRM, attr: lockWrite, fn: not},
		{m: map1, op: 0xf6, digit: d3, name: "NEG", form: formModRM, size: sizeB, attr: lockWrite, fn: neg},
		{m: map1, op: 0xf7, digit: d3, name: "NEG", form: formModRM, attr: lockWrite, fn: neg},
	}
}

// unaryCore computes the result and sets the flags.
type unaryCore[T word] func(c *CPU, a T) T

// unary makes the functions of a one-operand operation.
func unary(f1 unaryCore[uint8], f2 unaryCore[uint16], f4 unaryCore[uint32], f8 unaryCore[uint64]) fns {
	return fns{
		reg: [4]execFn{unaryReg(f1), unaryReg(f2), unaryReg(f4), unaryReg(f8)},
		mem: [4]execFn{unaryMem(f1), unaryMem(f2), unaryMem(f4), unaryMem(f8)},
	}
}

func unaryReg[T word](f unaryCore[T]) execFn {
	return func(c *CPU, in *Inst) status {
		setReg(c, in.RM, f(c, reg[T](c, in.RM)))
		return stOK
	}
}

func unaryMem[T word](f unaryCore[T]) execFn {
	return func(c *CPU, in *Inst) status {
		lin := c.ea(in)
		a, ok := loadRMWT[T](c, in, lin)
		if !ok {
			return stFault
		}
		return storeT(c, in, lin, f(c, a))
	}
}

// keepCF puts an earlier CF back after the flags were set.
func (c *CPU) keepCF(carry uint64) {
	if int64(c.lazy.carry^carry) < 0 {
		c.lazy.carry ^= carryCF | carryOF
	}
}

func coreInc[T word](c *CPU, a T) T {
	old := c.lazy.carry
	r := a + 1
	addFlags(c, a, 1, r)
	c.keepCF(old)
	return r
}

func coreDec[T word](c *CPU, a T) T {
	old := c.lazy.carry
	r := a - 1
	subFlags(c, a, 1, r)
	c.keepCF(old)
	return r
}

func coreNeg[T word](c *CPU, a T) T {
	r := -a
	subFlags(c, 0, a, r)
	return r
}

func coreNot[T word](_ *CPU, a T) T { return ^a }
