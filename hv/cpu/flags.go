package cpu

import (
	"math/bits"
	"unsafe"

	"pvlab/hv/x86"
)

// lazyFlags holds what the six arithmetic flags are computed from when
// somebody asks. Three words are written by every arithmetic instruction:
//
//	ZF  zero == 0
//	SF  bit 63 of sign
//	PF  even parity of the low byte of sign
//	CF  bit 63 of carry
//	OF  bit 63 xor bit 62 of carry
//	AF  bit 3 of carry
//
// carry is the vector of carries (of borrows, when subtracting) out of each
// bit, shifted so that the operand's top bit is bit 63, with the low nibble's
// kept in place; its other bits mean nothing.
type lazyFlags struct {
	zero, sign, carry uint64
}

const (
	carryCF = 1 << 63
	carryOF = 1 << 62 // OF differs from CF
	carryAF = 1 << 3
)

func (l *lazyFlags) cf() bool { return int64(l.carry) < 0 }
func (l *lazyFlags) zf() bool { return l.zero == 0 }
func (l *lazyFlags) sf() bool { return int64(l.sign) < 0 }
func (l *lazyFlags) of() bool { return int64(l.carry^l.carry<<1) < 0 }
func (l *lazyFlags) pf() bool { return bits.OnesCount8(uint8(l.sign))&1 == 0 }
func (l *lazyFlags) af() bool { return l.carry&carryAF != 0 }

// carryBit is CF as a number.
func (l *lazyFlags) carryBit() uint64 { return l.carry >> 63 }

// word is FlagsStatus as RFLAGS has it.
func (l *lazyFlags) word() (f uint64) {
	f = l.carry >> 63 // CF is bit 0
	if l.pf() {
		f |= x86.FlagPF
	}
	f |= l.carry & carryAF << 1
	if l.zf() {
		f |= x86.FlagZF
	}
	f |= l.sign >> 63 << 7
	f |= (l.carry ^ l.carry<<1) >> 63 << 11
	return f
}

// setWord makes the flags those of an RFLAGS value.
func (l *lazyFlags) setWord(f uint64) {
	l.zero = ^f & x86.FlagZF
	l.sign = f&x86.FlagSF<<56 | (f&x86.FlagPF>>2 ^ 1)
	l.carry = f&x86.FlagAF>>1 | f<<63
	if (f>>11^f)&1 != 0 {
		l.carry |= carryOF
	}
}

// setCarry changes CF alone.
func (l *lazyFlags) setCarry(cf bool) {
	if l.cf() != cf {
		l.carry ^= carryCF | carryOF
	}
}

// Flags returns RFLAGS.
func (c *CPU) Flags() uint64 { return c.rflags | c.lazy.word() | x86.FlagOne }

// SetFlags replaces RFLAGS as a whole; bits that do not exist are dropped.
func (c *CPU) SetFlags(f uint64) {
	c.lazy.setWord(f)
	c.rflags = f & (x86.FlagsDefined &^ (x86.FlagsStatus | x86.FlagOne))
	c.updateView()
}

// condition evaluates the condition of Jcc, SETcc and CMOVcc: the low four
// opcode bits (SDM vol. 1, appendix B, "EFLAGS Condition Codes").
func (c *CPU) condition(cc uint8) bool {
	l := &c.lazy
	var r bool
	switch cc >> 1 & 7 {
	case 0:
		r = l.of()
	case 1:
		r = l.cf()
	case 2:
		r = l.zf()
	case 3:
		r = l.cf() || l.zf()
	case 4:
		r = l.sf()
	case 5:
		r = l.pf()
	case 6:
		r = l.sf() != l.of()
	case 7:
		r = l.zf() || l.sf() != l.of()
	}
	return r != (cc&1 != 0)
}

// word is an operand size.
type word interface {
	uint8 | uint16 | uint32 | uint64
}

func bytesOf[T word]() uint { return uint(unsafe.Sizeof(T(0))) }

func bitsOf[T word]() uint { return 8 * bytesOf[T]() }

// signBit is the top bit of T.
func signBit[T word](v T) bool { return v>>(bitsOf[T]()-1) != 0 }

// extend sign-extends to 64 bits.
func extend[T word](v T) uint64 {
	s := 64 - bitsOf[T]()
	return uint64(int64(uint64(v)<<s) >> s)
}

// setResult sets ZF, SF and PF by r, and the rest by a carry vector of T.
func setResult[T word](c *CPU, r T, carry T) {
	v := extend(r)
	c.lazy = lazyFlags{zero: v, sign: v, carry: uint64(carry)<<(64-bitsOf[T]()) | uint64(carry)&carryAF}
}

// setLogic sets the flags of a logic operation: CF, OF and AF clear.
func setLogic[T word](c *CPU, r T) {
	v := extend(r)
	c.lazy = lazyFlags{zero: v, sign: v}
}

// addFlags sets the flags of r = a + b (+ carry in) and subFlags those of
// r = a - b (- borrow in).
func addFlags[T word](c *CPU, a, b, r T) { setResult(c, r, a&b|(a|b)&^r) }

func subFlags[T word](c *CPU, a, b, r T) { setResult(c, r, ^a&b|(^a|b)&r) }
