package cpu

import "math/bits"

// AES, carry-less multiplication, SHA (SDM vol. 2; FIPS 197 and 180-4).

// sbox and its inverse are made from the field's arithmetic.
var sbox, inverseSbox = makeSboxes()

func makeSboxes() (s, inv [256]uint8) {
	p, q := uint8(1), uint8(1)
	for {
		p ^= xtime(p) // times 3
		q ^= q << 1   // divided by 3
		q ^= q << 2
		q ^= q << 4
		if q&0x80 != 0 {
			q ^= 0x09
		}
		x := q ^ bits.RotateLeft8(q, 1) ^ bits.RotateLeft8(q, 2) ^ bits.RotateLeft8(q, 3) ^ bits.RotateLeft8(q, 4) ^ 0x63
		s[p], inv[x] = x, p
		if p == 1 {
			break
		}
	}
	s[0], inv[0x63] = 0x63, 0
	return s, inv
}

// xtime multiplies by x in GF(2^8).
func xtime(b uint8) uint8 { return b<<1 ^ b>>7*0x1b }

func gfmul(a, b uint8) (r uint8) {
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			r ^= a
		}
		a = xtime(a)
	}
	return r
}

// aesShiftRows takes each byte from another column: row r of column c comes from
// column c + r, or c - r backwards.
func aesShiftRows(v vec, table *[256]uint8, back bool) (r vec) {
	for c := range uint(4) {
		for row := range uint(4) {
			from := c + row
			if back {
				from = c - row
			}
			r.setByte(4*c+row, table[v.byteAt(from&3*4+row)])
		}
	}
	return r
}

func mixColumns(v vec, m [4]uint8) (r vec) {
	for c := range uint(4) {
		for row := range uint(4) {
			var b uint8
			for k := range uint(4) {
				b ^= gfmul(v.byteAt(4*c+k), m[(k-row)&3])
			}
			r.setByte(4*c+row, b)
		}
	}
	return r
}

var (
	mixForward = [4]uint8{2, 3, 1, 1}
	mixBack    = [4]uint8{14, 11, 13, 9}
)

func (v vec) xor(w vec) vec { return vec{v.lo ^ w.lo, v.hi ^ w.hi} }

func aesenc(d, k vec) vec     { return mixColumns(aesShiftRows(d, &sbox, false), mixForward).xor(k) }
func aesenclast(d, k vec) vec { return aesShiftRows(d, &sbox, false).xor(k) }
func aesdec(d, k vec) vec     { return mixColumns(aesShiftRows(d, &inverseSbox, true), mixBack).xor(k) }
func aesdeclast(d, k vec) vec { return aesShiftRows(d, &inverseSbox, true).xor(k) }
func aesimc(_, s vec) vec     { return mixColumns(s, mixBack) }

func aeskeygenassist(_, s vec, imm uint8) (r vec) {
	sub := func(w uint32) uint32 {
		return uint32(sbox[uint8(w)]) | uint32(sbox[uint8(w>>8)])<<8 | uint32(sbox[uint8(w>>16)])<<16 | uint32(sbox[w>>24])<<24
	}
	for i := range uint(2) {
		w := sub(s.dword(2*i + 1))
		r.setDword(2*i, w)
		r.setDword(2*i+1, bits.RotateLeft32(w, -8)^uint32(imm))
	}
	return r
}

func pclmulqdq(d, s vec, imm uint8) (r vec) {
	a, b := d.lo, s.lo
	if imm&1 != 0 {
		a = d.hi
	}
	if imm&0x10 != 0 {
		b = s.hi
	}
	for i := uint(0); i < 64; i++ {
		if b>>i&1 != 0 {
			r.lo ^= a << i
			r.hi ^= a >> 1 >> (63 - i)
		}
	}
	return r
}

// words are a register's doublewords, the highest first, as the SHA
// instructions name them.
func (v vec) words() (a, b, c, d uint32) {
	return v.dword(3), v.dword(2), v.dword(1), v.dword(0)
}

func fromWords(a, b, c, d uint32) vec {
	return vec{uint64(d) | uint64(c)<<32, uint64(b) | uint64(a)<<32}
}

func sha1msg1(d, s vec) vec {
	w0, w1, w2, w3 := d.words()
	w4, w5, _, _ := s.words()
	return fromWords(w2^w0, w3^w1, w4^w2, w5^w3)
}

func sha1msg2(d, s vec) vec {
	a, b, c, e := d.words()
	_, w13, w14, w15 := s.words()
	w16 := bits.RotateLeft32(a^w13, 1)
	return fromWords(w16, bits.RotateLeft32(b^w14, 1), bits.RotateLeft32(c^w15, 1), bits.RotateLeft32(e^w16, 1))
}

func sha1nexte(d, s vec) vec {
	e, _, _, _ := d.words()
	a, b, c, w := s.words()
	return fromWords(a+bits.RotateLeft32(e, 30), b, c, w)
}

func sha1rnds4(d, s vec, imm uint8) vec {
	k := [4]uint32{0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6}[imm&3]
	f := func(x, y, z uint32) uint32 { return x ^ y ^ z }
	switch imm & 3 {
	case 0:
		f = func(x, y, z uint32) uint32 { return x&y ^ ^x&z }
	case 2:
		f = func(x, y, z uint32) uint32 { return x&y ^ x&z ^ y&z }
	}
	a, b, c, dd := d.words()
	var e uint32
	w0, w1, w2, w3 := s.words()
	for _, w := range [4]uint32{w0, w1, w2, w3} {
		a, b, c, dd, e = f(b, c, dd)+bits.RotateLeft32(a, 5)+w+e+k, a, bits.RotateLeft32(b, 30), c, dd
	}
	return fromWords(a, b, c, dd)
}

func sigma(v uint32, r1, r2, r3 int) uint32 {
	return bits.RotateLeft32(v, -r1) ^ bits.RotateLeft32(v, -r2) ^ bits.RotateLeft32(v, -r3)
}

func sha256msg1(d, s vec) vec {
	s0 := func(v uint32) uint32 { return bits.RotateLeft32(v, -7) ^ bits.RotateLeft32(v, -18) ^ v>>3 }
	w3, w2, w1, w0 := d.words()
	_, _, _, w4 := s.words()
	return fromWords(w3+s0(w4), w2+s0(w3), w1+s0(w2), w0+s0(w1))
}

func sha256msg2(d, s vec) vec {
	s1 := func(v uint32) uint32 { return bits.RotateLeft32(v, -17) ^ bits.RotateLeft32(v, -19) ^ v>>10 }
	w15, w14, _, _ := s.words()
	a3, a2, a1, a0 := d.words()
	w16, w17 := a0+s1(w14), a1+s1(w15)
	return fromWords(a3+s1(w17), a2+s1(w16), w17, w16)
}

// opSHA256RNDS2 has its round constants in xmm0.
func opSHA256RNDS2(c *CPU, in *Inst) status {
	s, ok := c.sourceSHA(in)
	if !ok {
		return stFault
	}
	d, k := c.xmm(in.Reg), c.xmm(0)
	a, b, e, f := s.words()
	cc, dd, g, h := d.words()
	for i := range uint(2) {
		t := h + sigma(e, 6, 11, 25) + (e&f ^ ^e&g) + k.dword(i)
		a, b, cc, dd, e, f, g, h = t+sigma(a, 2, 13, 22)+(a&b^a&cc^b&cc), a, b, cc, dd+t, e, f, g
	}
	c.setXMM(in.Reg, fromWords(a, b, e, f))
	return stOK
}

func cryptoRows() []row {
	const mrm = formModRM
	x := func(op uint8, name string, f func(d, s vec) vec) row { return xmmRow(map0F38, op, name, f) }
	n := func(op uint8, name string, f func(d, s vec) vec) row {
		r := xmmRow(map0F38, op, name, f)
		r.pfx, r.fn = pNone, all(shaOp(f))
		return r
	}
	i := func(op uint8, pfx pfxSel, name string, f func(d, s vec, imm uint8) vec) row {
		return row{m: map0F3A, op: op, pfx: pfx, name: name, form: mrm | formImm8U, size: sizeQ, acc: acc16, fn: all(xmmImm(f))}
	}
	return []row{
		x(0xdb, "AESIMC", aesimc), x(0xdc, "AESENC", aesenc), x(0xdd, "AESENCLAST", aesenclast),
		x(0xde, "AESDEC", aesdec), x(0xdf, "AESDECLAST", aesdeclast),
		i(0xdf, p66, "AESKEYGENASSIST", aeskeygenassist), i(0x44, p66, "PCLMULQDQ", pclmulqdq),
		n(0xc8, "SHA1NEXTE", sha1nexte), n(0xc9, "SHA1MSG1", sha1msg1), n(0xca, "SHA1MSG2", sha1msg2),
		{m: map0F3A, op: 0xcc, pfx: pNone, name: "SHA1RNDS4", form: mrm | formImm8U, size: sizeQ, acc: acc16, fn: all(shaImm(sha1rnds4))},
		n(0xcc, "SHA256MSG1", sha256msg1), n(0xcd, "SHA256MSG2", sha256msg2),
		{m: map0F38, op: 0xcb, pfx: pNone, name: "SHA256RNDS2", form: mrm, size: sizeQ, acc: acc16, fn: all(guarded(opSHA256RNDS2))},
	}
}
