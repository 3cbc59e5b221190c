package emul

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// ignored is CLI and STI: with enough virtual IOPL they do nothing and leave
// early, so that a single-step trap is lost (PRIV-02, DBG-05).
func (i *inst) ignored() outcome {
	if !ioplOK(i.v) {
		return unhandled
	}
	return skipped
}

func (i *inst) clts() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	i.v.SetTS(false)
	return retired
}

// wbinvd does nothing: there is no cache to flush (PRIV-16).
func (i *inst) wbinvd() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	return retired
}

// readCR is PRIV-06: CR0, CR2, CR3, CR4.
func (i *inst) readCR() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	v := i.v
	var val uint64
	switch i.decoded.reg() {
	case 0:
		val = v.CPU.CR0 &^ x86.CR0TS
		if v.TS {
			val |= x86.CR0TS
		}
	case 2:
		val = v.CR2
	case 3:
		val = v.GuestTable << mem.PageShift
	case 4:
		val = v.CR4
	default:
		return unhandled
	}
	v.CPU.R[i.decoded.rm()] = val
	return retired
}

func (i *inst) writeCR() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	v := i.v
	val := v.CPU.R[i.decoded.rm()]
	switch i.decoded.reg() {
	case 0:
		if (val^v.CPU.CR0)&^x86.CR0TS != 0 {
			return unhandled
		}
		v.SetTS(val&x86.CR0TS != 0)
	case 2:
		v.CR2 = val
		v.PublishCR2(val)
	case 3:
		if v.NewBaseptr(val&^(1<<63)>>mem.PageShift) != 0 {
			return unhandled
		}
	case 4:
		v.SetCR4(val)
	default:
		return unhandled
	}
	return retired
}

func (i *inst) readDR() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	val, err := i.v.GetDebugreg(uint64(i.decoded.reg()))
	if err != 0 {
		return i.ud()
	}
	i.v.CPU.R[i.decoded.rm()] = val
	return retired
}

func (i *inst) writeDR() outcome {
	if !i.kernel() {
		return i.gp0()
	}
	switch i.v.SetDebugreg(uint64(i.decoded.reg()), i.v.CPU.R[i.decoded.rm()]) {
	case 0:
		return retired
	case abi.ENODEV:
		return i.ud()
	}
	return i.gp0()
}

// xsetbv is PRIV-15: CR4.OSXSAVE must be set in the guest's CR4, and only
// XCR0 with bits of the policy may be written.
func (i *inst) xsetbv() outcome {
	v := i.v
	if v.CR4&x86.CR4OSXSAVE == 0 {
		return i.ud()
	}
	val := uint64(uint32(v.CPU.R[x86.RDX]))<<32 | uint64(uint32(v.CPU.R[x86.RAX]))
	if !i.kernel() || uint32(v.CPU.R[x86.RCX]) != 0 || val&1 == 0 || val&^xcr0Allowed != 0 {
		return i.gp0()
	}
	v.CPU.XCR0 = val
	return retired
}

// xcr0Allowed are the state components offered: x87 and SSE.
const xcr0Allowed = 3

func (i *inst) rdtsc() outcome {
	v := i.v
	if v.CR4&x86.CR4TSD != 0 && !i.kernel() {
		return i.gp0()
	}
	i.setEDXEAX(v.CPU.Bus.TSC())
	return retired
}

func (i *inst) rdtscp() outcome {
	out := i.rdtsc()
	if out == retired {
		i.v.CPU.R[x86.RCX] = uint64(uint32(i.v.CPU.TSCAux))
	}
	return out
}

func (i *inst) cpuid() outcome {
	GuestCPUID(i.v, false)
	return retired
}

func (i *inst) setEDXEAX(val uint64) {
	c := i.v.CPU
	c.R[x86.RAX], c.R[x86.RDX] = uint64(uint32(val)), val>>32
}
