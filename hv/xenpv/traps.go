package xenpv

import (
	"fmt"

	"pvlab/hv/cpu"
	"pvlab/hv/emul"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// fault is an exception the processor raised while the guest ran
// (X/traps.c).
func (p *Platform) fault(b *border, f x86.Fault) error {
	v, x := b.x.V, b.x
	var r emul.Result
	switch f.Vector {
	case x86.VectorPF:
		if x.DescriptorFault(f) {
			x.Settled()
			return nil
		}
		if r = emul.ReadOnlyIO(v, f); !r.Handled {
			r = emul.PageTableWrite(v, f)
		}
	case x86.VectorGP:
		if f.Code == 0 {
			r = b.e.Privileged(v)
		}
	case x86.VectorUD:
		r = emul.InvalidOp(v)
	case x86.VectorNM:
		v.SetTS(false) // the guest's handler finds TS clear (PRIV-14)
	case x86.VectorDB:
		p.debug(b)
	}
	if r.Missing != nil {
		if !p.opts.Tolerant {
			return r.Missing
		}
		if p.opts.Unsure != nil {
			p.opts.Unsure(r.Missing.Error())
		}
	}
	if r.Handled {
		if !r.Fault.Valid {
			x.Settled()
			return nil
		}
		f = r.Fault
	}
	if p.opts.FaultRF && f.Vector != x86.VectorDB {
		v.CPU.SetFlags(v.CPU.Flags() | x86.FlagRF)
	}
	x.Exception(f)
	return nil
}

// debug moves the processor's DR6 into the guest's virtual one and resets it
// (DBG-10; X/traps.c:do_debug).
func (p *Platform) debug(b *border) {
	v, c := b.x.V, b.x.V.CPU
	hw := c.DR[6]
	c.DR[6] = x86.DR6Init
	if v.Dom.Version.DR6Merges() {
		const bps = 0xf
		if hw&bps != 0 {
			v.DR6 &^= bps
		}
	}
	v.DR6 |= hw &^ x86.DR6Init
	v.DR6 &= hw | ^uint64(x86.DR6Init)
}

// softInt is INT n, INT3, INTO or ICEBP.
func (b *border) softInt(ex *cpu.Exit) {
	v, x, c := b.x.V, b.x, b.x.V.CPU
	vec := ex.Vector
	switch {
	case ex.Soft == cpu.SoftICEBP:
		c.RIP = ex.Next
		x.Exception(x86.NoCode(x86.VectorDB))
		return
	case ex.Soft == cpu.SoftINT3 || vec == x86.VectorBP || ex.Soft == cpu.SoftINTO || vec == x86.VectorOF:
		// Gates of DPL 3: anybody may raise these (FRAME-23).
		c.RIP = ex.Next
		x.Exception(x86.NoCode(vec))
		return
	case vec == 0x80:
		at := c.RIP
		c.RIP = ex.Next
		if x.Int80() {
			return
		}
		c.RIP = at
		if !v.Dom.Version.SoftIntLengthKnown() {
			c.RIP = ex.Next - 2
		}
	}
	// All other gates have DPL 0: the processor raises #GP naming the gate,
	// and Xen looks at the guest's own DPL (FRAME-22).
	need := uint8(3)
	if v.KernelMode {
		need = 1
	}
	if v.Trap[vec].DPL() < need {
		x.Exception(x86.WithCode(x86.VectorGP, uint32(vec)*8+2))
		return
	}
	if v.Dom.Version.SoftIntLengthKnown() {
		c.RIP = ex.Next
	} else {
		c.RIP += 2
	}
	x.SoftInt(vec)
}

// swallowDB loses a debug trap that MOV SS delayed past the instruction that
// entered Xen: it hits in Xen's own context, which notes it and goes on
// (DBG-12, XSA-260; X/traps.c:do_debug). Where in Xen is not modelled: the
// addresses of that line are zero.
func (b *border) swallowDB() {
	v, c := b.x.V, b.x.V.CPU
	if c.PendingDB == 0 {
		return
	}
	dr6 := c.DR[6] | c.PendingDB
	c.PendingDB, c.DR[6] = 0, x86.DR6Init
	v.Dom.Print(fmt.Sprintf("%s Hit #DB in Xen context: %04x:%016x [0], stk %04x:%016x, dr6 %x", v.Name(), abi.HypervisorCS, 0, 0, 0, dr6))
}
