package cpu

import (
	"math"

	"pvlab/hv/softfloat"
	"pvlab/hv/x86"
)

// SSE floating-point arithmetic. Exceptions are those of SDM vol. 1, 11.5: all
// elements are looked at; an unmasked exception is #XM, with the flags set and
// nothing stored.

// MXCSR fields.
const (
	mxcsrDAZ   = 1 << 6
	mxcsrMasks = 7
	mxcsrRound = 13
	mxcsrFTZ   = 1 << 15
	// mxcsrQuiet: all exceptions are masked, and Inexact is raised already.
	mxcsrQuiet = 0x3f<<mxcsrMasks | uint32(softfloat.Inexact)
)

// before are the exceptions that are found before an operation is done: if one
// is unmasked, the others are not raised.
const before = softfloat.Invalid | softfloat.Denormal | softfloat.DivByZero

func (c *CPU) fpEnv() softfloat.Env {
	m := c.mxcsr()
	return softfloat.Env{
		Round: softfloat.Rounding(m >> mxcsrRound & 3), Mask: softfloat.Flags(m >> mxcsrMasks & 0x3f),
		DAZ: m&mxcsrDAZ != 0, FTZ: m&mxcsrFTZ != 0,
		Quick: m&(3<<mxcsrRound|mxcsrQuiet) == mxcsrQuiet,
	}
}

// settle notes the exceptions of an instruction; stFault is #XM, or #UD where
// the system does not know of that.
func (c *CPU) settle(e *softfloat.Env) status {
	f := e.Flags
	if f&before&^e.Mask != 0 {
		f &= before
	}
	return c.raised(e, f)
}

// raised notes exceptions and takes those that are not masked.
func (c *CPU) raised(e *softfloat.Env, f softfloat.Flags) status {
	if f == 0 {
		return stOK
	}
	c.setMXCSR(c.mxcsr() | uint32(f))
	if f&^e.Mask == 0 {
		return stOK
	}
	if c.CR4&x86.CR4OSXMMEXCPT == 0 {
		return c.except(x86.VectorUD)
	}
	return c.except(x86.VectorXM)
}

// fp32 and fp64 compute one element.
type (
	fp32 func(e *softfloat.Env, a, b uint32) uint32
	fp64 func(e *softfloat.Env, a, b uint64) uint64
)

// packedSingle is "xmm, xmm/m128" on four elements.
func packedSingle(f fp32) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		d := c.xmm(in.Reg)
		r := single4(&e, f, d, s)
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setXMM(in.Reg, r)
		return stOK
	})
}

func single4(e *softfloat.Env, f fp32, d, s vec) vec {
	lo := uint64(f(e, uint32(d.lo), uint32(s.lo))) | uint64(f(e, uint32(d.lo>>32), uint32(s.lo>>32)))<<32
	hi := uint64(f(e, uint32(d.hi), uint32(s.hi))) | uint64(f(e, uint32(d.hi>>32), uint32(s.hi>>32)))<<32
	return vec{lo, hi}
}

func packedDouble(f fp64) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		d := c.xmm(in.Reg)
		r := vec{f(&e, d.lo, s.lo), f(&e, d.hi, s.hi)}
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setXMM(in.Reg, r)
		return stOK
	})
}

func scalarSingle(f fp32) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source32(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		d := c.xmm(in.Reg)
		r := f(&e, uint32(d.lo), s)
		if st := c.settle(&e); st != stOK {
			return st
		}
		d.lo = d.lo&^0xffffffff | uint64(r)
		c.setXMM(in.Reg, d)
		return stOK
	})
}

func scalarDouble(f fp64) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source64(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		d := c.xmm(in.Reg)
		r := f(&e, d.lo, s)
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setXMM(in.Reg, vec{r, d.hi})
		return stOK
	})
}

// quickDouble does an operation on the host where that cannot raise anything
// but Inexact, and that is noted already: e says so.
func quickDouble(op softfloat.Op, a, b uint64) (uint64, bool) {
	if !plain64(a) || !plain64(b) {
		return 0, false
	}
	x, y := math.Float64frombits(a), math.Float64frombits(b)
	var r float64
	switch op {
	case softfloat.Add:
		r = x + y
	case softfloat.Sub:
		r = x - y
	case softfloat.Mul:
		r = x * y
	default:
		r = x / y
	}
	v := math.Float64bits(r)
	return v, plain64(v)
}

// plain64 reports a normal number that is not one of the smallest.
func plain64(v uint64) bool { x := v >> 52 & 0x7ff; return x-2 < 0x7fd }

func quickSingle(op softfloat.Op, a, b uint32) (uint32, bool) {
	if !plain32(a) || !plain32(b) {
		return 0, false
	}
	x, y := math.Float32frombits(a), math.Float32frombits(b)
	var r float32
	switch op {
	case softfloat.Add:
		r = x + y
	case softfloat.Sub:
		r = x - y
	case softfloat.Mul:
		r = x * y
	default:
		r = x / y
	}
	v := math.Float32bits(r)
	return v, plain32(v)
}

func plain32(v uint32) bool { x := v >> 23 & 0xff; return x-2 < 0xfd }

func arith32(op softfloat.Op) fp32 {
	return func(e *softfloat.Env, a, b uint32) uint32 {
		if e.Quick {
			if v, ok := quickSingle(op, a, b); ok {
				return v
			}
		}
		return e.Arith32(op, a, b)
	}
}

func arith64(op softfloat.Op) fp64 {
	return func(e *softfloat.Env, a, b uint64) uint64 {
		if e.Quick {
			if v, ok := quickDouble(op, a, b); ok {
				return v
			}
		}
		return e.Arith64(op, a, b)
	}
}

func sqrt32(e *softfloat.Env, _, b uint32) uint32 { return e.Sqrt32(b) }
func sqrt64(e *softfloat.Env, _, b uint64) uint64 { return e.Sqrt64(b) }

// MIN and MAX give the second operand where there is no order, and both zeros.
func min32(e *softfloat.Env, a, b uint32) uint32 {
	return pick(e.Compare32(a, b, false) == softfloat.Less, e.Flush32(a), e.Flush32(b))
}

func max32(e *softfloat.Env, a, b uint32) uint32 {
	return pick(e.Compare32(a, b, false) == softfloat.Greater, e.Flush32(a), e.Flush32(b))
}

func min64(e *softfloat.Env, a, b uint64) uint64 {
	return pick(e.Compare64(a, b, false) == softfloat.Less, e.Flush64(a), e.Flush64(b))
}

func max64(e *softfloat.Env, a, b uint64) uint64 {
	return pick(e.Compare64(a, b, false) == softfloat.Greater, e.Flush64(a), e.Flush64(b))
}

func pick[T any](first bool, a, b T) T {
	if first {
		return a
	}
	return b
}

// The predicates of CMPPS and its kin: equal, less, less or equal, unordered,
// and their opposites.
func holds(pred uint8, o softfloat.Order) bool {
	var r bool
	switch pred & 3 {
	case 0:
		r = o == softfloat.Equal
	case 1:
		r = o == softfloat.Less
	case 2:
		r = o == softfloat.Less || o == softfloat.Equal
	case 3:
		r = o == softfloat.Unordered
	}
	return r != (pred&4 != 0)
}

// quietPredicate reports those that take quiet NaNs without complaint.
func quietPredicate(pred uint8) bool { return pred&3 == 0 || pred&3 == 3 }

func cmp32(pred uint8) fp32 {
	return func(e *softfloat.Env, a, b uint32) uint32 {
		if holds(pred, e.Compare32(a, b, quietPredicate(pred))) {
			return ^uint32(0)
		}
		return 0
	}
}

func cmp64(pred uint8) fp64 {
	return func(e *softfloat.Env, a, b uint64) uint64 {
		if holds(pred, e.Compare64(a, b, quietPredicate(pred))) {
			return ^uint64(0)
		}
		return 0
	}
}

// byPredicate chooses the function by the immediate.
func byPredicate(make func(pred uint8) execFn) execFn {
	var f [8]execFn
	for i := range f {
		f[i] = make(uint8(i))
	}
	return func(c *CPU, in *Inst) status { return f[in.Imm&7](c, in) }
}

// compareFlags is COMISS, UCOMISS and the double forms.
func (c *CPU) compareFlags(e *softfloat.Env, o softfloat.Order) status {
	if st := c.settle(e); st != stOK {
		return st
	}
	f := c.Flags() &^ x86.FlagsStatus
	switch o {
	case softfloat.Less:
		f |= x86.FlagCF
	case softfloat.Equal:
		f |= x86.FlagZF
	case softfloat.Unordered:
		f |= x86.FlagZF | x86.FlagPF | x86.FlagCF
	}
	c.SetFlags(f)
	return stOK
}

func comis32(quietly bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source32(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		return c.compareFlags(&e, e.Compare32(uint32(c.xmm(in.Reg).lo), s, quietly))
	})
}

func comis64(quietly bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source64(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		return c.compareFlags(&e, e.Compare64(c.xmm(in.Reg).lo, s, quietly))
	})
}

// shuffledSingle computes elements of a and b made from the operands, with one
// operation for even and one for odd elements.
func shuffledSingle(even, odd softfloat.Op, f func(d, s vec) (a, b vec)) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		a, b := f(c.xmm(in.Reg), s)
		var r vec
		for i := range uint(4) {
			op := even
			if i&1 != 0 {
				op = odd
			}
			r.setDword(i, e.Arith32(op, a.dword(i), b.dword(i)))
		}
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setXMM(in.Reg, r)
		return stOK
	})
}

func shuffledDouble(low, high softfloat.Op, f func(d, s vec) (a, b vec)) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		e := c.fpEnv()
		a, b := f(c.xmm(in.Reg), s)
		r := vec{e.Arith64(low, a.lo, b.lo), e.Arith64(high, a.hi, b.hi)}
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setXMM(in.Reg, r)
		return stOK
	})
}

// How operands of ADDSUBPS and of HADDPS meet.
func asTheyAre(d, s vec) (a, b vec)     { return d, s }
func pairsOfDouble(d, s vec) (a, b vec) { return vec{d.lo, s.lo}, vec{d.hi, s.hi} }
func pairsOfSingle(d, s vec) (a, b vec) { return shufps(d, s, 0x88), shufps(d, s, 0xdd) }
