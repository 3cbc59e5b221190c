package cpu

import "pvlab/hv/x86"

// Near branches.

func flowRows() []row {
	rows := []row{
		{m: map1, op: 0xe9, name: "JMP", form: formRelZ, size: sizeBr, attr: attrEnd, fn: all(opJmpRel)},
		{m: map1, op: 0xeb, name: "JMP", form: formRel8, size: sizeBr, attr: attrEnd, fn: all(opJmpRel)},
		{m: map1, op: 0xff, digit: d4, name: "JMP", form: formModRM, size: sizeBr, attr: attrEnd, fn: split(opJmpReg, opJmpMem)},
		{m: map1, op: 0xe8, name: "CALL", form: formRelZ, size: sizeBr, attr: attrEnd, fn: all(opCallRel)},
		{m: map1, op: 0xff, digit: d2, name: "CALL", form: formModRM, size: sizeBr, attr: attrEnd, fn: split(opCallReg, opCallMem)},
		{m: map1, op: 0xc3, name: "RET", size: sizeBr, attr: attrEnd, fn: all(opRet)},
		{m: map1, op: 0xc2, name: "RET", form: formImm16, size: sizeBr, attr: attrEnd, fn: all(opRet)},
		{m: map1, op: 0xe0, name: "LOOPNE", form: formRel8, size: sizeBr, fn: all(opLoopne)},
		{m: map1, op: 0xe1, name: "LOOPE", form: formRel8, size: sizeBr, fn: all(opLoope)},
		{m: map1, op: 0xe2, name: "LOOP", form: formRel8, size: sizeBr, fn: all(opLoop)},
		{m: map1, op: 0xe3, name: "JRCXZ", form: formRel8, size: sizeBr, fn: all(opJrcxz)},
	}
	for cc, f := range jcc {
		rows = append(rows,
			row{m: map1, op: 0x70 + uint8(cc), name: "J" + ccNames[cc], form: formRel8, size: sizeBr, fn: all(f)},
			row{m: map0F, op: 0x80 + uint8(cc), name: "J" + ccNames[cc], form: formRelZ, size: sizeBr, fn: all(f)})
	}
	return rows
}

// ccNames are the condition suffixes in encoding order.
var ccNames = [16]string{"O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"}

// jump goes to the target of a direct branch.
func (c *CPU) jump(in *Inst) status {
	if in.Flags&FlagCheck != 0 && !c.nearOK(uint64(in.Imm)) {
		return c.gp0()
	}
	c.RIP = uint64(in.Imm)
	return stJump
}

// nearOK reports whether a near branch may go to an offset: canonical in
// 64-bit code, within the limit of CS elsewhere.
func (c *CPU) nearOK(to uint64) bool {
	if c.mode == Mode64 {
		return x86.Canonical(to)
	}
	return to <= uint64(c.Seg[x86.CS].Limit)
}

func opJmpRel(c *CPU, in *Inst) status { return c.jump(in) }

// jcc has one function a condition: a branch not taken goes on in its block.
var jcc = [16]execFn{
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.of()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.of()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.cf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.cf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.zf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.zf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.cf() || c.lazy.zf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.cf() && !c.lazy.zf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.sf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.sf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.pf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.pf()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.sf() != c.lazy.of()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.sf() == c.lazy.of()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, c.lazy.zf() || c.lazy.sf() != c.lazy.of()) },
	func(c *CPU, in *Inst) status { return c.jumpIf(in, !c.lazy.zf() && c.lazy.sf() == c.lazy.of()) },
}

func (c *CPU) jumpIf(in *Inst, taken bool) status {
	if !taken {
		return stOK
	}
	if in.Flags&FlagCheck != 0 {
		return c.jump(in)
	}
	c.RIP = uint64(in.Imm)
	return stJump
}

// jumpTo goes to a computed offset, truncated to the operand size.
func (c *CPU) jumpTo(in *Inst, to uint64) status {
	to &= maskOf(in.Size)
	if !c.nearOK(to) {
		return c.gp0()
	}
	c.RIP = to
	return stJump
}

func opJmpReg(c *CPU, in *Inst) status { return c.jumpTo(in, c.R[in.RM&31]) }

func opJmpMem(c *CPU, in *Inst) status {
	to, ok := c.load(in.Seg, c.ea(in), int(in.Size))
	if !ok {
		return stFault
	}
	return c.jumpTo(in, to)
}

// callTo pushes the return offset and goes to a target. Of a bad stack and a
// bad target the stack faults first.
func (c *CPU) callTo(in *Inst, to uint64) status {
	to &= maskOf(in.Size)
	if !c.nearOK(to) {
		if !c.checkWrite(x86.SS, c.stackLinear(c.R[x86.RSP]-uint64(in.Size), in.Size, true), int(in.Size)) {
			return stFault
		}
		return c.gp0()
	}
	if c.push(in.Size, in.Next()) == stFault {
		return stFault
	}
	c.RIP = to
	return stJump
}

func opCallRel(c *CPU, in *Inst) status { return c.callTo(in, uint64(in.Imm)) }
func opCallReg(c *CPU, in *Inst) status { return c.callTo(in, c.R[in.RM&31]) }

func opCallMem(c *CPU, in *Inst) status {
	to, ok := c.load(in.Seg, c.ea(in), int(in.Size))
	if !ok {
		return stFault
	}
	return c.callTo(in, to)
}

// opRet is RET and RET imm16 (Imm is 0 without one).
func opRet(c *CPU, in *Inst) status {
	to, ok := c.peek(in.Size, 0)
	if !ok {
		return stFault
	}
	if !c.nearOK(to) {
		return c.gp0()
	}
	c.setSP(c.R[x86.RSP] + uint64(in.Size) + uint64(in.Imm))
	c.RIP = to
	return stJump
}

// LOOP and JRCXZ count in the register of the address size.

func opLoop(c *CPU, in *Inst) status   { return c.loop(in, true) }
func opLoope(c *CPU, in *Inst) status  { return c.loop(in, c.lazy.zf() == c.loopSense(in, true)) }
func opLoopne(c *CPU, in *Inst) status { return c.loop(in, c.lazy.zf() == c.loopSense(in, false)) }

// loopSense is the ZF that continues a LOOPE or LOOPNE. On AMD a REP or REPNE
// prefix overrides what the opcode says (found on family 19h).
func (c *CPU) loopSense(in *Inst, zf bool) bool {
	if c.Vendor == AMD && in.Flags&(FlagRep|FlagRepne) != 0 {
		return in.Flags&FlagRep != 0
	}
	return zf
}

func (c *CPU) loop(in *Inst, cond bool) status {
	n := (c.R[x86.RCX] - 1) & in.addrMask()
	st := c.jumpIf(in, n != 0 && cond)
	if st != stFault {
		c.setAddrReg(in, x86.RCX, n)
	}
	return st
}

func opJrcxz(c *CPU, in *Inst) status { return c.jumpIf(in, c.R[x86.RCX]&in.addrMask() == 0) }

// setAddrReg writes a register in the width of the address size.
func (c *CPU) setAddrReg(in *Inst, r int, v uint64) {
	if in.Flags&FlagAddr16 != 0 {
		c.R[r] = c.R[r]&^0xffff | v&0xffff
		return
	}
	c.R[r] = v & in.addrMask()
}
