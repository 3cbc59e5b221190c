package entry

import (
	"pvlab/hv/cpu"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

// What the delivery through 64-bit and 32-bit IDTs has in common: error codes,
// the handler's code segment, the slots of the frame.

// gateFault is an error code that names an IDT entry.
func (d *delivery) gateFault(vector uint8) x86.Fault {
	return x86.WithCode(vector, uint32(d.vector)*8+2+d.ext)
}

// withExt adds the EXT bit to the error code of a selector fault.
func (d *delivery) withExt(f x86.Fault) x86.Fault {
	switch f.Vector {
	case x86.VectorTS, x86.VectorNP, x86.VectorSS, x86.VectorGP:
		f.Code |= d.ext
	}
	return f
}

// gate is the target of an IDT entry.
type gate struct {
	sel  uint16
	rip  uint64
	ist  uint8
	trap bool // trap gate: leaves IF
	size int  // bytes of each slot
}

// handlerCode fetches and checks the code segment of a gate; cpl is the
// handler's privilege level.
func (d *delivery) handlerCode(g *gate) (s x86.Segment, cpl uint8, f x86.Fault) {
	c := d.c
	if g.sel&^3 == 0 {
		return s, 0, x86.WithCode(x86.VectorGP, d.ext)
	}
	desc, f := c.ReadDescriptor(g.sel)
	if f.Valid {
		return s, 0, d.withExt(f)
	}
	s = desc.Segment(g.sel)
	code := uint32(g.sel&^3) | d.ext
	const want = x86.AttrS | x86.AttrCode
	bad := s.Attr&want != want || s.DPL() > c.CPL
	if c.Long() {
		bad = bad || s.Attr&x86.AttrL == 0 || s.Attr&x86.AttrDB != 0
	}
	if bad {
		return s, 0, x86.WithCode(x86.VectorGP, code)
	}
	if s.Attr&x86.AttrP == 0 {
		return s, 0, x86.WithCode(x86.VectorNP, code)
	}
	if s, f = c.MarkAccessed(g.sel); f.Valid {
		return s, 0, d.withExt(f)
	}
	cpl = c.CPL
	if s.Attr&x86.AttrDown == 0 {
		cpl = s.DPL()
	}
	return s, cpl, x86.Fault{}
}

// slotNames in the order they are pushed; the last is pushed by exceptions
// that have an error code.
var slotNames = [...]string{"ss", "rsp", "rflags", "cs", "rip", "error"}

// push stores a slot and records it.
func (d *delivery) push(s *cpu.Stack, name string, size int, v uint64) x86.Fault {
	if f := s.Push(size, v); f.Valid {
		return d.withExt(f)
	}
	fr := &d.n.frame
	fr.Slots = append(fr.Slots, Slot{Name: name, Addr: s.Linear(), Value: v})
	return x86.Fault{}
}

// pushAll stores the frame from ss (or, without a stack switch, from rflags)
// down.
func (d *delivery) pushAll(s *cpu.Stack, size int, withStack bool) x86.Fault {
	c := d.c
	d.n.frame.StackTop = s.Pointer()
	values := [...]uint64{uint64(c.Seg[x86.SS].Sel), c.R[x86.RSP], d.rflags, uint64(c.Seg[x86.CS].Sel), d.rip, uint64(d.code)}
	first, last := 2, len(values)
	if withStack {
		first = 0
	}
	if !d.hasCode {
		last--
	}
	for i := first; i < last; i++ {
		if f := d.push(s, slotNames[i], size, values[i]); f.Valid {
			return f
		}
	}
	return x86.Fault{}
}

// enter goes to the handler and tells the observers.
func (d *delivery) enter(s x86.Segment, g *gate, cpl uint8) {
	c := d.c
	flags := c.Flags() &^ (x86.FlagTF | x86.FlagNT | x86.FlagRF | x86.FlagVM)
	if !g.trap {
		flags &^= x86.FlagIF
	}
	c.EnterCode(s, g.rip, cpl)
	c.SetFlags(flags)
	fr := &d.n.frame
	fr.Handler = g.rip
	for i, j := 0, len(fr.Slots)-1; i < j; i, j = i+1, j-1 {
		fr.Slots[i], fr.Slots[j] = fr.Slots[j], fr.Slots[i]
	}
	fr.At = fr.Slots[0].Addr
	if d.n.Probes != nil {
		probe.Fire(d.n.Probes.Frame, fr)
	}
}
