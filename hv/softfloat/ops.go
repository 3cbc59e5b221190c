package softfloat

// Op is a two-operand operation.
type Op uint8

// Operations.
const (
	Add Op = iota
	Sub
	Mul
	Div
)

func (e *Env) arith(op Op, a, b num) (num, uint64) {
	switch op {
	case Add:
		return e.add(a, b, false)
	case Sub:
		return e.add(a, b, true)
	case Mul:
		return e.mul(a, b)
	}
	return e.div(a, b)
}

// Arith32 is a op b.
func (e *Env) Arith32(op Op, a, b uint32) uint32 {
	n, lo := e.arith(op, e.unpack32(a), e.unpack32(b))
	n, biased := e.done(&f32, n, lo)
	return pack32(n, biased)
}

// Arith64 is a op b.
func (e *Env) Arith64(op Op, a, b uint64) uint64 {
	n, lo := e.arith(op, e.unpack64(a), e.unpack64(b))
	n, biased := e.done(&f64, n, lo)
	return pack64(n, biased)
}

// Arith80 is a op b, rounded to Prec bits.
func (e *Env) Arith80(op Op, a, b F80) F80 {
	n, lo := e.arith(op, unpack80(a), unpack80(b))
	n, biased := e.done(&f80, n, lo)
	return pack80(n, biased)
}

// Sqrt32 is the square root of a.
func (e *Env) Sqrt32(a uint32) uint32 {
	n, lo := e.sqrt(e.unpack32(a))
	n, biased := e.done(&f32, n, lo)
	return pack32(n, biased)
}

// Sqrt64 is the square root of a.
func (e *Env) Sqrt64(a uint64) uint64 {
	n, lo := e.sqrt(e.unpack64(a))
	n, biased := e.done(&f64, n, lo)
	return pack64(n, biased)
}

// Sqrt80 is the square root of a, rounded to Prec bits.
func (e *Env) Sqrt80(a F80) F80 {
	n, lo := e.sqrt(unpack80(a))
	n, biased := e.done(&f80, n, lo)
	return pack80(n, biased)
}

// convert prepares a number for another format.
func (e *Env) convert(n num) num {
	switch {
	case n.nan():
		return e.pickNaN(&n, &num{})
	case n.denorm:
		e.raise(Denormal)
	}
	return n
}

// F32to64 converts binary32 to binary64.
func (e *Env) F32to64(a uint32) uint64 {
	n, biased := e.done(&f64, e.convert(e.unpack32(a)), 0)
	return pack64(n, biased)
}

// F64to32 converts binary64 to binary32.
func (e *Env) F64to32(a uint64) uint32 {
	n, biased := e.done(&f32, e.convert(e.unpack64(a)), 0)
	return pack32(n, biased)
}

// exact is an Env for what is loaded without rounding, whatever Prec says.
func (e *Env) exact(f func(x *Env) F80) F80 {
	x := *e
	x.Prec = 64
	r := f(&x)
	e.Flags, e.RoundedUp = x.Flags, x.RoundedUp
	return r
}

// F32to80 converts binary32 to the extended format (FLD).
func (e *Env) F32to80(a uint32) F80 {
	return e.exact(func(x *Env) F80 {
		n, biased := x.done(&f80, x.convert(x.unpack32(a)), 0)
		return pack80(n, biased)
	})
}

// F64to80 converts binary64 to the extended format (FLD).
func (e *Env) F64to80(a uint64) F80 {
	return e.exact(func(x *Env) F80 {
		n, biased := x.done(&f80, x.convert(x.unpack64(a)), 0)
		return pack80(n, biased)
	})
}

// stored prepares an 80-bit number for FST: a denormal source is no denormal
// operand there.
func (e *Env) stored(a F80) num {
	n := unpack80(a)
	if n.nan() {
		return e.pickNaN(&n, &num{})
	}
	return n
}

// F80to32 converts to binary32 (FST).
func (e *Env) F80to32(a F80) uint32 {
	n, biased := e.done(&f32, e.stored(a), 0)
	return pack32(n, biased)
}

// F80to64 converts to binary64 (FST).
func (e *Env) F80to64(a F80) uint64 {
	n, biased := e.done(&f64, e.stored(a), 0)
	return pack64(n, biased)
}

// Widen32 is a in the extended format as an operand: nothing is raised, a
// signalling NaN stays one, and a denormal is noted in Narrow.
func (e *Env) Widen32(a uint32) F80 { return e.widen(e.unpack32(a)) }

// Widen64 is a in the extended format as an operand.
func (e *Env) Widen64(a uint64) F80 { return e.widen(e.unpack64(a)) }

func (e *Env) widen(n num) F80 {
	e.Narrow = n.denorm
	switch n.class {
	case zero:
		return pack80(n, 0)
	case finite:
		return pack80(n, n.exp+f80.emax)
	}
	n.sig |= intBit
	return pack80(n, 2*f80.emax+1)
}
