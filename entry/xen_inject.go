package entry

import (
	"fmt"

	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// vectorNames as Xen prints them (X/traps.c:vector_name).
var vectorNames = [32]string{
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
	"#DF", "CSO", "#TS", "#NP", "#SS", "#GP", "#PF", "SPV",
	"#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "", "",
	"", "", "", "", "#HV", "#VC", "#SX", "",
}

func vectorName(vec uint8) string {
	if int(vec) < len(vectorNames) && vectorNames[vec] != "" {
		return vectorNames[vec]
	}
	return "???"
}

// noCode is what an absent error code prints as.
const noCode = ^uint32(0)

// Exception makes an exception pending for the guest
// (X/pv/traps.c:pv_inject_event). For #PF, f.Addr becomes the guest's CR2 and
// the code's user bit is the mode's (FRAME-19, FRAME-20).
func (x *Xen) Exception(f x86.Fault) {
	v := x.V
	code, has := f.Code, x86.VectorHasCode(f.Vector)
	if f.Vector == x86.VectorPF {
		v.PublishCR2(f.Addr)
		code &^= x86.PFUser
		if !v.KernelMode {
			code |= x86.PFUser
		}
	}
	x.inject(f.Vector, "exception", code, has)
	if x.tb.handler == 0 && f.Vector == x86.VectorPF {
		x.showWalk(f.Addr)
	}
}

// SoftInt makes a software interrupt pending: never with an error code
// (FRAME-18).
func (x *Xen) SoftInt(vec uint8) { x.inject(vec, "softint", 0, false) }

func (x *Xen) inject(vec uint8, kind string, code uint32, has bool) {
	v := x.V
	ti := &v.Trap[vec]
	x.tb = bounce{pending: true, handler: ti.Address, kind: kind, vector: int(vec), code: code, hasCode: has, mask: ti.Masks()}
	if ti.Address == 0 {
		if !has {
			code = noCode
		}
		v.Dom.Print(fmt.Sprintf("%s Unhandled: vec %d, %s[%04x]", v.Name(), vec, vectorName(vec), code))
	}
}

// DescriptorFault handles a #PF of a descriptor fetch in the guest's GDT or
// LDT window (X/traps.c:handle_gdt_ldt_mapping_fault): an LDT page is mapped
// if the guest's page is good, else the guest gets the fault at its own
// address; a GDT access becomes #GP(selector). False when the address is not
// in the window.
func (x *Xen) DescriptorFault(f x86.Fault) bool {
	v := x.V
	off, ldt, ok := v.LDTWindow(f.Addr)
	if !ok || f.Code&(x86.PFUser|x86.PFReserved) != 0 {
		return false
	}
	switch {
	case !ldt:
		x.Exception(x86.WithCode(x86.VectorGP, uint32(off)&^7))
	case v.MapLDTPage(off):
	case !x86.Canonical(v.LDTBase + off):
		x.Exception(x86.WithCode(x86.VectorGP, uint32(off)&^3|4))
	default:
		x.Exception(x86.PageFault(f.Code, v.LDTBase+off))
	}
	return true
}

// UserSyscall delivers a SYSCALL that is not a hypercall: to the syscall or
// syscall32 callback, or as #UD where there is none (HC-08, CB-05, CB-06;
// X/x86_64/entry.S:switch_to_kernel). The registers are those after SYSCALL.
func (x *Xen) UserSyscall() {
	v, c := x.V, x.V.CPU
	compat := c.Seg[x86.CS].Sel == abi.FlatUserCS32
	tb := bounce{pending: true, handler: v.Syscall, kind: "syscall", vector: -1, mask: v.SyscallMasks}
	if compat {
		tb.handler, tb.kind = v.Syscall32, "syscall32"
		if v.Dom.Version.Syscall32OwnMask() {
			tb.mask = v.Syscall32Masks
		}
	}
	clearDF := true
	if tb.handler == 0 {
		c.RIP -= 2
		ud := &v.Trap[x86.VectorUD]
		tb = bounce{pending: true, handler: ud.Address, kind: "exception", vector: x86.VectorUD, mask: ud.Masks()}
		clearDF = !v.Dom.Version.SyscallUDKeepsDF()
	}
	x.tb = tb
	x.deliver()
	switch {
	case x.Dead():
	case v.Dom.Version.SyscallFlagsByStack():
		f := x.flags() & c.R[x86.RSP] & 0xffffffff // bit 1 may go too, so in Xen's copy only
		x.setFlags(f)
		v.RawFlags, v.FlagsRaw = f, true
	case clearDF:
		x.setFlags(x.flags() &^ x86.FlagDF)
	}
}

// Sysenter delivers a SYSENTER: to its callback with a frame that holds no
// return address, or as #GP(0) on the same frame (CB-07;
// X/x86_64/entry.S:sysenter_entry).
func (x *Xen) Sysenter() {
	v, c := x.V, x.V.CPU
	c.RIP, c.R[x86.RSP] = 0, 0
	c.Seg[x86.CS].Sel, c.Seg[x86.SS].Sel = 3, abi.FlatUserSS
	c.SetFlags(c.Flags()&^(x86.FlagVM|x86.FlagRF) | x86.FlagIF) // TF stays: Xen saves RFLAGS before it clears it
	v.Sysret, v.Reload = true, true
	x.tb = bounce{pending: true, handler: v.Sysenter, kind: "sysenter", vector: -1, mask: v.SysenterMasks}
	if v.Sysenter == 0 {
		gp := &v.Trap[x86.VectorGP]
		x.tb = bounce{pending: true, handler: gp.Address, kind: "exception", vector: x86.VectorGP, hasCode: true, mask: gp.Masks()}
	}
	x.deliver()
}

// Int80 delivers INT 0x80 by its fast path, which ignores the gate's DPL;
// false when vector 0x80 has no handler (FRAME-24). RIP is after it.
func (x *Xen) Int80() bool {
	ti := &x.V.Trap[0x80]
	if ti.Address == 0 {
		return false
	}
	x.tb = bounce{pending: true, handler: ti.Address, kind: "softint", vector: 0x80, mask: ti.Masks()}
	x.deliver()
	return true
}

// Failsafe delivers the failsafe callback: a data segment of the vCPU could
// not be reloaded when it was scheduled in. sel are the selectors it had, in
// the order DS, ES, FS, GS (CB-08 to CB-10; X/domain.c:load_segments).
func (x *Xen) Failsafe(sel [4]uint16) {
	v, c := x.V, x.V.CPU
	fromUser := !v.KernelMode
	cs := c.Seg[x86.CS].Sel
	top := v.KernelSP &^ 15
	if fromUser {
		v.ToggleMode()
	} else {
		top = c.R[x86.RSP] &^ 15
		cs &^= 3
	}
	watch := len(v.Dom.Probes.Frame) != 0
	x.tb = bounce{handler: v.Failsafe, kind: "failsafe", vector: -1}
	if watch {
		x.startFrame(top, fromUser)
	}
	words := [...]struct {
		name string
		val  uint64
	}{
		{"ss", uint64(c.Seg[x86.SS].Sel)}, {"rsp", c.R[x86.RSP]}, {"rflags", x.frameFlags(x.flags(), v.Mask())},
		{"cs", uint64(cs) | uint64(v.Mask())<<32}, {"rip", c.RIP},
		{"gs", uint64(sel[3])}, {"fs", uint64(sel[2])}, {"es", uint64(sel[1])}, {"ds", uint64(sel[0])},
		{"r11", c.R[x86.R11]}, {"rcx", c.R[x86.RCX]},
	}
	at := top
	for _, w := range words {
		at -= 8
		if !v.Write64(at, w.val) {
			c.Seg[x86.CS].Sel = cs // as the report shows it
			x.crashFailsafe(at, w.name)
			return
		}
		if watch {
			x.noteSlot(w.name, at, w.val)
		}
	}
	if v.FailsafeMasks {
		v.SetMask(1)
	}
	x.setFlags(x.flags() &^ (x86.FlagAC | x86.FlagVM | x86.FlagRF | x86.FlagNT | x86.FlagIOPL | x86.FlagTF))
	v.Sysret = true
	c.R[x86.RSP] = at
	loadFlat(c)
	c.RIP = v.Failsafe // not checked for 0 (CB-09)
	if watch {
		x.endFrame(at)
	}
}

// EnterSyscall makes the registers those of a context that came by SYSCALL:
// RIP after it, flat selectors (X/x86_64/entry.S:lstar_enter, cstar_enter).
// The way back is SYSRET.
func (x *Xen) EnterSyscall(next uint64, compat bool) {
	v, c := x.V, x.V.CPU
	c.RIP = next
	c.Seg[x86.CS].Sel, c.Seg[x86.SS].Sel = abi.FlatKernelCS, abi.FlatKernelSS
	if compat {
		c.Seg[x86.CS].Sel, c.Seg[x86.SS].Sel = abi.FlatUserCS32, abi.FlatUserDS32
	}
	v.Sysret, v.Reload = true, false
}
