package entry

import (
	"pvlab/hv/cpu"
	"pvlab/hv/x86"
)

// Gate types of an IDT (SDM vol. 3, "IDT Descriptors", "64-Bit Mode IDT").
const (
	gateTask   = 5
	gateIntr16 = 6
	gateTrap16 = 7
	gateIntr32 = 14
	gateTrap32 = 15
)

// idtEntry reads the entry of the vector, of n bytes, as its low and high
// words; #GP(vector*8+2) outside the table.
func (d *delivery) idtEntry(n uint32) (lo, hi uint64, f x86.Fault) {
	c := d.c
	off := uint32(d.vector) * n
	if off+n-1 > uint32(c.IDTR.Limit) {
		return 0, 0, d.gateFault(x86.VectorGP)
	}
	if lo, f = c.SystemWord(c.IDTR.Base+uint64(off), 8); f.Valid {
		return 0, 0, f
	}
	if n == 16 {
		hi, f = c.SystemWord(c.IDTR.Base+uint64(off)+8, 8)
	}
	return lo, hi, f
}

// checkGate tests type, DPL and presence of an IDT entry.
func (d *delivery) checkGate(lo uint64, types uint32) x86.Fault {
	attr := lo >> 40
	if attr&x86.AttrS != 0 || types>>(attr&x86.AttrType)&1 == 0 || d.soft && uint8(attr>>5&3) < d.c.CPL {
		return d.gateFault(x86.VectorGP)
	}
	if attr&x86.AttrP == 0 {
		return d.gateFault(x86.VectorNP)
	}
	return x86.Fault{}
}

// long delivers through a 64-bit IDT (SDM vol. 3, "Exception and Interrupt
// Handling in 64-bit Mode"): five or six 8-byte slots on a stack aligned to
// 16 bytes, chosen by IST, else by the TSS when the privilege level changes.
func (d *delivery) long() x86.Fault {
	c := d.c
	lo, hi, f := d.idtEntry(16)
	if f.Valid {
		return f
	}
	if f = d.checkGate(lo, 1<<gateIntr32|1<<gateTrap32); f.Valid {
		return f
	}
	g := gate{
		sel: uint16(lo >> 16), rip: lo&0xffff | lo>>48<<16 | hi<<32,
		ist: uint8(lo >> 32 & 7), trap: lo>>40&1 != 0, size: 8,
	}
	code, cpl, f := d.handlerCode(&g)
	if f.Valid {
		return f
	}
	inner := cpl < c.CPL
	stack := c.FlatStack(c.R[x86.RSP], false)
	if g.ist != 0 || inner {
		off := 4 + 8*uint32(cpl)
		if g.ist != 0 {
			off = 36 + 8*uint32(g.ist-1)
		}
		rsp, f := c.TSSWord(off, 8)
		if f.Valid {
			return d.withExt(f)
		}
		stack = c.FlatStack(rsp, inner)
	}
	if !x86.Canonical(g.rip) {
		return x86.WithCode(x86.VectorGP, d.ext)
	}
	stack.Align(16)
	if f = d.pushAll(&stack, 8, true); f.Valid {
		return f
	}
	if inner {
		c.Seg[x86.SS] = cpu.NullStackSegment(cpl)
	}
	c.R[x86.RSP] = stack.Pointer()
	d.enter(code, &g, cpl)
	return x86.Fault{}
}

// protected delivers through a 32-bit IDT (SDM vol. 3, "Exception- or
// Interrupt-Handler Procedures").
func (d *delivery) protected() x86.Fault {
	c := d.c
	lo, _, f := d.idtEntry(8)
	if f.Valid {
		return f
	}
	const types = 1<<gateIntr32 | 1<<gateTrap32 | 1<<gateIntr16 | 1<<gateTrap16 | 1<<gateTask
	if f = d.checkGate(lo, types); f.Valid {
		return f
	}
	typ := lo >> 40 & x86.AttrType
	if typ == gateTask {
		d.raw = errTaskGate
		return x86.Fault{}
	}
	g := gate{sel: uint16(lo >> 16), rip: lo&0xffff | lo>>48<<16, trap: typ&1 != 0, size: 4}
	if typ == gateIntr16 || typ == gateTrap16 {
		g.rip, g.size = g.rip&0xffff, 2
	}
	code, cpl, f := d.handlerCode(&g)
	if f.Valid {
		return f
	}
	stack, ss := c.CurrentStack(), c.Seg[x86.SS]
	inner := cpl < c.CPL
	if inner {
		if stack, ss, f = c.PrivilegeStack(cpl); f.Valid {
			return d.withExt(f)
		}
	}
	if g.rip > uint64(code.Limit) {
		return x86.WithCode(x86.VectorGP, d.ext)
	}
	if f = d.pushAll(&stack, g.size, inner); f.Valid {
		return f
	}
	c.Seg[x86.SS] = ss
	stack.Commit()
	d.enter(code, &g, cpl)
	return x86.Fault{}
}

// real delivers through the vector table of real-address mode (SDM vol. 3,
// "Interrupt and Exception Handling" of "Real-Address Mode"): FLAGS, CS, IP,
// never an error code.
func (d *delivery) real() x86.Fault {
	c := d.c
	off := uint32(d.vector) * 4
	if off+3 > uint32(c.IDTR.Limit) {
		return d.gateFault(x86.VectorGP)
	}
	v, f := c.SystemWord(c.IDTR.Base+uint64(off), 4)
	if f.Valid {
		return f
	}
	d.hasCode = false
	stack := c.CurrentStack()
	if f = d.pushAll(&stack, 2, false); f.Valid {
		return f
	}
	stack.Commit()
	cs := c.Seg[x86.CS]
	sel := uint16(v >> 16)
	g := gate{rip: v & 0xffff}
	cs.Base = uint64(sel) << 4
	cs.Sel = sel
	d.enter(cs, &g, 0)
	c.Seg[x86.CS].Sel = sel // EnterCode puts the privilege level there
	c.SetFlags(c.Flags() &^ x86.FlagAC)
	return x86.Fault{}
}
