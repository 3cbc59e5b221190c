package cpu

// Packs, unpacks, shuffles and shifts of mm and xmm registers.

func (v vec) byteAt(i uint) uint8 {
	if i < 8 {
		return uint8(v.lo >> (8 * i))
	}
	return uint8(v.hi >> (8 * (i & 7)))
}

func (v *vec) setByte(i uint, b uint8) {
	if i < 8 {
		v.lo = v.lo&^(0xff<<(8*i)) | uint64(b)<<(8*i)
		return
	}
	i &= 7
	v.hi = v.hi&^(0xff<<(8*i)) | uint64(b)<<(8*i)
}

func (v vec) word(i uint) uint16 {
	if i < 4 {
		return uint16(v.lo >> (16 * i))
	}
	return uint16(v.hi >> (16 * (i & 3)))
}

func (v *vec) setWord(i uint, w uint16) {
	if i < 4 {
		v.lo = v.lo&^(0xffff<<(16*i)) | uint64(w)<<(16*i)
		return
	}
	i &= 3
	v.hi = v.hi&^(0xffff<<(16*i)) | uint64(w)<<(16*i)
}

func (v vec) dword(i uint) uint32 {
	if i < 2 {
		return uint32(v.lo >> (32 * i))
	}
	return uint32(v.hi >> (32 * (i & 1)))
}

func (v *vec) setDword(i uint, w uint32) {
	if i < 2 {
		v.lo = v.lo&^(0xffffffff<<(32*i)) | uint64(w)<<(32*i)
		return
	}
	i &= 1
	v.hi = v.hi&^(0xffffffff<<(32*i)) | uint64(w)<<(32*i)
}

// packWords makes bytes of the words of d and then s; packDwords words of
// doublewords.
func packWords(lo, hi int64) func(d, s uint64) uint64 {
	half := func(v uint64) (r uint64) {
		for i := uint(0); i < 4; i++ {
			r |= uint64(uint8(saturate[int32](int64(int16(v>>(16*i))), lo, hi))) << (8 * i)
		}
		return r
	}
	return func(d, s uint64) uint64 { return half(d) | half(s)<<32 }
}

func packDwords(lo, hi int64) func(d, s uint64) uint64 {
	half := func(v uint64) (r uint64) {
		for i := uint(0); i < 2; i++ {
			r |= uint64(uint16(saturate[int32](int64(int32(v>>(32*i))), lo, hi))) << (16 * i)
		}
		return r
	}
	return func(d, s uint64) uint64 { return half(d) | half(s)<<32 }
}

// packed applies a pack to whole registers: d makes the low half.
func packed(f func(d, s uint64) uint64) func(d, s vec) vec {
	return func(d, s vec) vec { return vec{f(d.lo, d.hi), f(s.lo, s.hi)} }
}

// interleave takes elements of width bits by turns from the low halves of d
// and s.
func interleave(width uint) func(d, s uint64) uint64 {
	mask := uint64(1)<<width - 1
	return func(d, s uint64) (r uint64) {
		for i := uint(0); i < 64; i += 2 * width {
			r |= d>>(i/2)&mask<<i | s>>(i/2)&mask<<(i+width)
		}
		return r
	}
}

func unpackLow(width uint) (mm func(d, s uint64) uint64, xmm func(d, s vec) vec) {
	f := interleave(width)
	return f, func(d, s vec) vec { return vec{f(d.lo, s.lo), f(d.lo>>32, s.lo>>32)} }
}

func unpackHigh(width uint) (mm func(d, s uint64) uint64, xmm func(d, s vec) vec) {
	f := interleave(width)
	return func(d, s uint64) uint64 { return f(d>>32, s>>32) },
		func(d, s vec) vec { return vec{f(d.hi, s.hi), f(d.hi>>32, s.hi>>32)} }
}

func punpcklqdq(d, s vec) vec { return vec{d.lo, s.lo} }
func punpckhqdq(d, s vec) vec { return vec{d.hi, s.hi} }

func pshufb64(d, s uint64) (r uint64) {
	for i := uint(0); i < 64; i += 8 {
		if k := uint8(s >> i); k < 0x80 {
			r |= d >> (8 * (k & 7)) & 0xff << i
		}
	}
	return r
}

func pshufb(d, s vec) (r vec) {
	for i := range uint(16) {
		if k := s.byteAt(i); k < 0x80 {
			r.setByte(i, d.byteAt(uint(k&15)))
		}
	}
	return r
}

func pshufw(_, s uint64, imm uint8) (r uint64) {
	for i := uint(0); i < 64; i += 16 {
		r |= s >> (16 * (imm & 3)) & 0xffff << i
		imm >>= 2
	}
	return r
}

func pshufd(_, s vec, imm uint8) vec {
	d := func(i uint8) uint64 { return uint64(s.dword(uint(i & 3))) }
	return vec{d(imm) | d(imm>>2)<<32, d(imm>>4) | d(imm>>6)<<32}
}

func pshuflw(_, s vec, imm uint8) vec { return vec{pshufw(0, s.lo, imm), s.hi} }
func pshufhw(_, s vec, imm uint8) vec { return vec{s.lo, pshufw(0, s.hi, imm)} }

func shufps(d, s vec, imm uint8) vec {
	a := func(v vec, i uint8) uint64 { return uint64(v.dword(uint(i & 3))) }
	return vec{a(d, imm) | a(d, imm>>2)<<32, a(s, imm>>4) | a(s, imm>>6)<<32}
}

func shufpd(d, s vec, imm uint8) vec {
	pick := func(v vec, bit uint8) uint64 {
		if bit&1 != 0 {
			return v.hi
		}
		return v.lo
	}
	return vec{pick(d, imm), pick(s, imm>>1)}
}

// shiftBytes is hi:lo shifted right by n bytes.
func (v vec) shiftBytes(n uint8) vec {
	switch {
	case n >= 16:
		return vec{}
	case n >= 8:
		return vec{v.hi >> (8 * (n - 8)), 0}
	case n == 0:
		return v
	}
	return vec{v.lo>>(8*n) | v.hi<<(64-8*n), v.hi >> (8 * n)}
}

func (v vec) shiftBytesLeft(n uint8) vec {
	switch {
	case n >= 16:
		return vec{}
	case n >= 8:
		return vec{0, v.lo << (8 * (n - 8))}
	case n == 0:
		return v
	}
	return vec{v.lo << (8 * n), v.hi<<(8*n) | v.lo>>(64-8*n)}
}

func palignr(d, s vec, imm uint8) vec {
	switch {
	case imm >= 32:
		return vec{}
	case imm >= 16:
		return d.shiftBytes(imm - 16)
	case imm == 0:
		return s
	}
	a, b := s.shiftBytes(imm), d.shiftBytesLeft(16-imm)
	return vec{a.lo | b.lo, a.hi | b.hi}
}

func palignr64(d, s uint64, imm uint8) uint64 {
	switch {
	case imm >= 16:
		return 0
	case imm >= 8:
		return d >> (8 * (imm - 8))
	case imm == 0:
		return s
	}
	return s>>(8*imm) | d<<(64-8*imm)
}

// shiftKind is the digit of the form with an immediate.
type shiftKind uint8

const (
	shiftRightLogical shiftKind = 2
	shiftRightArith   shiftKind = 4
	shiftLeftLogical  shiftKind = 6
)

// shiftLanes shifts elements of width bits by n.
func shiftLanes(kind shiftKind, width uint) func(v, n uint64) uint64 {
	mask := ^uint64(0) >> (64 - width)
	return func(v, n uint64) (r uint64) {
		if n >= uint64(width) {
			if kind != shiftRightArith {
				return 0
			}
			n = uint64(width) - 1
		}
		for i := uint(0); i < 64; i += width {
			e := v >> i & mask
			switch kind {
			case shiftRightLogical:
				e >>= n
			case shiftRightArith:
				e = uint64(int64(e<<(64-width))>>(64-width)>>n) & mask
			case shiftLeftLogical:
				e = e << n & mask
			}
			r |= e << i
		}
		return r
	}
}

// vectorShiftRows are the shifts by a register or memory and by an immediate.
func vectorShiftRows() (rows []row) {
	for _, r := range []struct {
		op, immOp uint8
		kind      shiftKind
		width     uint
		name      string
	}{
		{0xd1, 0x71, shiftRightLogical, 16, "PSRLW"}, {0xd2, 0x72, shiftRightLogical, 32, "PSRLD"}, {0xd3, 0x73, shiftRightLogical, 64, "PSRLQ"},
		{0xe1, 0x71, shiftRightArith, 16, "PSRAW"}, {0xe2, 0x72, shiftRightArith, 32, "PSRAD"},
		{0xf1, 0x71, shiftLeftLogical, 16, "PSLLW"}, {0xf2, 0x72, shiftLeftLogical, 32, "PSLLD"}, {0xf3, 0x73, shiftLeftLogical, 64, "PSLLQ"},
	} {
		f := shiftLanes(r.kind, r.width)
		rows = append(rows,
			mmRow(map0F, r.op, r.name, f),
			xmmRow(map0F, r.op, r.name, func(d, s vec) vec { return vec{f(d.lo, s.lo), f(d.hi, s.lo)} }),
			row{m: map0F, op: r.immOp, pfx: pNone, digit: 1 << r.kind, mod: modReg, name: r.name, form: formModRM | formImm8U, size: sizeQ,
				fn: all(mmShiftImm(f))},
			row{m: map0F, op: r.immOp, pfx: p66, digit: 1 << r.kind, mod: modReg, name: r.name, form: formModRM | formImm8U, size: sizeQ,
				fn: all(xmmShiftImm(func(d vec, n uint8) vec { return vec{f(d.lo, uint64(n)), f(d.hi, uint64(n))} }))})
	}
	return append(rows,
		row{m: map0F, op: 0x73, pfx: p66, digit: d3, mod: modReg, name: "PSRLDQ", form: formModRM | formImm8U, size: sizeQ,
			fn: all(xmmShiftImm(vec.shiftBytes))},
		row{m: map0F, op: 0x73, pfx: p66, digit: d7, mod: modReg, name: "PSLLDQ", form: formModRM | formImm8U, size: sizeQ,
			fn: all(xmmShiftImm(vec.shiftBytesLeft))})
}

// mmShiftImm and xmmShiftImm change the register in ModRM.rm.
func mmShiftImm(f func(v, n uint64) uint64) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.enterMMX(); st != stOK {
			return st
		}
		c.setMM(in.RM, f(c.mm(in.RM), uint64(in.Imm)))
		return stOK
	}
}

func xmmShiftImm(f func(d vec, n uint8) vec) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.sseFault(); st != stOK {
			return st
		}
		c.setXMM(in.RM, f(c.xmm(in.RM), uint8(in.Imm)))
		return stOK
	}
}

// shuffleRows are packs, unpacks and shuffles.
func shuffleRows() (rows []row) {
	for _, r := range []struct {
		op   uint8
		name string
		f    func(d, s uint64) uint64
	}{
		{0x63, "PACKSSWB", packWords(-128, 127)}, {0x67, "PACKUSWB", packWords(0, 255)}, {0x6b, "PACKSSDW", packDwords(-32768, 32767)},
	} {
		rows = append(rows, mmRow(map0F, r.op, r.name, r.f), xmmRow(map0F, r.op, r.name, packed(r.f)))
	}
	rows = append(rows, xmmRow(map0F38, 0x2b, "PACKUSDW", packed(packDwords(0, 65535))))
	for i, width := range []uint{8, 16, 32} {
		low, xlow := unpackLow(width)
		high, xhigh := unpackHigh(width)
		name := [...]string{"BW", "WD", "DQ"}[i]
		l := mmRow(map0F, 0x60+uint8(i), "PUNPCKL"+name, low)
		l.acc = acc4 // of memory, half is read
		l.fn.mem = all(mmLow(low)).mem
		rows = append(rows, l, xmmRow(map0F, 0x60+uint8(i), "PUNPCKL"+name, xlow),
			mmRow(map0F, 0x68+uint8(i), "PUNPCKH"+name, high), xmmRow(map0F, 0x68+uint8(i), "PUNPCKH"+name, xhigh))
	}
	_, unpcklps := unpackLow(32)
	_, unpckhps := unpackHigh(32)
	imm := func(op uint8, pfx pfxSel, m opMap, name string, f func(d, s vec, imm uint8) vec) row {
		return row{m: m, op: op, pfx: pfx, name: name, form: formModRM | formImm8U, size: sizeQ, acc: acc16, fn: all(xmmImm(f))}
	}
	mmi := func(op uint8, m opMap, name string, f func(d, s uint64, imm uint8) uint64) row {
		return row{m: m, op: op, pfx: pNone, name: name, form: formModRM | formImm8U, size: sizeQ, acc: acc8, fn: all(mmImm(f))}
	}
	ps := func(op uint8, name string, f func(d, s vec) vec) row {
		r := xmmRow(map0F, op, name, f)
		r.pfx = pNone
		return r
	}
	return append(rows,
		xmmRow(map0F, 0x6c, "PUNPCKLQDQ", punpcklqdq), xmmRow(map0F, 0x6d, "PUNPCKHQDQ", punpckhqdq),
		ps(0x14, "UNPCKLPS", unpcklps), xmmRow(map0F, 0x14, "UNPCKLPD", punpcklqdq),
		ps(0x15, "UNPCKHPS", unpckhps), xmmRow(map0F, 0x15, "UNPCKHPD", punpckhqdq),
		mmRow(map0F38, 0x00, "PSHUFB", pshufb64), xmmRow(map0F38, 0x00, "PSHUFB", pshufb),
		mmi(0x70, map0F, "PSHUFW", pshufw), imm(0x70, p66, map0F, "PSHUFD", pshufd),
		imm(0x70, pF2, map0F, "PSHUFLW", pshuflw), imm(0x70, pF3, map0F, "PSHUFHW", pshufhw),
		imm(0xc6, pNone, map0F, "SHUFPS", shufps), imm(0xc6, p66, map0F, "SHUFPD", shufpd),
		mmi(0x0f, map0F3A, "PALIGNR", palignr64), imm(0x0f, p66, map0F3A, "PALIGNR", palignr))
}

// mmLow is "mm, mm/m32".
func mmLow(f func(d, s uint64) uint64) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.mmxFault(); st != stOK {
			return st
		}
		s, ok := c.load32(in.Seg, c.ea(in))
		if !ok {
			return stFault
		}
		c.mmxState()
		c.setMM(in.Reg, f(c.mm(in.Reg), uint64(s)))
		return stOK
	}
}
