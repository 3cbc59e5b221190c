package hypercall

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// memoryOp is hypercall 12 (MM-22, MM-28 to MM-32; C/memory.c:do_memory_op).
// Bits 6 and up of the command are the first extent of a continuation; what
// has no continuation knows no command with those bits set.
func memoryOp(c *Caller) (uint64, error) {
	cmd := c.args[0]
	op := c.table[abi.HypMemoryOp].Ops.find(cmd & abi.MemOpCmdMask)
	if op == nil {
		return ret(abi.ENOSYS)
	}
	return op.run(c)
}

// startExtent is the first extent that is still to be done.
func (c *Caller) startExtent() uint64 { return c.args[0] >> 6 }

// whole is for an operation that is never continued; err is the answer when
// it seems to be.
func whole(err abi.Errno, run handler) handler {
	return func(c *Caller) (uint64, error) {
		if c.startExtent() != 0 {
			return ret(err)
		}
		return run(c)
	}
}

// The operations that Xen's common code handles refuse a first extent, those
// of the x86 part do not know the command with one.
func common(run handler) handler { return whole(abi.EINVAL, run) }
func arch(run handler) handler   { return whole(abi.ENOSYS, run) }

func memoryOps() Ops {
	const pv = "a PV domain has no physical map of Xen's: refused"
	return Ops{inArg, abi.MemOpCmdMask, []SubOp{
		{0, "XENMEM_increase_reservation", Full, Full, "", reservation(increase)},
		{1, "XENMEM_decrease_reservation", Full, Full, "", reservation(decrease)},
		{2, "XENMEM_maximum_ram_page", Full, Full, "", common(maximumRAMPage)},
		{3, "XENMEM_current_reservation", Full, Full, "", domainStat(func(c *Caller) uint64 { return c.D.TotPages })},
		{4, "XENMEM_maximum_reservation", Full, Full, "", domainStat(func(c *Caller) uint64 { return c.D.MaxPages })},
		{5, "XENMEM_machphys_mfn_list", Full, Full, "", arch(machphysList)},
		{6, "XENMEM_populate_physmap", Full, Full, "", reservation(populate)},
		{7, "XENMEM_add_to_physmap", Full, Full, pv, addToPhysmap},
		{9, "XENMEM_memory_map", Full, Full, "", arch(memoryMap)},
		{10, "XENMEM_machine_memory_map", Full, Denied, "", arch(machineMemoryMap)},
		{11, "XENMEM_exchange", Full, Full, "", common(exchange)},
		{12, "XENMEM_machphys_mapping", Full, Full, "", arch(machphysMapping)},
		{13, "XENMEM_set_memory_map", Full, Full, "", arch(setMemoryMap)},
		{14, "XENMEM_maximum_gpfn", Full, Full, "", domainStat((*Caller).maxGPFN)},
		{15, "XENMEM_remove_from_physmap", Full, Full, pv, common(removeFromPhysmap)},
		{16, "XENMEM_set_pod_target", Full, Full, "for HVM domains", arch(podTarget)},
		{17, "XENMEM_get_pod_target", Full, Full, "for HVM domains", arch(podTarget)},
		{18, "XENMEM_get_sharing_freed_pages", Full, Full, "not compiled in: 0", arch(noPages)},
		{19, "XENMEM_get_sharing_shared_pages", Full, Full, "not compiled in: 0", arch(noPages)},
		{20, "XENMEM_paging_op", NoSys, NoSys, "not compiled in", nosys},
		{21, "XENMEM_access_op", Full, Full, "for HVM domains", accessOp},
		{22, "XENMEM_sharing_op", NoSys, NoSys, "not compiled in", nosys},
		{23, "XENMEM_add_to_physmap_batch", Full, Full, pv, addToPhysmapBatch},
		{24, "XENMEM_claim_pages", Full, Full, "", common(claimPages)},
		{25, "XENMEM_machphys_compat_mfn_list", Full, Full, "there are no 32-bit PV domains: refused",
			arch(func(*Caller) (uint64, error) { return ret(abi.EOPNOTSUPP) })},
		{26, "XENMEM_get_vnumainfo", Full, Full, "no domain has a NUMA layout", common(vnumaInfo)},
		{27, "XENMEM_reserved_device_memory_map", Full, Full, "there is no IOMMU: none", common(reservedDeviceMemory)},
		{28, "XENMEM_acquire_resource", Full, Full, "of other domains only", acquireResource},
	}}
}

func nosys(*Caller) (uint64, error) { return ret(abi.ENOSYS) }

func noPages(*Caller) (uint64, error) { return value(0) }

// domain resolves the id of the domain that an operation is about. There is
// the caller, and for a domU the dom0 that it has no right over.
func (c *Caller) domain(id uint16) abi.Errno {
	switch {
	case c.self(id):
		return 0
	case id == 0:
		return abi.EPERM
	}
	return abi.ESRCH
}

func maximumRAMPage(c *Caller) (uint64, error) { return value(c.D.Mem.Frames()) }

// domainStat answers with a number of the domain {domid u16}.
func domainStat(stat func(*Caller) uint64) handler {
	return common(func(c *Caller) (uint64, error) {
		var b [2]byte
		if !c.copyIn(c.args[1], b[:]) {
			return ret(abi.EFAULT)
		}
		if err := c.domain(le.Uint16(b[:])); err != 0 {
			return ret(err)
		}
		return value(stat(c))
	})
}

// maxGPFN is the highest pseudo-physical page: what the guest wrote into
// shared_info's arch part, less one.
func (c *Caller) maxGPFN() uint64 {
	n := c.D.Mem.Read64(c.D.SharedInfoMFN()<<mem.PageShift + abi.SharedInfoMaxPFN)
	return max(n, 1) - 1
}

// claimPages: a reservation of which only domid and nr_extents are used; the
// domain is named by its number.
func claimPages(c *Caller) (uint64, error) {
	r, ok := c.readReservation(c.args[1])
	switch {
	case !ok:
		return ret(abi.EFAULT)
	case r.list != 0 || r.order != 0 || r.flags != 0, r.domain != c.D.ID && r.domain != 0:
		return ret(abi.EINVAL)
	case !c.D.Privileged:
		return ret(abi.EPERM)
	}
	return ret(c.D.Claim(r.n))
}
