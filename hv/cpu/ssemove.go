package cpu

import "pvlab/hv/x86"

// Moves of MMX and SSE.

// guarded runs f where SSE may be used.
func guarded(f execFn) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.sseFault(); st != stOK {
			return st
		}
		return f(c, in)
	}
}

func loadMove(aligned bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		if in.Flags&FlagMem == 0 {
			c.setXMM(in.Reg, c.xmm(in.RM))
			return stOK
		}
		v, ok := c.load128(in, aligned)
		if !ok {
			return stFault
		}
		c.setXMM(in.Reg, v)
		return stOK
	})
}

func storeMove(aligned bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		v := c.xmm(in.Reg)
		if in.Flags&FlagMem == 0 {
			c.setXMM(in.RM, v)
			return stOK
		}
		return c.store128(in, v, aligned)
	})
}

// MOVSS and MOVSD: a register keeps what is above, memory clears it.
func opMOVSSload(c *CPU, in *Inst) status {
	if in.Flags&FlagMem == 0 {
		d := c.xmm(in.Reg)
		d.lo = d.lo&^0xffffffff | c.xmm(in.RM).lo&0xffffffff
		c.setXMM(in.Reg, d)
		return stOK
	}
	v, ok := c.load32(in.Seg, c.ea(in))
	if !ok {
		return stFault
	}
	c.setXMM(in.Reg, vec{uint64(v), 0})
	return stOK
}

func opMOVSSstore(c *CPU, in *Inst) status {
	if in.Flags&FlagMem == 0 {
		d := c.xmm(in.RM)
		d.lo = d.lo&^0xffffffff | c.xmm(in.Reg).lo&0xffffffff
		c.setXMM(in.RM, d)
		return stOK
	}
	return c.store32(in.Seg, c.ea(in), uint32(c.xmm(in.Reg).lo))
}

func opMOVSDload(c *CPU, in *Inst) status {
	if in.Flags&FlagMem == 0 {
		c.setXMM(in.Reg, vec{c.xmm(in.RM).lo, c.xmm(in.Reg).hi})
		return stOK
	}
	return opMOVQload(c, in)
}

func opMOVSDstore(c *CPU, in *Inst) status {
	if in.Flags&FlagMem == 0 {
		c.setXMM(in.RM, vec{c.xmm(in.Reg).lo, c.xmm(in.RM).hi})
		return stOK
	}
	return opStoreLow(c, in)
}

// opMOVQload is MOVQ xmm, xmm/m64: the upper half becomes zero.
func opMOVQload(c *CPU, in *Inst) status {
	v, ok := c.source64(in)
	if !ok {
		return stFault
	}
	c.setXMM(in.Reg, vec{v, 0})
	return stOK
}

// opMOVQstore is MOVQ xmm/m64, xmm.
func opMOVQstore(c *CPU, in *Inst) status {
	if in.Flags&FlagMem == 0 {
		c.setXMM(in.RM, vec{c.xmm(in.Reg).lo, 0})
		return stOK
	}
	return opStoreLow(c, in)
}

func opStoreLow(c *CPU, in *Inst) status  { return c.store64(in.Seg, c.ea(in), c.xmm(in.Reg).lo) }
func opStoreHigh(c *CPU, in *Inst) status { return c.store64(in.Seg, c.ea(in), c.xmm(in.Reg).hi) }

// MOVLPS and MOVHPS load one half; between registers they are MOVHLPS and
// MOVLHPS.
func opLoadLow(c *CPU, in *Inst) status {
	v, ok := c.load64(in.Seg, c.ea(in))
	if !ok {
		return stFault
	}
	c.setXMM(in.Reg, vec{v, c.xmm(in.Reg).hi})
	return stOK
}

func opLoadHigh(c *CPU, in *Inst) status {
	v, ok := c.load64(in.Seg, c.ea(in))
	if !ok {
		return stFault
	}
	c.setXMM(in.Reg, vec{c.xmm(in.Reg).lo, v})
	return stOK
}

func movhlps(d, s vec) vec  { return vec{s.hi, d.hi} }
func movlhps(d, s vec) vec  { return vec{d.lo, s.lo} }
func movddup(_, s vec) vec  { return vec{s.lo, s.lo} }
func movsldup(_, s vec) vec { return vec{double(s.lo), double(s.hi)} }
func movshdup(_, s vec) vec { return vec{double(s.lo >> 32), double(s.hi >> 32)} }

func double(v uint64) uint64 { return v&0xffffffff | v<<32 }

func opMOVDDUPmem(c *CPU, in *Inst) status {
	v, ok := c.load64(in.Seg, c.ea(in))
	if !ok {
		return stFault
	}
	c.setXMM(in.Reg, vec{v, v})
	return stOK
}

// MOVD and MOVQ between a general register or memory and an xmm register.
func opMOVDtoXMM(c *CPU, in *Inst) status {
	v, ok := c.generalSource(in)
	if !ok {
		return stFault
	}
	c.setXMM(in.Reg, vec{v, 0})
	return stOK
}

func opMOVDfromXMM(c *CPU, in *Inst) status { return c.generalDest(in, c.xmm(in.Reg).lo) }

// generalSource and generalDest are r/m32 or r/m64 by in.Size.
func (c *CPU) generalSource(in *Inst) (uint64, bool) {
	if in.Flags&FlagMem != 0 {
		return c.load(in.Seg, c.ea(in), int(in.Size))
	}
	if in.Size == 8 {
		return c.R[in.RM&15], true
	}
	return uint64(uint32(c.R[in.RM&15])), true
}

func (c *CPU) generalDest(in *Inst, v uint64) status {
	if in.Flags&FlagMem != 0 {
		return c.store(in.Seg, c.ea(in), int(in.Size), v)
	}
	if in.Size != 8 {
		v = uint64(uint32(v))
	}
	c.R[in.RM&15] = v
	return stOK
}

func opMOVDtoMM(c *CPU, in *Inst) status {
	if st := c.mmxFault(); st != stOK {
		return st
	}
	v, ok := c.generalSource(in)
	if !ok {
		return stFault
	}
	c.mmxState()
	c.setMM(in.Reg, v)
	return stOK
}

// mmStore is a store of an mm register: the state changes only if it succeeds.
func mmStore(f func(c *CPU, in *Inst, v uint64) status) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.mmxFault(); st != stOK {
			return st
		}
		st := f(c, in, c.mmNow(in.Reg))
		if st != stFault {
			c.mmxState()
		}
		return st
	}
}

// mmNow is an mm register before the top of stack is 0.
func (c *CPU) mmNow(n uint8) uint64 { return c.mm(n - uint8(c.fx16(fxFSW)>>11&7)) }

func opMOVQtoMM(c *CPU, in *Inst) status {
	return mmMove(c, in)
}

var mmMove = mmOp(func(_, s uint64) uint64 { return s })

func opMOVQfromMM(c *CPU, in *Inst) status {
	if in.Flags&FlagMem != 0 {
		return mmStore64(c, in)
	}
	if st := c.enterMMX(); st != stOK {
		return st
	}
	c.setMM(in.RM, c.mm(in.Reg))
	return stOK
}

var mmStore64 = mmStore(func(c *CPU, in *Inst, v uint64) status { return c.store64(in.Seg, c.ea(in), v) })

// opMOVQ2DQ is xmm, mm; opMOVDQ2Q mm, xmm.
func opMOVQ2DQ(c *CPU, in *Inst) status {
	if st := c.bothFault(); st != stOK {
		return st
	}
	c.mmxState()
	c.setXMM(in.Reg, vec{c.mm(in.RM), 0})
	return stOK
}

func opMOVDQ2Q(c *CPU, in *Inst) status {
	if st := c.bothFault(); st != stOK {
		return st
	}
	c.mmxState()
	c.setMM(in.Reg, c.xmm(in.RM).lo)
	return stOK
}

// bothFault is what instructions with mm and xmm registers begin with.
func (c *CPU) bothFault() status {
	if st := c.sseFault(); st != stOK {
		return st
	}
	return c.mmxFault()
}

// MASKMOVDQU and MASKMOVQ store chosen bytes at DS:rDI.
func opMASKMOVDQU(c *CPU, in *Inst) status {
	return c.maskedStore(in, c.xmm(in.Reg), c.xmm(in.RM), 16)
}

func opMASKMOVQ(c *CPU, in *Inst) status {
	if st := c.mmxFault(); st != stOK {
		return st
	}
	v, mask := c.mmNow(in.Reg), c.mmNow(in.RM)
	st := c.maskedStore(in, vec{v, 0}, vec{mask, 0}, 8)
	if st != stFault || c.Vendor == AMD {
		c.mmxState()
	}
	return st
}

func (c *CPU) maskedStore(in *Inst, v, mask vec, n uint) status {
	at := c.linear(in.Seg, c.R[x86.RDI]&in.addrMask(), uint64(n), true)
	if n == 16 && at&7 != 0 && !c.aligned16(in.Seg, at) || !c.checkWrite(in.Seg, at, int(n)) {
		return stFault
	}
	st := stOK
	for i := range n {
		if mask.byteAt(i)&0x80 != 0 {
			st = max(st, c.store8(in.Seg, at+uint64(i), v.byteAt(i)))
		}
	}
	return st
}

func sseMoveRows() []row {
	const (
		w   = attrWrite
		mrm = formModRM
	)
	ld := func(op uint8, pfx pfxSel, name string, acc accSize, f execFn) row {
		return row{m: map0F, op: op, pfx: pfx, name: name, form: mrm, size: sizeQ, acc: acc, fn: all(f)}
	}
	st := func(op uint8, pfx pfxSel, name string, acc accSize, f execFn) row {
		r := ld(op, pfx, name, acc, f)
		r.attr = w
		return r
	}
	mem := func(r row) row { r.mod = modMem; return r }
	reg := func(r row) row { r.mod = modReg; return r }
	x := xmmOp
	rows := []row{
		ld(0x10, pNone, "MOVUPS", acc16, loadMove(false)), st(0x11, pNone, "MOVUPS", acc16, storeMove(false)),
		ld(0x10, p66, "MOVUPD", acc16, loadMove(false)), st(0x11, p66, "MOVUPD", acc16, storeMove(false)),
		ld(0x10, pF3, "MOVSS", acc4, guarded(opMOVSSload)), st(0x11, pF3, "MOVSS", acc4, guarded(opMOVSSstore)),
		ld(0x10, pF2, "MOVSD", acc8, guarded(opMOVSDload)), st(0x11, pF2, "MOVSD", acc8, guarded(opMOVSDstore)),
		mem(ld(0x12, pNone|p66, "MOVLPS", acc8, guarded(opLoadLow))), reg(ld(0x12, pNone, "MOVHLPS", acc8, x(movhlps))),
		mem(st(0x13, pNone|p66, "MOVLPS", acc8, guarded(opStoreLow))),
		mem(ld(0x16, pNone|p66, "MOVHPS", acc8, guarded(opLoadHigh))), reg(ld(0x16, pNone, "MOVLHPS", acc8, x(movlhps))),
		mem(st(0x17, pNone|p66, "MOVHPS", acc8, guarded(opStoreHigh))),
		mem(ld(0x12, pF2, "MOVDDUP", acc8, guarded(opMOVDDUPmem))), reg(ld(0x12, pF2, "MOVDDUP", acc8, x(movddup))),
		ld(0x12, pF3, "MOVSLDUP", acc16, x(movsldup)), ld(0x16, pF3, "MOVSHDUP", acc16, x(movshdup)),
		ld(0x28, pNone|p66, "MOVAPS", acc16, loadMove(true)), st(0x29, pNone|p66, "MOVAPS", acc16, storeMove(true)),
		mem(st(0x2b, pNone|p66, "MOVNTPS", acc16, storeMove(true))),
		ld(0x6f, p66, "MOVDQA", acc16, loadMove(true)), st(0x7f, p66, "MOVDQA", acc16, storeMove(true)),
		ld(0x6f, pF3, "MOVDQU", acc16, loadMove(false)), st(0x7f, pF3, "MOVDQU", acc16, storeMove(false)),
		mem(st(0xe7, p66, "MOVNTDQ", acc16, storeMove(true))),
		mem(ld(0xf0, pF2, "LDDQU", acc16, loadMove(false))),
		ld(0x7e, pF3, "MOVQ", acc8, guarded(opMOVQload)), st(0xd6, p66, "MOVQ", acc8, guarded(opMOVQstore)),
		reg(ld(0xd6, pF3, "MOVQ2DQ", acc8, opMOVQ2DQ)), reg(ld(0xd6, pF2, "MOVDQ2Q", acc8, opMOVDQ2Q)),
		ld(0x6f, pNone, "MOVQ", acc8, opMOVQtoMM), st(0x7f, pNone, "MOVQ", acc8, opMOVQfromMM),
		mem(st(0xe7, pNone, "MOVNTQ", acc8, mmStore64)),
		{m: map0F38, op: 0x2a, pfx: p66, mod: modMem, name: "MOVNTDQA", form: mrm, size: sizeQ, acc: acc16, fn: all(loadMove(true))},
		{m: map0F, op: 0x6e, pfx: p66, name: "MOVD", form: mrm, size: sizeY, fn: all(guarded(opMOVDtoXMM))},
		{m: map0F, op: 0x7e, pfx: p66, name: "MOVD", form: mrm, size: sizeY, attr: w, fn: all(guarded(opMOVDfromXMM))},
		{m: map0F, op: 0x6e, pfx: pNone, name: "MOVD", form: mrm, size: sizeY, fn: all(opMOVDtoMM)},
		{m: map0F, op: 0x7e, pfx: pNone, name: "MOVD", form: mrm, size: sizeY, attr: w,
			fn: all(mmStore(func(c *CPU, in *Inst, v uint64) status { return c.generalDest(in, v) }))},
		reg(ld(0xf7, p66, "MASKMOVDQU", acc16, guarded(opMASKMOVDQU))), reg(ld(0xf7, pNone, "MASKMOVQ", acc8, opMASKMOVQ)),
	}
	for _, f := range []struct {
		op   uint8
		name string
		f    func(d, s uint64) uint64
	}{{0x54, "ANDPS", pand}, {0x55, "ANDNPS", pandn}, {0x56, "ORPS", por}, {0x57, "XORPS", pxor}} {
		rows = append(rows, ld(f.op, pNone|p66, f.name, acc16, x(lanes(f.f))))
	}
	return rows
}
