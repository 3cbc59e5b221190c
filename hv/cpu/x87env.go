package cpu

import (
	"encoding/binary"

	"pvlab/hv/x86"
)

// FSTENV, FLDENV, FSAVE and FRSTOR (SDM vol. 1, "Saving the x87 FPU's State with
// FSTENV/FNSTENV and FSAVE/FNSAVE"): seven words of 2 or 4 bytes - control,
// status, tags, instruction pointer, its selector and the opcode, operand
// pointer, its selector - and behind them the registers.

// tags is the tag word in full: 0 valid, 1 zero, 2 special, 3 empty, two bits
// for each physical register.
func (c *CPU) tags() (w uint16) {
	for i := range uint8(8) {
		v := c.st(i)
		var t uint16
		switch exp := v.SE & 0x7fff; {
		case c.stackEmpty(i):
			t = 3
		case exp == 0 && v.Sig == 0:
			t = 1
		case exp == 0, exp == 0x7fff, v.Sig>>63 == 0:
			t = 2
		}
		w |= t << ((c.stackTop() + i) & 7 * 2)
	}
	return w
}

func (c *CPU) environment(size uint8) []byte {
	b := make([]byte, 0, 28)
	le := binary.LittleEndian
	for _, v := range []uint32{uint32(c.fx16(fxFCW)), uint32(c.fsw()), uint32(c.tags()), le.Uint32(c.FX[fxFIP:]), 0, le.Uint32(c.FX[fxFDP:]), 0} {
		if size == 2 {
			b = le.AppendUint16(b, uint16(v))
		} else {
			b = le.AppendUint32(b, v)
		}
	}
	if size != 2 { // the upper halves of the first three and the last word
		for _, at := range []int{2, 6, 10, 26} {
			b[at], b[at+1] = 0xff, 0xff
		}
	}
	return b
}

// area is where an environment of n bytes lies. Its first word and its last
// byte are tried before the rest.
func (c *CPU) area(in *Inst, n int, a access) (uint64, bool) {
	lin := c.ea(in)
	last := c.linear(in.Seg, (c.offset(in)+uint64(n)-1)&in.addrMask(), 1, a == accWrite)
	for _, p := range [2]struct {
		at   uint64
		size int
	}{{lin, int(in.Acc)}, {last, 1}} {
		if a == accWrite {
			if !c.checkWrite(in.Seg, p.at, p.size) {
				return 0, false
			}
		} else if _, ok := c.load(in.Seg, p.at, p.size); !ok {
			return 0, false
		}
	}
	return lin, true
}

func (c *CPU) storeArea(in *Inst, b []byte) status {
	lin, ok := c.area(in, len(b), accWrite)
	if !ok {
		return stFault
	}
	return c.storeBlock(in.Seg, lin, b)
}

func (c *CPU) loadArea(in *Inst, b []byte) bool {
	lin, ok := c.area(in, len(b), accRead)
	return ok && c.loadBlock(in.Seg, lin, b)
}

func opFNSTENV(c *CPU, in *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	st := c.storeArea(in, c.environment(in.Size))
	if st != stFault {
		c.setFX16(fxFCW, c.fx16(fxFCW)|0x3f)
		c.summarise()
	}
	return st
}

// loadEnvironment takes control, status and tags; the registers stay where they
// are physically.
func (c *CPU) loadEnvironment(b []byte) {
	w := func(i int) uint16 { return binary.LittleEndian.Uint16(b[i*len(b)/7:]) }
	c.setFX16(fxFCW, w(0)&0x1f7f|0x40)
	for c.stackTop() != uint8(w(1)>>fswTop&7) {
		c.rotate(1)
	}
	c.setFSW(w(1))
	c.FX[fxFTW] = 0
	for i := range 8 {
		if w(2)>>(2*i)&3 != 3 {
			c.FX[fxFTW] |= 1 << i
		}
	}
	c.summarise()
}

func opFLDENV(c *CPU, in *Inst) status {
	b := make([]byte, 7*int(in.Acc))
	if !c.loadArea(in, b) {
		return stFault
	}
	c.loadEnvironment(b)
	return stOK
}

func opFNSAVE(c *CPU, in *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	b := c.environment(in.Size)
	for i := range 8 {
		b = append(b, c.FX[fxST+16*i:][:10]...)
	}
	st := c.storeArea(in, b)
	if st != stFault {
		for c.stackTop() != 0 {
			c.rotate(1)
		}
		c.initX87()
	}
	return st
}

func opFRSTOR(c *CPU, in *Inst) status {
	n := 7 * int(in.Acc)
	b := make([]byte, n+80)
	if !c.loadArea(in, b) {
		return stFault
	}
	c.loadEnvironment(b[:n])
	for i := range 8 {
		copy(c.FX[fxST+16*i:][:10], b[n+10*i:])
	}
	return stOK
}
