package cpu

import "pvlab/hv/x86"

// decoder is the state of decoding one instruction (SDM vol. 2, chapter 2,
// "Instruction Format").
type decoder struct {
	code []byte
	pos  int
	mode Mode
	amd  bool
	rip  uint64

	absent   feature
	rex      uint8 // REX prefix byte directly before the opcode, or 0; VEX bits are merged in
	opsize   bool  // 66
	addrsize bool  // 67
	lock     bool
	rep      uint8 // last of F2 and F3, or 0
	seg      int8  // segment override, or -1
	vex      bool
	vexL     bool
	vvvv     uint8

	opByte uint8
	modrm  uint8
	short  bool // ran out of bytes
}

// REX bits.
const (
	rexB = 1 << iota
	rexX
	rexR
	rexW
)

// decode decodes the instruction at the start of code, whose offset in CS is
// rip, in the current mode. It returns false when code is shorter than the
// instruction and than 15 bytes. What is not an instruction decodes to an
// operation that raises the right exception, or that stops the machine by
// name if it is one that pvlab does not model.
func (c *CPU) decode(code []byte, rip uint64, in *Inst) bool {
	d := decoder{code: code, mode: c.mode, absent: c.absent, amd: c.Vendor == AMD, rip: rip, seg: -1}
	*in = Inst{RIP: rip, Base: zeroReg, Index: zeroReg}
	op := d.instruction(in)
	if d.short {
		if len(code) < maxInst {
			return false
		}
		op = pseudoTooLong * 8
	}
	if op < numPseudo*8 {
		*in = Inst{RIP: rip, Base: zeroReg, Index: zeroReg, Flags: FlagEnd}
	}
	in.Op = op
	in.Len = uint8(min(max(d.pos, 1), maxInst))
	return true
}

func (d *decoder) next() uint8 {
	if d.pos >= len(d.code) {
		d.short = true
		return 0
	}
	b := d.code[d.pos]
	d.pos++
	return b
}

// prefixes reads legacy and REX prefixes and returns the first opcode byte.
func (d *decoder) prefixes() uint8 {
	for {
		b := d.next()
		switch b {
		case 0x26:
			d.override(x86.ES)
		case 0x2e:
			d.override(x86.CS)
		case 0x36:
			d.override(x86.SS)
		case 0x3e:
			d.override(x86.DS)
		case 0x64:
			d.seg = x86.FS
		case 0x65:
			d.seg = x86.GS
		case 0x66:
			d.opsize = true
		case 0x67:
			d.addrsize = true
		case 0xf0:
			d.lock = true
		case 0xf2, 0xf3:
			d.rep = b
		default:
			if d.mode == Mode64 && b&0xf0 == 0x40 && !d.short {
				d.rex = b
				continue
			}
			return b
		}
		d.rex = 0 // a REX counts only directly before the opcode
		if d.short {
			return 0
		}
	}
}

// override notes a segment override; in 64-bit mode those of ES, CS, SS and
// DS do nothing (SDM vol. 2, "Segment Override Prefixes" and vol. 1, 3.3.4).
func (d *decoder) override(seg int8) {
	if d.mode != Mode64 {
		d.seg = seg
	}
}

// instruction decodes one instruction and returns its operation.
func (d *decoder) instruction(in *Inst) Op {
	m, op, ok := d.opcode(d.prefixes())
	if d.short {
		return 0
	}
	if !ok {
		return pseudoUD * 8
	}
	d.opByte = op
	r, n := d.selectRow(m, op)
	if d.short {
		return 0
	}
	if r == nil {
		return d.gap(m, op)
	}
	in.Size = d.size(r.size)
	d.operands(r, in)
	if d.short {
		return 0
	}
	return d.finish(r, n, in)
}

// size applies a size rule to the prefixes.
func (d *decoder) size(rule sizeRule) uint8 {
	w := d.rex&rexW != 0
	switch rule {
	case sizeB:
		return 1
	case sizeW:
		return 2
	case sizeD:
		return 4
	case sizeQ:
		return 8
	case sizeY:
		if w && d.mode == Mode64 {
			return 8
		}
		return 4
	case sizeIO:
		if d.opsize == (d.mode == Mode16) {
			return 4
		}
		return 2
	case sizeReg:
		if d.mode == Mode64 {
			return 8
		}
		return 4
	}
	if d.mode == Mode64 {
		switch {
		case w, rule == sizeBr && !d.amd:
			return 8
		case d.opsize:
			return 2
		case rule == sizeV:
			return 4
		}
		return 8
	}
	if d.opsize == (d.mode == Mode16) {
		return 4
	}
	return 2
}

// sizeIndex maps 1, 2, 4, 8 to 0, 1, 2, 3.
var sizeIndex = [16]uint8{1: 0, 2: 1, 4: 2, 8: 3}

// finish checks the LOCK prefix, sets the flags and picks the function.
func (d *decoder) finish(r *row, n int, in *Inst) Op {
	op := Op(n*8) + Op(sizeIndex[in.Size&15])
	if in.Flags&FlagMem != 0 {
		if r.form&formModRM != 0 {
			op += 4
		}
		switch r.acc {
		case accOp:
			in.Acc = in.Size
		case accTwo:
			in.Acc = 2 * in.Size
		case accHead:
			in.Acc = min(in.Size, 4)
		case accFar:
			in.Acc = 2 + in.Size
		case accNone:
		default:
			in.Acc = uint8(r.acc)
		}
		if r.attr&attrWrite != 0 {
			in.Flags |= FlagWrite
		}
	}
	if d.lock {
		if r.attr&attrLock == 0 || in.Flags&FlagMem == 0 {
			return pseudoUD * 8
		}
		in.Flags |= FlagLock
	}
	if d.vex && (d.vexL || (r.form&formVVVV == 0 && d.vvvv != 0)) {
		return pseudoUD * 8
	}
	switch d.rep {
	case 0xf3:
		in.Flags |= FlagRep
	case 0xf2:
		in.Flags |= FlagRepne
	}
	if d.rex != 0 {
		in.Flags |= FlagREX
	}
	if r.attr&attrEnd != 0 {
		in.Flags |= FlagEnd
	}
	if exec[op] == nil {
		return pseudoUD * 8
	}
	return op
}
