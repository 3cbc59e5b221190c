package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// sysctl is hypercall 35: what the tools ask about the whole machine
// (C/sysctl.c:do_sysctl, X/sysctl.c:arch_do_sysctl). The machine is the one on
// which the domain is alone: one node, one processor for each vCPU. Offsets
// are those in struct xen_sysctl; the union begins at 8.
func sysctlOps() Ops {
	no := func(n uint64, name string, e abi.Errno) SubOp {
		return SubOp{n, name, Always(e), Denied, "", nil}
	}
	return Ops{inStruct, mask32, []SubOp{
		{1, "XEN_SYSCTL_readconsole", Full, Denied, "Xen's ring begins empty: its boot messages are not in it", giving(readConsole)},
		{2, "XEN_SYSCTL_tbuf_op", Partial, Denied, "there are no trace buffers: set_size is loud", traceBuffers},
		{3, "XEN_SYSCTL_physinfo", Full, Denied, "", giving(physInfo)},
		{4, "XEN_SYSCTL_sched_id", Full, Denied, "", giving(schedID)},
		no(5, "XEN_SYSCTL_perfc_op", abi.ENOSYS),
		{6, "XEN_SYSCTL_getdomaininfolist", Full, Denied, "", giving(domainInfoList)},
		{7, "XEN_SYSCTL_debug_keys", Partial, Denied, "keys that Xen knows are loud", debugKeys},
		{8, "XEN_SYSCTL_getcpuinfo", Full, Denied, "", giving(cpuIdleTimes)},
		{9, "XEN_SYSCTL_availheap", Full, Denied, "a least width finds all free memory or none", giving(availHeap)},
		{10, "XEN_SYSCTL_get_pmstat", Full, Denied, "", pmStatistics},
		{11, "XEN_SYSCTL_cpu_hotplug", Partial, Denied, "taking a processor off is loud", cpuHotplug},
		{12, "XEN_SYSCTL_pm_op", Full, Denied, "", pmOp},
		{14, "XEN_SYSCTL_page_offline_op", Partial, Denied, "taking a frame off is loud", pageOffline},
		no(15, "XEN_SYSCTL_lockprof_op", abi.ENOSYS),
		{16, "XEN_SYSCTL_cputopoinfo", Full, Denied, "", giving(cpuTopology)},
		{17, "XEN_SYSCTL_numainfo", Full, Denied, "", giving(numaInfo)},
		{18, "XEN_SYSCTL_cpupool_op", Partial, Denied, "there is but pool 0: making another is loud", cpuPool},
		{19, "XEN_SYSCTL_scheduler_op", Full, Denied, "the rate limit changes nothing", giving(schedulerGlobal)},
		{20, "XEN_SYSCTL_coverage_op", Full, Denied, "not compiled in: -EOPNOTSUPP", coverage},
		no(21, "XEN_SYSCTL_psr_cmt_op", abi.ENODEV),
		{22, "XEN_SYSCTL_pcitopoinfo", Full, Denied, "", pciTopology},
		{23, "XEN_SYSCTL_psr_alloc", Full, Denied, "the processor has none", answer(psrAlloc)},
		{25, "XEN_SYSCTL_get_cpu_levelling_caps", Full, Denied, "the processor has none", answer(levellingCaps)},
		{26, "XEN_SYSCTL_get_cpu_featureset", Partial, Denied, "the processor's; those of policies are loud", featureset},
		{27, "XEN_SYSCTL_livepatch_op", Partial, Denied, "a payload is loud", livepatch},
		{29, "XEN_SYSCTL_get_cpu_policy", Partial, Denied, "sizes; the leaves are loud", hostPolicy},
	}}
}

func schedID(c *Caller) abi.Errno {
	c.req.put32(8, abi.SchedulerCredit2)
	return 0
}

// physInfo: {threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes,
// max_node_id, cpu_khz, capabilities, arch_capabilities u32; total_pages,
// free_pages, scrub_pages, outstanding_pages, max_mfn u64; hw_cap u32[8]}.
func physInfo(c *Caller) abi.Errno {
	const (
		maxNode = 63
		pv      = 1 << 1
		gntV1   = 1 << 8
		gntV2   = 1 << 9
	)
	r, n := &c.req, c.cpus()
	clear(r.b[8:])
	for i, v := range [...]uint32{1, n, n, n - 1, 1, maxNode, uint32(c.D.TSCHz / 1000), pv | gntV1 | gntV2} {
		r.put32(8+4*i, v)
	}
	for i, v := range [...]uint64{c.D.Mem.Frames(), c.D.FreePages(), 0, c.D.Claimed, c.D.Mem.Frames() - 1} {
		r.put64(48+8*i, v)
	}
	words := c.features32()
	copy(r.b[88:120], words[:32])
	return 0
}

// availHeap: {min_bitwidth u32, max_bitwidth u32, node i32, avail_bytes u64}.
func availHeap(c *Caller) abi.Errno {
	r := &c.req
	node, narrow, wide := int32(r.u32(16)), r.u32(8), r.u32(12)
	free := c.D.FreePages() << mem.PageShift
	switch {
	case node > 0, narrow > 64, narrow > wide && wide != 0,
		wide != 0 && wide <= mem.PageShift, narrow != 0 && narrow < 64 && c.D.Mem.Size()>>narrow == 0:
		free = 0
	case wide != 0 && wide < 64:
		free = min(free, 1<<wide)
	}
	r.put64(24, free)
	return 0
}

// domainInfoList: {first_domain u16, max_domains u32, buffer, num_domains u32}.
func domainInfoList(c *Caller) abi.Errno {
	r := &c.req
	var n uint32
	if c.D.ID >= r.u16(8) && r.u32(12) != 0 {
		b := c.domainInfo()
		if !c.copyOut(r.u64(16), b[:]) {
			return abi.EFAULT
		}
		n = 1
	}
	r.put32(24, n)
	return 0
}

// schedulerGlobal: {cpupool_id, sched_id, cmd u32, ratelimit_us u32 at 24}
// (C/sched/core.c:sched_adjust_global, C/sched/credit2.c:csched2_sys_cntl).
func schedulerGlobal(c *Caller) abi.Errno {
	const (
		putInfo     = 0
		getInfo     = 1
		least, most = 100, 500000
	)
	r, h := &c.req, &c.D.Host
	cmd, limit := r.u32(16), r.u32(24)
	switch {
	case cmd != putInfo && cmd != getInfo:
		return abi.EINVAL
	case r.u32(8) != 0:
		return abi.ESRCH
	case r.u32(12) != abi.SchedulerCredit2, cmd == putInfo && limit != 0 && (limit < least || limit > most):
		return abi.EINVAL
	}
	if cmd == putInfo {
		switch {
		case h.RateLimit == 0 && limit != 0:
			c.D.Print("Enabling context switch rate limiting")
		case h.RateLimit != 0 && limit == 0:
			c.D.Print("Disabling context switch rate limiting")
		}
		h.RateLimit = limit
	}
	r.put32(24, h.RateLimit)
	return 0
}

// coverage answers what it has to, but not before the structure went back.
func coverage(c *Caller) (uint64, error) {
	if err := c.back(0, c.req.size); err != 0 {
		return ret(err)
	}
	return ret(abi.EOPNOTSUPP)
}

// psrAlloc: {cmd u32, target u32, ...}: allocation of caches.
func psrAlloc(c *Caller) abi.Errno {
	const last = 2
	if c.req.u32(8) > last {
		return abi.EOPNOTSUPP
	}
	return abi.ENODEV
}

// pciTopology: {num_devs u32, devs, nodes}: the node of each PCI device, which
// is none; {seg u16, bus u8, devfn u8} each.
func pciTopology(c *Caller) (uint64, error) {
	const (
		noDevice = 1<<32 - 2
		noNode   = 1<<32 - 1
		size     = 4
	)
	r := &c.req
	n, devs, nodes := r.u32(8), r.u64(16), r.u64(24)
	if devs == 0 || nodes == 0 {
		return ret(abi.EINVAL)
	}
	var i uint32
	for ; i < n && c.more(uint64(i)); i++ {
		var b [size]byte
		if !c.copyIn(devs+uint64(i)*size, b[:]) {
			return ret(abi.EFAULT)
		}
		node := uint32(noDevice)
		if c.D.HasPCI(dom.MakePCIAddr(le.Uint16(b[:]), b[2], b[3])) {
			node = noNode
		}
		if !c.V.Write32(nodes+uint64(i)*4, node) {
			return ret(abi.EFAULT)
		}
	}
	r.put32(8, i)
	return ret(c.back(0, r.size))
}
