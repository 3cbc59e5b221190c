package cpu

// core is an operation: it sets the flags and returns what goes to the
// destination.
type core[T word] func(c *CPU, a, b T) T

// aluCores are the operations in opcode order; CMP's result is not stored.
func aluCores[T word]() [8]core[T] {
	return [8]core[T]{coreAdd[T], coreOr[T], coreAdc[T], coreSbb[T], coreAnd[T], coreSub[T], coreXor[T], coreSub[T]}
}

func coreAdd[T word](c *CPU, a, b T) T { r := a + b; addFlags(c, a, b, r); return r }
func coreSub[T word](c *CPU, a, b T) T { r := a - b; subFlags(c, a, b, r); return r }
func coreAnd[T word](c *CPU, a, b T) T { r := a & b; setLogic(c, r); return r }
func coreOr[T word](c *CPU, a, b T) T  { r := a | b; setLogic(c, r); return r }
func coreXor[T word](c *CPU, a, b T) T { r := a ^ b; setLogic(c, r); return r }

func coreAdc[T word](c *CPU, a, b T) T {
	r := a + b + T(c.lazy.carryBit())
	addFlags(c, a, b, r)
	return r
}

func coreSbb[T word](c *CPU, a, b T) T {
	r := a - b - T(c.lazy.carryBit())
	subFlags(c, a, b, r)
	return r
}

// aluForms are the functions of one operation and size.
type aluForms struct {
	toRM, toRMMem   execFn // r/m op= reg
	toReg, toRegMem execFn // reg op= r/m
	imm, immMem     execFn // r/m op= imm
}

func formsOf[T word](f core[T], store bool) aluForms {
	if !store {
		return aluForms{
			toRM: func(c *CPU, in *Inst) status {
				f(c, reg[T](c, in.RM), reg[T](c, in.Reg))
				return stOK
			},
			toRMMem: func(c *CPU, in *Inst) status {
				a, ok := loadT[T](c, in, c.ea(in))
				if !ok {
					return stFault
				}
				f(c, a, reg[T](c, in.Reg))
				return stOK
			},
			toReg: func(c *CPU, in *Inst) status {
				f(c, reg[T](c, in.Reg), reg[T](c, in.RM))
				return stOK
			},
			toRegMem: func(c *CPU, in *Inst) status {
				b, ok := loadT[T](c, in, c.ea(in))
				if !ok {
					return stFault
				}
				f(c, reg[T](c, in.Reg), b)
				return stOK
			},
			imm: func(c *CPU, in *Inst) status {
				f(c, reg[T](c, in.RM), T(in.Imm))
				return stOK
			},
			immMem: func(c *CPU, in *Inst) status {
				a, ok := loadT[T](c, in, c.ea(in))
				if !ok {
					return stFault
				}
				f(c, a, T(in.Imm))
				return stOK
			},
		}
	}
	return aluForms{
		toRM: func(c *CPU, in *Inst) status {
			setReg(c, in.RM, f(c, reg[T](c, in.RM), reg[T](c, in.Reg)))
			return stOK
		},
		toRMMem: func(c *CPU, in *Inst) status {
			lin := c.ea(in)
			a, ok := loadRMWT[T](c, in, lin)
			if !ok {
				return stFault
			}
			return storeT(c, in, lin, f(c, a, reg[T](c, in.Reg)))
		},
		toReg: func(c *CPU, in *Inst) status {
			setReg(c, in.Reg, f(c, reg[T](c, in.Reg), reg[T](c, in.RM)))
			return stOK
		},
		toRegMem: func(c *CPU, in *Inst) status {
			b, ok := loadT[T](c, in, c.ea(in))
			if !ok {
				return stFault
			}
			setReg(c, in.Reg, f(c, reg[T](c, in.Reg), b))
			return stOK
		},
		imm: func(c *CPU, in *Inst) status {
			setReg(c, in.RM, f(c, reg[T](c, in.RM), T(in.Imm)))
			return stOK
		},
		immMem: func(c *CPU, in *Inst) status {
			lin := c.ea(in)
			a, ok := loadRMWT[T](c, in, lin)
			if !ok {
				return stFault
			}
			return storeT(c, in, lin, f(c, a, T(in.Imm)))
		},
	}
}

// aluFns gathers the function lists of an operation for its three encodings.
func aluFns(op aluOp) (toRM, toReg, imm fns) {
	store := op != aluCmp
	for i, f := range [4]aluForms{
		formsOf(aluCores[uint8]()[op], store), formsOf(aluCores[uint16]()[op], store),
		formsOf(aluCores[uint32]()[op], store), formsOf(aluCores[uint64]()[op], store),
	} {
		if hot := aluHot(op, i); hot != nil {
			hot(&f)
		}
		toRM.reg[i], toRM.mem[i] = f.toRM, f.toRMMem
		toReg.reg[i], toReg.mem[i] = f.toReg, f.toRegMem
		imm.reg[i], imm.mem[i] = f.imm, f.immMem
	}
	return toRM, toReg, imm
}

// testFns and testImmFns are TEST: AND without a result.
func testFns() (toRM, imm fns) {
	for i, f := range [4]aluForms{
		formsOf(coreAnd[uint8], false), formsOf(coreAnd[uint16], false),
		formsOf(coreAnd[uint32], false), formsOf(coreAnd[uint64], false),
	} {
		toRM.reg[i], toRM.mem[i] = f.toRM, f.toRMMem
		imm.reg[i], imm.mem[i] = f.imm, f.immMem
	}
	return toRM, imm
}
