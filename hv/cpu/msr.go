package cpu

import "pvlab/hv/x86"

// RDMSR and WRMSR (SDM vol. 4). The processor keeps the registers that
// instructions use; all others are the Bus's.

const (
	apicEnabled = 1 << 11 // IA32_APIC_BASE: global enable
)

func opRDMSR(c *CPU, _ *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	if !c.exact() {
		return stFault
	}
	v, ok := c.ReadMSR(uint32(c.R[x86.RCX]))
	if !ok {
		return c.gp0()
	}
	c.R[x86.RAX], c.R[x86.RDX] = v&0xffffffff, v>>32
	return stOK
}

func opWRMSR(c *CPU, _ *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	if !c.exact() {
		return stFault
	}
	v := c.R[x86.RAX]&0xffffffff | c.R[x86.RDX]<<32
	if !c.WriteMSR(uint32(c.R[x86.RCX]), v) {
		return c.gp0()
	}
	return stEnd
}

// ReadMSR reads a register as RDMSR at privilege level 0; false is #GP(0).
func (c *CPU) ReadMSR(n uint32) (uint64, bool) {
	switch n {
	case x86.MSRTSC:
		return c.tsc(), true
	case x86.MSRAPICBase:
		if c.Bus != nil { // it owns the APIC, and knows the BSP
			return c.Bus.ReadMSR(n)
		}
		return c.APICBase, true
	case x86.MSRMiscEnable:
		return c.MiscEnab, c.Vendor == Intel
	case x86.MSREFER:
		return c.EFER, true
	case x86.MSRFSBase:
		return c.Seg[x86.FS].Base, true
	case x86.MSRGSBase:
		return c.Seg[x86.GS].Base, true
	}
	if p := c.plainMSR(n); p != nil {
		return *p, true
	}
	if c.Bus == nil {
		return 0, false
	}
	return c.Bus.ReadMSR(n)
}

// plainMSR is where a register without side effects is kept, or nil.
func (c *CPU) plainMSR(n uint32) *uint64 {
	switch n {
	case x86.MSRSTAR:
		return &c.STAR
	case x86.MSRLSTAR:
		return &c.LSTAR
	case x86.MSRCSTAR:
		return &c.CSTAR
	case x86.MSRSFMASK:
		return &c.SFMASK
	case x86.MSRKernelGSBase:
		return &c.KernelGSBase
	case x86.MSRSysenterCS:
		return &c.SysenterCS
	case x86.MSRSysenterESP:
		return &c.SysenterESP
	case x86.MSRSysenterEIP:
		return &c.SysenterEIP
	case x86.MSRTSCAux:
		return &c.TSCAux
	case x86.MSRPAT:
		return &c.PAT
	}
	return nil
}

// WriteMSR writes a register as WRMSR at privilege level 0; false is #GP(0).
func (c *CPU) WriteMSR(n uint32, v uint64) bool {
	switch n {
	case x86.MSREFER:
		return c.setEFER(v)
	case x86.MSRFSBase, x86.MSRGSBase:
		if !x86.Canonical(v) {
			return false
		}
		c.Seg[x86.FS+n-x86.MSRFSBase].Base = v
		return true
	case x86.MSRLSTAR, x86.MSRCSTAR, x86.MSRKernelGSBase:
		if !x86.Canonical(v) {
			return false
		}
	case x86.MSRSysenterESP, x86.MSRSysenterEIP:
		if c.Vendor == AMD {
			v &= 0xffffffff // APM vol. 2: 32-bit registers
		} else if !x86.Canonical(v) {
			return false
		}
	case x86.MSRSFMASK, x86.MSRTSCAux:
		if v>>32 != 0 {
			return false
		}
	case x86.MSRSysenterCS:
		v &= 0xffffffff
	case x86.MSRPAT:
		if !patOK(v) {
			return false
		}
	case x86.MSRMiscEnable:
		if c.Vendor != Intel {
			return false
		}
		c.MiscEnab = v
		return true
	case x86.MSRAPICBase:
		return c.setAPICBase(v)
	}
	if p := c.plainMSR(n); p != nil {
		*p = v
		return true
	}
	return c.Bus != nil && c.Bus.WriteMSR(n, v)
}

// patOK: each byte names a memory type; 2, 3 and above 7 are reserved.
func patOK(v uint64) bool {
	for ; v != 0; v >>= 8 {
		if t := v & 0xff; t > 7 || t == 2 || t == 3 {
			return false
		}
	}
	return true
}

// setAPICBase writes IA32_APIC_BASE. The Bus judges it (it owns the APIC and
// knows whether x2APIC exists) and then sets MMIOLo and MMIOHi.
func (c *CPU) setAPICBase(v uint64) bool {
	const bsp, reserved = 1 << 8, 0xff | 1<<9
	if v&reserved != 0 || v>>c.MaxPA != 0 || c.Bus == nil || !c.Bus.WriteMSR(x86.MSRAPICBase, v) {
		return false
	}
	c.APICBase = v&^bsp | c.APICBase&bsp
	c.FlushTLB() // cached entries say whether a page is the APIC's
	return true
}

func (c *CPU) tsc() uint64 {
	if c.Bus == nil {
		return c.Retired
	}
	return c.Bus.TSC()
}

// tscBlocked: CR4.TSD reserves RDTSC and RDTSCP for level 0.
func (c *CPU) tscBlocked() bool { return c.CR4&x86.CR4TSD != 0 && c.CPL != 0 }

func opRDTSC(c *CPU, _ *Inst) status {
	if c.tscBlocked() {
		return c.gp0()
	}
	if !c.exact() {
		return stFault
	}
	t := c.tsc()
	c.R[x86.RAX], c.R[x86.RDX] = t&0xffffffff, t>>32
	return stOK
}

func opRDTSCP(c *CPU, in *Inst) status {
	if st := opRDTSC(c, in); st != stOK {
		return st
	}
	c.R[x86.RCX] = c.TSCAux & 0xffffffff
	return stOK
}

// opRDPMC: no performance counter is announced, so every index is invalid.
func opRDPMC(c *CPU, _ *Inst) status { return c.gp0() }

func opRDPID(c *CPU, in *Inst) status {
	c.R[in.RM] = c.TSCAux & 0xffffffff
	return stOK
}
