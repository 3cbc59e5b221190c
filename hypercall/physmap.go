package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// Memory operations that a PV domain is refused: they are about domains whose
// physical address space is Xen's to arrange, or about other domains. What
// remains is which of the reasons comes first.

// Name spaces of add_to_physmap (public/memory.h:XENMAPSPACE_*).
const (
	spaceGMFNRange   = 3
	spaceGMFNForeign = 4
)

// addToPhysmap: {domid u16, size u16, space u32, idx u64, gpfn u64}.
func addToPhysmap(c *Caller) (uint64, error) {
	var b [24]byte
	switch {
	case c.startExtent() != uint64(uint16(c.startExtent())):
		return ret(abi.EDOM)
	case !c.copyIn(c.args[1], b[:]):
		return ret(abi.EFAULT)
	case le.Uint32(b[4:]) == spaceGMFNForeign:
		return ret(abi.ENOSYS)
	}
	return ret(c.physmapOf(le.Uint16(b[0:])))
}

// addToPhysmapBatch: {domid u16, space u16, size u16, extra u16, three
// handles}.
func addToPhysmapBatch(c *Caller) (uint64, error) {
	var b [32]byte
	switch {
	case c.startExtent() != uint64(uint16(c.startExtent())):
		return ret(abi.EDOM)
	case !c.copyIn(c.args[1], b[:]):
		return ret(abi.EFAULT)
	case le.Uint16(b[2:]) == spaceGMFNRange:
		return ret(abi.EOPNOTSUPP)
	}
	return ret(c.physmapOf(le.Uint16(b[0:])))
}

// removeFromPhysmap: {domid u16, pad, gpfn u64}.
func removeFromPhysmap(c *Caller) (uint64, error) {
	var b [16]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	return ret(c.physmapOf(le.Uint16(b[0:])))
}

// physmapOf refuses a PV domain, which all here are, or says that there is no
// such domain.
func (c *Caller) physmapOf(id uint16) abi.Errno {
	if c.domain(id) == abi.ESRCH {
		return abi.ESRCH
	}
	return abi.EACCES
}

// podTarget: {target, total, cache, entries u64, domid u16}.
func podTarget(c *Caller) (uint64, error) {
	var b [40]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	if c.domain(le.Uint16(b[32:])) == abi.ESRCH {
		return ret(abi.ESRCH)
	}
	return ret(abi.EINVAL)
}

// remoteDomain resolves a domain id that must not be the caller's; DOMID_SELF
// is no domain here (C/domain.c:rcu_lock_remote_domain_by_id).
func (c *Caller) remoteDomain(id uint16) abi.Errno {
	switch id {
	case c.D.ID:
		return abi.EPERM
	case 0:
		return 0
	}
	return abi.ESRCH
}

// accessOp: {op u8, access u8, domid u16, nr u32, pfn u64, two handles}.
func accessOp(c *Caller) (uint64, error) {
	var b [32]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	if err := c.remoteDomain(le.Uint16(b[2:])); err != 0 {
		return ret(err)
	}
	return ret(abi.EINVAL) // dom0, no HVM domain
}

// acquireResource: {domid u16, type u16, id u32, nr_frames u32, pad u32,
// frame u64, handle}.
func acquireResource(c *Caller) (uint64, error) {
	var b [32]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	n, frame := uint64(le.Uint32(b[8:])), le.Uint64(b[16:])
	if le.Uint32(b[12:]) != 0 || frame>>32 != 0 || (frame+n)>>32 != 0 {
		return ret(abi.EINVAL)
	}
	if err := c.remoteDomain(le.Uint16(b[0:])); err != 0 {
		return ret(err)
	}
	return ret(abi.EPERM) // dom0's, by a domU
}

// vnumaInfo: {domid u16, pad u16, nr_vnodes, nr_vcpus, nr_vmemranges u32,
// three handles}.
func vnumaInfo(c *Caller) (uint64, error) {
	var b [40]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	if le.Uint16(b[2:]) != 0 {
		return ret(abi.EINVAL)
	}
	if err := c.domain(le.Uint16(b[0:])); err != 0 {
		return ret(err)
	}
	return ret(abi.EOPNOTSUPP)
}

// reservedDeviceMemory: {flags u32, nr_entries u32 in and out, handle, PCI
// device u32}.
func reservedDeviceMemory(c *Caller) (uint64, error) {
	const all = 1
	var b [24]byte
	switch at := c.args[1]; {
	case !c.copyIn(at, b[:]) || !dom.AddrOK(le.Uint64(b[8:])):
		return ret(abi.EFAULT)
	case le.Uint32(b[0:])&^all != 0:
		return ret(abi.EINVAL)
	default:
		le.PutUint32(b[4:], 0)
		return c.give(at, b[:])
	}
}
