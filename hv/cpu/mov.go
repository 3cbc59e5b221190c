package cpu

// Moves that compute nothing: MOV, MOVZX, MOVSX, MOVSXD, LEA, XCHG, BSWAP,
// MOVBE, MOVNTI, CMOVcc, SETcc, and the conversions CBW to CQO.

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
