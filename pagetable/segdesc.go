package pagetable

import (
	"encoding/binary"

	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// Descriptor bits in the upper 32 bits of an 8-byte descriptor.
const (
	descS   = 1 << 12
	descDPL = 3 << 13
	descP   = 1 << 15
)

// CheckDescriptor decides whether a guest may have descriptor d in a GDT or
// LDT page and returns it as Xen stores it: code and data get DPL 3, call
// gates DPL 0 so that using one faults, with DPL 3 kept as the target's RPL
// (X/pv/descriptor-tables.c:check_descriptor; SEG-03, SEG-04).
func CheckDescriptor(d uint64) (stored uint64, ok bool) {
	a, b := uint32(d), uint32(d>>32)
	if b&descP == 0 {
		return d, true
	}
	if b&descS != 0 {
		b |= descDPL
		return uint64(b)<<32 | uint64(a), true
	}
	switch b >> 8 & 0xf {
	case 0:
		// Not a descriptor at all: harmless, and sometimes used as such.
		return d, true
	case x86.TypeCallGate:
		if !guestGateSelector(uint16(a>>16)) || b&0xff != 0 {
			return d, false
		}
		a |= 3 << 16 // the DPL a 64-bit guest's gate always has
		b &^= descDPL
		return uint64(b)<<32 | uint64(a), true
	}
	return d, false
}

// guestGateSelector reports whether a call gate may lead to selector sel: a
// guest segment, Xen's flat 64-bit code, or the LDT.
func guestGateSelector(sel uint16) bool {
	return sel>>3 < abi.FirstReservedGDTEntry || sel == abi.FlatKernelCS || sel&4 != 0
}

// validateSegDesc audits all descriptors of a page; one bad one fails it
// (SEG-02). Descriptors rewritten before a failure stay rewritten.
func (r *Rules) validateSegDesc(mfn uint64) abi.Errno {
	r.Tables++
	for i := 0; i < entries; i++ {
		old := binary.LittleEndian.Uint64(r.M.Frame(mfn)[8*i:])
		d, ok := CheckDescriptor(old)
		if !ok {
			return abi.EINVAL
		}
		if d != old {
			r.setEntry(mfn, i, Entry(d))
		}
	}
	return 0
}
