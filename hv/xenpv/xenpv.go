// Package xenpv is Xen at work for one PV domain: it takes an exit of a
// vCPU's processor, does what Xen 4.17 does about it - fix it up, emulate,
// serve a hypercall, bounce it to the guest - and leaves the vCPU ready for
// its next instruction. It decides nothing itself: entry, emul and hypercall
// do; this is the order in which they are asked.
package xenpv

import (
	"fmt"

	"pvlab/entry"
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/emul"
	"pvlab/hv/x86"
	"pvlab/hypercall"
)

// Guest is a PV domain and Xen's side of its vCPUs.
type Guest struct {
	Dom      *dom.Domain
	borders  []*entry.Xen
	callers  []*hypercall.Caller
	tolerant bool
	unsure   func(string)
}

// Options say how to go on where pvlab lacks something.
type Options struct {
	// Tolerant goes on after something that is not modelled, which Unsure is
	// told; otherwise Exit returns the error.
	Tolerant bool
	Unsure   func(what string)
	// ConsoleRing is the frame of a domU's console page, 0 for none.
	ConsoleRing uint64
}

// New puts Xen behind the vCPUs of d.
func New(d *dom.Domain, o Options) *Guest {
	g := &Guest{Dom: d, tolerant: o.Tolerant, unsure: o.Unsure}
	table := hypercall.NewTable()
	for _, v := range d.VCPU {
		x := entry.NewXen(v)
		c := hypercall.NewCaller(x, table)
		c.Tolerant, c.Unsure, c.ConsoleRing = o.Tolerant, o.Unsure, o.ConsoleRing
		g.borders = append(g.borders, x)
		g.callers = append(g.callers, c)
	}
	return g
}

// Enter makes vCPU id ready to run after it was kicked or woke: what became
// pending meanwhile is delivered. Without a kick it does nothing, since an
// upcall happens only on the way out of Xen (EVT-02).
func (g *Guest) Enter(id int) {
	v := g.Dom.VCPU[id]
	v.Enter()
	if v.Kicked {
		v.Kicked = false
		v.Sysret = false // an interrupt or a schedule leaves by IRET
		g.borders[id].Resume()
	}
}

// Exit does what Xen does about an exit of vCPU id, up to the return to the
// guest. A blocked or stopped vCPU is left before that return; Enter makes it
// when the vCPU runs again. The error names what is not modelled.
func (g *Guest) Exit(id int, ex *cpu.Exit) error {
	v, x := g.Dom.VCPU[id], g.borders[id]
	if err := g.handle(id, ex); err != nil {
		return err
	}
	if !v.Runnable() {
		v.Kicked = true
		return nil
	}
	v.Kicked = false
	x.Resume()
	return nil
}

func (g *Guest) handle(id int, ex *cpu.Exit) error {
	v, x := g.Dom.VCPU[id], g.borders[id]
	c := v.CPU
	if ex.Kind != cpu.ExitSyscall {
		v.Sysret = false
	}
	switch ex.Kind {
	case cpu.ExitFault:
		return g.fault(v, x, ex.Fault)
	case cpu.ExitSoftInt:
		return g.softInt(v, x, ex)
	case cpu.ExitSyscall:
		return g.syscall(id, ex)
	case cpu.ExitSysenter:
		c.RIP = ex.Next
		x.Sysenter()
		return nil
	case cpu.ExitInterrupt, cpu.ExitNMI, cpu.ExitStop, cpu.ExitBudget:
		return nil
	}
	return fmt.Errorf("xen: processor exit %q of a PV guest", ex.Kind)
}

// fault is the exception handlers of Xen (X/traps.c), in their order: what
// Xen fixes up, what it emulates, else the guest's own handler.
func (g *Guest) fault(v *dom.VCPU, x *entry.Xen, f x86.Fault) error {
	switch f.Vector {
	case x86.VectorPF:
		if x.DescriptorFault(f) {
			return nil
		}
		if done, err := g.emulated(x, emul.PageTableWrite(v, f)); done || err != nil {
			return err
		}
	case x86.VectorGP:
		if f.Code == 0 {
			if done, err := g.emulated(x, emul.Privileged(v)); done || err != nil {
				return err
			}
		}
	case x86.VectorUD:
		if done, err := g.emulated(x, emul.InvalidOp(v)); done || err != nil {
			return err
		}
	case x86.VectorNM:
		// Xen gives the FPU back before the guest hears of it (PRIV-14).
		x.Exception(f)
		v.SetTS(false)
		return nil
	case x86.VectorDB:
		v.TakeDR6()
	}
	x.Exception(f)
	return nil
}

// emulated does what an emulation's result asks; false when the guest gets
// its own fault.
func (g *Guest) emulated(x *entry.Xen, r emul.Result) (bool, error) {
	if r.Missing != nil {
		if !g.tolerant {
			return false, r.Missing
		}
		g.unsure(r.Missing.Error())
	}
	if r.Fault.Valid {
		x.Exception(r.Fault)
	}
	return r.Handled, nil
}

// softInt is INT n and its kin (FRAME-22 to FRAME-24): INT3 and INTO pass
// gates of Xen's own IDT that anyone may use, INT 0x80 has a fast path, and
// all others raise #GP(n*8+2), upon which Xen looks at the guest's DPL.
func (g *Guest) softInt(v *dom.VCPU, x *entry.Xen, ex *cpu.Exit) error {
	c := v.CPU
	at := c.RIP
	switch {
	case ex.Soft == cpu.SoftICEBP:
		c.RIP = ex.Next
		v.TakeDR6()
		x.Exception(x86.NoCode(x86.VectorDB))
		return nil
	case ex.Vector == x86.VectorBP || ex.Vector == x86.VectorOF:
		c.RIP = ex.Next
		x.SoftInt(ex.Vector)
		return nil
	case ex.Vector == 0x80:
		c.RIP = ex.Next
		if !x.Int80() {
			c.RIP = at
			x.Exception(x86.WithCode(x86.VectorGP, 0x80*8+2))
		}
		return nil
	}
	if !v.PermitSoftInt(ex.Vector) {
		x.Exception(x86.WithCode(x86.VectorGP, uint32(ex.Vector)*8+2))
		return nil
	}
	if v.Dom.Version.SoftIntLengthKnown() {
		c.RIP = ex.Next
	} else {
		c.RIP = at + 2 // a prefixed INT returns into its own tail (HIST-24)
	}
	x.SoftInt(ex.Vector)
	return nil
}

// syscall is a hypercall in guest-kernel mode and the syscall callback
// otherwise (HC-01, HC-08). 32-bit code never makes hypercalls.
func (g *Guest) syscall(id int, ex *cpu.Exit) error {
	v, x := g.Dom.VCPU[id], g.borders[id]
	c := v.CPU
	c.RIP = ex.Next
	c.R[x86.RCX], c.R[x86.R11] = c.RIP, c.Flags()
	v.Sysret = true
	if !v.KernelMode || c.Mode() != cpu.Mode64 {
		x.UserSyscall()
		return nil
	}
	return g.callers[id].Do()
}
