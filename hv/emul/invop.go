package emul

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
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
	GuestCPUID(v)
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

// Xen's CPUID leaves (P/arch-x86/cpuid.h).
const (
	xenLeaf      = 0x40000000
	xenMaxLeaf   = 5
	featPreserve = 1 << 0 // MMU_PT_UPDATE_PRESERVE_AD
	cpuidHV      = 1 << 31
	tscRDTSCP    = 1 << 2
)

// GuestCPUID executes CPUID with the guest's registers as Xen answers it: the
// processor's leaves, and Xen's own.
func GuestCPUID(v *dom.VCPU) {
	c := v.CPU
	leaf, sub := uint32(c.R[x86.RAX]), uint32(c.R[x86.RCX])
	var a, b, cx, d uint32
	switch {
	case leaf >= xenLeaf && leaf <= xenLeaf+xenMaxLeaf:
		a, b, cx, d = xenCPUID(v, leaf-xenLeaf, sub)
	case leaf > xenLeaf && leaf < xenLeaf+0x10000:
	default:
		a, b, cx, d = c.CPUID(leaf, sub)
		if leaf == 1 {
			cx |= cpuidHV
		}
	}
	c.R[x86.RAX], c.R[x86.RBX], c.R[x86.RCX], c.R[x86.RDX] = uint64(a), uint64(b), uint64(cx), uint64(d)
}

// xenCPUID is X/traps.c:cpuid_hypervisor_leaves for a PV domain.
func xenCPUID(v *dom.VCPU, leaf, sub uint32) (a, b, c, d uint32) {
	ver := v.Dom.Version
	switch leaf {
	case 0: // "XenVMMXenVMM"
		return xenLeaf + xenMaxLeaf, 0x566e6558, 0x65584d4d, 0x4d4d566e
	case 1:
		return uint32(ver.Major)<<16 | uint32(ver.Minor), 0, 0, 0
	case 2:
		return 1, msrXenHypercall, featPreserve, 0
	case 3:
		if sub == 0 {
			return tscRDTSCP, 0, uint32(v.Dom.TSCHz / 1000), 0
		}
		if sub == 1 { // scale of nanoseconds, as in the vcpu_time_info
			return 0, 0, 0, 0
		}
		if sub == 2 {
			return uint32(v.Dom.TSCHz / 1000), 0, 0, 0
		}
	case 5:
		bits := uint32(mem.PageShift)
		for n := v.Dom.Mem.Frames() - 1; n > 0; n >>= 1 {
			bits++
		}
		return 0, bits, 0, 0
	}
	return 0, 0, 0, 0
}
