package emul

import (
	"fmt"

	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// Model-specific registers of a PV guest (PRIV-07, -08, -09;
// X/pv/emul-priv-op.c:read_msr, write_msr, X/msr.c).

// xenPAT is the page attribute table that Xen runs with (MM-27).
const xenPAT = 0x050100070406

const (
	msrPlatformID      = 0x17
	msrFeatureControl  = 0x3a
	msrUcodeRev        = 0x8b
	msrPlatformInfo    = 0xce
	msrMiscFeatures    = 0x140
	msrPerfStatus      = 0x198
	msrPerfCtl         = 0x199
	msrThermControl    = 0x19a
	msrThermStatus     = 0x19c
	msrEnergyPerfBias  = 0x1b0
	msrPerfCaps        = 0x345
	msrMPERF           = 0xe7
	msrAPERF           = 0xe8
	msrXenHypercall    = 0x40000000
	msrAMDPstateFirst  = 0xc0010061
	msrAMDPstateLast   = 0xc001006b
	msrAMDHWCR         = 0xc0010015
	msrAMDNBCfg        = 0xc001001f
	featureControlLock = 1
)

// Bits of IA32_MISC_ENABLE that Xen shows differently.
const (
	miscPerfAvail   = 1 << 7
	miscBTSUnavail  = 1 << 11
	miscPEBSUnavail = 1 << 12
	miscMonitor     = 1 << 18
	miscXTPRDisable = 1 << 23
)

func guestMiscEnable(val uint64) uint64 {
	return val&^(miscPerfAvail|miscMonitor) | miscBTSUnavail | miscPEBSUnavail | miscXTPRDisable
}

// readMSR returns false where the guest gets #GP(0).
func readMSR(v *dom.VCPU, n uint32) (uint64, bool) {
	c := v.CPU
	intel := c.Vendor == cpu.Intel
	switch n {
	case x86.MSRFSBase:
		return c.Seg[x86.FS].Base, true
	case x86.MSRGSBase:
		return c.Seg[x86.GS].Base, true
	case x86.MSRKernelGSBase:
		return c.KernelGSBase, true
	case x86.MSRTSC:
		return c.Bus.TSC(), true
	case x86.MSREFER:
		return c.EFER, true
	case x86.MSRPAT:
		return xenPAT, true
	case x86.MSRAPICBase:
		val := uint64(0xfee00800)
		if v.ID == 0 {
			val |= 0x100
		}
		return val, true
	case x86.MSRMiscEnable:
		return guestMiscEnable(c.MiscEnab), true
	case msrPerfCaps, msrPlatformInfo, msrMiscFeatures, msrXenHypercall:
		return 0, true
	case msrUcodeRev:
		return 0, true
	case msrPlatformID, msrPerfStatus, msrPerfCtl, msrThermStatus:
		return 0, intel
	case msrFeatureControl:
		return featureControlLock, intel
	case msrAMDNBCfg:
		return 0, true
	}
	if n >= msrAMDPstateFirst && n <= msrAMDPstateLast {
		return 0, !intel
	}
	return 0, false
}

func (i *inst) rdmsr() outcome {
	v := i.v
	if !i.kernel() {
		return i.gp0()
	}
	n := uint32(v.CPU.R[x86.RCX])
	val, ok := readMSR(v, n)
	if !ok {
		// Until the guest has a #GP handler a register that the processor
		// has reads as 0 (PRIV-08). The reference processor has them all.
		if v.Trap[x86.VectorGP].Address != 0 || n>>16 == 0x4000 {
			return i.gp0()
		}
		v.Dom.Print(fmt.Sprintf("%s faking RDMSR 0x%08x", v.Name(), n))
		val = 0
	}
	i.setEDXEAX(val)
	return retired
}

// writeMSR returns false where the guest gets #GP(0).
func writeMSR(v *dom.VCPU, n uint32, val uint64) bool {
	c := v.CPU
	intel := c.Vendor == cpu.Intel
	switch n {
	case x86.MSRFSBase, x86.MSRGSBase, x86.MSRKernelGSBase:
		if !x86.Canonical(val) {
			return false
		}
		switch n {
		case x86.MSRFSBase:
			c.Seg[x86.FS].Base = val
		case x86.MSRGSBase:
			c.Seg[x86.GS].Base = val
		default:
			c.KernelGSBase = val
		}
		return true
	case x86.MSREFER:
		return val == c.EFER
	case x86.MSRMiscEnable, msrAMDNBCfg:
		return true // another value is refused silently
	case msrMPERF, msrAPERF:
		return true
	case msrThermControl, msrEnergyPerfBias:
		return intel
	case msrUcodeRev:
		return true // X/msr.c:guest_wrmsr: dropped
	case msrMiscFeatures:
		return val == 0 // nothing of it is offered
	case msrAMDHWCR:
		return !intel
	case msrXenHypercall:
		return writeHypercallPage(v, val)
	}
	if n >= msrAMDPstateFirst && n <= msrAMDPstateLast {
		return !intel
	}
	return false
}

func (i *inst) wrmsr() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	c := i.v.CPU
	val := uint64(uint32(c.R[x86.RDX]))<<32 | uint64(uint32(c.R[x86.RAX]))
	if !writeMSR(i.v, uint32(c.R[x86.RCX]), val) {
		return i.gp0()
	}
	return retired
}

// writeHypercallPage fills the page that the guest names (BOOT-03;
// X/msr.c:guest_wrmsr_xen): only index 0, only an owned page that can be
// writable.
func writeHypercallPage(v *dom.VCPU, val uint64) bool {
	if val&mem.PageMask != 0 {
		return false
	}
	return v.Dom.FillHypercallPage(val >> mem.PageShift)
}
