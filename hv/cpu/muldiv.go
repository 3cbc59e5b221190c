package cpu

import (
	"math/bits"
	"unsafe"

	"pvlab/hv/x86"
)

// MUL, IMUL, DIV, IDIV.

func mulRows() []row {
	return []row{
		{m: map1, op: 0xf6, digit: d4, name: "MUL", form: formModRM, size: sizeB, fn: oneSource(mulOp[uint8], mulOp[uint16], mulOp[uint32], mulOp[uint64])},
		{m: map1, op: 0xf7, digit: d4, name: "MUL", form: formModRM, fn: oneSource(mulOp[uint8], mulOp[uint16], mulOp[uint32], mulOp[uint64])},
		{m: map1, op: 0xf6, digit: d5, name: "IMUL", form: formModRM, size: sizeB, fn: oneSource(imulOp[uint8], imulOp[uint16], imulOp[uint32], imulOp[uint64])},
		{m: map1, op: 0xf7, digit: d5, name: "IMUL", form: formModRM, fn: oneSource(imulOp[uint8], imulOp[uint16], imulOp[uint32], imulOp[uint64])},
		{m: map1, op: 0xf6, digit: d6, name: "DIV", form: formModRM, size: sizeB, fn: oneSource(divOp[uint8], divOp[uint16], divOp[uint32], divOp[uint64])},
		{m: map1, op: 0xf7, digit: d6, name: "DIV", form: formModRM, fn: oneSource(divOp[uint8], divOp[uint16], divOp[uint32], divOp[uint64])},
		{m: map1, op: 0xf6, digit: d7, name: "IDIV", form: formModRM, size: sizeB, fn: oneSource(idivOp[uint8], idivOp[uint16], idivOp[uint32], idivOp[uint64])},
		{m: map1, op: 0xf7, digit: d7, name: "IDIV", form: formModRM, fn: oneSource(idivOp[uint8], idivOp[uint16], idivOp[uint32], idivOp[uint64])},
		{m: map0F, op: 0xaf, name: "IMUL", form: formModRM, fn: imul2},
		{m: map1, op: 0x69, name: "IMUL", form: formModRM | formImmZ, fn: imul3},
		{m: map1, op: 0x6b, name: "IMUL", form: formModRM | formImm8, fn: imul3},
	}
}

// sourceOp works on the accumulator with one source operand.
type sourceOp[T word] func(c *CPU, src T) status

func oneSource(f1 sourceOp[uint8], f2 sourceOp[uint16], f4 sourceOp[uint32], f8 sourceOp[uint64]) fns {
	return fns{
		reg: [4]execFn{sourceReg(f1), sourceReg(f2), sourceReg(f4), sourceReg(f8)},
		mem: [4]execFn{sourceMem(f1), sourceMem(f2), sourceMem(f4), sourceMem(f8)},
	}
}

func sourceReg[T word](f sourceOp[T]) execFn {
	return func(c *CPU, in *Inst) status { return f(c, reg[T](c, in.RM)) }
}

func sourceMem[T word](f sourceOp[T]) execFn {
	return func(c *CPU, in *Inst) status {
		v, ok := loadT[T](c, in, c.ea(in))
		if !ok {
			return stFault
		}
		return f(c, v)
	}
}

// mulFlags sets CF and OF together; SF, ZF and PF follow the low half and AF
// is cleared. The manuals leave all four undefined; this is what QEMU does, so
// that runs can be compared with it.
func mulFlags[T word](c *CPU, low T, overflow bool) {
	c.lazy = lazyFlags{zero: extend(low), sign: extend(low)}
	if overflow {
		c.lazy.carry = carryCF
	}
}

// wideMul multiplies to twice the width.
func wideMul[T word](a, b T) (hi, lo T) {
	if unsafe.Sizeof(a) == 8 {
		h, l := bits.Mul64(uint64(a), uint64(b))
		return T(h), T(l)
	}
	p := uint64(a) * uint64(b)
	return T(p >> bitsOf[T]()), T(p)
}

// wideIMul is the signed wideMul.
func wideIMul[T word](a, b T) (hi, lo T) {
	hi, lo = wideMul(a, b)
	if signBit(a) {
		hi -= b
	}
	if signBit(b) {
		hi -= a
	}
	return hi, lo
}

// highHalf and setHighHalf are the upper part of the double-width
// accumulator: AH for bytes, else the data register.
func highHalf[T word](c *CPU) T {
	if unsafe.Sizeof(T(0)) == 1 {
		return reg[T](c, highByte+x86.RAX)
	}
	return reg[T](c, x86.RDX)
}

func setHighHalf[T word](c *CPU, v T) {
	if unsafe.Sizeof(T(0)) == 1 {
		setReg(c, highByte+x86.RAX, v)
		return
	}
	setReg(c, x86.RDX, v)
}

func mulOp[T word](c *CPU, src T) status {
	hi, lo := wideMul(reg[T](c, x86.RAX), src)
	setReg(c, x86.RAX, lo)
	setHighHalf(c, hi)
	mulFlags(c, lo, hi != 0)
	return stOK
}

func imulOp[T word](c *CPU, src T) status {
	hi, lo := wideIMul(reg[T](c, x86.RAX), src)
	setReg(c, x86.RAX, lo)
	setHighHalf(c, hi)
	mulFlags(c, lo, hi != signFill(lo))
	return stOK
}

// signFill is all ones for a negative value, else zero.
func signFill[T word](v T) T {
	if signBit(v) {
		return ^T(0)
	}
	return 0
}

// imulTo is the truncating multiplication of the two- and three-operand forms.
func imulTo[T word](c *CPU, a, b T) T {
	hi, lo := wideIMul(a, b)
	mulFlags(c, lo, hi != signFill(lo))
	return lo
}

var (
	imul2 = fns{
		reg: [4]execFn{1: imul2Reg[uint16], 2: imul2Reg[uint32], 3: imul2Reg[uint64]},
		mem: [4]execFn{1: imul2Mem[uint16], 2: imul2Mem[uint32], 3: imul2Mem[uint64]},
	}
	imul3 = fns{
		reg: [4]execFn{1: imul3Reg[uint16], 2: imul3Reg[uint32], 3: imul3Reg[uint64]},
		mem: [4]execFn{1: imul3Mem[uint16], 2: imul3Mem[uint32], 3: imul3Mem[uint64]},
	}
)

func imul2Reg[T word](c *CPU, in *Inst) status {
	setReg(c, in.Reg, imulTo(c, reg[T](c, in.Reg), reg[T](c, in.RM)))
	return stOK
}

func imul2Mem[T word](c *CPU, in *Inst) status {
	v, ok := loadT[T](c, in, c.ea(in))
	if ok {
		setReg(c, in.Reg, imulTo(c, reg[T](c, in.Reg), v))
	}
	return done(ok)
}

func imul3Reg[T word](c *CPU, in *Inst) status {
	setReg(c, in.Reg, imulTo(c, reg[T](c, in.RM), T(in.Imm)))
	return stOK
}

func imul3Mem[T word](c *CPU, in *Inst) status {
	v, ok := loadT[T](c, in, c.ea(in))
	if ok {
		setReg(c, in.Reg, imulTo(c, v, T(in.Imm)))
	}
	return done(ok)
}

// wideDiv divides hi:lo by d; ok is false when the quotient does not fit.
func wideDiv[T word](hi, lo, d T) (q, r T, ok bool) {
	if d <= hi { // also d == 0
		return 0, 0, false
	}
	if unsafe.Sizeof(d) == 8 {
		q, r := bits.Div64(uint64(hi), uint64(lo), uint64(d))
		return T(q), T(r), true
	}
	n := uint64(hi)<<bitsOf[T]() | uint64(lo)
	return T(n / uint64(d)), T(n % uint64(d)), true
}

// DIV and IDIV leave the flags alone: they are undefined.

func divOp[T word](c *CPU, src T) status {
	q, r, ok := wideDiv(highHalf[T](c), reg[T](c, x86.RAX), src)
	if !ok {
		return c.except(x86.VectorDE)
	}
	setReg(c, x86.RAX, q)
	setHighHalf(c, r)
	return stOK
}

func idivOp[T word](c *CPU, src T) status {
	hi, lo := highHalf[T](c), reg[T](c, x86.RAX)
	neg := signBit(hi)
	if neg { // two's complement of the double word
		lo = -lo
		hi = ^hi
		if lo == 0 {
			hi++
		}
	}
	d := src
	if signBit(src) {
		d = -src
	}
	q, r, ok := wideDiv(hi, lo, d)
	// The magnitude may be one more for a negative quotient.
	limit := ^T(0) >> 1
	if neg != signBit(src) {
		limit++
	}
	if !ok || q > limit {
		return c.except(x86.VectorDE)
	}
	if neg != signBit(src) {
		q = -q
	}
	if neg {
		r = -r
	}
	setReg(c, x86.RAX, q)
	setHighHalf(c, r)
	return stOK
}
