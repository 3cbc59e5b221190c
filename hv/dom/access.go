package dom

import (
	"encoding/binary"

	"pvlab/hv/cpu"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// Accesses of Xen to guest memory by guest address: through the page table
// that is loaded, with supervisor rights, never into Xen's own range (HC-14).

// AddrOK reports whether an address is a guest's: below 0000800000000000 or
// from ffff880000000000 up (XI/x86_64/uaccess.h:__addr_ok).
func AddrOK(a uint64) bool { return a < 1<<47 || a >= abi.HypervisorVirtEnd }

// Canonical is x86.Canonical; Xen checks it where a guest registers addresses.
func Canonical(a uint64) bool { return x86.Canonical(a) }

// CopyFrom reads len(b) bytes at addr; false (-EFAULT) when any byte cannot
// be read. What was read before the fault is in b.
func (v *VCPU) CopyFrom(addr uint64, b []byte) bool {
	_, f := v.CopyFromFault(addr, b)
	return !f.Valid
}

// Look is the n bytes at addr themselves, to be read before anything else
// happens, or nil where CopyFrom has to be asked.
func (v *VCPU) Look(addr uint64, n int) []byte {
	if !AddrOK(addr) {
		return nil
	}
	return v.CPU.Window(cpu.ViewHypervisor, addr, n, false)
}

// CopyFromFault is CopyFrom that tells how many bytes came before the fault.
func (v *VCPU) CopyFromFault(addr uint64, b []byte) (int, x86.Fault) {
	if !AddrOK(addr) {
		return 0, x86.WithCode(x86.VectorGP, 0)
	}
	return v.CPU.ReadLinear(cpu.ViewHypervisor, addr, b)
}

// CopyTo writes b at addr; false when any byte cannot be written. What lies
// before the fault is written.
func (v *VCPU) CopyTo(addr uint64, b []byte) bool {
	if !AddrOK(addr) {
		return false
	}
	_, f := v.CPU.WriteLinear(cpu.ViewHypervisor, addr, b)
	return !f.Valid
}

// Read64 reads one word.
func (v *VCPU) Read64(addr uint64) (uint64, bool) {
	if !AddrOK(addr) {
		return 0, false
	}
	w, f := v.CPU.ReadLinear64(cpu.ViewHypervisor, addr)
	return w, !f.Valid
}

// Read32 reads a 32-bit word.
func (v *VCPU) Read32(addr uint64) (uint32, bool) {
	var b [4]byte
	ok := v.CopyFrom(addr, b[:])
	return binary.LittleEndian.Uint32(b[:]), ok
}

// Write64 writes one word.
func (v *VCPU) Write64(addr, w uint64) bool {
	if !AddrOK(addr) {
		return false
	}
	f := v.CPU.WriteLinear64(cpu.ViewHypervisor, addr, w)
	return !f.Valid
}

// Write32 writes a 32-bit word.
func (v *VCPU) Write32(addr uint64, w uint32) bool {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], w)
	return v.CopyTo(addr, b[:])
}

// CopyToFault is CopyTo that tells how many bytes came before the fault.
func (v *VCPU) CopyToFault(addr uint64, b []byte) (int, x86.Fault) {
	if !AddrOK(addr) {
		return 0, x86.WithCode(x86.VectorGP, 0)
	}
	return v.CPU.WriteLinear(cpu.ViewHypervisor, addr, b)
}
