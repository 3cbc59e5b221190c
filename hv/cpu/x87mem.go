package cpu

import (
	"encoding/binary"

	"pvlab/hv/softfloat"
	"pvlab/hv/x86"
)

// Loads and stores of the x87.

// operand87 is a kind of memory operand.
type operand87 uint8

const (
	single87 operand87 = iota
	double87
	word87
	dword87
	qword87
)

// bytes of each kind.
var operand87Size = [...]int{single87: 4, double87: 8, word87: 2, dword87: 4, qword87: 8}

func (k operand87) load(c *CPU, in *Inst) (uint64, bool) {
	return c.load(in.Seg, c.ea(in), operand87Size[k])
}

// loaded is the operand as FLD and FILD push it.
func (k operand87) loaded(e *softfloat.Env, raw uint64) softfloat.F80 {
	switch k {
	case single87:
		return e.F32to80(uint32(raw))
	case double87:
		return e.F64to80(raw)
	case word87:
		return e.IntTo80(int64(int16(raw)))
	case dword87:
		return e.IntTo80(int64(int32(raw)))
	}
	return e.IntTo80(int64(raw))
}

// operand is what arithmetic takes: nothing is raised yet.
func (k operand87) operand(e *softfloat.Env, raw uint64) softfloat.F80 {
	switch k {
	case single87:
		return e.Widen32(uint32(raw))
	case double87:
		return e.Widen64(raw)
	}
	return k.loaded(e, raw)
}

func fld(k operand87) execFn {
	return x87(func(c *CPU, in *Inst) status {
		raw, ok := k.load(c, in)
		if !ok {
			return stFault
		}
		e := c.x87Env()
		return c.loadStack(&e, k.loaded(&e, raw))
	})
}

// stored is the value of ST(0) in a kind, truncated for FISTTP.
func (k operand87) stored(e *softfloat.Env, v softfloat.F80) uint64 {
	switch k {
	case single87:
		return uint64(e.F80to32(v))
	case double87:
		return e.F80to64(v)
	}
	return uint64(e.F80toInt(v, 8*uint(operand87Size[k])))
}

// indefinite is what is stored in place of nothing.
func (k operand87) indefinite() uint64 {
	switch k {
	case single87:
		return 0xffc00000
	case double87:
		return 0xfff8 << 48
	}
	return 1 << (8*operand87Size[k] - 1)
}

func fst(k operand87, truncate bool, pops int) execFn {
	return x87(func(c *CPU, in *Inst) status {
		e := c.x87Env()
		if truncate {
			e.Round = softfloat.ToZero
		}
		return c.storeStack(in, &e, pops, func(empty bool) status {
			v := k.indefinite()
			if !empty {
				v = k.stored(&e, c.st(0))
				if e.Flags&^e.Mask&^softfloat.Inexact != 0 {
					return stOK
				}
			}
			return c.store(in.Seg, c.ea(in), operand87Size[k], v)
		})
	})
}

// storeStack stores ST(0) by f, which is told whether that is empty, and pops.
// What f stores nothing for, because of an exception that is not masked, is
// not popped. The status changes only if the store succeeds.
func (c *CPU) storeStack(in *Inst, e *softfloat.Env, pops int, f func(empty bool) status) status {
	empty := c.stackEmpty(0)
	if empty && e.Mask&softfloat.Invalid == 0 {
		c.stackFault(false)
		return stOK
	}
	st := f(empty)
	if st == stFault {
		return st
	}
	if empty {
		c.stackFault(false)
	} else if c.note(e); e.Flags&^e.Mask&^softfloat.Inexact != 0 {
		return stOK
	}
	for range pops {
		c.popStack()
	}
	return st
}

// address80 is where ten bytes lie: they are aligned on a multiple of eight,
// and eight are checked before the other two.
func (c *CPU) address80(in *Inst) (uint64, bool) {
	lin := c.ea(in)
	if c.tlb == &c.tlbs[viewUserAC] && lin&7 != 0 && lin != badLinear && x86.Canonical(lin) {
		c.exceptCode(x86.VectorAC, 0)
		return 0, false
	}
	write, ok := in.Flags&FlagWrite != 0, true
	if write {
		ok = c.checkWrite(in.Seg, lin, 8)
	} else {
		_, ok = c.load64(in.Seg, lin)
	}
	return lin, ok && c.checkForm(in.Seg, c.linear(in.Seg, (c.offset(in)+8)&in.addrMask(), 2, write), 1)
}

func (c *CPU) load80(in *Inst, b *[10]byte) bool {
	lin, ok := c.address80(in)
	return ok && c.loadBlock(in.Seg, lin, b[:])
}

// FLD and FSTP of the extended format change nothing on the way.
func opFLDm80(c *CPU, in *Inst) status {
	var b [10]byte
	if !c.load80(in, &b) {
		return stFault
	}
	v := softfloat.F80{Sig: binary.LittleEndian.Uint64(b[:]), SE: binary.LittleEndian.Uint16(b[8:])}
	return c.loadStack(&softfloat.Env{Mask: 0x3f}, v)
}

func (c *CPU) store80(in *Inst, v softfloat.F80) status {
	var b [10]byte
	binary.LittleEndian.PutUint64(b[:], v.Sig)
	binary.LittleEndian.PutUint16(b[8:], v.SE)
	lin, ok := c.address80(in)
	if !ok {
		return stFault
	}
	return c.storeBlock(in.Seg, lin, b[:])
}

func opFSTPm80(c *CPU, in *Inst) status {
	e := c.x87Env()
	return c.storeStack(in, &e, 1, func(empty bool) status {
		return c.store80(in, pick(empty, indefinite, c.st(0)))
	})
}

// FBLD and FBSTP: 18 decimal digits, two a byte, and the sign in bit 79.
func opFBLD(c *CPU, in *Inst) status {
	var b [10]byte
	if !c.load80(in, &b) {
		return stFault
	}
	var v int64
	for i := 8; i >= 0; i-- {
		v = v*100 + int64(b[i]>>4)*10 + int64(b[i]&15)
	}
	e := c.x87Env()
	r := e.IntTo80(v)
	if b[9]&0x80 != 0 {
		r.SE |= 1 << 15
	}
	return c.loadStack(&e, r)
}

const bcdLimit = 1_000_000_000_000_000_000

func opFBSTP(c *CPU, in *Inst) status {
	e := c.x87Env()
	return c.storeStack(in, &e, 1, func(empty bool) status {
		packed := softfloat.F80{Sig: 3 << 62, SE: 0xffff} // the indefinite
		if !empty {
			v := e.F80toInt(c.st(0), 64)
			if v >= bcdLimit || v <= -bcdLimit {
				e.Flags = softfloat.Invalid
			}
			if e.Flags&^e.Mask&softfloat.Invalid != 0 {
				return stOK
			}
			if e.Flags&softfloat.Invalid == 0 {
				packed = bcd(v, c.st(0).SE>>15)
			}
		}
		return c.store80(in, packed)
	})
}

func bcd(v int64, sign uint16) softfloat.F80 {
	u := uint64(max(v, -v))
	var digits [10]byte
	for i := range 9 {
		digits[i] = byte(u%10 | u/10%10<<4)
		u /= 100
	}
	return softfloat.F80{Sig: binary.LittleEndian.Uint64(digits[:]), SE: uint16(digits[8]) | sign<<15}
}
