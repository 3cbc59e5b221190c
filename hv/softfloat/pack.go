package softfloat

import "math/bits"

// unpack takes a binary32 or binary64 number apart; fraction is its bits,
// left-aligned below bit 63.
func (e *Env) unpack(f *format, neg bool, biased int32, fraction uint64) num {
	n := num{neg: neg, sig: fraction}
	switch {
	case biased == 2*f.emax+1:
		switch {
		case fraction == 0:
			n.class = infinite
		case fraction&quietBit != 0:
			n.class = quiet
		default:
			n.class = signalling
		}
		n.sig |= intBit
	case biased != 0:
		n.class, n.exp = finite, biased-f.emax
		n.sig |= intBit
	case fraction != 0 && !e.DAZ:
		n.denorm = true
		n.normalise(f.emin)
	default:
		n.sig = 0
	}
	return n
}

// normalise makes a number finite whose sig/2^63 * 2^exp may have leading
// zeros.
func (n *num) normalise(exp int32) {
	lz := bits.LeadingZeros64(n.sig)
	n.class, n.exp = finite, exp-int32(lz)
	n.sig <<= lz
}

func (e *Env) unpack32(x uint32) num {
	return e.unpack(&f32, x>>31 != 0, int32(x>>23&0xff), uint64(x&(1<<23-1))<<40)
}

func (e *Env) unpack64(x uint64) num {
	return e.unpack(&f64, x>>63 != 0, int32(x>>52&0x7ff), x&(1<<52-1)<<11)
}

// Flush32 is x, or the zero that DAZ takes it for.
func (e *Env) Flush32(x uint32) uint32 {
	if e.DAZ && x&(0xff<<23) == 0 {
		return x & (1 << 31)
	}
	return x
}

// Flush64 is x, or the zero that DAZ takes it for.
func (e *Env) Flush64(x uint64) uint64 {
	if e.DAZ && x&(0x7ff<<52) == 0 {
		return x & (1 << 63)
	}
	return x
}

func unpack80(x F80) num {
	n := num{neg: x.SE>>15 != 0, sig: x.Sig}
	biased := int32(x.SE & 0x7fff)
	switch {
	case biased == 0:
		if x.Sig != 0 { // a pseudo-denormal has the integer bit set
			n.denorm = true
			n.normalise(f80.emin)
		}
	case x.Sig&intBit == 0:
		n.class = unsupported
	case biased != 0x7fff:
		n.class, n.exp = finite, biased-f80.emax
	case x.Sig == intBit:
		n.class = infinite
	case x.Sig&quietBit != 0:
		n.class = quiet
	default:
		n.class = signalling
	}
	return n
}

// pack32 puts together a number that fits.
func pack32(n num, biased int32) uint32 {
	x := uint32(biased)<<23 | uint32(n.sig>>40)&(1<<23-1)
	if n.neg {
		x |= 1 << 31
	}
	return x
}

func pack64(n num, biased int32) uint64 {
	x := uint64(biased)<<52 | n.sig>>11&(1<<52-1)
	if n.neg {
		x |= 1 << 63
	}
	return x
}

func pack80(n num, biased int32) F80 {
	x := F80{Sig: n.sig, SE: uint16(biased)}
	if n.neg {
		x.SE |= 1 << 15
	}
	return x
}

// defaultNaN is the "real indefinite".
func defaultNaN() num { return num{class: quiet, neg: true, sig: intBit | quietBit} }

// done brings a result into a format: a number is rounded, wide behind sig and
// lo, with lo's lowest bit standing for all that is lost. It returns the biased
// exponent for packing.
func (e *Env) done(f *format, n num, lo uint64) (num, int32) {
	e.RoundedUp = false
	switch n.class {
	case zero:
		n.sig = 0
		return n, 0
	case infinite:
		n.sig = intBit
		return n, 2*f.emax + 1
	case finite:
		return e.roundTo(f, n, lo)
	}
	n.sig |= intBit | quietBit
	return n, 2*f.emax + 1
}

// roundTo rounds a finite number (SDM vol. 1, 4.9.1.4 to 4.9.1.6).
func (e *Env) roundTo(f *format, n num, lo uint64) (num, int32) {
	prec := uint(f.prec)
	if f == &f80 && e.Prec != 0 {
		prec = uint(e.Prec)
	}
	r, inexact, up := e.roundSig(n, lo, prec)
	if r.exp > f.emax {
		return e.overflow(f, r, inexact, up)
	}
	if r.exp < f.emin { // tiny after rounding with an unbounded exponent
		return e.tiny(f, n, lo, r, inexact, up, prec)
	}
	e.RoundedUp = up
	if inexact {
		e.raise(Inexact)
	}
	return r, r.exp + f.emax
}

// roundSig rounds to prec bits, with the exponent unbounded.
func (e *Env) roundSig(n num, lo uint64, prec uint) (r num, inexact, up bool) {
	r = n
	var half, rest bool // the first bit lost, and whether others are set
	var unit uint64
	if prec == 64 {
		unit = 1
		half, rest = lo>>63 != 0, lo<<1 != 0
	} else {
		unit = 1 << (64 - prec)
		lost := n.sig & (unit - 1)
		half, rest = lost&(unit>>1) != 0, lost&(unit>>1-1) != 0 || lo != 0
		r.sig &^= unit - 1
	}
	inexact = half || rest
	switch e.Round {
	case Nearest:
		up = half && (rest || r.sig&unit != 0)
	case Down:
		up = inexact && n.neg
	case Up:
		up = inexact && !n.neg
	}
	if up {
		if r.sig += unit; r.sig == 0 {
			r.sig = intBit
			r.exp++
		}
	}
	return r, inexact, up
}

// scale is what the x87 adds to or takes from the exponent of a result whose
// overflow or underflow is unmasked.
const scale = 24576

func (e *Env) overflow(f *format, r num, inexact, up bool) (num, int32) {
	e.raise(Overflow)
	if e.unmasked(Overflow) {
		e.RoundedUp = up
		if inexact {
			e.raise(Inexact)
		}
		if e.X87 && f == &f80 {
			r.exp -= scale
		}
		return r, r.exp + f.emax // SSE does not store it
	}
	e.raise(Inexact)
	if e.Round == Nearest || e.Round == Up && !r.neg || e.Round == Down && r.neg {
		r.class, r.sig = infinite, intBit
		e.RoundedUp = true
		return r, 2*f.emax + 1
	}
	prec := f.prec
	if f == &f80 && e.Prec != 0 {
		prec = e.Prec
	}
	r.sig = ^uint64(0) << (64 - prec)
	return r, 2 * f.emax
}

// tiny finishes a result below the normal numbers: n, or r where it is rounded
// with an unbounded exponent.
func (e *Env) tiny(f *format, n num, lo uint64, r num, inexact, up bool, prec uint) (num, int32) {
	if e.Mask&Underflow == 0 {
		e.raise(Underflow)
		if inexact {
			e.raise(Inexact)
		}
		e.RoundedUp = up
		if e.X87 && f == &f80 {
			r.exp += scale
		}
		return r, r.exp + f.emax // SSE does not store it
	}
	if e.FTZ {
		e.raise(Underflow | Inexact)
		n.class, n.sig = zero, 0
		return n, 0
	}
	// Denormalise, then round at the format's last bit.
	d := uint(f.emin - n.exp)
	n.sig, lo = shiftRight(n.sig, lo, d)
	n.exp = f.emin
	q, inexact, up := e.roundSig(n, lo, prec)
	e.RoundedUp = up
	if inexact {
		e.raise(Underflow | Inexact)
	}
	if q.sig&intBit != 0 {
		return q, 1 // rounded up to the smallest normal number
	}
	if q.sig == 0 {
		q.class = zero
	}
	return q, 0
}

// shiftRight shifts hi:lo right by d; what is lost stays as lo's lowest bit.
func shiftRight(hi, lo uint64, d uint) (uint64, uint64) {
	switch {
	case d == 0:
	case d < 64:
		lost := lo << (64 - d)
		lo = hi<<(64-d) | lo>>d
		hi >>= d
		if lost != 0 {
			lo |= 1
		}
	case d < 128:
		lost := lo
		if d > 64 {
			lost |= hi << (128 - d)
		}
		lo = hi >> (d - 64)
		hi = 0
		if lost != 0 {
			lo |= 1
		}
	default:
		if hi|lo != 0 {
			lo = 1
		}
		hi = 0
	}
	return hi, lo
}
