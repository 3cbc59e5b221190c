package cpu

import (
	"math"

	"pvlab/hv/softfloat"
)

// Conversions, rounding, approximations and dot products of SSE.

// toInt is CVTSS2SI, CVTSD2SI and the truncating forms.
func singleToInt(truncate bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source32(in)
		if !ok {
			return stFault
		}
		e := c.convertEnv(truncate)
		return c.setInt(in, &e, e.F32toInt(s, 8*uint(in.Size)))
	})
}

func doubleToInt(truncate bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source64(in)
		if !ok {
			return stFault
		}
		e := c.convertEnv(truncate)
		return c.setInt(in, &e, e.F64toInt(s, 8*uint(in.Size)))
	})
}

func (c *CPU) convertEnv(truncate bool) softfloat.Env {
	e := c.fpEnv()
	if truncate {
		e.Round = softfloat.ToZero
	}
	return e
}

func (c *CPU) setInt(in *Inst, e *softfloat.Env, v int64) status {
	if st := c.settle(e); st != stOK {
		return st
	}
	if in.Size != 8 {
		v = int64(uint32(v))
	}
	return c.setGeneral(in.Reg, uint64(v))
}

// fromInt is CVTSI2SS and CVTSI2SD.
func (c *CPU) intSource(in *Inst) (int64, bool) {
	v, ok := c.generalSource(in)
	if in.Size != 8 {
		return int64(int32(v)), ok
	}
	return int64(v), ok
}

func opCVTSI2SS(c *CPU, in *Inst) status {
	v, ok := c.intSource(in)
	if !ok {
		return stFault
	}
	e := c.fpEnv()
	r := e.IntTo32(v)
	if st := c.settle(&e); st != stOK {
		return st
	}
	d := c.xmm(in.Reg)
	d.lo = d.lo&^0xffffffff | uint64(r)
	c.setXMM(in.Reg, d)
	return stOK
}

func opCVTSI2SD(c *CPU, in *Inst) status {
	v, ok := c.intSource(in)
	if !ok {
		return stFault
	}
	e := c.fpEnv()
	r := e.IntTo64(v)
	if st := c.settle(&e); st != stOK {
		return st
	}
	c.setXMM(in.Reg, vec{r, c.xmm(in.Reg).hi})
	return stOK
}

// convert128 is a conversion whose source is a whole register or 16 bytes,
// convert64 one from the low half or 8 bytes.
func convert128(truncate bool, f func(e *softfloat.Env, s vec) vec) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source128(in)
		if !ok {
			return stFault
		}
		return c.converted(in, truncate, s, f)
	})
}

func convert64(truncate bool, f func(e *softfloat.Env, s vec) vec) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source64(in)
		if !ok {
			return stFault
		}
		return c.converted(in, truncate, vec{s, 0}, f)
	})
}

func (c *CPU) converted(in *Inst, truncate bool, s vec, f func(e *softfloat.Env, s vec) vec) status {
	e := c.convertEnv(truncate)
	r := f(&e, s)
	if st := c.settle(&e); st != stOK {
		return st
	}
	c.setXMM(in.Reg, r)
	return stOK
}

func cvtdq2ps(e *softfloat.Env, s vec) vec {
	return single4(e, func(e *softfloat.Env, _, v uint32) uint32 { return e.IntTo32(int64(int32(v))) }, vec{}, s)
}

func cvtps2dq(e *softfloat.Env, s vec) vec {
	return single4(e, func(e *softfloat.Env, _, v uint32) uint32 { return uint32(e.F32toInt(v, 32)) }, vec{}, s)
}

func cvtps2pd(e *softfloat.Env, s vec) vec {
	return vec{e.F32to64(uint32(s.lo)), e.F32to64(uint32(s.lo >> 32))}
}

func cvtdq2pd(e *softfloat.Env, s vec) vec {
	return vec{e.IntTo64(int64(int32(s.lo))), e.IntTo64(int64(int32(s.lo >> 32)))}
}

func cvtpd2ps(e *softfloat.Env, s vec) vec {
	return vec{uint64(e.F64to32(s.lo)) | uint64(e.F64to32(s.hi))<<32, 0}
}

func cvtpd2dq(e *softfloat.Env, s vec) vec {
	return vec{uint64(uint32(e.F64toInt(s.lo, 32))) | uint64(uint32(e.F64toInt(s.hi, 32)))<<32, 0}
}

func cvtss2sd() execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source32(in)
		if !ok {
			return stFault
		}
		hi := c.xmm(in.Reg).hi
		return c.converted(in, false, vec{uint64(s), 0}, func(e *softfloat.Env, s vec) vec { return vec{e.F32to64(uint32(s.lo)), hi} })
	})
}

func cvtsd2ss() execFn {
	return guarded(func(c *CPU, in *Inst) status {
		s, ok := c.source64(in)
		if !ok {
			return stFault
		}
		d := c.xmm(in.Reg)
		return c.converted(in, false, vec{s, 0}, func(e *softfloat.Env, s vec) vec {
			return vec{d.lo&^0xffffffff | uint64(e.F64to32(s.lo)), d.hi}
		})
	})
}

// fromMM is CVTPI2PS and CVTPI2PD, which touch the x87 state only when their
// source is an mm register.
func fromMM(f func(e *softfloat.Env, d vec, s uint64) vec) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		var s uint64
		var ok bool
		if in.Flags&FlagMem != 0 {
			if s, ok = c.load64(in.Seg, c.ea(in)); !ok {
				return stFault
			}
		} else {
			if st := c.enterMMX(); st != stOK {
				return st
			}
			s = c.mm(in.RM)
		}
		e := c.fpEnv()
		r := f(&e, c.xmm(in.Reg), s)
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setXMM(in.Reg, r)
		return stOK
	})
}

func cvtpi2ps(e *softfloat.Env, d vec, s uint64) vec {
	return vec{uint64(e.IntTo32(int64(int32(s)))) | uint64(e.IntTo32(int64(int32(s>>32))))<<32, d.hi}
}

func cvtpi2pd(e *softfloat.Env, _ vec, s uint64) vec { return cvtdq2pd(e, vec{s, 0}) }

// toMM is CVTPS2PI, CVTPD2PI and the truncating forms.
func toMM(truncate, double bool) execFn {
	return guarded(func(c *CPU, in *Inst) status {
		if st := c.mmxFault(); st != stOK {
			return st
		}
		var s vec
		var ok bool
		if double {
			s, ok = c.source128(in)
		} else {
			s.lo, ok = c.source64(in)
		}
		if !ok {
			return stFault
		}
		e := c.convertEnv(truncate)
		var r uint64
		if double {
			r = cvtpd2dq(&e, s).lo
		} else {
			r = uint64(uint32(e.F32toInt(uint32(s.lo), 32))) | uint64(uint32(e.F32toInt(uint32(s.lo>>32), 32)))<<32
		}
		c.mmxState()
		if st := c.settle(&e); st != stOK {
			return st
		}
		c.setMM(in.Reg, r)
		return stOK
	})
}

// roundEnv is the environment of ROUNDPS and its kin: bits 0-1 are the mode
// unless bit 2 says MXCSR's, bit 3 suppresses Inexact.
func (c *CPU) roundEnv(in *Inst) softfloat.Env {
	e := c.fpEnv()
	if in.Imm&4 == 0 {
		e.Round = softfloat.Rounding(in.Imm & 3)
	}
	return e
}

func (c *CPU) settleRound(in *Inst, e *softfloat.Env) status {
	if in.Imm&8 != 0 {
		e.Flags &^= softfloat.Inexact
	}
	return c.settle(e)
}

func opROUNDPS(c *CPU, in *Inst) status {
	s, ok := c.source128(in)
	if !ok {
		return stFault
	}
	e := c.roundEnv(in)
	r := single4(&e, func(e *softfloat.Env, _, v uint32) uint32 { return e.Round32(v) }, vec{}, s)
	if st := c.settleRound(in, &e); st != stOK {
		return st
	}
	c.setXMM(in.Reg, r)
	return stOK
}

func opROUNDPD(c *CPU, in *Inst) status {
	s, ok := c.source128(in)
	if !ok {
		return stFault
	}
	e := c.roundEnv(in)
	r := vec{e.Round64(s.lo), e.Round64(s.hi)}
	if st := c.settleRound(in, &e); st != stOK {
		return st
	}
	c.setXMM(in.Reg, r)
	return stOK
}

func opROUNDSS(c *CPU, in *Inst) status {
	s, ok := c.source32(in)
	if !ok {
		return stFault
	}
	e := c.roundEnv(in)
	r := e.Round32(s)
	if st := c.settleRound(in, &e); st != stOK {
		return st
	}
	d := c.xmm(in.Reg)
	d.lo = d.lo&^0xffffffff | uint64(r)
	c.setXMM(in.Reg, d)
	return stOK
}

func opROUNDSD(c *CPU, in *Inst) status {
	s, ok := c.source64(in)
	if !ok {
		return stFault
	}
	e := c.roundEnv(in)
	r := e.Round64(s)
	if st := c.settleRound(in, &e); st != stOK {
		return st
	}
	c.setXMM(in.Reg, vec{r, c.xmm(in.Reg).hi})
	return stOK
}

// approximate is RCPSS and RSQRTSS, whose results processors choose within
// 1.5 * 2^-12: here the exact value rounded to 12 bits. They raise nothing.
func approximate(f func(x float64) float64) fp32 {
	return func(_ *softfloat.Env, _, b uint32) uint32 {
		switch exp, frac := b>>23&0xff, b&(1<<23-1); {
		case exp == 0xff && frac != 0:
			return b | 1<<22
		case exp == 0:
			return b&(1<<31) | 0xff<<23 // zeros and denormals
		}
		r := f(float64(math.Float32frombits(b)))
		if r != r {
			return 0xffc00000
		}
		v := math.Float32bits(float32(r))
		if v>>23&0xff == 0 {
			return v & (1 << 31)
		}
		return (v + 1<<10) &^ (1<<11 - 1)
	}
}

// stage ends a stage of a dot product: exceptions found before it is done hide
// its own others, not those of earlier stages. false ends the instruction.
func stage(e *softfloat.Env, all *softfloat.Flags) bool {
	f := e.Flags
	if f&before&^e.Mask != 0 {
		f &= before
	}
	*all |= f
	e.Flags = 0
	return f&^e.Mask == 0
}

// DPPS and DPPD are dot products: products chosen by the high half of the
// immediate, stored where the low half says. Sums are made of pairs.
func opDPPS(c *CPU, in *Inst) status {
	s, ok := c.source128(in)
	if !ok {
		return stFault
	}
	e := c.fpEnv()
	var all softfloat.Flags
	d := c.xmm(in.Reg)
	var p [4]uint32
	for i := range p {
		if in.Imm>>(4+i)&1 != 0 {
			p[i] = e.Arith32(softfloat.Mul, d.dword(uint(i)), s.dword(uint(i)))
		}
	}
	if !stage(&e, &all) {
		return c.raised(&e, all)
	}
	a, b := e.Arith32(softfloat.Add, p[0], p[1]), e.Arith32(softfloat.Add, p[2], p[3])
	if !stage(&e, &all) {
		return c.raised(&e, all)
	}
	sum := e.Arith32(softfloat.Add, a, b)
	stage(&e, &all)
	if st := c.raised(&e, all); st != stOK {
		return st
	}
	var r vec
	for i := range uint(4) {
		if in.Imm>>i&1 != 0 {
			r.setDword(i, sum)
		}
	}
	c.setXMM(in.Reg, r)
	return stOK
}

func opDPPD(c *CPU, in *Inst) status {
	s, ok := c.source128(in)
	if !ok {
		return stFault
	}
	e := c.fpEnv()
	var all softfloat.Flags
	d := c.xmm(in.Reg)
	var p [2]uint64
	if in.Imm&0x10 != 0 {
		p[0] = e.Arith64(softfloat.Mul, d.lo, s.lo)
	}
	if in.Imm&0x20 != 0 {
		p[1] = e.Arith64(softfloat.Mul, d.hi, s.hi)
	}
	if !stage(&e, &all) {
		return c.raised(&e, all)
	}
	sum := e.Arith64(softfloat.Add, p[0], p[1])
	stage(&e, &all)
	if st := c.raised(&e, all); st != stOK {
		return st
	}
	var r vec
	if in.Imm&1 != 0 {
		r.lo = sum
	}
	if in.Imm&2 != 0 {
		r.hi = sum
	}
	c.setXMM(in.Reg, r)
	return stOK
}
