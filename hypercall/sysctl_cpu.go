package hypercall

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// The processors of the machine: what sysctl says of them.

// idleTime of a processor is what its vCPU did not run, in nanoseconds.
func (c *Caller) idleTime(cpu uint32) uint64 {
	b := c.D.VCPU[cpu].RunstateInfo()
	return c.D.Now() - min(c.D.Now(), le.Uint64(b[abi.RunstateTime+8*abi.RunstateRunning:]))
}

// cpuIdleTimes: {max_cpus u32, info, nr_cpus u32}; {idletime u64} each.
func cpuIdleTimes(c *Caller) abi.Errno {
	r := &c.req
	n := min(r.u32(8), c.cpus())
	for i := range n {
		if !c.V.Write64(r.u64(16)+8*uint64(i), c.idleTime(i)) {
			return abi.EFAULT
		}
	}
	r.put32(24, n)
	return 0
}

// cpuTopology: {num_cpus u32, cputopo}; {core, socket, node u32} each.
func cpuTopology(c *Caller) abi.Errno {
	const size = 12
	r, n := &c.req, c.cpus()
	if at := r.u64(16); at != 0 {
		n = min(n, r.u32(8))
		for i := range n {
			var b [size]byte
			le.PutUint32(b[0:], i)
			if !c.copyOut(at+size*uint64(i), b[:]) {
				return abi.EFAULT
			}
		}
	}
	r.put32(8, n)
	return 0
}

// numaInfo: {num_nodes u32, meminfo, distance}; {memsize, memfree u64} and one
// u32 for each pair of nodes. There is one node.
func numaInfo(c *Caller) abi.Errno {
	const local = 10 // the distance of a node from itself
	r, n := &c.req, uint32(1)
	meminfo, distance := r.u64(16), r.u64(24)
	if meminfo != 0 || distance != 0 {
		n = min(n, r.u32(8))
	}
	var b [16]byte
	le.PutUint64(b[0:], c.D.Mem.Size())
	le.PutUint64(b[8:], c.D.FreePages()<<mem.PageShift)
	if n != 0 && meminfo != 0 && !c.copyOut(meminfo, b[:]) || n != 0 && distance != 0 && !c.V.Write32(distance, local) {
		return abi.EFAULT
	}
	r.put32(8, n)
	return 0
}

// cpuHotplug: {cpu u32, op u32}. Threads of a core cannot be switched, since
// there is one of each (X/sysctl.c, X/smpboot.c:cpu_up, cpu_down).
func cpuHotplug(c *Caller) (uint64, error) {
	const online, offline = 0, 1
	cpu, op := c.req.u32(8), c.req.u32(12)
	switch {
	case op != online && op != offline:
		return ret(abi.EOPNOTSUPP)
	case cpu >= c.cpus(), op == offline && cpu == 0:
		return ret(abi.EINVAL)
	case op == online:
		return ret(abi.EEXIST)
	}
	return c.loud("offline")
}

// featureWords is the number of words of a feature set.
const featureWords = 19

// features32 is the feature set of the processor: each register of CPUID that
// has one, in Xen's order (P/arch-x86/cpufeatureset.h).
func (c *Caller) features32() (b [4 * featureWords]byte) {
	cpuid := c.V.CPU.CPUID
	put := func(word int, v uint32) { le.PutUint32(b[4*word:], v) }
	_, _, ecx, edx := cpuid(1, 0)
	put(0, edx)
	put(1, ecx)
	_, _, ecx, edx = cpuid(0x80000001, 0)
	put(2, edx)
	put(3, ecx)
	eax, _, _, _ := cpuid(0xd, 1)
	put(4, eax)
	_, ebx, ecx, edx := cpuid(7, 0)
	put(5, ebx)
	put(6, ecx)
	put(9, edx)
	_, _, _, edx = cpuid(0x80000007, 0)
	put(7, edx)
	_, ebx, _, _ = cpuid(0x80000008, 0)
	put(8, ebx)
	eax, ebx, ecx, edx = cpuid(7, 1)
	put(10, eax)
	put(12, ebx)
	put(14, ecx)
	put(15, edx)
	return b // 11: leaf 8000_0021; 13: leaf 7.2; 16, 17: MSR_ARCH_CAPABILITIES; 18: none of them exists
}

// featureset: {index u32, nr_features u32, features}. A short buffer is filled
// all the same.
func featureset(c *Caller) (uint64, error) {
	const (
		raw, host = 0, 1
		last      = 5 // policies of PV and HVM guests
	)
	r := &c.req
	index, n, at := r.u32(8), r.u32(12), r.u64(16)
	switch {
	case at == 0:
		r.put32(12, featureWords)
		return ret(c.back(12, 4))
	case index > last:
		return ret(abi.EINVAL)
	case index != raw && index != host:
		return c.loud("policy of a guest")
	}
	n = min(n, featureWords)
	b := c.features32()
	if !c.copyOut(at, b[:4*n]) {
		return ret(abi.EFAULT)
	}
	r.put32(12, n)
	err := c.back(12, 4)
	if err == 0 && n < featureWords {
		err = abi.ENOBUFS
	}
	return ret(err)
}

func levellingCaps(c *Caller) abi.Errno {
	c.req.put32(8, 0)
	return c.back(8, 4)
}

// Sizes of the buffers for a policy (PL/cpu-policy.h).
const (
	policyLeaves = 0x78
	policyMSRs   = 2
)

// hostPolicy: {index u32, nr_leaves u32, nr_msrs u32, reserved u32, leaves,
// msrs}.
func hostPolicy(c *Caller) (uint64, error) {
	const last = 5
	r := &c.req
	if r.u32(8) > last || r.u32(20) != 0 {
		return ret(abi.EINVAL)
	}
	return c.policy(12, func(n int) abi.Errno { return c.back(n, 4) })
}

// policy answers what buffers a policy needs; {nr_leaves u32, nr_msrs u32} stand
// at off, {leaves, msrs} at 24.
func (c *Caller) policy(off int, back func(off int) abi.Errno) (uint64, error) {
	r := &c.req
	for i, most := range [...]uint32{policyLeaves, policyMSRs} {
		if r.u64(24+8*i) != 0 {
			if r.u32(off+4*i) == 0 {
				return ret(abi.ENOBUFS) // not room for one
			}
			return c.loud("leaves and MSRs")
		}
		r.put32(off+4*i, most)
		if err := back(off + 4*i); err != 0 {
			return ret(err)
		}
	}
	return ret(0)
}
