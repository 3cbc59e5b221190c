package cpu

import "unsafe"

// Register operands. T is the operand size; the size tests below are
// constant in every instance.

// reg reads register r; byte registers follow Inst's numbering.
func reg[T word](c *CPU, r uint8) T {
	if unsafe.Sizeof(T(0)) == 1 && r >= highByte {
		return T(c.R[(r-highByte)&31] >> 8)
	}
	return T(c.R[r&31])
}

// setReg writes register r: 32-bit results clear the upper half, smaller ones
// leave the rest alone (SDM vol. 1, 3.4.1.1).
func setReg[T word](c *CPU, r uint8, v T) {
	switch unsafe.Sizeof(T(0)) {
	case 8, 4:
		c.R[r&31] = uint64(v)
	case 2:
		c.R[r&31] = c.R[r&31]&^0xffff | uint64(v)
	case 1:
		if r >= highByte {
			r = (r - highByte) & 31
			c.R[r] = c.R[r]&^0xff00 | uint64(v)<<8
			return
		}
		c.R[r&31] = c.R[r&31]&^0xff | uint64(v)
	}
}

// setRegSize is setReg with the size (2, 4 or 8) as a value.
func (c *CPU) setRegSize(r, size uint8, v uint64) {
	switch size {
	case 8:
		c.R[r&31] = v
	case 4:
		c.R[r&31] = v & 0xffffffff
	default:
		c.R[r&31] = c.R[r&31]&^0xffff | v&0xffff
	}
}

// maskOf is all ones of size bytes.
func maskOf(size uint8) uint64 { return ^uint64(0) >> ((64 - 8*uint(size)) & 63) }

// loadT and storeT access memory by T.
func loadT[T word](c *CPU, in *Inst, lin uint64) (T, bool) {
	switch unsafe.Sizeof(T(0)) {
	case 8:
		v, ok := c.load64(in.Seg, lin)
		return T(v), ok
	case 4:
		v, ok := c.load32(in.Seg, lin)
		return T(v), ok
	case 2:
		v, ok := c.load16(in.Seg, lin)
		return T(v), ok
	}
	v, ok := c.load8(in.Seg, lin)
	return T(v), ok
}

func storeT[T word](c *CPU, in *Inst, lin uint64, v T) status {
	switch unsafe.Sizeof(T(0)) {
	case 8:
		return c.store64(in.Seg, lin, uint64(v))
	case 4:
		return c.store32(in.Seg, lin, uint32(v))
	case 2:
		return c.store16(in.Seg, lin, uint16(v))
	}
	return c.store8(in.Seg, lin, uint8(v))
}

// loadRMWT reads the destination of a read-modify-write; see loadRMW.
func loadRMWT[T word](c *CPU, in *Inst, lin uint64) (T, bool) {
	v, ok := c.loadRMW(in.Seg, lin, int(bytesOf[T]()))
	return T(v), ok
}
