package cpu

import "pvlab/hv/x86"

// Hints and fences, which have nothing to do here, and BOUND.

func hintRows() []row {
	nop := all(opNop)
	return []row{
		// 0F 18-1F are hint space: PREFETCHh, ENDBR, RDSSP with shadow stacks
		// off, the long NOPs. Memory operands are not accessed.
		{m: map0F, op: 0x18, span: 8, name: "NOP", form: formModRM, acc: accNone, fn: nop},
		{m: map0F, op: 0x0d, name: "PREFETCHW", form: formModRM, acc: accNone, fn: split(opPrefetchReg, opNop)},
		{m: map0F, op: 0xae, digit: d5, mod: modReg, pfx: pNone, name: "LFENCE", form: formModRM, size: sizeD, fn: nop},
		{m: map0F, op: 0xae, digit: d6, mod: modReg, pfx: pNone, name: "MFENCE", form: formModRM, size: sizeD, fn: nop},
		{m: map0F, op: 0xae, digit: d7, mod: modReg, pfx: pNone, name: "SFENCE", form: formModRM, size: sizeD, fn: nop},
		{m: map0F, op: 0xae, digit: d7, mod: modMem, pfx: pNone, name: "CLFLUSH", form: formModRM, size: sizeB, fn: all(opClflush)},
		{m: map0F, op: 0xae, digit: d6, mod: modMem, pfx: p66, name: "CLWB", form: formModRM, size: sizeB, fn: all(opClflush)},
		{m: map0F, op: 0xae, digit: d7, mod: modMem, pfx: p66, name: "CLFLUSHOPT", form: formModRM, size: sizeB, fn: all(opClflush)},
		{m: map1, op: 0x62, mod: modMem, modes: not64, name: "BOUND", form: formModRM,
			fn: fns{mem: [4]execFn{1: opBound[uint16], 2: opBound[uint32]}}},
	}
}

func opNop(*CPU, *Inst) status { return stOK }

// opPrefetchReg is 0F 0D with a register: undefined on AMD, a NOP on Intel.
func opPrefetchReg(c *CPU, _ *Inst) status {
	if c.Vendor == AMD {
		return c.except(x86.VectorUD)
	}
	return stOK
}

// opClflush has no cache to flush, but its address is checked as a byte load.
func opClflush(c *CPU, in *Inst) status {
	_, ok := c.load8(in.Seg, c.ea(in))
	return done(ok)
}

// opBound checks a signed index against two bounds side by side in memory.
func opBound[T word](c *CPU, in *Inst) status {
	lo, ok := loadT[T](c, in, c.ea(in))
	if !ok {
		return stFault
	}
	hi, ok := loadT[T](c, in, c.eaPlus(in, int64(in.Size)))
	if !ok {
		return stFault
	}
	i := int64(extend(reg[T](c, in.Reg)))
	if i < int64(extend(lo)) || i > int64(extend(hi)) {
		return c.except(x86.VectorBR)
	}
	return stOK
}
