package cpu

import (
	"encoding/binary"

	"pvlab/hv/x86"
)

// XSAVE and its kin for the two components pvlab has, x87 and SSE (SDM vol. 1,
// chapter "Managing State Using the XSAVE Feature Set"). The area is the
// FXSAVE layout and a 64-byte header:
//
//	512 XSTATE_BV  520 XCOMP_BV  528-575 zero
const (
	xcr0X87     = 1 << 0
	xcr0SSE     = 1 << 1
	xcr0All     = xcr0X87 | xcr0SSE
	xsaveSize   = 576
	xstateBV    = 512
	xcompBV     = 520
	xcompFormat = 1 << 63 // compacted
)

func xsaveRows() []row {
	const w = attrWrite
	return []row{
		{m: map0F, op: 0xae, digit: d4, mod: modMem, pfx: pNone, name: "XSAVE", form: formModRM, size: sizeY, acc: acc16, attr: w, fn: all(opXSAVE)},
		{m: map0F, op: 0xae, digit: d5, mod: modMem, pfx: pNone, name: "XRSTOR", form: formModRM, size: sizeY, acc: acc16, fn: all(opXRSTOR)},
		{m: map0F, op: 0xae, digit: d6, mod: modMem, pfx: pNone, name: "XSAVEOPT", form: formModRM, size: sizeY, acc: acc16, attr: w, fn: all(opXSAVEOPT)},
		{m: map0F, op: 0xc7, digit: d4, mod: modMem, pfx: pNone, name: "XSAVEC", form: formModRM, size: sizeY, acc: acc16, attr: w, fn: all(opXSAVEC)},
	}
}

func opXGETBV(c *CPU, _ *Inst) status {
	if c.CR4&x86.CR4OSXSAVE == 0 {
		return c.except(x86.VectorUD)
	}
	v := c.XCR0
	switch uint32(c.R[x86.RCX]) {
	case 0:
	case 1:
		if c.absent&featXSAVEC != 0 {
			return c.gp0()
		}
		v &= c.inUse()
	default:
		return c.gp0()
	}
	c.R[x86.RAX], c.R[x86.RDX] = v&0xffffffff, v>>32
	return stOK
}

func opXSETBV(c *CPU, _ *Inst) status {
	if c.CR4&x86.CR4OSXSAVE == 0 {
		return c.except(x86.VectorUD)
	}
	v := c.R[x86.RAX]&0xffffffff | c.R[x86.RDX]<<32
	if c.CPL != 0 || uint32(c.R[x86.RCX]) != 0 || v&xcr0X87 == 0 || v&^uint64(xcr0All) != 0 {
		return c.gp0()
	}
	c.XCR0 = v
	return stEnd
}

// inUse is XINUSE: the components that are not in their initial state.
func (c *CPU) inUse() (bv uint64) {
	init := [fxXMM]byte{fxFCW: fcwInit & 0xff, fxFCW + 1: fcwInit >> 8}
	for i := range init {
		if (i < fxMXCSR || i >= fxST) && c.FX[i] != init[i] {
			bv |= xcr0X87
			break
		}
	}
	for _, b := range c.FX[fxXMM:fxEnd] {
		if b != 0 {
			return bv | xcr0SSE
		}
	}
	return bv
}

// xsaveArea checks the common conditions and returns the operand's address
// and the requested components (RFBM).
func (c *CPU) xsaveArea(in *Inst) (lin, rfbm uint64, ok bool) {
	switch {
	case c.CR4&x86.CR4OSXSAVE == 0:
		c.except(x86.VectorUD)
		return 0, 0, false
	case c.CR0&x86.CR0TS != 0:
		c.except(x86.VectorNM)
		return 0, 0, false
	}
	lin, ok = c.blockAddress(in, 64, xsaveSize)
	return lin, c.XCR0 & (c.R[x86.RAX]&0xffffffff | c.R[x86.RDX]<<32), ok
}

func opXSAVE(c *CPU, in *Inst) status    { return c.xsave(in, false, false) }
func opXSAVEOPT(c *CPU, in *Inst) status { return c.xsave(in, true, false) }
func opXSAVEC(c *CPU, in *Inst) status   { return c.xsave(in, true, true) }

// xsave saves the requested components; with skipInit not those in their
// initial state. Bytes that the instruction does not write keep their value.
func (c *CPU) xsave(in *Inst, skipInit, compact bool) status {
	lin, rfbm, ok := c.xsaveArea(in)
	if !ok {
		return stFault
	}
	if !c.checkWrite(in.Seg, lin, xsaveSize) {
		return stFault
	}
	var b [xsaveSize]byte
	if !c.loadBlock(in.Seg, lin, b[:]) {
		return stFault
	}
	used := c.inUse()
	save := rfbm
	if skipInit {
		save &= used
		if rfbm&xcr0SSE != 0 && compact && c.mxcsr() != mxcsrInit {
			save |= xcr0SSE // XSAVEC tracks MXCSR with SSE
			used |= xcr0SSE
		}
	}
	fx := c.fxImage(in.Size)
	if save&xcr0X87 != 0 {
		copy(b[:fxMXCSR], fx[:])
		copy(b[fxST:fxXMM], fx[fxST:])
	}
	if save&xcr0SSE != 0 {
		copy(b[fxXMM:c.legacyLen()], fx[fxXMM:])
	}
	if save&xcr0SSE != 0 || rfbm&xcr0SSE != 0 && !compact {
		copy(b[fxMXCSR:fxST], fx[fxMXCSR:])
	}
	bv := binary.LittleEndian.Uint64(b[xstateBV:])
	if compact {
		bv = rfbm & used
		binary.LittleEndian.PutUint64(b[xcompBV:], rfbm|xcompFormat)
	} else {
		bv = bv&^rfbm | rfbm&used
	}
	binary.LittleEndian.PutUint64(b[xstateBV:], bv)
	return c.storeBlock(in.Seg, lin, b[:])
}

func opXRSTOR(c *CPU, in *Inst) status {
	lin, rfbm, ok := c.xsaveArea(in)
	if !ok {
		return stFault
	}
	var b [xsaveSize]byte
	if !c.loadBlock(in.Seg, lin, b[:]) {
		return stFault
	}
	bv := binary.LittleEndian.Uint64(b[xstateBV:])
	comp := binary.LittleEndian.Uint64(b[xcompBV:])
	bad := bv&^c.XCR0 != 0
	if comp&xcompFormat != 0 {
		layout := comp &^ uint64(xcompFormat)
		bad = bad || layout&^c.XCR0 != 0 || bv&^layout != 0
	} else {
		bad = bad || comp != 0
	}
	for _, x := range b[xcompBV+8:] {
		bad = bad || x != 0
	}
	mxcsr := binary.LittleEndian.Uint32(b[fxMXCSR:])
	takeMXCSR := rfbm&xcr0SSE != 0 && (comp&xcompFormat == 0 || bv&xcr0SSE != 0)
	if bad || takeMXCSR && mxcsr&^mxcsrMask != 0 {
		return c.gp0()
	}
	var fx [fxSize]byte
	copy(fx[:], b[:])
	switch {
	case rfbm&bv&xcr0X87 != 0:
		c.takeX87(&fx, in.Size)
	case rfbm&xcr0X87 != 0:
		c.initX87()
		clear(c.FX[fxST:fxXMM])
	}
	switch {
	case rfbm&bv&xcr0SSE != 0:
		copy(c.FX[fxXMM:c.legacyLen()], fx[fxXMM:])
	case rfbm&xcr0SSE != 0:
		clear(c.FX[fxXMM:c.legacyLen()])
	}
	if takeMXCSR {
		c.setMXCSR(mxcsr)
	} else if rfbm&xcr0SSE != 0 {
		c.setMXCSR(mxcsrInit)
	}
	return stOK
}
