package emul

import (
	"pvlab/hv/dom"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
)

// forcedPrefix is UD2 followed by "xen": the instruction after it is to be
// executed as Xen wants the guest to see it (PRIV-11).
const forcedPrefix = "\x0f\x0bxen"

// InvalidOp handles a #UD of guest code: the forced-emulation CPUID
// (X/pv/emul-inv-op.c). Bytes that cannot be read give a #PF.
func InvalidOp(v *dom.VCPU) Result {
	c := v.CPU
	var sig [len(forcedPrefix)]byte
	if n, f := v.CopyFromFault(c.RIP, sig[:]); f.Valid {
		return Result{Handled: true, Fault: x86.PageFault(0, c.RIP+uint64(n))}
	}
	if string(sig[:]) != forcedPrefix {
		return Result{}
	}
	at := c.RIP + uint64(len(sig))
	var code [2]byte
	if n, f := v.CopyFromFault(at, code[:]); f.Valid {
		return Result{Handled: true, Fault: x86.PageFault(0, at+uint64(n))}
	}
	if code != [2]byte{0x0f, 0xa2} {
		return Result{}
	}
	GuestCPUID(v, true)
	if to := v.Dom.Probes.Emulated; len(to) != 0 {
		probe.Fire(to, &probe.Emulated{VCPU: v.ID, RIP: c.RIP, What: "ud2; xen; cpuid", Done: true})
	}
	c.RIP = at + uint64(len(code))
	c.SetFlags(c.Flags() &^ x86.FlagRF)
	if c.Flags()&x86.FlagTF == 0 {
		return Result{Handled: true}
	}
	v.DR6 |= x86.DR6BS | x86.DR6Init
	return Result{Handled: true, Fault: x86.NoCode(x86.VectorDB)} // DBG-07
}
