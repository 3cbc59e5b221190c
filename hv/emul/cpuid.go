package emul

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// CPUID as Xen answers it: the processor's leaves cut down to what the policy
// of a PV guest has (PRIV-20), and Xen's own leaves. The policy is that of a
// domain for which nothing was configured (X/cpu-policy.c:
// calculate_pv_def_policy, recalculate_cpuid_policy; X/cpuid.c:guest_cpuid).

// What of each feature word a PV guest may see (P/arch-x86/
// cpufeatureset.h: the features marked A).
const (
	// Leaf 1 EDX without VME, PSE, MTRR, PGE, PSE36, DS, TM1, PBE.
	pv1EDX = 1<<0 | 1<<2 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<9 | 1<<11 | 1<<14 | 1<<15 | 1<<16 |
		1<<19 | 1<<22 | 1<<23 | 1<<24 | 1<<25 | 1<<26 | 1<<27 | 1<<28
	// Leaf 1 ECX without DTES64, MONITOR, DSCPL, VMX, SMX, EIST, TM2, XTPR, PDCM,
	// PCID, DCA, x2APIC, TSC_DEADLINE.
	pv1ECX = 1<<0 | 1<<1 | 1<<9 | 1<<12 | 1<<13 | 1<<19 | 1<<20 | 1<<22 | 1<<23 | 1<<25 | 1<<26 |
		1<<28 | 1<<29 | 1<<30
	// Leaf 7 EBX without TSC_ADJUST, SGX, HLE, SMEP, INVPCID, PQM, MPX, PQE, SMAP,
	// PROC_TRACE.
	pv7EBX = 1<<0 | 1<<3 | 1<<5 | 1<<8 | 1<<9 | 1<<11 | 1<<16 | 1<<17 | 1<<18 | 1<<19 | 1<<21 |
		1<<23 | 1<<24 | 1<<26 | 1<<27 | 1<<28 | 1<<29 | 1<<30 | 1<<31
	// Leaf 7 ECX without UMIP, PKU, CET_SS, MOVDIRI, MOVDIR64B, ENQCMD.
	pv7ECX = 1<<0 | 1<<1 | 1<<6 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12 | 1<<14 | 1<<22 | 1<<25
	// Leaf 7 EDX: AVX512_4VNNIW, AVX512_4FMAPS, FSRM, MD_CLEAR, SERIALIZE, IBRSB, STIBP,
	// ARCH_CAPS, SSBD.
	pv7EDX = 1<<2 | 1<<3 | 1<<4 | 1<<10 | 1<<14 | 1<<26 | 1<<27 | 1<<29 | 1<<31
	// Leaf 0xd, sub-leaf 1 EAX: XSAVEOPT, XSAVEC, XGETBV with ECX=1.
	pvD1EAX = 1<<0 | 1<<1 | 1<<2
	// Leaf 8000_0001 EDX: SYSCALL, NX, MMXEXT, FFXSR, RDTSCP, LM, 3DNow!; not 1 GiB
	// pages.
	pvExt1EDX = 1<<11 | 1<<20 | 1<<22 | 1<<25 | 1<<27 | 1<<29 | 1<<30 | 1<<31
	// Leaf 8000_0001 ECX: LAHF_LM, CMP_LEGACY, ABM, SSE4A, MISALIGNSSE, 3DNOWPREFETCH,
	// XOP, FMA4, TBM, DBEXT.
	pvExt1ECX = 1<<0 | 1<<1 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<11 | 1<<16 | 1<<21 | 1<<26
	// Leaf 8000_0008 EBX: CLZERO, RSTR_FP_ERR_PTRS, IBPB, SSB_NO, BTC_NO, IBPB_RET.
	pvExt8EBX = 1<<0 | 1<<2 | 1<<12 | 1<<26 | 1<<29 | 1<<30
)

const (
	cpuidHV        = 1 << 31 // leaf 1 ECX
	cpuidOSXSAVE   = 1 << 27 // leaf 1 ECX
	cpuidSEP       = 1 << 11 // leaf 1 EDX
	cpuidMTRR      = 1 << 12 // leaf 1 EDX
	cpuidEIST      = 1 << 7  // leaf 1 ECX
	cpuidITSC      = 1 << 8  // leaf 8000_0007 EDX
	extRepeat      = 0x0183f3ff
	basicLeaves    = 0xe // what Xen's policy has room for
	extLeaf        = 0x80000000
	extLeavesIntel = 0x9
	extLeavesAMD   = 0x22
)

// Xen's own leaves (P/arch-x86/cpuid.h).
const (
	xenLeaf      = 0x40000000
	xenMaxLeaf   = 5
	featPreserve = 1 << 0 // MMU_PT_UPDATE_PRESERVE_AD
	tscRDTSCP    = 1 << 2
)

// GuestCPUID executes CPUID with the guest's registers as Xen answers it.
// Forced tells the prefixed form, in which a guest kernel sees OSXSAVE whatever
// its CR4 (PRIV-12). Leaves out of range are zero.
func GuestCPUID(v *dom.VCPU, forced bool) {
	c := v.CPU
	leaf, sub := uint32(c.R[x86.RAX]), uint32(c.R[x86.RCX])
	var a, b, cx, d uint32
	switch {
	case leaf < basicLeaves:
		a, b, cx, d = basicCPUID(v, leaf, sub, forced)
	case leaf >= xenLeaf && leaf <= xenLeaf+xenMaxLeaf:
		a, b, cx, d = xenCPUID(v, leaf-xenLeaf, sub)
	case leaf >= extLeaf:
		a, b, cx, d = extendedCPUID(v, leaf, sub)
	}
	c.R[x86.RAX], c.R[x86.RBX], c.R[x86.RCX], c.R[x86.RDX] = uint64(a), uint64(b), uint64(cx), uint64(d)
}

func basicCPUID(v *dom.VCPU, leaf, sub uint32, forced bool) (a, b, c, d uint32) {
	most, _, _, _ := v.CPU.CPUID(0, 0)
	if leaf > most {
		return 0, 0, 0, 0
	}
	a, b, c, d = v.CPU.CPUID(leaf, sub)
	switch leaf {
	case 0:
		return min(a, basicLeaves-1), b, c, d
	case 1:
		hostC, hostD := c, d
		c, d = c&pv1ECX|cpuidHV, d&pv1EDX
		if v.Dom.Privileged && v.KernelMode {
			d |= hostD & cpuidMTRR // an old dom0 takes it for the memory type calls
			c |= hostC & cpuidEIST // and parses P-states only when it sees this
		}
		if v.CPU.Vendor == cpu.AMD {
			d &^= cpuidSEP // of no use in long mode (X/cpu/amd.c:init_amd)
		}
		if v.CR4&x86.CR4OSXSAVE != 0 || forced && v.KernelMode && hostC&cpuidOSXSAVE != 0 {
			c |= cpuidOSXSAVE
		}
		return a & 0x0fff0fff, b & 0x00ffffff, c, d // no APIC id
	case 7:
		if sub != 0 {
			return 0, 0, 0, 0
		}
		return a, b & pv7EBX, c & pv7ECX, d & pv7EDX
	case 0xd:
		switch sub {
		case 0:
			return a, b, c, d
		case 1:
			return a & pvD1EAX, b, 0, 0
		}
		return 0, 0, 0, 0
	case 2, 4:
		return a, b, c, d
	}
	return 0, 0, 0, 0 // power, monitor, profiling and topology leaves are hidden
}

func extendedCPUID(v *dom.VCPU, leaf, sub uint32) (a, b, c, d uint32) {
	amd := v.CPU.Vendor == cpu.AMD
	room := uint32(extLeavesIntel)
	if amd {
		room = extLeavesAMD
	}
	most, _, _, _ := v.CPU.CPUID(extLeaf, 0)
	most = min(most, extLeaf+room-1)
	if leaf > most {
		return 0, 0, 0, 0
	}
	a, b, c, d = v.CPU.CPUID(leaf, sub)
	switch leaf - extLeaf {
	case 0:
		return most, b, c, d
	case 1:
		features := d & pvExt1EDX
		if amd {
			_, _, _, basic := basicCPUID(v, 1, 0, true)
			features |= basic & extRepeat
		}
		return a, b, c & pvExt1ECX, features
	case 7:
		// The invariant TSC is for who does not migrate.
		if !v.Dom.Privileged {
			d = 0
		}
		return 0, 0, 0, d & cpuidITSC
	case 8:
		return a & 0xffff, b & pvExt8EBX, 0, 0
	}
	return a, b, c, d
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
		khz := uint32(v.Dom.TSCHz / 1000)
		switch sub {
		case 0:
			return tscRDTSCP, 0, khz, 0
		case 1: // offset, scale to nanoseconds
			mul, shift := dom.TSCScale(v.Dom.TSCHz)
			return 0, 0, mul, uint32(int32(shift))
		case 2:
			return khz, 0, 0, 0
		}
	case 5:
		if sub != 0 {
			return 0, 0, 0, 0
		}
		bits := uint32(mem.PageShift)
		for n := v.Dom.Mem.Frames() - 1; n > 0; n >>= 1 {
			bits++
		}
		return 0, bits, 0, 0
	}
	return 0, 0, 0, 0
}
