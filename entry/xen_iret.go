package entry

import (
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// Iret is HYPERVISOR_iret: the guest's return, read from nine words at its
// stack pointer (IRET-01 to IRET-16; X/pv/iret.c:do_iret). The context it
// names is in the registers afterwards; Resume enters it. False when the
// domain died of it.
func (x *Xen) Iret() (rax uint64, ok bool) {
	v, c := x.V, x.V.CPU
	var f abi.IretContext
	if w := v.Look(c.R[x86.RSP], abi.IretContextSize); w != nil {
		f = abi.DecodeIretContext((*[abi.IretContextSize]byte)(w))
	} else {
		var b [abi.IretContextSize]byte
		if !v.CopyFrom(c.R[x86.RSP], b[:]) {
			x.crashIret("CRASH-04", "Fault while reading IRET context from guest stack")
			return 0, false
		}
		f = abi.DecodeIretContext(&b)
	}
	if to := v.Dom.Probes.Iret; len(to) != 0 {
		probe.Fire(to, &probe.Iret{VCPU: v.ID, At: c.R[x86.RSP],
			Words:  [9]uint64{f.RAX, f.R11, f.RCX, f.Flags, f.RIP, f.CS, f.RFLAGS, f.RSP, f.SS},
			ToUser: f.CS&3 == 3, Sysret: f.Flags&abi.VGCFInSyscall != 0})
	}
	if f.CS&3 == 3 {
		if v.GuestTableUser == 0 {
			x.crashIret("CRASH-05", "Guest switching to user mode with no user page tables")
			return 0, false
		}
		v.ToggleMode()
	}
	if v.Dom.Is(abi.VMAssistArchitecturalIOPL) {
		v.IOPL = uint8(f.RFLAGS >> 12 & 3)
	}
	c.RIP = f.RIP
	c.Seg[x86.CS].Sel = uint16(f.CS) | 3
	c.Seg[x86.SS].Sel = uint16(f.SS) | 3
	v.FlagsRaw = true
	x.setFlags(f.RFLAGS&^(x86.FlagIOPL|x86.FlagVM) | x86.FlagIF)
	c.R[x86.RSP] = f.RSP
	x.V.Reload = true
	if f.Flags&abi.VGCFInSyscall == 0 {
		v.Sysret = false
		c.R[x86.R11], c.R[x86.RCX] = f.R11, f.RCX
	}
	mask := uint8(1)
	if f.RFLAGS&x86.FlagIF != 0 {
		mask = 0
	}
	v.SetMask(mask)
	if v.AsyncMask != 0 {
		v.AsyncMask = v.NMIOldMask // any iret re-opens NMIs (CB-11)
	}
	return f.RAX, true
}
