package cpu

import "pvlab/hv/x86"

// operands reads ModRM, displacement and immediates as the row's form says.
func (d *decoder) operands(r *row, in *Inst) {
	// The address size is known without ModRM: string and XLAT forms use it.
	in.Seg = x86.DS
	if d.seg >= 0 {
		in.Seg = uint8(d.seg)
	}
	switch size := d.addressSize(); {
	case size == 4:
		in.Flags |= FlagAddr32 | FlagSlowEA
	case size == 2:
		in.Flags |= FlagAddr16 | FlagSlowEA
	case in.Seg >= x86.FS:
		in.Flags |= FlagSlowEA
	}
	f := r.form
	if f&formModRM != 0 {
		d.modRM(r, in)
	}
	if f&formOpReg != 0 {
		in.RM = d.opByte & 7
		if d.rex&rexB != 0 {
			in.RM |= 8
		}
		if r.size == sizeB {
			in.RM = d.byteReg(in.RM)
		}
	}
	if f&formVVVV != 0 {
		in.V = d.vvvv
	}
	if f&formMoffs != 0 {
		in.Flags |= FlagMem
		in.Disp = int64(d.immediate(d.addressSize()))
	}
	d.immediates(f, in)
	if in.Base == ripRel { // only now is the end of the instruction known
		in.Base = zeroReg
		in.Disp += int64(d.rip + uint64(d.pos))
	}
}

func (d *decoder) immediates(f form, in *Inst) {
	switch {
	case f&formImm8 != 0:
		in.Imm = int64(int8(d.next()))
	case f&formImm8U != 0:
		in.Imm = int64(d.next())
	case f&formImm16 != 0:
		in.Imm = int64(d.immediate(2))
	case f&formImmZ != 0:
		if in.Size == 2 {
			in.Imm = int64(int16(d.immediate(2)))
		} else {
			in.Imm = int64(int32(d.immediate(4)))
		}
	case f&formImmV != 0:
		in.Imm = int64(d.immediate(in.Size))
	case f&formEnter != 0:
		in.Imm = int64(d.immediate(2))
		in.Imm |= int64(d.next()) << 16
	case f&formFar != 0:
		in.Imm = int64(d.immediate(min(in.Size, 4)))
		in.Imm |= int64(d.immediate(2)) << 32
	case f&formRel8 != 0:
		d.target(in, int64(int8(d.next())))
	case f&formRelZ != 0:
		if in.Size == 2 {
			d.target(in, int64(int16(d.immediate(2))))
		} else {
			d.target(in, int64(int32(d.immediate(4))))
		}
	}
}

// target makes the absolute offset of a direct branch and notes whether it
// has to be checked when taken.
func (d *decoder) target(in *Inst, rel int64) {
	t := d.rip + uint64(d.pos) + uint64(rel)
	switch {
	case d.mode != Mode64:
		t &= 0xffffffff
		in.Flags |= FlagCheck
	case !x86.Canonical(t):
		in.Flags |= FlagCheck
	}
	if in.Size == 2 {
		t &= 0xffff
	}
	in.Imm = int64(t)
}

// immediate reads a little-endian value of size bytes.
func (d *decoder) immediate(size uint8) (v uint64) {
	for i := uint8(0); i < size; i++ {
		v |= uint64(d.next()) << (8 * i)
	}
	return v
}

// addressSize is 2, 4 or 8.
func (d *decoder) addressSize() uint8 {
	if d.mode == Mode64 {
		if d.addrsize {
			return 4
		}
		return 8
	}
	if d.addrsize == (d.mode == Mode16) {
		return 4
	}
	return 2
}

// byteReg turns a register number into that of a byte register: without REX,
// 4-7 are AH, CH, DH, BH.
func (d *decoder) byteReg(n uint8) uint8 {
	if n >= 4 && n < 8 && d.rex == 0 {
		return n - 4 + highByte
	}
	return n
}

// ripRel marks a RIP-relative operand until the length is known.
const ripRel = 0xff

// modRM reads ModRM, SIB and displacement (SDM vol. 2, "Addressing-Mode
// Encoding of ModR/M and SIB Bytes").
func (d *decoder) modRM(r *row, in *Inst) {
	d.modrm = d.next()
	mod, reg, rm := d.modrm>>6, d.modrm>>3&7, d.modrm&7
	if d.rex&rexR != 0 {
		reg |= 8
	}
	in.Reg = reg
	if r.size == sizeB {
		in.Reg = d.byteReg(reg)
	}
	if mod == 3 || r.attr&attrModReg != 0 {
		if d.rex&rexB != 0 {
			rm |= 8
		}
		in.RM = rm
		if r.size == sizeB || r.attr&attrByteRM != 0 {
			in.RM = d.byteReg(rm)
		}
		return
	}
	in.Flags |= FlagMem
	if in.Flags&FlagAddr16 != 0 {
		d.address16(in, mod, rm)
		return
	}
	if rm == 4 {
		d.sib(in, mod)
	} else if rm == 5 && mod == 0 {
		in.Disp = int64(int32(d.immediate(4)))
		if d.mode == Mode64 {
			in.Base = ripRel
		}
	} else {
		in.Base = rm
		if d.rex&rexB != 0 {
			in.Base |= 8
		}
	}
	switch mod {
	case 1:
		in.Disp = int64(int8(d.next()))
	case 2:
		in.Disp = int64(int32(d.immediate(4)))
	}
	// RBP or RSP as base means the stack segment.
	if (in.Base == x86.RBP || in.Base == x86.RSP) && d.seg < 0 {
		in.Seg = x86.SS
	}
}

func (d *decoder) sib(in *Inst, mod uint8) {
	s := d.next()
	if x := s>>3&7 | d.rex&rexX<<2; x != x86.RSP {
		in.Index = x
		in.Scale = s >> 6
	}
	if s&7 == 5 && mod == 0 {
		in.Disp = int64(int32(d.immediate(4)))
		return
	}
	in.Base = s&7 | d.rex&rexB<<3
}

// address16 decodes the 16-bit addressing forms.
func (d *decoder) address16(in *Inst, mod, rm uint8) {
	pairs := [8][2]uint8{
		{x86.RBX, x86.RSI}, {x86.RBX, x86.RDI}, {x86.RBP, x86.RSI}, {x86.RBP, x86.RDI},
		{x86.RSI, zeroReg}, {x86.RDI, zeroReg}, {x86.RBP, zeroReg}, {x86.RBX, zeroReg},
	}
	in.Base, in.Index = pairs[rm][0], pairs[rm][1]
	switch {
	case mod == 0 && rm == 6:
		in.Base = zeroReg
		in.Disp = int64(int16(d.immediate(2)))
	case mod == 1:
		in.Disp = int64(int8(d.next()))
	case mod == 2:
		in.Disp = int64(int16(d.immediate(2)))
	}
	if in.Base == x86.RBP && d.seg < 0 {
		in.Seg = x86.SS
	}
}
