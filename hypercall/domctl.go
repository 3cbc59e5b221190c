package hypercall

import (
	"slices"

	"pvlab/hypercall/abi"
)

// domctl is hypercall 36 (C/domctl.c:do_domctl, X/domctl.c:arch_do_domctl):
// the tools' orders to a domain. A dom0 can give them to itself alone, since
// there is no other domain; much is refused to a domain on itself. Offsets are
// those in struct xen_domctl: domain u16 at 8, the union at 16.
func domctl(c *Caller) (uint64, error) {
	if err := c.read(domctlSize, domctlVersion); err != 0 {
		return ret(err)
	}
	cmd, id := c.req.cmd(), c.req.u16(8)
	if err := c.domctlTarget(cmd, id); err != 0 {
		return ret(err)
	}
	op := c.table[abi.HypDomctl].Ops.find(cmd)
	switch {
	case op != nil && beforeRights(cmd) && op.run != nil:
		return op.run(c) // looks at the caller's right itself
	case !c.D.Privileged:
		return ret(abi.EPERM)
	}
	return c.operation(cmd, abi.ENOSYS)
}

// Commands that the code names.
const (
	domctlCreate     = 1
	domctlInfo       = 5
	domctlAssign     = 37
	domctlTestAssign = 45
	domctlDeassign   = 47
	domctlVMEvent    = 56
)

// beforeRights tells commands of which a part is answered before Xen looks at
// the caller's right.
func beforeRights(cmd uint64) bool {
	return slices.Contains([]uint64{domctlInfo, 19, 20, 21, 38, 39, 40, 46, 48, 50, domctlVMEvent}, cmd)
}

// domctlTarget finds the domain that is meant.
func (c *Caller) domctlTarget(cmd uint64, id uint16) abi.Errno {
	switch cmd {
	case domctlCreate, domctlInfo:
		return 0 // may name one that does not exist
	case domctlAssign, domctlDeassign:
		if id == abi.DomIDIO {
			return 0
		}
	case domctlTestAssign, domctlVMEvent:
		if id == abi.DomIDInvalid {
			return 0
		}
	}
	if !c.exists(id) {
		return abi.ESRCH
	}
	return 0
}

// exists reports whether there is a domain of that id: the caller and dom0.
func (c *Caller) exists(id uint16) bool { return id == c.D.ID || id == 0 }

func domctlOps() Ops {
	no := func(e abi.Errno, first uint64, names ...string) []SubOp {
		return each(Always(e), Denied, first, names...)
	}
	return Ops{inStruct, mask32, slices.Concat(
		[]SubOp{
			{1, "XEN_DOMCTL_createdomain", Partial, Denied, "arguments are checked; a second domain is loud", createDomain},
			{2, "XEN_DOMCTL_destroydomain", Always(abi.EINVAL), Denied, "", nil},
			{3, "XEN_DOMCTL_pausedomain", Always(abi.EINVAL), Denied, "", nil},
			{4, "XEN_DOMCTL_unpausedomain", Always(abi.EINVAL), Denied, "", nil},
			{domctlInfo, "XEN_DOMCTL_getdomaininfo", Full, Full, "", domctlGetInfo},
			{9, "XEN_DOMCTL_setvcpuaffinity", Full, Denied, "remembered; it decides nothing", answer(setVCPUAffinity)},
			{10, "XEN_DOMCTL_shadow_op", Full, Denied, "", refusedAndBack(abi.EINVAL)},
			{11, "XEN_DOMCTL_max_mem", Full, Denied, "", answer(maxMem)},
			{12, "XEN_DOMCTL_setvcpucontext", Always(abi.EINVAL), Denied, "", nil},
			{13, "XEN_DOMCTL_getvcpucontext", Full, Denied, "", getVCPUContext},
			{14, "XEN_DOMCTL_getvcpuinfo", Full, Denied, "", giving(vcpuInfo)},
			{15, "XEN_DOMCTL_max_vcpus", Always(abi.EINVAL), Denied, "", nil},
			{16, "XEN_DOMCTL_scheduler_op", Partial, Denied, "the weight is remembered; a cap is loud", schedulerDomain},
			{17, "XEN_DOMCTL_setdomainhandle", Full, Denied, "", answer(setHandle)},
			{18, "XEN_DOMCTL_setdebugging", Always(abi.EINVAL), Denied, "", nil},
			{19, "XEN_DOMCTL_irq_permission", Partial, Full, "of a PIRQ that is mapped: loud", irqPermission},
			{20, "XEN_DOMCTL_iomem_permission", Partial, Full, "taking a right away is loud", iomemPermission},
			{21, "XEN_DOMCTL_ioport_permission", Partial, Full, "taking a right away is loud", ioportPermission},
			{22, "XEN_DOMCTL_hypercall_init", Full, Denied, "", answer(hypercallInit)},
			{23, "XEN_DOMCTL_soft_reset_cont", Always(abi.EINVAL), Denied, "", nil},
			{24, "XEN_DOMCTL_settimeoffset", Full, Denied, "", answer(setTimeOffset)},
			{25, "XEN_DOMCTL_getvcpuaffinity", Full, Denied, "", answer(getVCPUAffinity)},
		},
		no(abi.ENOSYS, 26, "XEN_DOMCTL_real_mode_area"),
		no(abi.EINVAL, 27, "XEN_DOMCTL_resumedomain"),
		[]SubOp{
			{28, "XEN_DOMCTL_sendtrigger", Full, Denied, "", answer(sendTrigger)},
			{29, "XEN_DOMCTL_subscribe", Full, Denied, "a dom0 is never suspended by others", answer(func(*Caller) abi.Errno { return 0 })},
			{33, "XEN_DOMCTL_gethvmcontext", Full, Denied, "", refusedAndBack(abi.EINVAL)},
			{34, "XEN_DOMCTL_sethvmcontext", Always(abi.EINVAL), Denied, "", nil},
			{35, "XEN_DOMCTL_set_address_size", Full, Denied, "32-bit PV is not compiled in", answer(setAddressSize)},
			{36, "XEN_DOMCTL_get_address_size", Full, Denied, "", giving(getAddressSize)},
		},
		no(abi.EOPNOTSUPP, domctlAssign, "XEN_DOMCTL_assign_device"),
		[]SubOp{
			{38, "XEN_DOMCTL_bind_pt_irq", Always(abi.EINVAL), Always(abi.EINVAL), "", answer(notHVM)},
			{39, "XEN_DOMCTL_memory_mapping", Full, Full, "", answer(memoryMapping)},
			{40, "XEN_DOMCTL_ioport_mapping", Always(abi.EOPNOTSUPP), Always(abi.EOPNOTSUPP), "", answer(ioportMapping)},
			{42, "XEN_DOMCTL_set_ext_vcpucontext", Always(abi.ESRCH), Denied, "", nil},
			{43, "XEN_DOMCTL_get_ext_vcpucontext", Partial, Denied, "of another vCPU: loud", getExtContext},
		},
		no(abi.ENOSYS, 44, "XEN_DOMCTL_set_opt_feature"),
		no(abi.EOPNOTSUPP, domctlTestAssign, "XEN_DOMCTL_test_assign_device"),
		[]SubOp{{46, "XEN_DOMCTL_set_target", Full, Full, "", answer(setTarget)}},
		no(abi.EOPNOTSUPP, domctlDeassign, "XEN_DOMCTL_deassign_device"),
		[]SubOp{
			{48, "XEN_DOMCTL_unbind_pt_irq", Always(abi.EINVAL), Always(abi.EINVAL), "", answer(notHVM)},
			{50, "XEN_DOMCTL_get_device_group", Always(abi.EOPNOTSUPP), Always(abi.EOPNOTSUPP), "", answer(noIOMMU)},
		},
		no(abi.EINVAL, 54, "XEN_DOMCTL_debug_op", "XEN_DOMCTL_gethvmcontext_partial"),
		[]SubOp{{domctlVMEvent, "XEN_DOMCTL_vm_event_op", Full, Full, "", vmEvent}},
		no(abi.ENOSYS, 57, "XEN_DOMCTL_mem_sharing_op"),
		no(abi.EINVAL, 59, "XEN_DOMCTL_gettscinfo", "XEN_DOMCTL_settscinfo"),
		[]SubOp{
			{61, "XEN_DOMCTL_getpageframeinfo3", Full, Denied, "", answer(pageFrameInfo)},
			{62, "XEN_DOMCTL_setvcpuextstate", Partial, Denied, "of another vCPU: loud", vcpuExtState},
			{63, "XEN_DOMCTL_getvcpuextstate", Partial, Denied, "of another vCPU: loud", vcpuExtState},
			{64, "XEN_DOMCTL_set_access_required", Denied, Denied, "", nil},
			{65, "XEN_DOMCTL_audit_p2m", NoSys, Denied, "", nil},
			{66, "XEN_DOMCTL_set_virq_handler", Full, Denied, "dom0 has all global VIRQs anyway", answer(setVIRQHandler)},
			{67, "XEN_DOMCTL_set_broken_page_p2m", Always(abi.EINVAL), Denied, "", nil},
			{68, "XEN_DOMCTL_setnodeaffinity", Full, Denied, "", answer(setNodeAffinity)},
			{69, "XEN_DOMCTL_getnodeaffinity", Full, Denied, "", answer(getNodeAffinity)},
			{71, "XEN_DOMCTL_cacheflush", NoSys, Denied, "", nil},
			{72, "XEN_DOMCTL_get_vcpu_msrs", Partial, Denied, "of another vCPU: loud", vcpuMSRs},
			{73, "XEN_DOMCTL_set_vcpu_msrs", Partial, Denied, "of another vCPU: loud", vcpuMSRs},
			{74, "XEN_DOMCTL_setvnumainfo", Partial, Denied, "sizes are checked; a topology is loud", setVNUMA},
		},
		no(abi.ENODEV, 75, "XEN_DOMCTL_psr_cmt_op"),
		no(abi.EPERM, 77, "XEN_DOMCTL_monitor_op"),
		[]SubOp{{78, "XEN_DOMCTL_psr_alloc", Full, Denied, "the processor has none", domctlPSR}},
		no(abi.EINVAL, 79, "XEN_DOMCTL_soft_reset"),
		no(abi.ENOSYS, 81, "XEN_DOMCTL_vuart_op"),
		[]SubOp{{82, "XEN_DOMCTL_get_cpu_policy", Partial, Denied, "sizes; the leaves are loud", domctlPolicy}},
		no(abi.EINVAL, 83, "XEN_DOMCTL_set_cpu_policy", "XEN_DOMCTL_vmtrace_op"),
		no(abi.EOPNOTSUPP, 85, "XEN_DOMCTL_get_paging_mempool_size", "XEN_DOMCTL_set_paging_mempool_size"),
		no(abi.ENOSYS, 1000, "XEN_DOMCTL_gdbsx_guestmemio", "XEN_DOMCTL_gdbsx_pausevcpu", "XEN_DOMCTL_gdbsx_unpausevcpu",
			"XEN_DOMCTL_gdbsx_domstatus"),
	)}
}

// refusedAndBack is the answer e of an operation whose structure Xen gives
// back all the same.
func refusedAndBack(e abi.Errno) handler {
	return func(c *Caller) (uint64, error) {
		if err := c.back(0, c.req.size); err != 0 {
			return ret(err)
		}
		return ret(e)
	}
}

func notHVM(*Caller) abi.Errno  { return abi.EINVAL }
func noIOMMU(*Caller) abi.Errno { return abi.EOPNOTSUPP }

func ioportMapping(c *Caller) abi.Errno {
	c.D.Print("ioport_map against non-HVM domain")
	return abi.EOPNOTSUPP
}

// pagingDomctlCont is hypercall 49, with which Xen continues one domctl
// (X/mm/paging.c:do_paging_domctl_cont).
func pagingDomctlCont(c *Caller) (uint64, error) {
	const shadowOp = 10
	switch err := c.read(domctlSize, domctlVersion); {
	case err == abi.EFAULT:
		return ret(err)
	case err != 0 || c.req.cmd() != shadowOp:
		return ret(abi.EOPNOTSUPP)
	case !c.exists(c.req.u16(8)):
		return ret(abi.ESRCH)
	}
	return c.operation(c.req.cmd(), abi.EOPNOTSUPP)
}

func pagingDomctlOps() Ops {
	return Ops{inStruct, mask32, []SubOp{{10, "XEN_DOMCTL_shadow_op", Full, Denied, "", refusedAndBack(abi.EINVAL)}}}
}
