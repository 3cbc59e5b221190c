package cpu

import "pvlab/hv/x86"

// Instructions on RFLAGS: PUSHF, POPF, LAHF, SAHF, CLC, STC, CMC, CLD, STD.
// CLI, STI, CLAC and STAC are system instructions.

func flagRows() []row {
	return []row{
		{m: map1, op: 0x9c, name: "PUSHF", size: size64, fn: all(opPushf)},
		{m: map1, op: 0x9d, name: "POPF", size: size64, attr: attrEnd, fn: all(opPopf)},
		{m: map1, op: 0x9e, name: "SAHF", size: sizeB, fn: all(opSahf)},
		{m: map1, op: 0x9f, name: "LAHF", size: sizeB, fn: all(opLahf)},
		{m: map1, op: 0xf5, name: "CMC", size: sizeB, fn: all(opCmc)},
		{m: map1, op: 0xf8, name: "CLC", size: sizeB, fn: all(opClc)},
		{m: map1, op: 0xf9, name: "STC", size: sizeB, fn: all(opStc)},
		{m: map1, op: 0xfc, name: "CLD", size: sizeB, fn: all(opCld)},
		{m: map1, op: 0xfd, name: "STD", size: sizeB, fn: all(opStd)},
	}
}

// opPushf stores RFLAGS with RF and VM clear.
func opPushf(c *CPU, in *Inst) status {
	return c.push(in.Size, c.Flags()&^(x86.FlagRF|x86.FlagVM))
}

func opPopf(c *CPU, in *Inst) status {
	v, ok := c.peek(in.Size, 0)
	if !ok {
		return stFault
	}
	c.setSP(c.R[x86.RSP] + uint64(in.Size))
	c.popFlags(v, in.Size)
	return stEnd
}

// popFlags loads RFLAGS as POPF of size bytes may (SDM vol. 2, "POPF"): IOPL
// only at CPL 0, IF only at CPL <= IOPL, both silently; RF ends up clear; VM,
// VIF and VIP stay. The single-step trap of a TF set here comes after the
// next instruction.
func (c *CPU) popFlags(v uint64, size uint8) {
	change := uint64(x86.FlagsStatus | x86.FlagTF | x86.FlagDF | x86.FlagNT)
	if size > 2 {
		change |= x86.FlagAC | x86.FlagID
	}
	if c.CPL == 0 {
		change |= x86.FlagIOPL
	}
	if c.CPL <= c.iopl() {
		change |= x86.FlagIF
	}
	c.SetFlags((c.Flags()&^change | v&change) &^ x86.FlagRF)
}

func opLahf(c *CPU, _ *Inst) status {
	const low = x86.FlagsStatus &^ x86.FlagOF
	setReg(c, highByte+x86.RAX, uint8(c.lazy.word()&low|x86.FlagOne))
	return stOK
}

func opSahf(c *CPU, _ *Inst) status {
	const low = x86.FlagsStatus &^ x86.FlagOF
	ah := uint64(reg[uint8](c, highByte+x86.RAX))
	c.lazy.setWord(c.lazy.word()&x86.FlagOF | ah&low)
	return stOK
}

func opCmc(c *CPU, _ *Inst) status { c.lazy.setCarry(!c.lazy.cf()); return stOK }
func opClc(c *CPU, _ *Inst) status { c.lazy.setCarry(false); return stOK }
func opStc(c *CPU, _ *Inst) status { c.lazy.setCarry(true); return stOK }
func opCld(c *CPU, _ *Inst) status { c.rflags &^= x86.FlagDF; return stOK }
func opStd(c *CPU, _ *Inst) status { c.rflags |= x86.FlagDF; return stOK }
