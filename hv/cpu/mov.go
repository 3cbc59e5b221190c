package cpu

import "math/bits"

// Moves that compute nothing: MOV, MOVZX, MOVSX, MOVSXD, LEA, MOVBE, MOVNTI.
// Segment, control and debug registers are elsewhere.

func movRows() []row {
	rows := []row{
		{m: map1, op: 0x88, name: "MOV", form: formModRM, size: sizeB, attr: attrWrite, fn: movToRM},
		{m: map1, op: 0x89, name: "MOV", form: formModRM, attr: attrWrite, fn: movToRM},
		{m: map1, op: 0x8a, name: "MOV", form: formModRM, size: sizeB, fn: movToReg},
		{m: map1, op: 0x8b, name: "MOV", form: formModRM, fn: movToReg},
		{m: map1, op: 0xc6, digit: d0, name: "MOV", form: formModRM | formImm8, size: sizeB, attr: attrWrite, fn: movImm},
		{m: map1, op: 0xc7, digit: d0, name: "MOV", form: formModRM | formImmZ, attr: attrWrite, fn: movImm},
		{m: map1, op: 0xb0, span: 8, name: "MOV", form: formOpReg | formImm8, size: sizeB, fn: movImm},
		{m: map1, op: 0xb8, span: 8, name: "MOV", form: formOpReg | formImmV, fn: movImm},
		{m: map1, op: 0xa0, name: "MOV", form: formMoffs, size: sizeB, fn: movFromMoffs},
		{m: map1, op: 0xa1, name: "MOV", form: formMoffs, fn: movFromMoffs},
		{m: map1, op: 0xa2, name: "MOV", form: formMoffs, size: sizeB, attr: attrWrite, fn: movToMoffs},
		{m: map1, op: 0xa3, name: "MOV", form: formMoffs, attr: attrWrite, fn: movToMoffs},
		{m: map0F, op: 0xc3, mod: modMem, pfx: pNone, name: "MOVNTI", form: formModRM, size: sizeY, attr: attrWrite, fn: movToRM},
		{m: map0F38, op: 0xf0, mod: modMem, pfx: pNone | p66, name: "MOVBE", form: formModRM, fn: movbeLoad},
		{m: map0F38, op: 0xf1, mod: modMem, pfx: pNone | p66, name: "MOVBE", form: formModRM, attr: attrWrite, fn: movbeStore},
		{m: map1, op: 0x8d, mod: modMem, name: "LEA", form: formModRM, acc: accNone, fn: lea},
		{m: map0F, op: 0xb6, name: "MOVZX", form: formModRM, acc: acc1, attr: attrByteRM, fn: movzx8},
		{m: map0F, op: 0xb7, name: "MOVZX", form: formModRM, acc: acc2, fn: movzx16},
		{m: map0F, op: 0xbe, name: "MOVSX", form: formModRM, acc: acc1, attr: attrByteRM, fn: movsx8},
		{m: map0F, op: 0xbf, name: "MOVSX", form: formModRM, acc: acc2, fn: movsx16},
		{m: map1, op: 0x63, modes: in64, pfx: pNone | pF3 | pF2, name: "MOVSXD", form: formModRM, acc: acc4, fn: movsxd},
		{m: map1, op: 0x63, modes: in64, pfx: p66, w: w0, name: "MOVSXD", form: formModRM, acc: acc2, fn: movsxd},
		{m: map1, op: 0x63, modes: in64, pfx: p66, w: w1, name: "MOVSXD", form: formModRM, acc: acc4, fn: movsxd},
	}
	return rows
}

var (
	movToRM = fns{
		reg: [4]execFn{movRR[uint8], movRR[uint16], movRR[uint32], movRR[uint64]},
		mem: [4]execFn{movMR[uint8], movMR[uint16], movMR[uint32], movMR[uint64]},
	}
	movToReg = fns{
		reg: [4]execFn{movRev[uint8], movRev[uint16], movRev[uint32], movRev[uint64]},
		mem: [4]execFn{movRM[uint8], movRM[uint16], movRM[uint32], movRM[uint64]},
	}
	movImm = fns{
		reg: [4]execFn{movRI[uint8], movRI[uint16], movRI[uint32], movRI[uint64]},
		mem: [4]execFn{movMI[uint8], movMI[uint16], movMI[uint32], movMI[uint64]},
	}
)

func movRR[T word](c *CPU, in *Inst) status {
	setReg(c, in.RM, reg[T](c, in.Reg))
	return stOK
}

func movRev[T word](c *CPU, in *Inst) status {
	setReg(c, in.Reg, reg[T](c, in.RM))
	return stOK
}

func movMR[T word](c *CPU, in *Inst) status {
	return storeT(c, in, c.ea(in), reg[T](c, in.Reg))
}

func movRM[T word](c *CPU, in *Inst) status {
	v, ok := loadT[T](c, in, c.ea(in))
	if !ok {
		return stFault
	}
	setReg(c, in.Reg, v)
	return stOK
}

func movRI[T word](c *CPU, in *Inst) status {
	setReg(c, in.RM, T(in.Imm))
	return stOK
}

func movMI[T word](c *CPU, in *Inst) status {
	return storeT(c, in, c.ea(in), T(in.Imm))
}

// The absolute forms leave Reg and RM at 0: the accumulator.
var (
	movFromMoffs = sized(movRM[uint8], movRM[uint16], movRM[uint32], movRM[uint64])
	movToMoffs   = sized(movMR[uint8], movMR[uint16], movMR[uint32], movMR[uint64])

	movbeLoad = fns{mem: [4]execFn{1: func(c *CPU, in *Inst) status {
		v, ok := c.load16(in.Seg, c.ea(in))
		if ok {
			setReg(c, in.Reg, bits.ReverseBytes16(v))
		}
		return done(ok)
	}, 2: func(c *CPU, in *Inst) status {
		v, ok := c.load32(in.Seg, c.ea(in))
		if ok {
			setReg(c, in.Reg, bits.ReverseBytes32(v))
		}
		return done(ok)
	}, 3: func(c *CPU, in *Inst) status {
		v, ok := c.load64(in.Seg, c.ea(in))
		if ok {
			setReg(c, in.Reg, bits.ReverseBytes64(v))
		}
		return done(ok)
	}}}

	movbeStore = fns{mem: [4]execFn{1: func(c *CPU, in *Inst) status {
		return c.store16(in.Seg, c.ea(in), bits.ReverseBytes16(reg[uint16](c, in.Reg)))
	}, 2: func(c *CPU, in *Inst) status {
		return c.store32(in.Seg, c.ea(in), bits.ReverseBytes32(reg[uint32](c, in.Reg)))
	}, 3: func(c *CPU, in *Inst) status {
		return c.store64(in.Seg, c.ea(in), bits.ReverseBytes64(reg[uint64](c, in.Reg)))
	}}}

	lea = fns{mem: [4]execFn{1: leaReg[uint16], 2: leaReg[uint32], 3: leaReg[uint64]}}

	movzx8  = extension[uint8](zeroExtended[uint8])
	movzx16 = extension[uint16](zeroExtended[uint16])
	movsx8  = extension[uint8](extend[uint8])
	movsx16 = extension[uint16](extend[uint16])

	movsxd = fns{
		reg: [4]execFn{1: movRev[uint16], 2: movRev[uint32], 3: func(c *CPU, in *Inst) status {
			c.R[in.Reg&31] = extend(uint32(c.R[in.RM&31]))
			return stOK
		}},
		mem: [4]execFn{1: func(c *CPU, in *Inst) status {
			size := 2
			if c.Vendor == AMD {
				size = 4 // all four bytes are read though two are kept
			}
			v, ok := c.load(in.Seg, c.ea(in), size)
			if ok {
				setReg(c, in.Reg, uint16(v))
			}
			return done(ok)
		}, 2: movRM[uint32], 3: func(c *CPU, in *Inst) status {
			v, ok := c.load32(in.Seg, c.ea(in))
			if ok {
				c.R[in.Reg&31] = extend(v)
			}
			return done(ok)
		}},
	}
)

// done is the status of an instruction whose memory read went well or not.
func done(ok bool) status {
	if ok {
		return stOK
	}
	return stFault
}

func leaReg[T word](c *CPU, in *Inst) status {
	if in.Flags&FlagSlowEA != 0 {
		setReg(c, in.Reg, T(c.offset(in)))
		return stOK
	}
	setReg(c, in.Reg, T(c.R[in.Base&31]+c.R[in.Index&31]<<(in.Scale&3)+uint64(in.Disp)))
	return stOK
}

func zeroExtended[T word](v T) uint64 { return uint64(v) }

// extension makes the functions of MOVZX or MOVSX from a source of type T;
// widen gives 64 bits, of which the operand size keeps its part.
func extension[T word](widen func(T) uint64) (f fns) {
	for i, size := range [4]uint8{1: 2, 2: 4, 3: 8} {
		if size == 0 {
			continue
		}
		mask := maskOf(size)
		f.reg[i] = func(c *CPU, in *Inst) status {
			c.setRegSize(in.Reg, size, widen(reg[T](c, in.RM))&mask)
			return stOK
		}
		f.mem[i] = func(c *CPU, in *Inst) status {
			v, ok := loadT[T](c, in, c.ea(in))
			if ok {
				c.setRegSize(in.Reg, size, widen(v)&mask)
			}
			return done(ok)
		}
	}
	return f
}
