package cpu

import (
	"math/bits"

	"pvlab/hv/x86"
)

// The string comparisons of SSE4.2 (SDM vol. 2, chapter 4.1, "Imm8 Control Byte
// Operation for PCMPESTRI / PCMPESTRM / PCMPISTRI / PCMPISTRM").
//
//	imm8 0    words instead of bytes
//	     1    signed
//	     2-3  equal any, ranges, equal each, equal ordered
//	     4    negate
//	     5    negate only within the second string
//	     6    index of the last one; mask of elements

func stringCompareRows() (rows []row) {
	for i, name := range []string{"PCMPESTRM", "PCMPESTRI", "PCMPISTRM", "PCMPISTRI"} {
		explicit, index := i < 2, i&1 == 1
		rows = append(rows, row{m: map0F3A, op: 0x60 + uint8(i), pfx: p66, name: name, form: formModRM | formImm8U, size: sizeY, acc: acc16,
			fn: all(guarded(func(c *CPU, in *Inst) status { return c.compareStrings(in, explicit, index) }))})
	}
	return rows
}

// fragment is a string operand: n elements, of which the first length count.
type fragment struct {
	v             vec
	words, signed bool
	n, length     uint
}

// at is element i, so that signed and unsigned ones compare alike.
func (s *fragment) at(i uint) int32 {
	switch {
	case s.words && s.signed:
		return int32(int16(s.v.word(i)))
	case s.words:
		return int32(s.v.word(i))
	case s.signed:
		return int32(int8(s.v.byteAt(i)))
	}
	return int32(s.v.byteAt(i))
}

func newFragment(v vec, imm uint8) fragment {
	s := fragment{v: v, words: imm&1 != 0, signed: imm&2 != 0, n: 16}
	if s.words {
		s.n = 8
	}
	return s
}

// toNull sets the length of a string that ends with a zero element.
func (s *fragment) toNull() {
	for s.length = 0; s.length < s.n && s.at(s.length) != 0; s.length++ {
	}
}

// explicit sets the length from a register: the absolute value, at most n.
func (s *fragment) explicit(v uint64, size uint8) {
	if size == 4 {
		v = uint64(int64(int32(v)))
	}
	if int64(v) < 0 {
		v = -v
	}
	s.length = uint(min(v, uint64(s.n)))
}

func (c *CPU) compareStrings(in *Inst, explicit, index bool) status {
	v, ok := c.xmm(in.RM), true
	if in.Flags&FlagMem != 0 {
		if v, ok = c.load128(in, false); !ok {
			return stFault
		}
	}
	imm := uint8(in.Imm)
	a, b := newFragment(c.xmm(in.Reg), imm), newFragment(v, imm)
	if explicit {
		a.explicit(c.R[x86.RAX], in.Size)
		b.explicit(c.R[x86.RDX], in.Size)
	} else {
		a.toNull()
		b.toNull()
	}
	res := aggregate(&a, &b, imm>>2&3)
	all := uint32(1)<<b.n - 1
	if imm&0x10 != 0 {
		if imm&0x20 != 0 {
			res ^= uint32(1)<<b.length - 1
		} else {
			res ^= all
		}
	}
	f := c.Flags() &^ x86.FlagsStatus
	for _, o := range []struct {
		set  bool
		flag uint64
	}{{res != 0, x86.FlagCF}, {b.length < b.n, x86.FlagZF}, {a.length < a.n, x86.FlagSF}, {res&1 != 0, x86.FlagOF}} {
		if o.set {
			f |= o.flag
		}
	}
	c.SetFlags(f)
	last := imm&0x40 != 0
	switch {
	case index && res == 0:
		c.R[x86.RCX] = uint64(b.n)
	case index && last:
		c.R[x86.RCX] = uint64(bits.Len32(res) - 1)
	case index:
		c.R[x86.RCX] = uint64(bits.TrailingZeros32(res))
	case last:
		c.setXMM(0, elementMask(128/b.n, func(i uint) bool { return res>>i&1 != 0 }))
	default:
		c.setXMM(0, vec{lo: uint64(res)})
	}
	return stOK
}

// aggregate compares the elements of two strings: bit j is about element j of b.
func aggregate(a, b *fragment, how uint8) (res uint32) {
	for j := range b.n {
		hit := false
		switch how {
		case 0: // equal any: a is a set
			for i := uint(0); i < a.length && j < b.length && !hit; i++ {
				hit = a.at(i) == b.at(j)
			}
		case 1: // a is pairs of bounds
			for i := uint(0); i+1 < a.length && j < b.length && !hit; i += 2 {
				hit = a.at(i) <= b.at(j) && b.at(j) <= a.at(i+1)
			}
		case 2: // equal each
			hit = (j < a.length) == (j < b.length) && (j >= b.length || a.at(j) == b.at(j))
		case 3: // equal ordered: b has a from j on
			hit = true
			for i := uint(0); i < a.length && j+i < b.n && hit; i++ {
				hit = j+i < b.length && a.at(i) == b.at(j+i)
			}
		}
		if hit {
			res |= 1 << j
		}
	}
	return res
}
