package softfloat

import "math/bits"

// Operations that only the x87 has.

// Extract splits a into its exponent and its significand, with the sign (FXTRACT).
func (e *Env) Extract(a F80) (exponent, significand F80) {
	n := unpack80(a)
	switch {
	case n.nan():
		n = e.pickNaN(&n, &num{})
		r, biased := e.done(&f80, n, 0)
		x := pack80(r, biased)
		return x, x
	case n.class == infinite:
		a.SE &= 0x7fff
		return a, pack80(n, 2*f80.emax+1)
	case n.class == zero:
		e.raise(DivByZero)
		return F80{intBit, 0xffff}, a
	case n.denorm:
		e.raise(Denormal)
	}
	exponent = e.IntTo80(int64(n.exp))
	return exponent, pack80(n, f80.emax)
}

// Scale is a * 2^b, with b cut to an integer (FSCALE).
func (e *Env) Scale(a, b F80) F80 {
	n, m := unpack80(a), unpack80(b)
	var r num
	switch {
	case n.nan() || m.nan():
		r = e.pickNaN(&n, &m)
	case m.class == infinite:
		switch {
		case n.class == zero && !m.neg, n.class == infinite && m.neg:
			r = e.invalid()
		default:
			e.denormals(&n, &m)
			r = num{class: infinite, neg: n.neg}
			if m.neg {
				r.class = zero
			}
		}
	default:
		e.denormals(&n, &m)
		r = n
		if n.class == finite {
			by := int32(0)
			if m.class == finite && m.exp >= 0 {
				by = 1 << 17
				if m.exp < 17 {
					by = int32(m.sig >> (63 - m.exp))
				}
				if m.neg {
					by = -by
				}
			}
			r.exp += by
		}
	}
	return e.exact(func(x *Env) F80 {
		n, biased := x.done(&f80, r, 0)
		return pack80(n, biased)
	})
}

// Rem80 is the remainder of a and b, with a quotient cut (FPREM) or rounded to
// nearest (FPREM1), whose lowest bits it returns. Exponents that are 64 or more
// apart are brought nearer only, and complete is false.
func (e *Env) Rem80(a, b F80, nearest bool) (r F80, quotient uint8, complete bool) {
	n, m := unpack80(a), unpack80(b)
	finish := func(v num) F80 {
		return e.exact(func(x *Env) F80 {
			v, biased := x.done(&f80, v, 0)
			return pack80(v, biased)
		})
	}
	switch {
	case n.nan() || m.nan():
		return finish(e.pickNaN(&n, &m)), 0, true
	case n.class == infinite || m.class == zero:
		return finish(e.invalid()), 0, true
	}
	e.denormals(&n, &m)
	if n.class == zero || m.class == infinite {
		return finish(n), 0, true
	}
	d := n.exp - m.exp
	if d < -1 || d < 0 && !nearest {
		return finish(n), 0, true
	}
	steps, complete := d, true
	if d >= 64 {
		steps, complete = d&31|32, false
	}
	// Long division, a bit at a time: rem < m throughout.
	rem, over, q := n.sig, false, uint64(0)
	if d < 0 { // half of m or less: only rounding can make it more
		return finish(e.roundRemainder(n, m, n.sig>>1, n.sig&1 != 0, &q, m.exp)), uint8(q), true
	}
	for i := int32(0); ; i++ {
		q <<= 1
		if over || rem >= m.sig {
			rem -= m.sig
			q |= 1
		}
		if i == steps {
			break
		}
		over = rem>>63 != 0
		rem <<= 1
	}
	exp := m.exp + d - steps
	if nearest && complete {
		return finish(e.roundRemainder(n, m, rem, false, &q, exp)), uint8(q), true
	}
	return finish(remainder(n.neg, rem, exp)), uint8(q), complete
}

// remainder is a number with a significand that may have leading zeros.
func remainder(neg bool, sig uint64, exp int32) num {
	v := num{neg: neg, sig: sig}
	if sig != 0 {
		v.normalise(exp)
	}
	return v
}

// roundRemainder makes the remainder rem (and half a unit, if low) that of the
// nearest quotient: m is taken off once more if that leaves less.
func (e *Env) roundRemainder(n, m num, rem uint64, low bool, q *uint64, exp int32) num {
	// Compare 2*rem with m.
	var l uint64
	if low {
		l = 1
	}
	twice, carry := rem<<1|l, rem>>63 != 0
	up := carry || twice > m.sig || twice == m.sig && *q&1 != 0
	if !up {
		if low || n.exp < m.exp {
			return n
		}
		return remainder(n.neg, rem, exp)
	}
	*q++
	// m - rem, with the half unit behind.
	hi, lo := m.sig, uint64(0)
	lo, borrow := bits.Sub64(lo, l<<63, 0)
	hi, _ = bits.Sub64(hi, rem, borrow)
	v, _ := e.shiftLeft(num{class: finite, neg: !n.neg, exp: exp}, hi, lo)
	return v
}
