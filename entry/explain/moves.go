package explain

import (
	"golang.org/x/arch/x86/x86asm"

	"pvlab/hv/x86"
)

// effect is what an instruction will do to origins once it has executed.
// Origins are read before (so that an exchange works) and written after.
type effect struct {
	regs    [4]regMove
	nregs   int
	mems    [4]memMove
	nmems   int
	ret     *Return // the instruction is a return
	jump    Origin  // RET: origin of the new RIP
	jumpAt  uint64  // where that was read
	isJump  bool
	name    string // mnemonic, for incidents
	decoded bool
}

type regMove struct {
	reg    int
	origin Origin
	change bool // keep the register's origin, mark it changed
}

// memMove stores origin into the 8-byte word at lin (size 8), or marks size
// bytes as changed.
type memMove struct {
	lin, size uint64
	origin    Origin
	touch     bool
}

func (e *effect) setReg(r int, o Origin) {
	if e.nregs < len(e.regs) {
		e.regs[e.nregs] = regMove{reg: r, origin: o}
		e.nregs++
	}
}

func (e *effect) changeReg(r int) {
	if e.nregs < len(e.regs) {
		e.regs[e.nregs] = regMove{reg: r, change: true}
		e.nregs++
	}
}

func (e *effect) setMem(lin uint64, o Origin) {
	if e.nmems < len(e.mems) {
		e.mems[e.nmems] = memMove{lin: lin, size: 8, origin: o}
		e.nmems++
	}
}

func (e *effect) touchMem(lin, size uint64) {
	if e.nmems < len(e.mems) {
		e.mems[e.nmems] = memMove{lin: lin, size: size, touch: true}
		e.nmems++
	}
}

// regOf gives the register's number and size in bytes; ok is false for
// anything but a general register. AH, CH, DH, BH give the whole register.
func regOf(a x86asm.Arg) (n int, size uint64, ok bool) {
	r, isReg := a.(x86asm.Reg)
	if !isReg {
		return 0, 0, false
	}
	switch {
	case r >= x86asm.RAX && r <= x86asm.R15:
		return int(r - x86asm.RAX), 8, true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return int(r - x86asm.EAX), 4, true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return int(r - x86asm.AX), 2, true
	case r >= x86asm.AL && r <= x86asm.BL:
		return int(r - x86asm.AL), 1, true
	case r >= x86asm.AH && r <= x86asm.BH:
		return int(r - x86asm.AH), 1, true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return int(r-x86asm.SPB) + x86.RSP, 1, true
	}
	return 0, 0, false
}

// address computes the linear address of a memory operand from the registers
// before the instruction.
func (s *Step) address(in *x86asm.Inst, m x86asm.Mem) uint64 {
	a := uint64(m.Disp)
	if m.Base == x86asm.RIP {
		a += s.RIP + uint64(in.Len)
	} else if n, _, ok := regOf(m.Base); ok && m.Base != 0 {
		a += s.R[n]
	}
	if n, _, ok := regOf(m.Index); ok && m.Index != 0 {
		a += s.R[n] * uint64(m.Scale)
	}
	if in.AddrSize == 32 {
		a &= 0xffffffff
	}
	switch m.Segment {
	case x86asm.FS:
		a += s.FSBase
	case x86asm.GS:
		a += s.GSBase
	}
	return a
}

// decode finds the instruction at the step; ok is false when the display
// decoder does not know it (it returns bare prefixes as instructions).
func (t *Tracker) decode(s *Step) (in *x86asm.Inst, ok bool) {
	// Recursion runs the same few instructions thousands of times.
	c, known := t.decoded[s.RIP]
	if !known || string(c.code) != string(s.Code) {
		in, err := x86asm.Decode(s.Code, 64)
		c = &decodedInst{code: append([]byte(nil), s.Code...), in: in, ok: err == nil && in.Op != 0 && in.Len > 0}
		if len(t.decoded) > maxDecoded {
			clear(t.decoded)
		}
		t.decoded[s.RIP] = c
	}
	return &c.in, c.ok
}

// decodedInst is a decoded instruction and the bytes it was decoded from.
type decodedInst struct {
	code []byte
	in   x86asm.Inst
	ok   bool
}

// maxDecoded bounds the decoded instructions kept.
const maxDecoded = 1 << 14

// effectOf says what the instruction will do to origins.
func (t *Tracker) effectOf(s *Step) effect {
	var e effect
	in, ok := t.decode(s)
	if !ok {
		return e
	}
	e.decoded, e.name = true, mnemonic(in)
	if f := followers[in.Op]; f != nil {
		f(t, s, in, &e)
		return e
	}
	t.general(s, in, &e)
	return e
}

// general is the rule for what has no follower of its own: a written memory
// operand is marked changed; registers are compared afterwards.
func (t *Tracker) general(s *Step, in *x86asm.Inst, e *effect) {
	if m, ok := in.Args[0].(x86asm.Mem); ok && in.MemBytes > 0 {
		e.touchMem(s.address(in, m), uint64(in.MemBytes))
	}
	if n, _, ok := regOf(in.Args[0]); ok && in.Args[1] != nil && arithmetic[in.Op] {
		if x, _, same := regOf(in.Args[1]); same && x == n && (in.Op == x86asm.XOR || in.Op == x86asm.SUB) {
			e.setReg(n, Origin{Kind: Constant, Maker: s.RIP})
			return
		}
		e.changeReg(n)
	}
}

// arithmetic operations alter their first operand: the word stays the same
// word, changed. Everything else that writes a register makes a new value.
var arithmetic = map[x86asm.Op]bool{
	x86asm.ADD: true, x86asm.SUB: true, x86asm.OR: true, x86asm.AND: true, x86asm.XOR: true,
	x86asm.ADC: true, x86asm.SBB: true, x86asm.SHL: true, x86asm.SHR: true, x86asm.SAR: true,
	x86asm.ROL: true, x86asm.ROR: true, x86asm.BTS: true, x86asm.BTR: true, x86asm.BTC: true,
}

// source is the origin of an operand of size bytes; partial reads of a word
// count as that word, changed.
func (t *Tracker) source(s *Step, in *x86asm.Inst, a x86asm.Arg) (o Origin, size uint64) {
	switch v := a.(type) {
	case x86asm.Reg:
		n, size, ok := regOf(v)
		if !ok {
			return Origin{Kind: Computed, Maker: s.RIP}, 8 // segment, control or vector register
		}
		return t.regs[n], size
	case x86asm.Mem:
		return t.mem.get(s.address(in, v)), uint64(in.MemBytes)
	case x86asm.Imm:
		return Origin{Kind: Constant, Maker: s.RIP}, 8
	}
	return Origin{Kind: Computed, Maker: s.RIP}, 8
}

// put moves an origin into an operand.
func (e *effect) put(s *Step, in *x86asm.Inst, a x86asm.Arg, o Origin, size uint64) {
	switch v := a.(type) {
	case x86asm.Reg:
		n, rsize, ok := regOf(v)
		switch {
		case !ok:
		case rsize < 4:
			e.changeReg(n) // the rest of the register stays
		case (rsize < 8 || size < 8) && o.Kind != Constant:
			e.setReg(n, o.changed(s.RIP))
		default:
			e.setReg(n, o)
		}
	case x86asm.Mem:
		lin := s.address(in, v)
		if in.MemBytes != 8 {
			e.touchMem(lin, uint64(max(in.MemBytes, 0)))
			return
		}
		e.setMem(lin, o.stored(s.RIP))
	}
}
