package cpu

import (
	"pvlab/hv/softfloat"
	"pvlab/hv/x86"
)

// x87 arithmetic and comparisons.

// x87Op is one of the six operations, by ModRM.reg: with reverse the operands
// change places.
type x87Op struct {
	op      softfloat.Op
	reverse bool
}

// x87Ops by digit; 2 and 3 compare.
var x87Ops = [8]x87Op{0: {softfloat.Add, false}, 1: {softfloat.Mul, false}, 4: {softfloat.Sub, false}, 5: {softfloat.Sub, true},
	6: {softfloat.Div, false}, 7: {softfloat.Div, true}}

func (o x87Op) do(e *softfloat.Env, a, b softfloat.F80) softfloat.F80 {
	if o.reverse {
		a, b = b, a
	}
	return e.Arith80(o.op, a, b)
}

// fromReg is ST(0) = ST(0) op ST(i).
func (o x87Op) fromReg(c *CPU, in *Inst) status {
	i := in.RM & 7
	if !c.needs(0, 0, 0, i) {
		return stOK
	}
	e := c.x87Env()
	if v := o.do(&e, c.st(0), c.st(i)); c.note(&e) {
		c.setST(0, v)
	}
	return stOK
}

// toReg is ST(i) = ST(i) op ST(0), then pops.
func (o x87Op) toReg(pops int) execFn {
	return x87(func(c *CPU, in *Inst) status {
		i := in.RM & 7
		if !c.needs(i, pops, 0, i) {
			return stOK
		}
		e := c.x87Env()
		if v := o.do(&e, c.st(i), c.st(0)); c.note(&e) {
			c.setST(i, v)
			for range pops {
				c.popStack()
			}
		}
		return stOK
	})
}

// memory is ST(0) = ST(0) op operand.
func (o x87Op) memory(k operand87) execFn {
	return x87(func(c *CPU, in *Inst) status {
		raw, ok := k.load(c, in)
		if !ok {
			return stFault
		}
		if !c.needs(0, 0, 0) {
			return stOK
		}
		e := c.x87Env()
		if r := o.do(&e, c.st(0), k.operand(&e, raw)); c.note(&e) {
			c.setST(0, r)
		}
		return stOK
	})
}

// setOrder sets the condition codes of a comparison.
func (c *CPU) setOrder(o softfloat.Order) {
	w := c.fsw() &^ fswCodes
	switch o {
	case softfloat.Less:
		w |= fswC0
	case softfloat.Equal:
		w |= fswC3
	case softfloat.Unordered:
		w |= fswC0 | fswC2 | fswC3
	}
	c.setFSW(w)
}

// fcom compares ST(0) with ST(i) and pops.
func fcom(quietly bool, pops int) execFn {
	return x87(func(c *CPU, in *Inst) status {
		i := in.RM & 7
		e := c.x87Env()
		return c.compareStack(&e, c.st(i), c.stackEmpty(0) || c.stackEmpty(i), quietly, pops)
	})
}

// fcomMem compares ST(0) with an operand.
func fcomMem(k operand87, pops int) execFn {
	return x87(func(c *CPU, in *Inst) status {
		raw, ok := k.load(c, in)
		if !ok {
			return stFault
		}
		e := c.x87Env()
		return c.compareStack(&e, k.operand(&e, raw), c.stackEmpty(0), false, pops)
	})
}

// compareStack compares ST(0) with b; empty says that one of them is nothing.
func (c *CPU) compareStack(e *softfloat.Env, b softfloat.F80, empty, quietly bool, pops int) status {
	if empty {
		masked := c.stackFault(false)
		if masked {
			c.setOrder(softfloat.Unordered)
			for range pops {
				c.popStack()
			}
		}
		return stOK
	}
	o := e.Compare80(c.st(0), b, quietly)
	if !c.note(e) {
		return stOK
	}
	c.setOrder(o)
	for range pops {
		c.popStack()
	}
	return stOK
}

func opFTST(c *CPU, _ *Inst) status {
	e := c.x87Env()
	return c.compareStack(&e, softfloat.F80{}, c.stackEmpty(0), false, 0)
}

// fcomi compares into RFLAGS.
func fcomi(quietly bool, pops int) execFn {
	return x87(func(c *CPU, in *Inst) status {
		i := in.RM & 7
		o := softfloat.Unordered
		if c.stackEmpty(0) || c.stackEmpty(i) {
			if !c.stackFault(false) {
				return stOK
			}
		} else {
			e := c.x87Env()
			o = e.Compare80(c.st(0), c.st(i), quietly)
			if !c.note(&e) {
				return stOK
			}
		}
		f := c.Flags() &^ (x86.FlagsStatus)
		switch o {
		case softfloat.Less:
			f |= x86.FlagCF
		case softfloat.Equal:
			f |= x86.FlagZF
		case softfloat.Unordered:
			f |= x86.FlagZF | x86.FlagPF | x86.FlagCF
		}
		c.SetFlags(f)
		for range pops {
			c.popStack()
		}
		return stOK
	})
}

// fcmov moves ST(i) to ST(0) if the condition holds.
func fcmov(cc uint8) execFn {
	return x87(func(c *CPU, in *Inst) status {
		i := in.RM & 7
		if !c.needs(0, 0, 0, i) {
			return stOK
		}
		c.setC1(false)
		if c.condition(cc) {
			c.setST(0, c.st(i))
		}
		return stOK
	})
}

// opFXAM tells the kind of ST(0) by C3, C2, C0, its sign by C1.
func opFXAM(c *CPU, _ *Inst) status {
	v := c.st(0)
	w := c.fsw() &^ fswCodes
	if v.SE>>15 != 0 {
		w |= fswC1
	}
	exp := v.SE & 0x7fff
	switch {
	case c.stackEmpty(0):
		w |= fswC3 | fswC0
	case exp == 0 && v.Sig == 0:
		w |= fswC3
	case exp == 0:
		w |= fswC3 | fswC2
	case v.Sig>>63 == 0: // unsupported
	case exp == 0x7fff && v.Sig == 1<<63:
		w |= fswC2 | fswC0
	case exp == 0x7fff:
		w |= fswC0
	default:
		w |= fswC2
	}
	c.setFSW(w)
	return stOK
}

// unary is ST(0) = f(ST(0)).
func unary87(f func(e *softfloat.Env, a softfloat.F80) softfloat.F80) execFn {
	return x87(func(c *CPU, _ *Inst) status {
		if !c.needs(0, 0, 0) {
			return stOK
		}
		e := c.x87Env()
		if v := f(&e, c.st(0)); c.note(&e) {
			c.setST(0, v)
		}
		return stOK
	})
}

// opFXTRACT splits ST(0) into exponent and significand.
func opFXTRACT(c *CPU, _ *Inst) status {
	if c.stackEmpty(0) || !c.stackEmpty(7) {
		if c.stackFault(!c.stackEmpty(0)) {
			c.setST(0, indefinite)
			c.pushStack(indefinite)
		}
		return stOK
	}
	e := c.x87Env()
	exp, sig := e.Extract(c.st(0))
	if c.note(&e) {
		c.setST(0, exp)
		c.pushStack(sig)
	}
	return stOK
}

func opFSCALE(c *CPU, _ *Inst) status {
	if !c.needs(0, 0, 0, 1) {
		return stOK
	}
	e := c.x87Env()
	if v := e.Scale(c.st(0), c.st(1)); c.note(&e) {
		c.setST(0, v)
	}
	return stOK
}

// fprem is FPREM and FPREM1: C0, C3 and C1 are the quotient's lowest three bits,
// C2 says that the reduction is not complete.
func fprem(nearest bool) execFn {
	return x87(func(c *CPU, _ *Inst) status {
		if !c.needs(0, 0, 0, 1) {
			return stOK
		}
		e := c.x87Env()
		v, q, complete := e.Rem80(c.st(0), c.st(1), nearest)
		if !c.note(&e) {
			return stOK
		}
		w := c.fsw() &^ fswCodes
		if !complete {
			w |= fswC2
		} else {
			w |= uint16(q>>2&1)*fswC0 | uint16(q>>1&1)*fswC3 | uint16(q&1)*fswC1
		}
		c.setFSW(w)
		c.setST(0, v)
		return stOK
	})
}
