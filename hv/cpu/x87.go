package cpu

import (
	"encoding/binary"

	"pvlab/hv/softfloat"
	"pvlab/hv/x86"
)

// The x87's registers and how its instructions begin and end (SDM vol. 1,
// chapter 8). State.FX keeps the registers in the order of the stack, as
// FXSAVE does, and a tag bit for each physical register.

// Bits of the status word.
const (
	fswStackFault = 1 << 6
	fswSummary    = 1<<7 | 1<<15 // ES, and B, which follows it
	fswC0         = 1 << 8
	fswC1         = 1 << 9
	fswC2         = 1 << 10
	fswTop        = 11
	fswC3         = 1 << 14
	fswCodes      = fswC0 | fswC1 | fswC2 | fswC3
)

func (c *CPU) fsw() uint16       { return c.fx16(fxFSW) }
func (c *CPU) setFSW(v uint16)   { c.setFX16(fxFSW, v) }
func (c *CPU) stackTop() uint8   { return uint8(c.fsw() >> fswTop & 7) }
func (c *CPU) setTop(top uint8)  { c.setFSW(c.fsw()&^(7<<fswTop) | uint16(top&7)<<fswTop) }
func (c *CPU) setC1(on bool)     { c.setFSW(c.fsw()&^fswC1 | pick(on, uint16(fswC1), 0)) }
func (c *CPU) tag(i uint8) uint8 { return 1 << ((c.stackTop() + i) & 7) }

// stackEmpty reports that ST(i) holds nothing.
func (c *CPU) stackEmpty(i uint8) bool { return c.FX[fxFTW]&c.tag(i) == 0 }

func (c *CPU) st(i uint8) softfloat.F80 {
	b := c.FX[fxST+int(i&7)*16:][:10]
	return softfloat.F80{Sig: binary.LittleEndian.Uint64(b), SE: binary.LittleEndian.Uint16(b[8:])}
}

func (c *CPU) setST(i uint8, v softfloat.F80) {
	b := c.FX[fxST+int(i&7)*16:][:10]
	binary.LittleEndian.PutUint64(b, v.Sig)
	binary.LittleEndian.PutUint16(b[8:], v.SE)
	c.FX[fxFTW] |= c.tag(i)
}

// rotate moves the top of stack by one: the registers stay, their order by the
// top changes.
func (c *CPU) rotate(by uint8) {
	var b [128]byte
	copy(b[:], c.FX[fxST:])
	for i := range uint8(8) {
		copy(c.FX[fxST+int(i)*16:][:16], b[int((i+by)&7)*16:][:16])
	}
	c.setTop(c.stackTop() + by)
}

func (c *CPU) popStack() {
	c.FX[fxFTW] &^= c.tag(0)
	c.rotate(1)
}

func (c *CPU) pushStack(v softfloat.F80) {
	c.rotate(7)
	c.setST(0, v)
}

var indefinite = softfloat.F80{Sig: 3 << 62, SE: 0xffff}

// x87 makes an instruction that waits for pending exceptions: in memory forms,
// those come before the operand is looked at.
func x87(f func(c *CPU, in *Inst) status) execFn {
	return func(c *CPU, in *Inst) status {
		if c.x87Off() {
			return c.except(x86.VectorNM)
		}
		if c.x87Pending() {
			return c.except(x86.VectorMF)
		}
		return f(c, in)
	}
}

func (c *CPU) x87Env() softfloat.Env {
	w := c.fx16(fxFCW)
	return softfloat.Env{X87: true, Round: softfloat.Rounding(w >> 10 & 3), Mask: softfloat.Flags(w & 0x3f),
		Prec: [4]uint8{24, 64, 53, 64}[w>>8&3]}
}

// note records the exceptions of an operation. It reports whether its result
// is to be stored: not where one found beforehand is not masked.
func (c *CPU) note(e *softfloat.Env) bool {
	f := e.Flags
	stop := f&before&^e.Mask != 0
	if stop {
		f &= before
	}
	w := c.fsw()&^fswC1 | uint16(f)
	if !stop && e.RoundedUp && f&softfloat.Inexact != 0 {
		w |= fswC1
	}
	if uint16(f)&^c.fx16(fxFCW)&0x3f != 0 {
		w |= fswSummary
	}
	c.setFSW(w)
	return !stop
}

// stackFault notes an overflow or underflow of the stack; true if it is masked
// and the indefinite takes the place of the result.
func (c *CPU) stackFault(overflow bool) bool {
	w := c.fsw()&^fswC1 | uint16(softfloat.Invalid) | fswStackFault
	if overflow {
		w |= fswC1
	}
	masked := c.fx16(fxFCW)&uint16(softfloat.Invalid) != 0
	if !masked {
		w |= fswSummary
	}
	c.setFSW(w)
	return masked
}

// needs makes sure that the named registers hold something; otherwise, and
// where the fault is masked, dest gets the indefinite. false ends the
// instruction.
func (c *CPU) needs(dest uint8, pops int, regs ...uint8) bool {
	for _, i := range regs {
		if c.stackEmpty(i) {
			if c.stackFault(false) {
				c.setST(dest, indefinite)
				for range pops {
					c.popStack()
				}
			}
			return false
		}
	}
	return true
}

// load pushes what f makes of the operand, which is done by then.
func (c *CPU) loadStack(e *softfloat.Env, v softfloat.F80) status {
	if !c.stackEmpty(7) {
		if c.stackFault(true) {
			c.pushStack(indefinite)
		}
		return stOK
	}
	if c.note(e) {
		c.pushStack(v)
	}
	return stOK
}

func opFLDsti(c *CPU, in *Inst) status {
	i := in.RM & 7
	switch {
	case c.stackEmpty(i):
		if c.stackFault(false) {
			c.pushStack(indefinite)
		}
	case !c.stackEmpty(7):
		if c.stackFault(true) {
			c.pushStack(indefinite)
		}
	default:
		c.setC1(false)
		c.pushStack(c.st(i))
	}
	return stOK
}

func opFXCH(c *CPU, in *Inst) status {
	i := in.RM & 7
	if c.stackEmpty(0) || c.stackEmpty(i) {
		if !c.stackFault(false) {
			return stOK
		}
		for _, r := range []uint8{0, i} {
			if c.stackEmpty(r) {
				c.setST(r, indefinite)
			}
		}
	} else {
		c.setC1(false)
	}
	a, b := c.st(0), c.st(i)
	c.setST(0, b)
	c.setST(i, a)
	return stOK
}

// fstReg is FST and FSTP to a register.
func fstReg(pops int) execFn {
	return x87(func(c *CPU, in *Inst) status {
		i := in.RM & 7
		if !c.needs(i, pops, 0) {
			return stOK
		}
		c.setC1(false)
		c.setST(i, c.st(0))
		for range pops {
			c.popStack()
		}
		return stOK
	})
}

func opFFREE(c *CPU, in *Inst) status {
	c.FX[fxFTW] &^= c.tag(in.RM & 7)
	return stOK
}

func opFFREEP(c *CPU, in *Inst) status {
	c.FX[fxFTW] &^= c.tag(in.RM & 7)
	c.popStack()
	return stOK
}

// opFSTPNCE is FSTP that does not mind an empty ST(0): then it only pops.
func opFSTPNCE(c *CPU, in *Inst) status {
	c.setC1(false)
	if !c.stackEmpty(0) {
		c.setST(in.RM&7, c.st(0))
	}
	c.popStack()
	return stOK
}

func opFINCSTP(c *CPU, _ *Inst) status { c.setC1(false); c.rotate(1); return stOK }
func opFDECSTP(c *CPU, _ *Inst) status { c.setC1(false); c.rotate(7); return stOK }
func opFNOP(*CPU, *Inst) status        { return stOK }

// sign is FCHS and FABS.
func fsign(f func(se uint16) uint16) execFn {
	return x87(func(c *CPU, _ *Inst) status {
		if c.needs(0, 0, 0) {
			v := c.st(0)
			v.SE = f(v.SE)
			c.setC1(false)
			c.setST(0, v)
		}
		return stOK
	})
}

// constants of FLD1 to FLDZ: pi and the logarithms are rounded as the control
// word says, down from 66 bits.
var x87Constants = [8]struct {
	v  softfloat.F80
	up [4]bool // rounded away from zero, by rounding mode
}{
	{v: softfloat.F80{Sig: 1 << 63, SE: 0x3fff}},
	{softfloat.F80{Sig: 0xd49a784bcd1b8afe, SE: 0x4000}, [4]bool{softfloat.Up: true}},
	{softfloat.F80{Sig: 0xb8aa3b295c17f0bb, SE: 0x3fff}, [4]bool{softfloat.Nearest: true, softfloat.Up: true}},
	{softfloat.F80{Sig: 0xc90fdaa22168c234, SE: 0x4000}, [4]bool{softfloat.Nearest: true, softfloat.Up: true}},
	{softfloat.F80{Sig: 0x9a209a84fbcff798, SE: 0x3ffd}, [4]bool{softfloat.Nearest: true, softfloat.Up: true}},
	{softfloat.F80{Sig: 0xb17217f7d1cf79ab, SE: 0x3ffe}, [4]bool{softfloat.Nearest: true, softfloat.Up: true}},
	{},
}

func opFLDconst(c *CPU, in *Inst) status {
	k := &x87Constants[in.RM&7]
	v := k.v
	if k.up[c.fx16(fxFCW)>>10&3] {
		v.Sig++
	}
	return c.loadStack(&softfloat.Env{Mask: 0x3f}, v)
}
