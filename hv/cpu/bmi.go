package cpu

import (
	"math/bits"
	"unsafe"

	"pvlab/hv/x86"
)

// BMI1, BMI2 and ADX on general registers.

func bmiRows() []row {
	const rmv = formModRM | formVVVV
	return []row{
		{m: mapVEX38, op: 0xf2, pfx: pNone, name: "ANDN", form: rmv, size: sizeY, fn: vexFns(andn[uint32], andn[uint64])},
		{m: mapVEX38, op: 0xf3, pfx: pNone, digit: d1, name: "BLSR", form: rmv, size: sizeY, fn: blsFns(blsr[uint32], blsr[uint64])},
		{m: mapVEX38, op: 0xf3, pfx: pNone, digit: d2, name: "BLSMSK", form: rmv, size: sizeY, fn: blsFns(blsmsk[uint32], blsmsk[uint64])},
		{m: mapVEX38, op: 0xf3, pfx: pNone, digit: d3, name: "BLSI", form: rmv, size: sizeY, fn: blsFns(blsi[uint32], blsi[uint64])},
		{m: mapVEX38, op: 0xf5, pfx: pNone, name: "BZHI", form: rmv, size: sizeY, fn: vexFns(bzhi[uint32], bzhi[uint64])},
		{m: mapVEX38, op: 0xf5, pfx: pF2, name: "PDEP", form: rmv, size: sizeY, fn: vexFns(pdep[uint32], pdep[uint64])},
		{m: mapVEX38, op: 0xf5, pfx: pF3, name: "PEXT", form: rmv, size: sizeY, fn: vexFns(pext[uint32], pext[uint64])},
		{m: mapVEX38, op: 0xf6, pfx: pF2, name: "MULX", form: rmv, size: sizeY, fn: fns{
			reg: [4]execFn{2: mulxReg[uint32], 3: mulxReg[uint64]}, mem: [4]execFn{2: mulxMem[uint32], 3: mulxMem[uint64]}}},
		{m: mapVEX38, op: 0xf7, pfx: pNone, name: "BEXTR", form: rmv, size: sizeY, fn: vexFns(bextr[uint32], bextr[uint64])},
		{m: mapVEX38, op: 0xf7, pfx: p66, name: "SHLX", form: rmv, size: sizeY, fn: vexFns(shlx[uint32], shlx[uint64])},
		{m: mapVEX38, op: 0xf7, pfx: pF3, name: "SARX", form: rmv, size: sizeY, fn: vexFns(sarx[uint32], sarx[uint64])},
		{m: mapVEX38, op: 0xf7, pfx: pF2, name: "SHRX", form: rmv, size: sizeY, fn: vexFns(shrx[uint32], shrx[uint64])},
		{m: mapVEX3A, op: 0xf0, pfx: pF2, name: "RORX", form: formModRM | formImm8U, size: sizeY, fn: fns{
			reg: [4]execFn{2: rorxReg[uint32], 3: rorxReg[uint64]}, mem: [4]execFn{2: rorxMem[uint32], 3: rorxMem[uint64]}}},
		{m: map0F38, op: 0xf6, pfx: p66, name: "ADCX", form: formModRM, size: sizeY, fn: fns{
			reg: [4]execFn{2: adxReg[uint32](false), 3: adxReg[uint64](false)}, mem: [4]execFn{2: adxMem[uint32](false), 3: adxMem[uint64](false)}}},
		{m: map0F38, op: 0xf6, pfx: pF3, name: "ADOX", form: formModRM, size: sizeY, fn: fns{
			reg: [4]execFn{2: adxReg[uint32](true), 3: adxReg[uint64](true)}, mem: [4]execFn{2: adxMem[uint32](true), 3: adxMem[uint64](true)}}},
	}
}

// vexFns is Reg = f(r/m, V).
func vexFns(f4 core[uint32], f8 core[uint64]) fns {
	return fns{
		reg: [4]execFn{2: vexReg(f4), 3: vexReg(f8)},
		mem: [4]execFn{2: vexMem(f4), 3: vexMem(f8)},
	}
}

func vexReg[T word](f core[T]) execFn {
	return func(c *CPU, in *Inst) status {
		setReg(c, in.Reg, f(c, reg[T](c, in.RM), reg[T](c, in.V)))
		return stOK
	}
}

func vexMem[T word](f core[T]) execFn {
	return func(c *CPU, in *Inst) status {
		v, ok := loadT[T](c, in, c.ea(in))
		if ok {
			setReg(c, in.Reg, f(c, v, reg[T](c, in.V)))
		}
		return done(ok)
	}
}

func andn[T word](c *CPU, a, v T) T { r := a &^ v; setLogic(c, r); return r }

func shlx[T word](_ *CPU, a, v T) T { return a << (uint(v) & (bitsOf[T]() - 1)) }
func shrx[T word](_ *CPU, a, v T) T { return a >> (uint(v) & (bitsOf[T]() - 1)) }

func sarx[T word](_ *CPU, a, v T) T {
	return T(int64(extend(a)) >> (uint(v) & (bitsOf[T]() - 1)))
}

// bextr takes start from bits 0-7 of v and length from bits 8-15.
func bextr[T word](c *CPU, a, v T) T {
	start, length := uint(v)&0xff, uint(v)>>8&0xff
	r := a >> start
	if length < bitsOf[T]() {
		r &= T(1)<<length - 1
	}
	setLogic(c, r)
	return r
}

// bzhi clears the bits of a from index v up; CF says that v was too large.
func bzhi[T word](c *CPU, a, v T) T {
	n := uint(v) & 0xff
	r := a
	if n < bitsOf[T]() {
		r &= T(1)<<n - 1
	}
	setLogic(c, r)
	c.setCO(n >= bitsOf[T](), false)
	return r
}

// pdep spreads the low bits of v over the set bits of mask a; pext collects.

func pdep[T word](_ *CPU, mask, v T) (r T) {
	for m := uint64(mask); m != 0; m &= m - 1 {
		if v&1 != 0 {
			r |= T(m & -m)
		}
		v >>= 1
	}
	return r
}

func pext[T word](_ *CPU, mask, v T) (r T) {
	n := 0
	for m := uint64(mask); m != 0; m &= m - 1 {
		if uint64(v)&(m&-m) != 0 {
			r |= T(1) << n
		}
		n++
	}
	return r
}

// blsFns is V = f(r/m).
func blsFns(f4 unaryCore[uint32], f8 unaryCore[uint64]) fns {
	return fns{
		reg: [4]execFn{2: blsReg(f4), 3: blsReg(f8)},
		mem: [4]execFn{2: blsMem(f4), 3: blsMem(f8)},
	}
}

func blsReg[T word](f unaryCore[T]) execFn {
	return func(c *CPU, in *Inst) status {
		setReg(c, in.V, f(c, reg[T](c, in.RM)))
		return stOK
	}
}

func blsMem[T word](f unaryCore[T]) execFn {
	return func(c *CPU, in *Inst) status {
		v, ok := loadT[T](c, in, c.ea(in))
		if ok {
			setReg(c, in.V, f(c, v))
		}
		return done(ok)
	}
}

func blsr[T word](c *CPU, a T) T   { return blsFlags(c, a&(a-1), a == 0) }
func blsmsk[T word](c *CPU, a T) T { return blsFlags(c, a^(a-1), a == 0) }
func blsi[T word](c *CPU, a T) T   { return blsFlags(c, a&-a, a != 0) }

func blsFlags[T word](c *CPU, r T, cf bool) T {
	setLogic(c, r)
	c.setCO(cf, false)
	return r
}

// MULX writes the low half first, so that the high half wins when both go to
// one register. It changes no flags.

func mulx[T word](c *CPU, in *Inst, v T) {
	hi, lo := wideMul(reg[T](c, x86.RDX), v)
	setReg(c, in.V, lo)
	setReg(c, in.Reg, hi)
}

func mulxReg[T word](c *CPU, in *Inst) status {
	mulx(c, in, reg[T](c, in.RM))
	return stOK
}

func mulxMem[T word](c *CPU, in *Inst) status {
	v, ok := loadT[T](c, in, c.ea(in))
	if ok {
		mulx(c, in, v)
	}
	return done(ok)
}

func rotateRight[T word](v T, n uint) T {
	if unsafe.Sizeof(v) == 8 {
		return T(bits.RotateLeft64(uint64(v), -int(n&63)))
	}
	return T(bits.RotateLeft32(uint32(v), -int(n&31)))
}

func rorxReg[T word](c *CPU, in *Inst) status {
	setReg(c, in.Reg, rotateRight(reg[T](c, in.RM), uint(in.Imm)))
	return stOK
}

func rorxMem[T word](c *CPU, in *Inst) status {
	v, ok := loadT[T](c, in, c.ea(in))
	if ok {
		setReg(c, in.Reg, rotateRight(v, uint(in.Imm)))
	}
	return done(ok)
}

// adx adds with carry through CF (ADCX) or OF (ADOX) and changes no other flag.
func adx[T word](c *CPU, a, b T, overflow bool) T {
	cf, of := c.lazy.cf(), c.lazy.of()
	in := cf
	if overflow {
		in = of
	}
	var one uint64
	if in {
		one = 1
	}
	r := a + b + T(one)
	out := signBit(a&b | (a|b)&^r)
	if overflow {
		c.setCO(cf, out)
	} else {
		c.setCO(out, of)
	}
	return r
}

func adxReg[T word](overflow bool) execFn {
	return func(c *CPU, in *Inst) status {
		setReg(c, in.Reg, adx(c, reg[T](c, in.Reg), reg[T](c, in.RM), overflow))
		return stOK
	}
}

func adxMem[T word](overflow bool) execFn {
	return func(c *CPU, in *Inst) status {
		v, ok := loadT[T](c, in, c.ea(in))
		if ok {
			setReg(c, in.Reg, adx(c, reg[T](c, in.Reg), v, overflow))
		}
		return done(ok)
	}
}
