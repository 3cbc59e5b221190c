package dom

import (
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// The guest's debug registers (DBG-11; X/pv/misc-hypercalls.c:set_debugreg).
// DR0 to DR3 are the processor's own; DR6 is virtual; of DR7 the breakpoints
// on I/O are kept apart, since Xen emulates the instructions that hit them.

const (
	dr7Enable    = 0xff   // L0, G0 ... L3, G3
	dr7MustZero  = 0xd800 // bits 11, 12, 14, 15
	dr6MustZero  = 0x1000
	dr7TypeIO    = 2
	dr7TypeShift = 16
)

// SetDebugreg writes a debug register. Errors: -EPERM for a breakpoint
// address that is not the guest's, GD, or an I/O breakpoint without CR4.DE;
// -EINVAL for high bits in DR6 or DR7; -ENODEV for a register that is none
// (DR4 and DR5 with CR4.DE too).
func (v *VCPU) SetDebugreg(reg uint64, val uint64) abi.Errno {
	switch reg {
	case 0, 1, 2, 3:
		if !AddrOK(val) {
			return abi.EPERM
		}
		v.CPU.SetDR(int(reg), val)
		return 0
	case 4, 6:
		if reg == 4 && v.CR4&x86.CR4DE != 0 {
			return abi.ENODEV
		}
		if val>>32 != 0 {
			return abi.EINVAL
		}
		v.DR6 = val&^dr6MustZero | x86.DR6Init
		return 0
	case 5, 7:
		if reg == 5 && v.CR4&x86.CR4DE != 0 {
			return abi.ENODEV
		}
		if val>>32 != 0 {
			return abi.EINVAL
		}
		return v.setDR7(val&^dr7MustZero | x86.DR7Init)
	}
	return abi.ENODEV
}

func (v *VCPU) setDR7(val uint64) abi.Errno {
	if val&x86.DR7GD != 0 {
		return abi.EPERM
	}
	var io uint64
	for i := uint(0); i < 4 && val&dr7Enable != 0; i++ {
		if val>>(dr7TypeShift+4*i)&3 != dr7TypeIO {
			continue
		}
		if v.CR4&x86.CR4DE == 0 {
			return abi.EPERM // enabled or not, once any breakpoint is
		}
		io |= val & (3 << (2 * i))
	}
	v.DR7, v.DR7Emul = val&^io, io
	if v.DR7&dr7Enable != 0 {
		v.CPU.SetDR(7, v.DR7)
	} else {
		v.CPU.SetDR(7, x86.DR7Init)
	}
	return 0
}

// GetDebugreg reads a debug register; -ENODEV as SetDebugreg.
func (v *VCPU) GetDebugreg(reg uint64) (uint64, abi.Errno) {
	switch reg {
	case 0, 1, 2, 3:
		return v.CPU.DR[reg], 0
	case 4, 6:
		if reg == 4 && v.CR4&x86.CR4DE != 0 {
			return 0, abi.ENODEV
		}
		return v.DR6, 0
	case 5, 7:
		if reg == 5 && v.CR4&x86.CR4DE != 0 {
			return 0, abi.ENODEV
		}
		return v.DR7 | v.DR7Emul, 0
	}
	return 0, abi.ENODEV
}

// IOBreakpoint returns the DR6 bits of the guest's breakpoints on an access
// of size bytes at port (X/pv/emul-priv-op.c:check_guest_io_breakpoint).
func (v *VCPU) IOBreakpoint(port uint16, size int) (bits uint64) {
	if v.DR7Emul == 0 || v.CR4&x86.CR4DE == 0 {
		return 0
	}
	for i := uint(0); i < 4; i++ {
		if v.DR7Emul>>(2*i)&3 == 0 {
			continue
		}
		width := [4]uint64{1, 2, 8, 4}[v.DR7>>(dr7TypeShift+2+4*i)&3]
		start := v.CPU.DR[i]
		if start < uint64(port)+uint64(size) && uint64(port) < start+width {
			bits |= 1 << i
		}
	}
	return bits
}
