package cpu

import "pvlab/hv/x86"

// The rows of the system instructions, and the small ones themselves:
// software interrupts, HLT, CLI, STI, CLAC, STAC, CPUID.

func systemRows() []row {
	return append(farRows(),
		row{m: map1, op: 0xcd, name: "INT", form: formImm8U, attr: attrEnd, fn: all(opINT)},
		row{m: map1, op: 0xcc, name: "INT3", attr: attrEnd, fn: all(opINT3)},
		row{m: map1, op: 0xce, modes: not64, name: "INTO", attr: attrEnd, fn: all(opINTO)},
		row{m: map1, op: 0xf1, name: "INT1", attr: attrEnd, fn: all(opINT1)},
		row{m: map1, op: 0xf4, name: "HLT", attr: attrEnd, fn: all(opHLT)},
		row{m: map1, op: 0xfa, name: "CLI", attr: attrEnd, fn: all(opCLI)},
		row{m: map1, op: 0xfb, name: "STI", attr: attrEnd, fn: all(opSTI)},
		row{m: map1, op: 0xe4, name: "IN", form: formImm8U, size: sizeB, attr: attrEnd, fn: all(opINImm)},
		row{m: map1, op: 0xe5, name: "IN", form: formImm8U, attr: attrEnd, fn: all(opINImm)},
		row{m: map1, op: 0xe6, name: "OUT", form: formImm8U, size: sizeB, attr: attrEnd, fn: all(opOUTImm)},
		row{m: map1, op: 0xe7, name: "OUT", form: formImm8U, attr: attrEnd, fn: all(opOUTImm)},
		row{m: map1, op: 0xec, name: "IN", size: sizeB, attr: attrEnd, fn: all(opINDX)},
		row{m: map1, op: 0xed, name: "IN", attr: attrEnd, fn: all(opINDX)},
		row{m: map1, op: 0xee, name: "OUT", size: sizeB, attr: attrEnd, fn: all(opOUTDX)},
		row{m: map1, op: 0xef, name: "OUT", attr: attrEnd, fn: all(opOUTDX)},
		row{m: map0F, op: 0x01, digit: d4, name: "SMSW", form: formModRM, acc: acc2, attr: attrWrite, fn: all(opSMSW)},
		row{m: map0F, op: 0x01, digit: d6, name: "LMSW", form: formModRM, size: sizeW, attr: attrEnd, fn: all(opLMSW)},
		row{m: map0F, op: 0x01, digit: d7, mod: modMem, name: "INVLPG", form: formModRM, acc: accNone, attr: attrEnd, fn: all(opINVLPG)},
		row{m: map0F, op: 0x01, digit: d7, rm: d0, mod: modReg, modes: in64, name: "SWAPGS", form: formModRM, attr: attrEnd, fn: all(opSWAPGS)},
		row{m: map0F, op: 0x01, digit: d7, rm: d1, mod: modReg, name: "RDTSCP", form: formModRM, attr: attrEnd, fn: all(opRDTSCP)},
		row{m: map0F, op: 0x01, digit: d1, rm: d2, mod: modReg, pfx: pNone, name: "CLAC", form: formModRM, attr: attrEnd, fn: all(opCLAC)},
		row{m: map0F, op: 0x01, digit: d1, rm: d3, mod: modReg, pfx: pNone, name: "STAC", form: formModRM, attr: attrEnd, fn: all(opSTAC)},
		row{m: map0F, op: 0x01, digit: d2, rm: d0, mod: modReg, pfx: pNone, name: "XGETBV", form: formModRM, fn: all(opXGETBV)},
		row{m: map0F, op: 0x01, digit: d2, rm: d1, mod: modReg, pfx: pNone, name: "XSETBV", form: formModRM, attr: attrEnd, fn: all(opXSETBV)},
		row{m: map0F, op: 0x06, name: "CLTS", attr: attrEnd, fn: all(opCLTS)},
		row{m: map0F, op: 0x08, name: "INVD", fn: all(opPrivNop)},
		row{m: map0F, op: 0x09, name: "WBINVD", fn: all(opPrivNop)},
		row{m: map0F, op: 0x20, name: "MOV", form: formModRM, size: sizeReg, attr: attrModReg, fn: onlyReg(opMovFromCR)},
		row{m: map0F, op: 0x21, name: "MOV", form: formModRM, size: sizeReg, attr: attrEnd | attrModReg, fn: onlyReg(opMovFromDR)},
		row{m: map0F, op: 0x22, name: "MOV", form: formModRM, size: sizeReg, attr: attrEnd | attrModReg, fn: onlyReg(opMovToCR)},
		row{m: map0F, op: 0x23, name: "MOV", form: formModRM, size: sizeReg, attr: attrEnd | attrModReg, fn: onlyReg(opMovToDR)},
		row{m: map0F, op: 0x30, name: "WRMSR", attr: attrEnd, fn: all(opWRMSR)},
		row{m: map0F, op: 0x31, name: "RDTSC", fn: all(opRDTSC)},
		row{m: map0F, op: 0x32, name: "RDMSR", fn: all(opRDMSR)},
		row{m: map0F, op: 0x33, name: "RDPMC", fn: all(opRDPMC)},
		row{m: map0F, op: 0xa2, name: "CPUID", attr: attrEnd, fn: all(opCPUID)},
		row{m: map0F, op: 0xae, digit: d0, mod: modReg, pfx: pF3, modes: in64, name: "RDFSBASE", form: formModRM, size: sizeY, fn: all(opRDFSBASE)},
		row{m: map0F, op: 0xae, digit: d1, mod: modReg, pfx: pF3, modes: in64, name: "RDGSBASE", form: formModRM, size: sizeY, fn: all(opRDGSBASE)},
		row{m: map0F, op: 0xae, digit: d2, mod: modReg, pfx: pF3, modes: in64, name: "WRFSBASE", form: formModRM, size: sizeY, attr: attrEnd, fn: all(opWRFSBASE)},
		row{m: map0F, op: 0xae, digit: d3, mod: modReg, pfx: pF3, modes: in64, name: "WRGSBASE", form: formModRM, size: sizeY, attr: attrEnd, fn: all(opWRGSBASE)},
		row{m: map0F, op: 0xc7, digit: d7, mod: modReg, pfx: pF3, name: "RDPID", form: formModRM, size: sizeReg, fn: all(opRDPID)},
	)
}

func farRows() []row {
	return []row{
		{m: map1, op: 0x9a, modes: not64, name: "CALL", form: formFar, attr: attrEnd, fn: all(opCallFarImm)},
		{m: map1, op: 0xea, modes: not64, name: "JMP", form: formFar, attr: attrEnd, fn: all(opJmpFarImm)},
		{m: map1, op: 0xff, digit: d3, name: "CALL", form: formModRM, acc: accFar, attr: attrEnd, fn: onlyMem(opCallFarMem)},
		{m: map1, op: 0xff, digit: d5, name: "JMP", form: formModRM, acc: accFar, attr: attrEnd, fn: onlyMem(opJmpFarMem)},
		{m: map1, op: 0xca, name: "RETF", form: formImm16, attr: attrEnd, fn: all(opRetFar)},
		{m: map1, op: 0xcb, name: "RETF", attr: attrEnd, fn: all(opRetFar)},
		{m: map1, op: 0xcf, name: "IRET", attr: attrEnd, fn: all(opIRET)},
		{m: map0F, op: 0x05, name: "SYSCALL", attr: attrEnd, fn: all(opSYSCALL)},
		{m: map0F, op: 0x07, name: "SYSRET", attr: attrEnd, fn: all(opSYSRET)},
		{m: map0F, op: 0x34, name: "SYSENTER", attr: attrEnd, fn: all(opSYSENTER)},
		{m: map0F, op: 0x35, name: "SYSEXIT", attr: attrEnd, fn: all(opSYSEXIT)},
	}
}

func opINT(c *CPU, in *Inst) status {
	return c.leave(in, Exit{Kind: ExitSoftInt, Soft: SoftINT, Vector: uint8(in.Imm)})
}

func opINT3(c *CPU, in *Inst) status {
	return c.leave(in, Exit{Kind: ExitSoftInt, Soft: SoftINT3, Vector: x86.VectorBP})
}

func opINT1(c *CPU, in *Inst) status {
	return c.leave(in, Exit{Kind: ExitSoftInt, Soft: SoftICEBP, Vector: x86.VectorDB})
}

func opINTO(c *CPU, in *Inst) status {
	if c.Flags()&x86.FlagOF == 0 {
		return stOK
	}
	return c.leave(in, Exit{Kind: ExitSoftInt, Soft: SoftINTO, Vector: x86.VectorOF})
}

// opHLT halts. Under single-step the trap is due at once and wakes the
// processor, so it does not halt at all.
func opHLT(c *CPU, in *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	if c.rflags&x86.FlagTF != 0 {
		return stEnd
	}
	st := c.leave(in, Exit{Kind: ExitHalt})
	c.RIP = c.exit.Next
	c.Halted = true
	return st
}

// mayIF: CLI and STI need CPL <= IOPL.
func (c *CPU) mayIF() bool { return !c.Protected() || c.CPL <= c.iopl() }

func opCLI(c *CPU, _ *Inst) status {
	if !c.mayIF() {
		return c.gp0()
	}
	c.rflags &^= x86.FlagIF
	return stEnd
}

// opSTI blocks interrupts for one more instruction if they were disabled.
func opSTI(c *CPU, _ *Inst) status {
	if !c.mayIF() {
		return c.gp0()
	}
	if c.rflags&x86.FlagIF == 0 {
		c.rflags |= x86.FlagIF
		c.Shadow = ShadowSTI
	}
	return stEnd
}

func opCLAC(c *CPU, _ *Inst) status { return c.setAC(0) }
func opSTAC(c *CPU, _ *Inst) status { return c.setAC(x86.FlagAC) }

func (c *CPU) setAC(ac uint64) status {
	if c.CPL != 0 {
		return c.except(x86.VectorUD)
	}
	c.rflags = c.rflags&^x86.FlagAC | ac
	c.updateView()
	return stEnd
}
