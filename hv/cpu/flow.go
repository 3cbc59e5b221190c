package cpu

import "pvlab/hv/x86"

// Near branches.

func flowRows() []row {
	rows := []row{
		{m: map1, op: 0xe9, name: "JMP", form: formRelZ, size: sizeBr, attr: attrEnd, fn: all(opJmpRel)},
		{m: map1, op: 0xeb, name: "JMP", form: formRel8, size: sizeBr, attr: attrEnd, fn: all(opJmpRel)},
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
