package softfloat

import "math/bits"

// fromInt is a signed integer as a number.
func fromInt(v int64) num {
	if v == 0 {
		return num{}
	}
	n := num{neg: v < 0, sig: uint64(v)}
	if n.neg {
		n.sig = -n.sig
	}
	lz := bits.LeadingZeros64(n.sig)
	n.class, n.exp, n.sig = finite, int32(63-lz), n.sig<<lz
	return n
}

// IntTo32 converts a signed integer.
func (e *Env) IntTo32(v int64) uint32 {
	n, biased := e.done(&f32, fromInt(v), 0)
	return pack32(n, biased)
}

// IntTo64 converts a signed integer.
func (e *Env) IntTo64(v int64) uint64 {
	n, biased := e.done(&f64, fromInt(v), 0)
	return pack64(n, biased)
}

// IntTo80 converts a signed integer, which is always exact (FILD).
func (e *Env) IntTo80(v int64) F80 {
	e.RoundedUp = false
	n := fromInt(v)
	if n.class == zero {
		return F80{}
	}
	return pack80(n, n.exp+f80.emax)
}

// toInt rounds to a signed integer of width bits (16, 32, 64). Out of its range
// is the integer indefinite, the most negative value, and invalid.
func (e *Env) toInt(n num, width uint) int64 {
	indefinite := int64(-1) << (width - 1)
	e.RoundedUp = false
	switch {
	case n.class == zero:
		return 0
	case n.class != finite || n.exp >= int32(width):
		e.raise(Invalid)
		return indefinite
	}
	v, inexact, up := e.integral(n)
	if v > uint64(1)<<(width-1) || v == uint64(1)<<(width-1) && !n.neg {
		e.raise(Invalid)
		return indefinite
	}
	if inexact {
		e.raise(Inexact)
		e.RoundedUp = up
	}
	if n.neg {
		return -int64(v)
	}
	return int64(v)
}

// integral rounds a finite number below 2^64 to an integer.
func (e *Env) integral(n num) (v uint64, inexact, up bool) {
	hi, lo := n.sig, uint64(0)
	if d := 63 - n.exp; d > 0 {
		hi, lo = shiftRight(hi, 0, uint(d))
	}
	half, rest := lo>>63 != 0, lo<<1 != 0
	inexact = half || rest
	switch e.Round {
	case Nearest:
		up = half && (rest || hi&1 != 0)
	case Down:
		up = inexact && n.neg
	case Up:
		up = inexact && !n.neg
	}
	if up {
		hi++
	}
	return hi, inexact, up
}

// F32toInt converts to a signed integer of width bits.
func (e *Env) F32toInt(a uint32, width uint) int64 { return e.toInt(e.unpack32(a), width) }

// F64toInt converts to a signed integer of width bits.
func (e *Env) F64toInt(a uint64, width uint) int64 { return e.toInt(e.unpack64(a), width) }

// F80toInt converts to a signed integer of width bits.
func (e *Env) F80toInt(a F80, width uint) int64 { return e.toInt(unpack80(a), width) }

// rounded rounds to an integer in the same format. ROUNDSS and its kin do not
// flag a denormal operand; FRNDINT does.
func (e *Env) rounded(f *format, n num) num {
	e.RoundedUp = false
	switch {
	case n.nan():
		return e.pickNaN(&n, &num{})
	case n.class != finite || n.exp >= int32(f.prec)-1:
		return n
	}
	if n.denorm && e.X87 {
		e.raise(Denormal)
	}
	neg := n.neg
	v, inexact, up := e.integral(n)
	if inexact {
		e.raise(Inexact)
		e.RoundedUp = up
	}
	n = num{neg: neg}
	if v != 0 {
		lz := bits.LeadingZeros64(v)
		n.class, n.exp, n.sig = finite, int32(63-lz), v<<lz
	}
	return n
}

// Round32 rounds to an integer.
func (e *Env) Round32(a uint32) uint32 {
	n, biased := e.done(&f32, e.rounded(&f32, e.unpack32(a)), 0)
	return pack32(n, biased)
}

// Round64 rounds to an integer.
func (e *Env) Round64(a uint64) uint64 {
	n, biased := e.done(&f64, e.rounded(&f64, e.unpack64(a)), 0)
	return pack64(n, biased)
}

// Round80 rounds to an integer (FRNDINT).
func (e *Env) Round80(a F80) F80 {
	n := e.rounded(&f80, unpack80(a))
	up := e.RoundedUp
	r := e.exact(func(x *Env) F80 {
		n, biased := x.done(&f80, n, 0)
		return pack80(n, biased)
	})
	e.RoundedUp = up
	return r
}
