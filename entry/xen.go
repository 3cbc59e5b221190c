package entry

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// Xen is Xen's side of the border between hypervisor and one PV vCPU: what
// happens between an exit of the CPU and the guest's next instruction. The
// CPU's registers are the interrupted context meanwhile; of CS and SS only
// the selectors count until Resume loads them.
type Xen struct {
	V *dom.VCPU

	tb bounce
	// settled says that Xen came in for a fault that it dealt with itself.
	settled bool
	frame   probe.Frame
	slots   [11]probe.Slot
}

// NewXen makes the border of a vCPU.
func NewXen(v *dom.VCPU) *Xen { return &Xen{V: v} }

// bounce is what Xen's struct trap_bounce is: an event that the next return
// to the guest delivers.
type bounce struct {
	pending bool
	handler uint64
	kind    string
	vector  int // -1 where there is none
	code    uint32
	hasCode bool
	mask    bool // set the upcall mask on entry (FRAME-12)
}

// Flat segments as SYSRET and a bounce leave them.
var (
	flatCS64 = x86.Segment{Sel: abi.FlatKernelCS, Limit: 0xffffffff,
		Attr: x86.AttrP | x86.AttrS | x86.AttrDPL | x86.AttrCode | x86.AttrRW | x86.AttrAccess | x86.AttrL | x86.AttrG}
	flatSS = x86.Segment{Sel: abi.FlatKernelSS, Limit: 0xffffffff,
		Attr: x86.AttrP | x86.AttrS | x86.AttrDPL | x86.AttrRW | x86.AttrAccess | x86.AttrDB | x86.AttrG}
)

// loadFlat makes the vCPU run in flat 64-bit ring 3 code.
func loadFlat(c *cpu.CPU) {
	if c.Seg[x86.CS] != flatCS64 || c.CPL != 3 {
		c.SetFlat(x86.CS, abi.FlatKernelCS, 3)
		c.Seg[x86.CS] = flatCS64
	}
	c.Seg[x86.SS] = flatSS
}

// Dead reports whether the domain has ended.
func (x *Xen) Dead() bool { return x.V.Dom.ShutDown }

// Pending reports whether an exception waits for the next return.
func (x *Xen) Pending() bool { return x.tb.pending }

// Resume is the way back to the guest: deliver what is due in Xen's order
// (HC-10; X/x86_64/entry.S:test_all_events), then load the guest's context by
// SYSRET or IRET. It returns when the guest can run or the domain is dead.
func (x *Xen) Resume() {
	v := x.V
	settled := x.settled
	x.settled = false
	for !v.Dom.ShutDown {
		switch {
		case x.tb.pending:
			x.deliver()
		case v.NMIPending && v.AsyncMask&dom.AsyncNMI == 0:
			x.nmi()
		case v.Deliverable():
			x.tb = bounce{pending: true, handler: v.Event, kind: "event", vector: -1, mask: true}
			x.deliver()
		case v.Sysret && x.sysret():
			return
		case !v.Sysret && !v.Reload:
			if settled {
				dropLowSelectors(v.CPU)
			}
			return
		case !v.Sysret && x.iret():
			return
		}
	}
}

// nmi delivers a pending NMI, which an absent handler drops (CB-11, CB-12).
func (x *Xen) nmi() {
	v := x.V
	v.NMIPending = false
	x.Exception(x86.NoCode(x86.VectorNMI))
	if x.tb.handler == 0 {
		x.tb = bounce{}
		return
	}
	x.tb.kind = "nmi"
	v.NMIOldMask = v.AsyncMask
	v.AsyncMask |= dom.AsyncNMI
	x.deliver()
}

// sysret leaves by SYSRET: RCX and R11 are lost, CS and SS become the flat
// ones, and TF traps before the first instruction (FRAME-02, IRET-05, DBG-02).
// A non-canonical RIP takes IRET instead (IRET-06); false when that faulted.
func (x *Xen) sysret() bool {
	v, c := x.V, x.V.CPU
	v.Sysret = false
	flags := x.leaving()
	c.R[x86.R11] = flags
	c.R[x86.RCX] = c.RIP
	if hi := int64(c.RIP) >> 47; hi != 0 && hi != -1 {
		return x.iret()
	}
	if c.Seg[x86.CS].Sel == abi.FlatUserCS32 {
		c.RIP &= 0xffffffff
		c.SetFlat32(x86.CS, abi.FlatUserCS32, 3)
		c.Seg[x86.SS] = flatSS
	} else {
		loadFlat(c)
	}
	x.V.Reload = false
	v.FlagsRaw = false
	// SYSRET takes RFLAGS from R11 without RF and VM (SDM vol. 2, "SYSRET").
	c.SetFlags(flags &^ x86.FlagRF)
	c.Shadow = cpu.ShadowNone
	if flags&x86.FlagTF != 0 {
		c.PendingDB |= x86.DR6BS
	}
	return true
}

// iret leaves by IRETQ. A fault of it is an exception at the target (FRAME-21,
// IRET-13), which is left pending; false then.
func (x *Xen) iret() bool {
	c := x.V.CPU
	x.V.Reload = false
	flags := x.leaving()
	cs, ss := c.Seg[x86.CS].Sel, c.Seg[x86.SS].Sel
	if cs == abi.FlatKernelCS && ss == abi.FlatKernelSS && x86.Canonical(c.RIP) {
		loadFlat(c)
		dropLowSelectors(c)
		c.SetFlags(flags)
		x.V.FlagsRaw = false
		c.Shadow = cpu.ShadowNone
		return true
	}
	f := c.IretTo(c.RIP, cs, flags, c.R[x86.RSP], ss)
	// CS and SS may each need their page of the LDT.
	for n := 0; n < 2 && f.Valid && f.Vector == x86.VectorPF && x.DescriptorFault(f); n++ {
		if x.tb.pending {
			x.V.Reload = true
			return false
		}
		f = c.IretTo(c.RIP, cs, flags, c.R[x86.RSP], ss)
	}
	if !f.Valid {
		dropLowSelectors(c)
		x.V.FlagsRaw = false
		return true
	}
	x.V.Reload = true
	x.Exception(f)
	return false
}

// leaving is RFLAGS as the way out of Xen loads them.
func (x *Xen) leaving() uint64 {
	f := x.flags()&^(x86.FlagIOPL|x86.FlagVM) | x86.FlagIF
	if x.V.Dom.AsReference {
		f &^= x86.FlagVIF | x86.FlagVIP
	}
	return f
}

// flags is RFLAGS of the interrupted context, setFlags changes it.
func (x *Xen) flags() uint64 {
	if x.V.FlagsRaw {
		return x.V.RawFlags
	}
	return x.V.CPU.Flags()
}

func (x *Xen) setFlags(f uint64) {
	x.V.RawFlags = f
	x.V.CPU.SetFlags(f)
}

// Settled says that the fault for which the guest was left needs no exception:
// the guest goes on by IRET with its registers as they are.
func (x *Xen) Settled() { x.settled = true }

// dropLowSelectors turns data segment selectors 1 to 3 into 0, as every IRET
// to an outer level does; the hidden parts stay (SEG-07; SDM vol. 2, "IRET").
func dropLowSelectors(c *cpu.CPU) {
	for _, s := range [...]int{x86.DS, x86.ES, x86.FS, x86.GS} {
		if sel := c.Seg[s].Sel; sel-1 < 3 {
			c.Seg[s].Sel = 0
		}
	}
}
