package softfloat

import "math/bits"

// operands settles what does not depend on the operation: NaNs, unsupported
// formats and the denormal flag. ok is false when r is the result.
func (e *Env) operands(a, b *num) (r num, ok bool) {
	if a.class >= quiet || b.class >= quiet {
		return e.pickNaN(a, b), false
	}
	return num{}, true
}

// denormals raises DE; an operation that is invalid does not get there.
func (e *Env) denormals(a, b *num) {
	if a.denorm || b.denorm || e.Narrow {
		e.raise(Denormal)
	}
}

// pickNaN is the result of an operation with a NaN (SDM vol. 1, table 4-7).
func (e *Env) pickNaN(a, b *num) num {
	if a.class >= signalling || b.class >= signalling {
		e.raise(Invalid)
	}
	if a.class == unsupported || b.class == unsupported {
		return defaultNaN()
	}
	pick := a
	switch {
	case !a.nan():
		pick = b
	case !b.nan() || !e.X87:
	case a.class != b.class: // the quiet one
		if a.class == signalling {
			pick = b
		}
	default: // the larger significand, of equals the positive one
		if b.sig > a.sig || b.sig == a.sig && a.neg && !b.neg {
			pick = b
		}
	}
	r := *pick
	r.class = quiet
	return r
}

func (e *Env) invalid() num {
	e.raise(Invalid)
	return defaultNaN()
}

// add is a + b, or a - b.
func (e *Env) add(a, b num, subtract bool) (num, uint64) {
	if r, ok := e.operands(&a, &b); !ok {
		return r, 0
	}
	if subtract {
		b.neg = !b.neg
	}
	if a.class == infinite || b.class == infinite {
		if a.class == b.class && a.neg != b.neg {
			return e.invalid(), 0
		}
		e.denormals(&a, &b)
		if a.class == infinite {
			return a, 0
		}
		return b, 0
	}
	e.denormals(&a, &b)
	switch {
	case a.class == zero && b.class == zero:
		if a.neg != b.neg {
			a.neg = e.Round == Down
		}
		return a, 0
	case a.class == zero:
		return b, 0
	case b.class == zero:
		return a, 0
	}
	if b.exp > a.exp || b.exp == a.exp && b.sig > a.sig {
		a, b = b, a
	}
	hi, lo := shiftRight(b.sig, 0, uint(a.exp-b.exp))
	if a.neg == b.neg {
		sum, carry := bits.Add64(a.sig, hi, 0)
		if carry != 0 {
			sum, lo = shiftRight(sum, lo, 1)
			sum |= intBit
			a.exp++
		}
		a.sig = sum
		return a, lo
	}
	l, borrow := bits.Sub64(0, lo, 0)
	h, _ := bits.Sub64(a.sig, hi, borrow)
	return e.shiftLeft(a, h, l)
}

// shiftLeft normalises a difference.
func (e *Env) shiftLeft(n num, hi, lo uint64) (num, uint64) {
	if hi == 0 {
		if lo == 0 {
			return num{neg: e.Round == Down}, 0
		}
		hi, lo = lo, 0
		n.exp -= 64
	}
	s := bits.LeadingZeros64(hi)
	n.exp -= int32(s)
	if s > 0 {
		hi = hi<<s | lo>>(64-s)
		lo <<= s
	}
	n.sig = hi
	return n, lo
}

func (e *Env) mul(a, b num) (num, uint64) {
	if r, ok := e.operands(&a, &b); !ok {
		return r, 0
	}
	if a.class == infinite && b.class == zero || a.class == zero && b.class == infinite {
		return e.invalid(), 0
	}
	e.denormals(&a, &b)
	r := num{neg: a.neg != b.neg}
	switch {
	case a.class == infinite || b.class == infinite:
		r.class = infinite
		return r, 0
	case a.class == zero || b.class == zero:
		return r, 0
	}
	hi, lo := bits.Mul64(a.sig, b.sig)
	r.class, r.exp = finite, a.exp+b.exp+1
	if hi&intBit == 0 {
		hi = hi<<1 | lo>>63
		lo <<= 1
		r.exp--
	}
	r.sig = hi
	return r, lo
}

func (e *Env) div(a, b num) (num, uint64) {
	if r, ok := e.operands(&a, &b); !ok {
		return r, 0
	}
	if a.class == b.class && a.class != finite { // 0/0, inf/inf
		return e.invalid(), 0
	}
	r := num{neg: a.neg != b.neg}
	switch {
	case b.class == zero:
		r.class = infinite
		if a.class == finite {
			e.raise(DivByZero) // and not Denormal
		}
		return r, 0
	case a.class == infinite:
		e.denormals(&a, &b)
		r.class = infinite
		return r, 0
	case a.class == zero || b.class == infinite:
		e.denormals(&a, &b)
		return r, 0
	}
	e.denormals(&a, &b)
	r.class, r.exp = finite, a.exp-b.exp
	var hi, rem uint64
	if a.sig < b.sig {
		r.exp--
		hi, rem = bits.Div64(a.sig, 0, b.sig) // the quotient is in [2^63, 2^64)
	} else {
		// a/b in [1, 2): one bit before the point.
		hi, rem = bits.Div64(a.sig>>1, a.sig<<63, b.sig)
	}
	lo, rem := bits.Div64(rem, 0, b.sig)
	if rem != 0 {
		lo |= 1
	}
	r.sig = hi
	return r, lo
}

func (e *Env) sqrt(a num) (num, uint64) {
	switch {
	case a.nan():
		return e.pickNaN(&a, &num{}), 0
	case a.class == zero:
		return a, 0
	case a.neg:
		return e.invalid(), 0
	case a.class == infinite:
		return a, 0
	}
	e.denormals(&a, &a)
	// The root of sig * 2^64 has 64 bits when the exponent is odd, that of
	// sig * 2^63 when it is even.
	hi, lo := a.sig, uint64(0)
	if a.exp&1 == 0 {
		hi, lo = a.sig>>1, a.sig<<63
	}
	root, over, rem := root128(hi, lo)
	r := num{class: finite, sig: root, exp: a.exp >> 1}
	var tail uint64
	if over || rem > root { // the next bit of the root
		tail = 1 << 63
	}
	if over || rem != 0 {
		tail |= 1
	}
	return r, tail
}

// root128 is the integer square root of hi:lo, which is at least 2^126, and
// the remainder, over:rem.
func root128(hi, lo uint64) (root uint64, over bool, rem uint64) {
	for bit := uint64(intBit); bit != 0; bit >>= 1 {
		t := root | bit
		h, l := bits.Mul64(t, t)
		if h < hi || h == hi && l <= lo {
			root = t
		}
	}
	h, l := bits.Mul64(root, root)
	l, borrow := bits.Sub64(lo, l, 0)
	h, _ = bits.Sub64(hi, h, borrow)
	return root, h != 0, l
}
