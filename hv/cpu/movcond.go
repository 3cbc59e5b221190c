package cpu

import (
	"math/bits"

	"pvlab/hv/x86"
)

// Conditional moves, SETcc, exchanges of two registers, and the conversions
// within the accumulator (CBW to CQO).

func condRows() []row {
	var rows []row
	for cc := range ccNames {
		cond := uint8(cc)
		set := split(
			func(c *CPU, in *Inst) status { setReg(c, in.RM, c.conditionByte(cond)); return stOK },
			func(c *CPU, in *Inst) status { return c.store8(in.Seg, c.ea(in), c.conditionByte(cond)) })
		rows = append(rows,
			row{m: map0F, op: 0x40 + cond, name: "CMOV" + ccNames[cc], form: formModRM, fn: cmov(cond)},
			row{m: map0F, op: 0x90 + cond, name: "SET" + ccNames[cc], form: formModRM, size: sizeB, attr: attrWrite, fn: set})
	}
	return append(rows,
		row{m: map1, op: 0x98, name: "CBW", fn: fns{reg: [4]execFn{1: widenA[uint8, uint16], 2: widenA[uint16, uint32], 3: widenA[uint32, uint64]}}},
		row{m: map1, op: 0x99, name: "CWD", fn: fns{reg: [4]execFn{1: signToD[uint16], 2: signToD[uint32], 3: signToD[uint64]}}},
		row{m: map0F, op: 0xc8, span: 8, name: "BSWAP", form: formOpReg, fn: bswap},
		row{m: map1, op: 0xd7, name: "XLAT", size: sizeB, acc: acc1, fn: all(opXlat)},
	)
}

func (c *CPU) conditionByte(cc uint8) uint8 {
	if c.condition(cc) {
		return 1
	}
	return 0
}

func cmov(cc uint8) fns {
	return fns{
		reg: [4]execFn{1: cmovReg[uint16](cc), 2: cmovReg[uint32](cc), 3: cmovReg[uint64](cc)},
		mem: [4]execFn{1: cmovMem[uint16](cc), 2: cmovMem[uint32](cc), 3: cmovMem[uint64](cc)},
	}
}

// A 32-bit CMOV clears the upper half of its destination even when it does
// not move, and one from memory always reads (SDM vol. 2, "CMOVcc").

func cmovReg[T word](cc uint8) execFn {
	return func(c *CPU, in *Inst) status {
		v := reg[T](c, in.Reg)
		if c.condition(cc) {
			v = reg[T](c, in.RM)
		}
		setReg(c, in.Reg, v)
		return stOK
	}
}

func cmovMem[T word](cc uint8) execFn {
	return func(c *CPU, in *Inst) status {
		v, ok := loadT[T](c, in, c.ea(in))
		if !ok {
			return stFault
		}
		if !c.condition(cc) {
			v = reg[T](c, in.Reg)
		}
		setReg(c, in.Reg, v)
		return stOK
	}
}

// widenA sign-extends the accumulator: CBW, CWDE, CDQE.
func widenA[S, D word](c *CPU, _ *Inst) status {
	setReg(c, x86.RAX, D(extend(S(c.R[x86.RAX]))))
	return stOK
}

// signToD fills the data register with the accumulator's sign: CWD, CDQ, CQO.
func signToD[T word](c *CPU, _ *Inst) status {
	var v T
	if signBit(T(c.R[x86.RAX])) {
		v = ^v
	}
	setReg(c, x86.RDX, v)
	return stOK
}

// BSWAP of 16 bits is undefined by the manuals; processors clear the word.
var bswap = fns{reg: [4]execFn{
	1: func(c *CPU, in *Inst) status { setReg(c, in.RM, uint16(0)); return stOK },
	2: func(c *CPU, in *Inst) status {
		setReg(c, in.RM, bits.ReverseBytes32(uint32(c.R[in.RM&31])))
		return stOK
	},
	3: func(c *CPU, in *Inst) status {
		c.R[in.RM&31] = bits.ReverseBytes64(c.R[in.RM&31])
		return stOK
	},
}}

func opXlat(c *CPU, in *Inst) status {
	off := (c.R[x86.RBX] + c.R[x86.RAX]&0xff) & in.addrMask()
	v, ok := c.load8(in.Seg, c.linear(in.Seg, off, 1, false))
	if ok {
		setReg(c, x86.RAX, v)
	}
	return done(ok)
}
