package cpu

import "pvlab/hv/x86"

// Insert, extract, mask and blend instructions, widening moves and PTEST.

func signBits(v uint64) (r uint64) {
	for i := uint(0); i < 8; i++ {
		r |= v >> (8*i + 7) & 1 << i
	}
	return r
}

func (c *CPU) setGeneral(n uint8, v uint64) status {
	c.R[n&15] = v
	return stOK
}

func opPMOVMSKB(c *CPU, in *Inst) status {
	v := c.xmm(in.RM)
	return c.setGeneral(in.Reg, signBits(v.lo)|signBits(v.hi)<<8)
}

func opPMOVMSKBmm(c *CPU, in *Inst) status {
	if st := c.enterMMX(); st != stOK {
		return st
	}
	return c.setGeneral(in.Reg, signBits(c.mm(in.RM)))
}

func opMOVMSKPS(c *CPU, in *Inst) status {
	v := c.xmm(in.RM)
	return c.setGeneral(in.Reg, v.lo>>31&1|v.lo>>63<<1|v.hi>>31&1<<2|v.hi>>63<<3)
}

func opMOVMSKPD(c *CPU, in *Inst) status {
	v := c.xmm(in.RM)
	return c.setGeneral(in.Reg, v.lo>>63|v.hi>>63<<1)
}

func opPEXTRW(c *CPU, in *Inst) status {
	return c.setGeneral(in.Reg, uint64(c.xmm(in.RM).word(uint(in.Imm)&7)))
}

func opPEXTRWmm(c *CPU, in *Inst) status {
	if st := c.enterMMX(); st != stOK {
		return st
	}
	return c.setGeneral(in.Reg, c.mm(in.RM)>>(uint(in.Imm)&3*16)&0xffff)
}

// wordSource is r32/m16.
func (c *CPU) wordSource(in *Inst) (uint16, bool) {
	if in.Flags&FlagMem == 0 {
		return uint16(c.R[in.RM&15]), true
	}
	return c.load16(in.Seg, c.ea(in))
}

func opPINSRW(c *CPU, in *Inst) status {
	v, ok := c.wordSource(in)
	if !ok {
		return stFault
	}
	d := c.xmm(in.Reg)
	d.setWord(uint(in.Imm)&7, v)
	c.setXMM(in.Reg, d)
	return stOK
}

func opPINSRWmm(c *CPU, in *Inst) status {
	if st := c.mmxFault(); st != stOK {
		return st
	}
	v, ok := c.wordSource(in)
	if !ok {
		return stFault
	}
	c.mmxState()
	at := uint(in.Imm) & 3 * 16
	c.setMM(in.Reg, c.mm(in.Reg)&^(0xffff<<at)|uint64(v)<<at)
	return stOK
}

func opPINSRB(c *CPU, in *Inst) status {
	v := uint8(c.R[in.RM&15])
	if in.Flags&FlagMem != 0 {
		var ok bool
		if v, ok = c.load8(in.Seg, c.ea(in)); !ok {
			return stFault
		}
	}
	d := c.xmm(in.Reg)
	d.setByte(uint(in.Imm)&15, v)
	c.setXMM(in.Reg, d)
	return stOK
}

// opPINSRD is PINSRD or PINSRQ.
func opPINSRD(c *CPU, in *Inst) status {
	v, ok := c.generalSource(in)
	if !ok {
		return stFault
	}
	d := c.xmm(in.Reg)
	switch {
	case in.Size != 8:
		d.setDword(uint(in.Imm)&3, uint32(v))
	case in.Imm&1 != 0:
		d.hi = v
	default:
		d.lo = v
	}
	c.setXMM(in.Reg, d)
	return stOK
}

// opPEXTRD is PEXTRD, PEXTRQ, and EXTRACTPS.
func opPEXTRD(c *CPU, in *Inst) status {
	v := c.xmm(in.Reg)
	if in.Size == 8 {
		if in.Imm&1 != 0 {
			return c.generalDest(in, v.hi)
		}
		return c.generalDest(in, v.lo)
	}
	return c.generalDest(in, uint64(v.dword(uint(in.Imm)&3)))
}

func opEXTRACTPS(c *CPU, in *Inst) status {
	v := c.xmm(in.Reg).dword(uint(in.Imm) & 3)
	if in.Flags&FlagMem != 0 {
		return c.store32(in.Seg, c.ea(in), v)
	}
	return c.setGeneral(in.RM, uint64(v))
}

func opPEXTRB(c *CPU, in *Inst) status {
	v := c.xmm(in.Reg).byteAt(uint(in.Imm) & 15)
	if in.Flags&FlagMem != 0 {
		return c.store8(in.Seg, c.ea(in), v)
	}
	return c.setGeneral(in.RM, uint64(v))
}

// opPEXTRWmem is the SSE4.1 form, which may store.
func opPEXTRWmem(c *CPU, in *Inst) status {
	v := c.xmm(in.Reg).word(uint(in.Imm) & 7)
	if in.Flags&FlagMem != 0 {
		return c.store16(in.Seg, c.ea(in), v)
	}
	return c.setGeneral(in.RM, uint64(v))
}

func opINSERTPS(c *CPU, in *Inst) status {
	imm := uint(in.Imm)
	var v uint32
	if in.Flags&FlagMem != 0 {
		var ok bool
		if v, ok = c.load32(in.Seg, c.ea(in)); !ok {
			return stFault
		}
	} else {
		v = c.xmm(in.RM).dword(imm >> 6 & 3)
	}
	d := c.xmm(in.Reg)
	d.setDword(imm>>4&3, v)
	for i := range uint(4) {
		if imm>>i&1 != 0 {
			d.setDword(i, 0)
		}
	}
	c.setXMM(in.Reg, d)
	return stOK
}

// widen is PMOVSX and PMOVZX from elements of from bits to elements of to.
func widen(from, to uint, signed bool) execFn {
	bytes := 16 * from / to
	return guarded(func(c *CPU, in *Inst) status {
		var s uint64
		ok := true
		if in.Flags&FlagMem == 0 {
			s = c.xmm(in.RM).lo
		} else {
			s, ok = c.load(in.Seg, c.ea(in), int(bytes))
		}
		if !ok {
			return stFault
		}
		var r [2]uint64
		for i := uint(0); i*to < 128; i++ {
			e := s >> (i * from) << (64 - from)
			if signed {
				e = uint64(int64(e) >> (64 - from))
			} else {
				e >>= 64 - from
			}
			e = e << (64 - to) >> (64 - to)
			r[i*to/64] |= e << (i * to % 64)
		}
		c.setXMM(in.Reg, vec{r[0], r[1]})
		return stOK
	})
}

func opPTEST(c *CPU, in *Inst) status {
	s, ok := c.source128(in)
	if !ok {
		return stFault
	}
	d := c.xmm(in.Reg)
	f := c.Flags() &^ x86.FlagsStatus
	if d.lo&s.lo|d.hi&s.hi == 0 {
		f |= x86.FlagZF
	}
	if ^d.lo&s.lo|^d.hi&s.hi == 0 {
		f |= x86.FlagCF
	}
	c.SetFlags(f)
	return stOK
}

// blendImm chooses elements of width bits by the bits of the immediate.
func blendImm(width uint) func(d, s vec, imm uint8) vec {
	return func(d, s vec, imm uint8) vec {
		m := elementMask(width, func(i uint) bool { return imm>>i&1 != 0 })
		return select128(d, s, m)
	}
}

// blendV chooses by the top bits of the elements of xmm0.
func blendV(width uint) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		k := c.xmm(0)
		m := elementMask(width, func(i uint) bool { return k.byteAt(i*width/8+width/8-1)&0x80 != 0 })
		c.setXMM(in.Reg, select128(c.xmm(in.Reg), s, m))
		return stOK
	})
}

func elementMask(width uint, chosen func(i uint) bool) vec {
	var m [2]uint64
	for i := uint(0); i*width < 128; i++ {
		if chosen(i) {
			m[i*width/64] |= ^uint64(0) >> (64 - width) << (i * width % 64)
		}
	}
	return vec{m[0], m[1]}
}

func select128(d, s, m vec) vec {
	return vec{d.lo&^m.lo | s.lo&m.lo, d.hi&^m.hi | s.hi&m.hi}
}

// phminposuw finds the smallest word and its place.
func phminposuw(_, s vec) vec {
	least, at := s.word(0), uint64(0)
	for i := uint(1); i < 8; i++ {
		if w := s.word(i); w < least {
			least, at = w, uint64(i)
		}
	}
	return vec{uint64(least) | at<<16, 0}
}

// mpsadbw sums differences of four bytes at eight places.
func mpsadbw(d, s vec, imm uint8) (r vec) {
	a, b := uint(imm>>2&1*4), uint(imm&3*4)
	for i := range uint(8) {
		var sum uint16
		for j := range uint(4) {
			x, y := d.byteAt(a+i+j), s.byteAt(b+j)
			sum += uint16(max(x, y) - min(x, y))
		}
		r.setWord(i, sum)
	}
	return r
}

// horizontal makes the words or doublewords of PHADD and PHSUB: pairs of d
// first, then of s.
func horizontal16(f func(a, b int16) int16) func(d, s uint64) uint64 {
	half := func(v uint64) uint64 {
		return uint64(uint16(f(int16(v), int16(v>>16)))) | uint64(uint16(f(int16(v>>32), int16(v>>48))))<<16
	}
	return func(d, s uint64) uint64 { return half(d) | half(s)<<32 }
}

func horizontal32(f func(a, b int32) int32) func(d, s uint64) uint64 {
	half := func(v uint64) uint64 { return uint64(uint32(f(int32(v), int32(v>>32)))) }
	return func(d, s uint64) uint64 { return half(d) | half(s)<<32 }
}

func extractRows() (rows []row) {
	const (
		mrm = formModRM
		imm = formModRM | formImm8U
	)
	for _, r := range []struct {
		op   uint8
		name string
		f    func(d, s uint64) uint64
	}{
		{0x01, "PHADDW", horizontal16(func(a, b int16) int16 { return a + b })},
		{0x02, "PHADDD", horizontal32(func(a, b int32) int32 { return a + b })},
		{0x03, "PHADDSW", horizontal16(addSatW)},
		{0x05, "PHSUBW", horizontal16(func(a, b int16) int16 { return a - b })},
		{0x06, "PHSUBD", horizontal32(func(a, b int32) int32 { return a - b })},
		{0x07, "PHSUBSW", horizontal16(subSatW)},
	} {
		rows = append(rows, mmRow(map0F38, r.op, r.name, r.f), xmmRow(map0F38, r.op, r.name, packed(r.f)))
	}
	for i, w := range []struct{ from, to uint }{{8, 16}, {8, 32}, {8, 64}, {16, 32}, {16, 64}, {32, 64}} {
		acc := accSize(16 * w.from / w.to)
		name := [...]string{"BW", "BD", "BQ", "WD", "WQ", "DQ"}[i]
		rows = append(rows,
			row{m: map0F38, op: 0x20 + uint8(i), pfx: p66, name: "PMOVSX" + name, form: mrm, size: sizeQ, acc: acc, fn: all(widen(w.from, w.to, true))},
			row{m: map0F38, op: 0x30 + uint8(i), pfx: p66, name: "PMOVZX" + name, form: mrm, size: sizeQ, acc: acc, fn: all(widen(w.from, w.to, false))})
	}
	x := func(m opMap, op uint8, name string, f func(d, s vec, imm uint8) vec) row {
		return row{m: m, op: op, pfx: p66, name: name, form: imm, size: sizeQ, acc: acc16, fn: all(xmmImm(f))}
	}
	v := func(op uint8, name string, width uint) row {
		return row{m: map0F38, op: op, pfx: p66, name: name, form: mrm, size: sizeQ, acc: acc16, fn: all(blendV(width))}
	}
	a := func(op uint8, name string, size sizeRule, acc accSize, attr attr, f execFn) row {
		return row{m: map0F3A, op: op, pfx: p66, name: name, form: imm, size: size, acc: acc, attr: attr, fn: all(guarded(f))}
	}
	return append(rows,
		row{m: map0F, op: 0xd7, pfx: p66, mod: modReg, name: "PMOVMSKB", form: mrm, size: sizeQ, fn: all(guarded(opPMOVMSKB))},
		row{m: map0F, op: 0xd7, pfx: pNone, mod: modReg, name: "PMOVMSKB", form: mrm, size: sizeQ, fn: all(opPMOVMSKBmm)},
		row{m: map0F, op: 0x50, pfx: pNone, mod: modReg, name: "MOVMSKPS", form: mrm, size: sizeQ, fn: all(guarded(opMOVMSKPS))},
		row{m: map0F, op: 0x50, pfx: p66, mod: modReg, name: "MOVMSKPD", form: mrm, size: sizeQ, fn: all(guarded(opMOVMSKPD))},
		row{m: map0F, op: 0xc5, pfx: p66, mod: modReg, name: "PEXTRW", form: imm, size: sizeQ, fn: all(guarded(opPEXTRW))},
		row{m: map0F, op: 0xc5, pfx: pNone, mod: modReg, name: "PEXTRW", form: imm, size: sizeQ, fn: all(opPEXTRWmm)},
		row{m: map0F, op: 0xc4, pfx: p66, name: "PINSRW", form: imm, size: sizeD, acc: acc2, fn: all(guarded(opPINSRW))},
		row{m: map0F, op: 0xc4, pfx: pNone, name: "PINSRW", form: imm, size: sizeD, acc: acc2, fn: all(opPINSRWmm)},
		a(0x14, "PEXTRB", sizeD, acc1, attrWrite, opPEXTRB), a(0x15, "PEXTRW", sizeD, acc2, attrWrite, opPEXTRWmem),
		a(0x16, "PEXTRD", sizeY, accOp, attrWrite, opPEXTRD), a(0x17, "EXTRACTPS", sizeD, acc4, attrWrite, opEXTRACTPS),
		a(0x20, "PINSRB", sizeD, acc1, 0, opPINSRB), a(0x21, "INSERTPS", sizeD, acc4, 0, opINSERTPS),
		a(0x22, "PINSRD", sizeY, accOp, 0, opPINSRD),
		row{m: map0F38, op: 0x17, pfx: p66, name: "PTEST", form: mrm, size: sizeQ, acc: acc16, fn: all(guarded(opPTEST))},
		x(map0F3A, 0x0c, "BLENDPS", blendImm(32)), x(map0F3A, 0x0d, "BLENDPD", blendImm(64)), x(map0F3A, 0x0e, "PBLENDW", blendImm(16)),
		v(0x10, "PBLENDVB", 8), v(0x14, "BLENDVPS", 32), v(0x15, "BLENDVPD", 64),
		xmmRow(map0F38, 0x41, "PHMINPOSUW", phminposuw), x(map0F3A, 0x42, "MPSADBW", mpsadbw))
}
