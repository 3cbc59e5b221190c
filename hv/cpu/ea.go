package cpu

import "pvlab/hv/x86"

// ea is the linear address of the memory operand. An address outside its
// segment becomes badLinear, which faults when accessed.
func (c *CPU) ea(in *Inst) uint64 {
	if in.Flags&FlagSlowEA != 0 {
		return c.slowEA(in)
	}
	return c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
}

// offset is the address within the segment, wrapped to the address size.
func (c *CPU) offset(in *Inst) uint64 {
	return (c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)) & in.addrMask()
}

// eaPlus is ea with delta added to the offset (bit strings).
func (c *CPU) eaPlus(in *Inst, delta int64) uint64 {
	off := (c.offset(in) + uint64(delta)) & in.addrMask()
	return c.linear(in.Seg, off, uint64(in.Acc), in.Flags&FlagWrite != 0)
}

// addrMask is the wrap of the address size.
func (in *Inst) addrMask() uint64 {
	switch {
	case in.Flags&FlagAddr32 != 0:
		return 0xffffffff
	case in.Flags&FlagAddr16 != 0:
		return 0xffff
	}
	return ^uint64(0)
}

func (c *CPU) slowEA(in *Inst) uint64 {
	return c.linear(in.Seg, c.offset(in), uint64(in.Acc), in.Flags&FlagWrite != 0)
}

// linear makes the linear address of [off, off+n) in segment seg, or
// badLinear when the segment does not allow the access (SDM vol. 3, "Limit
// Checking" and "Type Checking").
func (c *CPU) linear(seg uint8, off, n uint64, write bool) uint64 {
	if c.mode == Mode64 {
		if seg >= x86.FS {
			return c.Seg[seg].Base + off
		}
		return off
	}
	s := &c.Seg[seg]
	if n != 0 {
		if c.Protected() && !segAllows(s, write) {
			return badLinear
		}
		if !segWithin(s, off, n) {
			return badLinear
		}
	}
	return (s.Base + off) & 0xffffffff
}

// segAllows reports whether a loaded segment may be read or written through.
func segAllows(s *x86.Segment, write bool) bool {
	if s.Attr&x86.AttrP == 0 {
		return false
	}
	if s.Attr&x86.AttrCode != 0 {
		return !write && s.Attr&x86.AttrRW != 0
	}
	return !write || s.Attr&x86.AttrRW != 0
}

// segWithin reports whether [off, off+n) lies inside the segment's limit;
// expand-down data segments hold what is above the limit.
func segWithin(s *x86.Segment, off, n uint64) bool {
	last := off + n - 1
	if s.Attr&(x86.AttrCode|x86.AttrDown) == x86.AttrDown {
		top := uint64(0xffff)
		if s.Attr&x86.AttrDB != 0 {
			top = 0xffffffff
		}
		return off > uint64(s.Limit) && last <= top
	}
	return last <= uint64(s.Limit)
}
