package cpu

import (
	"encoding/binary"
	"math/rand/v2"

	"pvlab/hv/x86"
)

// randomCase makes instructions of a row with a start state in which most of
// them do something interesting.
type randomCase struct {
	rng  *rand.Rand
	mode Mode
	u    *setup
	c    *CPU // for its decoder
}

// edge values that arithmetic is most likely to get wrong.
var edges = []uint64{0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
	0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0x8080808080808080, 0x9a9a9a9a}

func (g *randomCase) value() uint64 {
	switch g.rng.IntN(4) {
	case 0:
		return edges[g.rng.IntN(len(edges))]
	case 1:
		return uint64(g.rng.IntN(70))
	}
	return g.rng.Uint64()
}

func (g *randomCase) chance(percent int) bool { return g.rng.IntN(100) < percent }

// pick returns a random member of a set of eight, all when empty.
func (g *randomCase) pick(s selector) uint8 {
	for {
		if n := uint8(g.rng.IntN(8)); s == 0 || s&(d0<<n) != 0 {
			return n
		}
	}
}

// bytes encodes an instruction of row r with random operands.
func (g *randomCase) bytes(r *row) []byte {
	var b []byte
	vex := r.m >= mapVEX0F
	opsize := g.chance(25)
	rep := uint8(0)
	if r.pfx != 0 {
		for {
			p := pfxSel(1) << g.rng.IntN(4)
			if r.pfx&p == 0 {
				continue
			}
			switch p {
			case pNone:
				opsize = false
			case p66:
				opsize = true
			case pF3:
				rep = 0xf3
			case pF2:
				rep = 0xf2
			}
			break
		}
	} else if g.isString(r) && g.chance(60) || g.chance(3) {
		rep = 0xf2 + uint8(g.rng.IntN(2))
	}
	if !vex {
		if opsize {
			b = append(b, 0x66)
		}
		if rep != 0 {
			b = append(b, rep)
		}
	}
	if g.chance(8) {
		b = append(b, 0x67)
	}
	if g.chance(8) {
		b = append(b, []byte{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x64, 0x65}[g.rng.IntN(8)])
	}
	mod := uint8(g.rng.IntN(4))
	if r.mod == modMem {
		mod = uint8(g.rng.IntN(3))
	} else if r.mod == modReg {
		mod = 3
	}
	if !vex && (g.chance(1) || mod != 3 && r.attr&attrLock != 0 && g.chance(20)) {
		b = append(b, 0xf0)
	}
	g.rng.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	rexw := g.chance(40)
	if r.w == w0 {
		rexw = false
	} else if r.w == w1 {
		rexw = true
	}
	rex := uint8(g.rng.IntN(8))
	if rexw {
		rex |= rexW
	}
	op := r.op
	if r.span > 1 {
		op += uint8(g.rng.IntN(int(r.span)))
	}
	switch {
	case vex:
		b = append(b, g.vex(r, rex, opsize, rep)...)
	case g.mode == Mode64 && (rexw || g.chance(50)):
		b = append(b, 0x40|rex)
	}
	switch r.m {
	case map0F:
		b = append(b, 0x0f)
	case map0F38:
		b = append(b, 0x0f, 0x38)
	case map0F3A:
		b = append(b, 0x0f, 0x3a)
	}
	b = append(b, op)
	if r.form&formModRM != 0 {
		rm := g.pick(r.rm)
		if mod == 0 && (rm == 5 || rm == 6) && g.chance(70) {
			mod = 1 // absolute addresses rarely hit anything
		}
		b = append(b, mod<<6|g.pick(r.digit)<<3|rm)
	}
	for range 10 {
		b = append(b, uint8(g.value()))
	}
	return b
}

// vex encodes the prefix: W from rex, R, X, B, vvvv random.
func (g *randomCase) vex(r *row, rex uint8, opsize bool, rep uint8) []byte {
	if g.mode != Mode64 {
		rex &= rexW
	}
	vvvv := uint8(0)
	if r.form&formVVVV != 0 {
		vvvv = uint8(g.rng.IntN(16))
		if g.mode != Mode64 {
			vvvv &= 7
		}
	}
	pp := uint8(0)
	switch {
	case rep == 0xf3:
		pp = 2
	case rep == 0xf2:
		pp = 3
	case opsize:
		pp = 1
	}
	mmmmm := uint8(r.m - mapVEX0F + 1)
	return []byte{0xc4, ^(rex&rexR<<5|rex&rexX<<5|rex&rexB<<5)&0xe0 | mmmmm, rex&rexW<<4 | ^vvvv&15<<3 | pp}
}

func (g *randomCase) isString(r *row) bool {
	return r.m == map1 && (r.op >= 0xa4 && r.op <= 0xa7 || r.op >= 0xaa && r.op <= 0xaf)
}

// place is an address in or near the mapped pages.
func (g *randomCase) place() uint64 {
	switch g.rng.IntN(20) {
	case 0:
		return dataVA + dataBytes - 20 + uint64(g.rng.IntN(40)) // at the read-only page
	case 1:
		return dataVA + dataBytes + 0xff0 + uint64(g.rng.IntN(32)) // at the end
	case 2:
		return dataVA - 20 + uint64(g.rng.IntN(40))
	case 3:
		return dataVA + 0xff0 + uint64(g.rng.IntN(32)) // page crossing
	}
	return dataVA + uint64(g.rng.IntN(dataBytes-64))
}

// offset is place within a segment.
func (g *randomCase) offset(seg int) uint64 {
	if g.mode == Mode64 {
		return g.place()
	}
	at := g.place() - g.u.segs[seg].Base
	if g.mode == Mode16 && g.chance(70) {
		return at & 0xffff // most 16-bit code can reach no more
	}
	return at
}

// state makes a start state for code: registers random, but addresses mostly
// leading to the data pages.
func (g *randomCase) state(r *row, code []byte) (s cpuState) {
	for i := range s.R {
		s.R[i] = g.value()
	}
	s.RIP = g.u.rip
	s.Flags = g.rng.Uint64() & comparedFlags
	if g.chance(70) {
		s.Flags &^= x86.FlagDF
	}
	if !g.chance(10) {
		s.Flags &^= x86.FlagAC
	}
	if g.mode == Mode64 && g.chance(50) {
		s.FSBase, s.GSBase = uint64(g.rng.IntN(0x10000)), dataVA
	}
	if !g.chance(10) {
		s.R[x86.RSP] = g.offset(x86.SS) &^ 7
	}
	switch r.name {
	case "ENTER", "LEAVE":
		s.R[x86.RBP] = g.offset(x86.SS) &^ 1
	case "XLAT":
		s.R[x86.RBX] = g.offset(x86.DS)
	case "DIV", "IDIV":
		if g.chance(80) {
			s.R[x86.RDX] = uint64(g.rng.IntN(3)) - 1
			s.R[x86.RAX] = s.R[x86.RAX]&^0xff00 | uint64(g.rng.IntN(3))<<8
		}
	case "CMPXCHG8B":
		if g.chance(80) {
			s.R[x86.RAX], s.R[x86.RDX] = 0, 0
		}
	}
	if g.isString(r) {
		s.R[x86.RSI], s.R[x86.RDI] = g.offset(x86.DS), g.offset(x86.ES)
		if g.chance(10) {
			s.R[x86.RDI] = s.R[x86.RSI] + uint64(g.rng.IntN(9))
		}
		s.R[x86.RCX] = uint64(g.rng.IntN(12))
	}
	g.narrow(&s)
	var in Inst
	g.c.mode = g.mode
	if !g.c.decode(code[:min(len(code), 15)], g.u.rip, &in) || in.Flags&FlagMem == 0 || g.chance(6) {
		return s
	}
	if r.form == formModRM && r.attr&attrWrite != 0 && (r.op == 0xa3 || r.op == 0xab || r.op == 0xb3 || r.op == 0xbb) || r.name == "BT" {
		if in.Reg < 16 && g.chance(80) {
			s.R[in.Reg] = uint64(int64(g.rng.IntN(4000) - 2000))
		}
	}
	g.aim(&s, &in)
	g.narrow(&s)
	return s
}

// narrow drops what 32-bit code does not have.
func (g *randomCase) narrow(s *cpuState) {
	if g.mode == Mode64 {
		return
	}
	for i := range s.R {
		s.R[i] &= 0xffffffff
		if i > 7 {
			s.R[i] = 0
		}
	}
}

// aim changes the base or index register so that the operand lies at place.
func (g *randomCase) aim(s *cpuState, in *Inst) {
	at := g.offset(int(in.Seg))
	if r := in.Acc; r == 16 && g.chance(90) {
		at &^= 15
	}
	switch in.Seg {
	case x86.FS: // the bases are 0 outside 64-bit code
		at -= s.FSBase
	case x86.GS:
		at -= s.GSBase
	}
	regAt := func(r uint8) uint64 {
		if r >= 16 {
			return 0
		}
		return s.R[r]
	}
	have := regAt(in.Base) + regAt(in.Index)<<in.Scale + uint64(in.Disp)
	switch {
	case in.Base < 16 && in.Base != in.Index:
		s.R[in.Base] += at - have
	case in.Base >= 16 && in.Index < 16:
		s.R[in.Index] = (at - uint64(in.Disp)) >> in.Scale
	}
}

// fillData fills the data pages with words that make good operands.
func (g *randomCase) fillData(b []byte) {
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], g.value())
	}
}
