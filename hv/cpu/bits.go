package cpu

import (
	"math/bits"
	"unsafe"
)

// BT, BTS, BTR, BTC; BSF, BSR, TZCNT, LZCNT, POPCNT; CRC32.

func bitRows() (rows []row) {
	const legacy = pNone | p66 | pF2 // not F3, which makes another instruction
	names := [4]string{"BT", "BTS", "BTR", "BTC"}
	for i, name := range names {
		at := attrLock | attrWrite
		if i == 0 {
			at = 0
		}
		op := bitOp(i)
		byReg := fns{
			reg: [4]execFn{1: btReg[uint16](op), 2: btReg[uint32](op), 3: btReg[uint64](op)},
			mem: [4]execFn{1: btMem[uint16](op), 2: btMem[uint32](op), 3: btMem[uint64](op)},
		}
		byImm := fns{
			reg: [4]execFn{1: btRegImm[uint16](op), 2: btRegImm[uint32](op), 3: btRegImm[uint64](op)},
			mem: [4]execFn{1: btMemImm[uint16](op), 2: btMemImm[uint32](op), 3: btMemImm[uint64](op)},
		}
		rows = append(rows,
			row{m: map0F, op: 0xa3 + uint8(i)*8, name: name, form: formModRM, attr: at, fn: byReg},
			row{m: map0F, op: 0xba, digit: d4 << i, name: name, form: formModRM | formImm8U, attr: at, fn: byImm})
	}
	return append(rows,
		row{m: map0F, op: 0xbc, pfx: legacy, name: "BSF", form: formModRM, fn: scanFns(bsf[uint16], bsf[uint32], bsf[uint64])},
		row{m: map0F, op: 0xbd, pfx: legacy, name: "BSR", form: formModRM, fn: scanFns(bsr[uint16], bsr[uint32], bsr[uint64])},
		row{m: map0F, op: 0xbc, pfx: pF3, name: "TZCNT", form: formModRM, fn: scanFns(tzcnt[uint16], tzcnt[uint32], tzcnt[uint64])},
		row{m: map0F, op: 0xbd, pfx: pF3, name: "LZCNT", form: formModRM, fn: scanFns(lzcnt[uint16], lzcnt[uint32], lzcnt[uint64])},
		row{m: map0F, op: 0xb8, pfx: pF3, name: "POPCNT", form: formModRM, fn: scanFns(popcnt[uint16], popcnt[uint32], popcnt[uint64])},
		row{m: map0F38, op: 0xf0, pfx: pF2, name: "CRC32", form: formModRM, size: sizeY, acc: acc1, attr: attrByteRM, fn: crcByte},
		row{m: map0F38, op: 0xf1, pfx: pF2, name: "CRC32", form: formModRM, fn: crcWord},
	)
}

type bitOp uint8

const (
	bitTest bitOp = iota
	bitSet
	bitReset
	bitComplement
)

// testBit sets CF to the bit and returns the changed value.
func testBit[T word](c *CPU, op bitOp, v T, n uint) T {
	m := T(1) << n
	c.lazy.setCarry(v&m != 0)
	switch op {
	case bitSet:
		v |= m
	case bitReset:
		v &^= m
	case bitComplement:
		v ^= m
	}
	return v
}

func btReg[T word](op bitOp) execFn {
	return func(c *CPU, in *Inst) status {
		n := uint(reg[T](c, in.Reg)) & (bitsOf[T]() - 1)
		v := testBit(c, op, reg[T](c, in.RM), n)
		if op != bitTest {
			setReg(c, in.RM, v)
		}
		return stOK
	}
}

func btRegImm[T word](op bitOp) execFn {
	return func(c *CPU, in *Inst) status {
		v := testBit(c, op, reg[T](c, in.RM), uint(in.Imm)&(bitsOf[T]()-1))
		if op != bitTest {
			setReg(c, in.RM, v)
		}
		return stOK
	}
}

// btMem takes its bit from a string of bits: the register is a signed bit
// offset from the operand's address.
func btMem[T word](op bitOp) execFn {
	return func(c *CPU, in *Inst) status {
		off := int64(extend(reg[T](c, in.Reg)))
		size := int64(bytesOf[T]())
		lin := c.eaPlus(in, off>>3&^(size-1))
		return btAt[T](c, in, op, lin, uint(off)&(bitsOf[T]()-1))
	}
}

func btMemImm[T word](op bitOp) execFn {
	return func(c *CPU, in *Inst) status {
		return btAt[T](c, in, op, c.ea(in), uint(in.Imm)&(bitsOf[T]()-1))
	}
}

func btAt[T word](c *CPU, in *Inst, op bitOp, lin uint64, n uint) status {
	if op == bitTest {
		v, ok := loadT[T](c, in, lin)
		if ok {
			testBit(c, op, v, n)
		}
		return done(ok)
	}
	v, ok := loadRMWT[T](c, in, lin)
	if !ok {
		return stFault
	}
	return storeT(c, in, lin, testBit(c, op, v, n))
}

// scan computes a result from the source, sets flags, and says whether the
// destination is written.
type scan[T word] func(c *CPU, v T) (T, bool)

func scanFns(f2 scan[uint16], f4 scan[uint32], f8 scan[uint64]) fns {
	return fns{
		reg: [4]execFn{1: scanReg(f2), 2: scanReg(f4), 3: scanReg(f8)},
		mem: [4]execFn{1: scanMem(f2), 2: scanMem(f4), 3: scanMem(f8)},
	}
}

func scanReg[T word](f scan[T]) execFn {
	return func(c *CPU, in *Inst) status {
		if r, ok := f(c, reg[T](c, in.RM)); ok {
			setReg(c, in.Reg, r)
		}
		return stOK
	}
}

func scanMem[T word](f scan[T]) execFn {
	return func(c *CPU, in *Inst) status {
		v, ok := loadT[T](c, in, c.ea(in))
		if !ok {
			return stFault
		}
		if r, ok := f(c, v); ok {
			setReg(c, in.Reg, r)
		}
		return stOK
	}
}

// BSF and BSR of zero leave the destination alone (documented by AMD, true of
// Intel) and set ZF; their other flags are undefined and kept.

func bsf[T word](c *CPU, v T) (T, bool) {
	c.setZF(v == 0)
	return T(bits.TrailingZeros64(uint64(v))), v != 0
}

func bsr[T word](c *CPU, v T) (T, bool) {
	c.setZF(v == 0)
	return T(63 - bits.LeadingZeros64(uint64(v))), v != 0
}

// countFlags sets the flags of TZCNT and LZCNT: CF when the source is zero,
// ZF when the result is; the others are undefined and kept.
func countFlags[T word](c *CPU, v, r T) {
	c.setZF(r == 0)
	c.lazy.setCarry(v == 0)
}

func tzcnt[T word](c *CPU, v T) (T, bool) {
	r := T(min(bits.TrailingZeros64(uint64(v)), int(bitsOf[T]())))
	countFlags(c, v, r)
	return r, true
}

func lzcnt[T word](c *CPU, v T) (T, bool) {
	r := T(bits.LeadingZeros64(uint64(v)) - 64 + int(bitsOf[T]()))
	countFlags(c, v, r)
	return r, true
}

// popcnt clears all flags but ZF.
func popcnt[T word](c *CPU, v T) (T, bool) {
	c.lazy = lazyFlags{zero: uint64(v), sign: 1}
	return T(bits.OnesCount64(uint64(v))), true
}

// CRC32 accumulates the Castagnoli polynomial, bit-reflected, without the
// inversions usual at start and end (SDM vol. 2, "CRC32").
const castagnoli = 0x82f63b78

func crc32c(crc uint32, v uint64, bytes uint) uint32 {
	for i := uint(0); i < bytes; i++ {
		crc ^= uint32(uint8(v >> (8 * i)))
		for range 8 {
			crc = crc>>1 ^ castagnoli&-(crc&1)
		}
	}
	return crc
}

var (
	crcByte = fns{
		reg: [4]execFn{2: crcReg[uint8], 3: crcReg[uint8]},
		mem: [4]execFn{2: crcMem[uint8], 3: crcMem[uint8]},
	}
	crcWord = fns{
		reg: [4]execFn{1: crcReg[uint16], 2: crcReg[uint32], 3: crcReg[uint64]},
		mem: [4]execFn{1: crcMem[uint16], 2: crcMem[uint32], 3: crcMem[uint64]},
	}
)

func crcReg[T word](c *CPU, in *Inst) status {
	c.R[in.Reg&31] = uint64(crc32c(uint32(c.R[in.Reg&31]), uint64(reg[T](c, in.RM)), uint(unsafe.Sizeof(T(0)))))
	return stOK
}

func crcMem[T word](c *CPU, in *Inst) status {
	v, ok := loadT[T](c, in, c.ea(in))
	if ok {
		c.R[in.Reg&31] = uint64(crc32c(uint32(c.R[in.Reg&31]), uint64(v), uint(unsafe.Sizeof(T(0)))))
	}
	return done(ok)
}
