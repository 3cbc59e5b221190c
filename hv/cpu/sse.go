package cpu

import (
	"encoding/binary"

	"pvlab/hv/x86"
)

// Operands of the MMX and SSE instructions. An xmm register is a vec; an mm
// register is the significand of an x87 register.

// vec is the 16 bytes of an xmm register: lo has bits 0-63.
type vec struct{ lo, hi uint64 }

func (c *CPU) xmm(n uint8) vec {
	b := c.FX[fxXMM+int(n&15)*16:][:16]
	return vec{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

func (c *CPU) setXMM(n uint8, v vec) {
	b := c.FX[fxXMM+int(n&15)*16:][:16]
	binary.LittleEndian.PutUint64(b, v.lo)
	binary.LittleEndian.PutUint64(b[8:], v.hi)
}

func (c *CPU) mm(n uint8) uint64 {
	// Registers are kept by their distance from the top of stack; an mm
	// register is a physical one, and where MMX runs the top is 0.
	return binary.LittleEndian.Uint64(c.FX[fxST+int(n&7)*16:])
}

// setMM writes an mm register; its exponent and sign become ones (SDM vol. 1,
// "MMX Registers").
func (c *CPU) setMM(n uint8, v uint64) {
	b := c.FX[fxST+int(n&7)*16:][:10]
	binary.LittleEndian.PutUint64(b, v)
	b[8], b[9] = 0xff, 0xff
}

// enterMMX is what every MMX instruction but EMMS begins with: faults, then
// all registers tagged valid and the top of stack 0 (SDM vol. 1, "Effect of
// MMX Instructions on x87 State").
func (c *CPU) enterMMX() status {
	if st := c.mmxFault(); st != stOK {
		return st
	}
	c.mmxState()
	return stOK
}

func (c *CPU) mmxFault() status {
	switch {
	case c.CR0&x86.CR0EM != 0:
		return c.except(x86.VectorUD)
	case c.CR0&x86.CR0TS != 0:
		return c.except(x86.VectorNM)
	case c.x87Pending():
		return c.except(x86.VectorMF)
	}
	return stOK
}

func (c *CPU) mmxState() {
	c.topToZero()
	c.FX[fxFTW] = 0xff
}

// topToZero makes physical register 0 the top of stack. FXSAVE's order is that
// of the stack: with another top the same registers stand elsewhere.
func (c *CPU) topToZero() {
	top := c.fx16(fxFSW) >> 11 & 7
	if top == 0 {
		return
	}
	var b [128]byte
	for i := range 8 {
		copy(b[(int(top)+i)&7*16:][:16], c.FX[fxST+i*16:][:16])
	}
	copy(c.FX[fxST:], b[:])
	c.setFX16(fxFSW, c.fx16(fxFSW)&^(7<<11))
}

// load128 reads 16 bytes, which aligned says must lie on a multiple of 16.
func (c *CPU) load128(in *Inst, aligned bool) (vec, bool) {
	lin := c.ea(in)
	if aligned && c.misaligned(in, lin) {
		c.gp0()
		return vec{}, false
	}
	if lin&15 != 0 {
		if !c.aligned16(in.Seg, lin) {
			return vec{}, false
		}
		var b [16]byte
		if lin&0xfff > 0xff0 || lin == badLinear {
			ok := c.loadBlock(in.Seg, lin, b[:])
			return vec{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}, ok
		}
	}
	lo, ok := c.load64(in.Seg, lin)
	if !ok {
		return vec{}, false
	}
	hi, ok := c.load64(in.Seg, lin+8)
	return vec{lo, hi}, ok
}

// misaligned reports an operand at lin that is not on a multiple of 16, which
// goes before what else is wrong with the address.
func (c *CPU) misaligned(in *Inst, lin uint64) bool {
	if lin == badLinear {
		lin = c.Seg[in.Seg].Base + c.offset(in)
	}
	return lin&15 != 0
}

// aligned16 is the alignment check of 16 bytes at a lin that is not on a
// multiple of 16: #AC where it is on and the address is one.
func (c *CPU) aligned16(seg uint8, lin uint64) bool {
	if c.tlb != &c.tlbs[viewUserAC] || lin == badLinear || !x86.Canonical(lin) {
		return true
	}
	c.fault = x86.WithCode(x86.VectorAC, 0)
	return false
}

func (c *CPU) store128(in *Inst, v vec, aligned bool) status {
	lin := c.ea(in)
	if aligned && c.misaligned(in, lin) {
		return c.gp0()
	}
	if lin&15 != 0 {
		if !c.aligned16(in.Seg, lin) {
			return stFault
		}
		if lin&0xfff > 0xff0 || lin == badLinear {
			var b [16]byte
			binary.LittleEndian.PutUint64(b[:], v.lo)
			binary.LittleEndian.PutUint64(b[8:], v.hi)
			return c.storeBlock(in.Seg, lin, b[:])
		}
	}
	st := c.store64(in.Seg, lin, v.lo)
	if st == stFault {
		return st
	}
	return max(st, c.store64(in.Seg, lin+8, v.hi))
}

// source128 is the r/m operand of an SSE instruction, which must be aligned
// in memory.
func (c *CPU) source128(in *Inst) (vec, bool) {
	if in.Flags&FlagMem == 0 {
		return c.xmm(in.RM), true
	}
	return c.load128(in, true)
}

// source64 and source32 are the low part of the r/m operand, read alone from
// memory.
func (c *CPU) source64(in *Inst) (uint64, bool) {
	if in.Flags&FlagMem == 0 {
		return c.xmm(in.RM).lo, true
	}
	return c.load64(in.Seg, c.ea(in))
}

func (c *CPU) source32(in *Inst) (uint32, bool) {
	if in.Flags&FlagMem == 0 {
		return uint32(c.xmm(in.RM).lo), true
	}
	return c.load32(in.Seg, c.ea(in))
}

// xmmOp is an instruction "xmm, xmm/m128".
func xmmOp(f func(d, s vec) vec) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.sseFault(); st != stOK {
			return st
		}
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		c.setXMM(in.Reg, f(c.xmm(in.Reg), s))
		return stOK
	}
}

// shaOp is xmmOp for SHA, whose operands AMD does not want aligned.
func shaOp(f func(d, s vec) vec) execFn {
	return shaImm(func(d, s vec, _ uint8) vec { return f(d, s) })
}

func shaImm(f func(d, s vec, imm uint8) vec) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.sseFault(); st != stOK {
			return st
		}
		s, ok := c.sourceSHA(in)
		if !ok {
			return stFault
		}
		c.setXMM(in.Reg, f(c.xmm(in.Reg), s, uint8(in.Imm)))
		return stOK
	}
}

func (c *CPU) sourceSHA(in *Inst) (vec, bool) {
	if in.Flags&FlagMem == 0 {
		return c.xmm(in.RM), true
	}
	return c.load128(in, c.Vendor == Intel)
}

// xmmImm is an instruction "xmm, xmm/m128, imm8".
func xmmImm(f func(d, s vec, imm uint8) vec) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.sseFault(); st != stOK {
			return st
		}
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		c.setXMM(in.Reg, f(c.xmm(in.Reg), s, uint8(in.Imm)))
		return stOK
	}
}

// mmOp is an instruction "mm, mm/m64". Memory is read before the x87 state
// changes.
func mmOp(f func(d, s uint64) uint64) execFn {
	return mmImm(func(d, s uint64, _ uint8) uint64 { return f(d, s) })
}

func mmImm(f func(d, s uint64, imm uint8) uint64) execFn {
	return func(c *CPU, in *Inst) status {
		if st := c.mmxFault(); st != stOK {
			return st
		}
		var s uint64
		if in.Flags&FlagMem != 0 {
			var ok bool
			if s, ok = c.load64(in.Seg, c.ea(in)); !ok {
				return stFault
			}
			c.mmxState()
		} else {
			c.mmxState()
			s = c.mm(in.RM)
		}
		c.setMM(in.Reg, f(c.mm(in.Reg), s, uint8(in.Imm)))
		return stOK
	}
}

// lanes is an operation on each half of an xmm register that is the same as on
// an mm register.
func lanes(f func(d, s uint64) uint64) func(d, s vec) vec {
	return func(d, s vec) vec { return vec{f(d.lo, s.lo), f(d.hi, s.hi)} }
}

// xmmRow and mmRow make the rows of one opcode.
func xmmRow(m opMap, op uint8, name string, f func(d, s vec) vec) row {
	return row{m: m, op: op, pfx: p66, name: name, form: formModRM, size: sizeQ, acc: acc16, fn: all(xmmOp(f))}
}

func mmRow(m opMap, op uint8, name string, f func(d, s uint64) uint64) row {
	return row{m: m, op: op, pfx: pNone, name: name, form: formModRM, size: sizeQ, acc: acc8, fn: all(mmOp(f))}
}

// bothRows are the MMX and the SSE form of an operation that works on each
// half alone.
func bothRows(m opMap, op uint8, name string, f func(d, s uint64) uint64) []row {
	return []row{mmRow(m, op, name, f), xmmRow(m, op, name, lanes(f))}
}
