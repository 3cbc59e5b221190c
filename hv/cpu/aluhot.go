package cpu

// Functions of their own for the register forms compilers emit most.

// aluHot returns what replaces general functions by special ones for an
// operation and size index, or nil.
func aluHot(op aluOp, size int) func(*aluForms) {
	switch size {
	case 2:
		return hotForms[uint32](op)
	case 3:
		return hotForms[uint64](op)
	}
	return nil
}

func hotForms[T uint32 | uint64](op aluOp) func(*aluForms) {
	switch op {
	case aluAdd:
		return func(f *aluForms) { f.toRM, f.imm = addRR[T], addRI[T] }
	case aluSub:
		return func(f *aluForms) { f.toRM, f.imm = subRR[T], subRI[T] }
	case aluCmp:
		return func(f *aluForms) { f.toRM, f.imm, f.toReg = cmpRR[T], cmpRI[T], cmpRev[T] }
	case aluAnd:
		return func(f *aluForms) { f.toRM, f.imm = andRR[T], andRI[T] }
	case aluOr:
		return func(f *aluForms) { f.toRM, f.imm = orRR[T], orRI[T] }
	case aluXor:
		return func(f *aluForms) { f.toRM, f.imm = xorRR[T], xorRI[T] }
	}
	return nil
}

func addRR[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	a, b := T(*d), T(c.R[in.Reg&31])
	r := a + b
	addFlags(c, a, b, r)
	*d = uint64(r)
	return stOK
}

func addRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	a, b := T(*d), T(in.Imm)
	r := a + b
	addFlags(c, a, b, r)
	*d = uint64(r)
	return stOK
}

func subRR[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	a, b := T(*d), T(c.R[in.Reg&31])
	r := a - b
	subFlags(c, a, b, r)
	*d = uint64(r)
	return stOK
}

func subRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	a, b := T(*d), T(in.Imm)
	r := a - b
	subFlags(c, a, b, r)
	*d = uint64(r)
	return stOK
}

func cmpRR[T uint32 | uint64](c *CPU, in *Inst) status {
	a, b := T(c.R[in.RM&31]), T(c.R[in.Reg&31])
	subFlags(c, a, b, a-b)
	return stOK
}

func cmpRev[T uint32 | uint64](c *CPU, in *Inst) status {
	a, b := T(c.R[in.Reg&31]), T(c.R[in.RM&31])
	subFlags(c, a, b, a-b)
	return stOK
}

func cmpRI[T uint32 | uint64](c *CPU, in *Inst) status {
	a, b := T(c.R[in.RM&31]), T(in.Imm)
	subFlags(c, a, b, a-b)
	return stOK
}

func andRR[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	r := T(*d) & T(c.R[in.Reg&31])
	setLogic(c, r)
	*d = uint64(r)
	return stOK
}

func andRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	r := T(*d) & T(in.Imm)
	setLogic(c, r)
	*d = uint64(r)
	return stOK
}

func orRR[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	r := T(*d) | T(c.R[in.Reg&31])
	setLogic(c, r)
	*d = uint64(r)
	return stOK
}

func orRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	r := T(*d) | T(in.Imm)
	setLogic(c, r)
	*d = uint64(r)
	return stOK
}

func xorRR[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	r := T(*d) ^ T(c.R[in.Reg&31])
	setLogic(c, r)
	*d = uint64(r)
	return stOK
}

func xorRI[T uint32 | uint64](c *CPU, in *Inst) status {
	d := &c.R[in.RM&31]
	r := T(*d) ^ T(in.Imm)
	setLogic(c, r)
	*d = uint64(r)
	return stOK
}
