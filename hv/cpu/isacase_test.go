package cpu

import (
	"strings"

	"pvlab/hv/x86"
)

// encode draws an encoding of form f: the operands, and the prefixes that the
// form leaves open, are random. Bytes after the opcode and ModRM serve as
// SIB, displacement and immediate.
func (g *randomCase) encode(f *isaForm) []byte {
	var b []byte
	operand16 := f.tags["operand16"] && !f.tags["operand32"] && !f.tags["operand64"]
	operand32 := f.tags["operand32"] && !f.tags["operand16"]
	if !f.vex {
		if operand16 && g.mode != Mode16 || operand32 && g.mode == Mode16 {
			b = append(b, 0x66)
		}
		if f.pfx != 0 {
			b = append(b, f.pfx)
		}
	}
	if f.tags["address32"] == (g.mode != Mode32) && (f.tags["address16"] || f.tags["address32"]) || g.chance(6) {
		b = append(b, 0x67)
	}
	if g.chance(6) {
		b = append(b, []byte{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x64, 0x65}[g.rng.IntN(8)])
	}
	// LOCK MOV CR0 is CR8 on AMD: a feature that the model does not announce.
	if !f.vex && (g.chance(1) && !strings.Contains(f.text, "CR0") || lockable[f.name()] && g.chance(15)) {
		b = append(b, 0xf0)
	}
	g.rng.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	if !f.vex && g.chance(2) { // any prefix, anywhere
		b = append(b, []byte{0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x3e}[g.rng.IntN(6)])
	}
	rex := uint8(g.rng.IntN(8))
	if f.rexW || f.vex && f.vexWIG && g.chance(50) {
		rex |= rexW
	}
	op := f.opcode
	switch {
	case f.vex:
		b = append(b, g.vexOf(f, rex)...)
		op = op[len(op)-1:]
	case g.mode == Mode64 && (f.rexW || f.rex || g.chance(40)):
		b = append(b, 0x40|rex)
	}
	b = append(b, op...)
	if f.plus {
		b[len(b)-1] += uint8(g.rng.IntN(8))
	}
	if f.modrm {
		b = append(b, g.modrmOf(f))
	}
	for range 10 {
		b = append(b, uint8(g.value()))
	}
	return b
}

// lockable are the instructions that take LOCK (SDM vol. 2, "LOCK").
var lockable = map[string]bool{"ADC": true, "ADD": true, "AND": true, "BTC": true, "BTR": true, "BTS": true, "CMPXCHG": true,
	"CMPXCHG8B": true, "CMPXCHG16B": true, "DEC": true, "INC": true, "NEG": true, "NOT": true, "OR": true, "SBB": true, "SUB": true,
	"XADD": true, "XCHG": true, "XOR": true}

func (g *randomCase) modrmOf(f *isaForm) uint8 {
	memory, register := f.operandKinds()
	mod := uint8(3)
	if memory && (!register || g.chance(60)) {
		mod = uint8(g.rng.IntN(3))
	}
	reg, rm := uint8(g.rng.IntN(8)), uint8(g.rng.IntN(8))
	if f.digit >= 0 {
		reg = uint8(f.digit)
	}
	if mod == 0 && (rm == 5 || rm == 6) && g.chance(70) {
		mod = 1 // absolute addresses rarely hit anything
	}
	return mod<<6 | reg<<3 | rm
}

func (g *randomCase) vexOf(f *isaForm, rex uint8) []byte {
	r := row{m: mapVEX0F}
	switch {
	case len(f.opcode) == 3 && f.opcode[1] == 0x38:
		r.m = mapVEX38
	case len(f.opcode) == 3:
		r.m = mapVEX3A
	}
	if strings.Contains(f.encoding, "ND") {
		r.form = formVVVV
	}
	rep := f.pfx
	if rep == 0x66 {
		rep = 0
	}
	return g.vex(&r, rex, f.pfx == 0x66, rep)
}

// strings makes most xmm registers strings of a small alphabet, with lengths
// that fit them.
func (g *randomCase) strings(f *fxState, s *cpuState) {
	if g.chance(20) {
		return
	}
	for i := fxXMM; i < fxEnd; i++ {
		if f[i] &= 3; g.chance(10) {
			f[i] |= 0x80
		}
	}
	for _, r := range []int{x86.RAX, x86.RDX} {
		s.R[r] = uint64(int64(g.rng.IntN(40) - 20))
	}
	g.narrow(s)
}
