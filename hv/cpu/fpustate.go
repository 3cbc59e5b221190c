package cpu

import (
	"encoding/binary"

	"pvlab/hv/x86"
)

// The x87 and SSE state, without any arithmetic: control words, and FXSAVE
// and FXRSTOR (SDM vol. 2 and vol. 1, "Layout of the FXSAVE area"). State.FX
// is in FXSAVE64 format:
//
//	0 FCW  2 FSW  4 FTW (abridged)  6 FOP  8 FIP  16 FDP  24 MXCSR
//	28 MXCSR_MASK  32 ST0-ST7 (16 bytes each)  160 XMM0-XMM15
const (
	fxFCW   = 0
	fxFSW   = 2
	fxFTW   = 4
	fxFIP   = 8
	fxFDP   = 16
	fxMXCSR = 24
	fxMask  = 28
	fxST    = 32
	fxXMM   = 160
	fxEnd   = 416 // bytes 416-511 are not the processor's
	fxSize  = 512

	mxcsrInit = 0x1f80
	mxcsrMask = 0xffff
	fcwInit   = 0x37f
)

func fpuRows() []row {
	const w = attrWrite
	return append(xsaveRows(),
		row{m: map1, op: 0x9b, name: "FWAIT", fn: all(opFWAIT)},
		row{m: map1, op: 0xd9, digit: d5, mod: modMem, name: "FLDCW", form: formModRM, acc: acc2, fn: all(opFLDCW)},
		row{m: map1, op: 0xd9, digit: d7, mod: modMem, name: "FNSTCW", form: formModRM, acc: acc2, attr: w, fn: all(opFNSTCW)},
		row{m: map1, op: 0xdb, digit: d4, rm: d2, mod: modReg, name: "FNCLEX", form: formModRM, fn: all(opFNCLEX)},
		row{m: map1, op: 0xdb, digit: d4, rm: d3, mod: modReg, name: "FNINIT", form: formModRM, fn: all(opFNINIT)},
		row{m: map1, op: 0xdd, digit: d7, mod: modMem, name: "FNSTSW", form: formModRM, acc: acc2, attr: w, fn: all(opFNSTSW)},
		row{m: map1, op: 0xdf, digit: d4, rm: d0, mod: modReg, name: "FNSTSW", form: formModRM, fn: all(opFNSTSWAX)},
		row{m: map0F, op: 0x77, pfx: pNone, name: "EMMS", fn: all(opEMMS)},
		row{m: map0F, op: 0xae, digit: d0, mod: modMem, pfx: pNone, name: "FXSAVE", form: formModRM, size: sizeY, acc: acc16, attr: w, fn: all(opFXSAVE)},
		row{m: map0F, op: 0xae, digit: d1, mod: modMem, pfx: pNone, name: "FXRSTOR", form: formModRM, size: sizeY, acc: acc16, fn: all(opFXRSTOR)},
		row{m: map0F, op: 0xae, digit: d2, mod: modMem, pfx: pNone, name: "LDMXCSR", form: formModRM, size: sizeD, fn: all(opLDMXCSR)},
		row{m: map0F, op: 0xae, digit: d3, mod: modMem, pfx: pNone, name: "STMXCSR", form: formModRM, size: sizeD, attr: w, fn: all(opSTMXCSR)},
	)
}

func (c *CPU) fx16(at int) uint16       { return binary.LittleEndian.Uint16(c.FX[at:]) }
func (c *CPU) setFX16(at int, v uint16) { binary.LittleEndian.PutUint16(c.FX[at:], v) }
func (c *CPU) mxcsr() uint32            { return binary.LittleEndian.Uint32(c.FX[fxMXCSR:]) }
func (c *CPU) setMXCSR(v uint32)        { binary.LittleEndian.PutUint32(c.FX[fxMXCSR:], v) }

// resetFPU is the state after RESET#.
func (c *CPU) resetFPU() {
	c.FX = [512]byte{}
	c.setFX16(fxFCW, 0x40)
	c.FX[fxFTW] = 0xff
	c.setMXCSR(mxcsrInit)
	binary.LittleEndian.PutUint32(c.FX[fxMask:], mxcsrMask)
}

// initX87 is FNINIT: registers keep their values but are tagged empty.
func (c *CPU) initX87() {
	c.topToZero()
	clear(c.FX[:fxMXCSR])
	c.setFX16(fxFCW, fcwInit)
}

// summarise sets ES and B of the status word by its exceptions, as every load
// of it does (SDM vol. 1, "x87 FPU Status Register").
func (c *CPU) summarise() {
	const esB = 1<<7 | 1<<15
	v := c.fx16(fxFSW) &^ esB
	if v&^c.fx16(fxFCW)&0x3f != 0 {
		v |= esB
	}
	c.setFX16(fxFSW, v)
}

// x87Off: CR0.EM or TS makes an x87 instruction #NM.
func (c *CPU) x87Off() bool { return c.CR0&(x86.CR0EM|x86.CR0TS) != 0 }

// x87Pending reports an unmasked exception, for the instructions that wait.
func (c *CPU) x87Pending() bool {
	return c.fx16(fxFSW)&^c.fx16(fxFCW)&0x3f != 0 && c.CR0&x86.CR0NE != 0
}

// sseFault is what makes an SSE state instruction fault: #UD, then #NM.
func (c *CPU) sseFault() status {
	switch {
	case c.CR0&x86.CR0EM != 0 || c.CR4&x86.CR4OSFXSR == 0:
		return c.except(x86.VectorUD)
	case c.CR0&x86.CR0TS != 0:
		return c.except(x86.VectorNM)
	}
	return stOK
}

func opFWAIT(c *CPU, _ *Inst) status {
	if c.CR0&x86.CR0MP != 0 && c.CR0&x86.CR0TS != 0 {
		return c.except(x86.VectorNM)
	}
	if c.x87Pending() {
		return c.except(x86.VectorMF)
	}
	return stOK
}

func opFNINIT(c *CPU, _ *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	c.initX87()
	return stOK
}

func opFNCLEX(c *CPU, _ *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	c.setFX16(fxFSW, c.fx16(fxFSW)&0x7f00)
	return stOK
}

func opFLDCW(c *CPU, in *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	if c.x87Pending() {
		return c.except(x86.VectorMF)
	}
	v, ok := c.load16(in.Seg, c.ea(in))
	if !ok {
		return stFault
	}
	c.setFX16(fxFCW, v&0x1f7f|0x40)
	return stOK
}

func opFNSTCW(c *CPU, in *Inst) status { return c.storeX87(in, fxFCW) }
func opFNSTSW(c *CPU, in *Inst) status { return c.storeX87(in, fxFSW) }

func (c *CPU) storeX87(in *Inst, at int) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	return c.store16(in.Seg, c.ea(in), c.fx16(at))
}

func opFNSTSWAX(c *CPU, _ *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	c.R[x86.RAX] = c.R[x86.RAX]&^0xffff | uint64(c.fx16(fxFSW))
	return stOK
}

func opEMMS(c *CPU, _ *Inst) status {
	if c.CR0&x86.CR0EM != 0 {
		return c.except(x86.VectorUD)
	}
	if c.CR0&x86.CR0TS != 0 {
		return c.except(x86.VectorNM)
	}
	if c.x87Pending() {
		return c.except(x86.VectorMF)
	}
	c.topToZero()
	c.FX[fxFTW] = 0
	return stOK
}

func opLDMXCSR(c *CPU, in *Inst) status {
	if st := c.sseFault(); st != stOK {
		return st
	}
	v, ok := c.load32(in.Seg, c.ea(in))
	if !ok {
		return stFault
	}
	if v&^mxcsrMask != 0 {
		return c.gp0()
	}
	c.setMXCSR(v)
	return stOK
}

func opSTMXCSR(c *CPU, in *Inst) status {
	if st := c.sseFault(); st != stOK {
		return st
	}
	return c.store32(in.Seg, c.ea(in), c.mxcsr())
}

// loadBlock and storeBlock move a state area as the running instruction's
// operand; nothing is written unless all of it can be.
func (c *CPU) loadBlock(seg uint8, lin uint64, b []byte) bool {
	if !c.checkForm(seg, lin, len(b)) {
		return false
	}
	n, f := c.copyAt(lin, b, accRead)
	if n < len(b) {
		c.fault = f
		return false
	}
	c.noteAccess(lin, len(b), accRead)
	return true
}

func (c *CPU) storeBlock(seg uint8, lin uint64, b []byte) status {
	if !c.checkWrite(seg, lin, len(b)) {
		return stFault
	}
	c.copyAt(lin, b, accWrite)
	c.noteAccess(lin, len(b), accWrite)
	return stEnd
}

// blockAddress is the address of a state area of size bytes, which must be
// aligned to n: #GP(0). As a Zen 5 does it, the first word is looked at
// before (segment, and alignment where that is checked) and the last byte
// after that, wrapped to the address size.
func (c *CPU) blockAddress(in *Inst, n, size uint64) (uint64, bool) {
	off, write := c.offset(in), in.Flags&FlagWrite != 0
	lin := c.linear(in.Seg, off, 4, false)
	if !c.checkForm(in.Seg, lin, 4) {
		return 0, false
	}
	if lin&(n-1) != 0 {
		c.gp0()
		return 0, false
	}
	last := c.linear(in.Seg, (off+size-1)&in.addrMask(), 1, write)
	return lin, c.checkForm(in.Seg, last, 1)
}

// legacyLen is how much of the area the current mode uses: XMM8-15 exist in
// 64-bit code only.
func (c *CPU) legacyLen() int {
	if c.mode == Mode64 {
		return fxEnd
	}
	return fxXMM + 8*16
}

// fxImage is the state as FXSAVE with operand size size stores it: without
// REX.W, FIP and FDP are 32-bit offsets and selectors (which read as 0).
func (c *CPU) fxImage(size uint8) [fxSize]byte {
	b := c.FX
	if size != 8 {
		clear(b[fxFIP+4 : fxFIP+8])
		clear(b[fxFDP+4 : fxFDP+8])
	}
	return b
}

func opFXSAVE(c *CPU, in *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	lin, ok := c.blockAddress(in, 16, fxSize)
	if !ok {
		return stFault
	}
	b := c.fxImage(in.Size)
	if !c.checkWrite(in.Seg, lin, fxSize) {
		return stFault
	}
	return c.storeBlock(in.Seg, lin, b[:c.legacyLen()])
}

func opFXRSTOR(c *CPU, in *Inst) status {
	if c.x87Off() {
		return c.except(x86.VectorNM)
	}
	lin, ok := c.blockAddress(in, 16, fxSize)
	if !ok {
		return stFault
	}
	var b [fxSize]byte
	if !c.loadBlock(in.Seg, lin, b[:]) {
		return stFault
	}
	if binary.LittleEndian.Uint32(b[fxMXCSR:])&^mxcsrMask != 0 {
		return c.gp0()
	}
	c.takeX87(&b, in.Size)
	c.setMXCSR(binary.LittleEndian.Uint32(b[fxMXCSR:]))
	copy(c.FX[fxXMM:c.legacyLen()], b[fxXMM:])
	return stOK
}

// takeX87 loads the x87 part of an area.
func (c *CPU) takeX87(b *[fxSize]byte, size uint8) {
	copy(c.FX[:fxMXCSR], b[:])
	c.setFX16(fxFCW, c.fx16(fxFCW)&0x1f7f|0x40)
	c.FX[5] = 0
	c.summarise()
	if size != 8 {
		clear(c.FX[fxFIP+4 : fxFIP+8])
		clear(c.FX[fxFDP+4 : fxFDP+8])
	}
	for i := fxST; i < fxXMM; i += 16 {
		copy(c.FX[i:i+10], b[i:])
	}
}
