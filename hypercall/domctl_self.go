package hypercall

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// What domctl tells a dom0 of itself, and changes.

// domainInfoSize of struct xen_domctl_getdomaininfo.
const domainInfoSize = 112

// domainInfo describes the caller (C/domctl.c:getdomaininfo).
func (c *Caller) domainInfo() (b [domainInfoSize]byte) {
	const (
		running      = 1 << 5
		noCode       = 0xffff0000
		codeShift    = 16
		emulatesPIT  = 1 << 8
		offHandle    = 76
		offAddrBits  = 96
		offEmulation = 104
	)
	d := c.D
	flags := uint32(running | noCode)
	if d.ShutCode != 0xff {
		flags = running | uint32(d.ShutCode)<<codeShift
	}
	var online uint32
	var ran uint64
	for _, v := range d.VCPU {
		info := v.RunstateInfo()
		ran += le.Uint64(info[abi.RunstateTime+8*abi.RunstateRunning:])
		if !v.Down {
			online++
		}
	}
	le.PutUint16(b[0:], d.ID)
	le.PutUint32(b[4:], flags)
	for i, v := range [...]uint64{d.TotPages, d.MaxPages, d.Claimed, 0, 0, d.SharedInfoMFN(), ran} {
		le.PutUint64(b[8+8*i:], v)
	}
	le.PutUint32(b[64:], online)
	le.PutUint32(b[68:], uint32(len(d.VCPU))-1)
	copy(b[offHandle:], d.Host.Handle[:])
	b[offAddrBits] = uint8(d.Rules.MaxPA)
	le.PutUint32(b[offEmulation:], emulatesPIT)
	return b
}

// domctlGetInfo answers for the first domain of that id or a higher one; the
// special ids are none.
func domctlGetInfo(c *Caller) (uint64, error) {
	const firstReserved = abi.DomIDSelf
	id := c.req.u16(8)
	switch {
	case id >= firstReserved:
		return ret(abi.EINVAL)
	case id > c.D.ID:
		return ret(abi.ESRCH)
	case !c.D.Privileged:
		return ret(abi.EPERM)
	}
	b := c.domainInfo()
	copy(c.req.b[16:], b[:])
	le.PutUint16(c.req.b[8:], c.D.ID)
	return ret(c.back(0, c.req.size))
}

func maxMem(c *Caller) abi.Errno {
	const pageKiB = mem.PageSize >> 10
	c.D.MaxPages = min(c.req.u64(16)/pageKiB, 1<<32-1)
	return 0
}

func setHandle(c *Caller) abi.Errno {
	copy(c.D.Host.Handle[:], c.req.b[16:])
	return 0
}

func setTimeOffset(c *Caller) abi.Errno {
	c.D.SetTimeOffset(int64(c.req.u64(16)))
	return 0
}

func setAddressSize(c *Caller) abi.Errno {
	switch c.req.u32(16) {
	case 64:
		return 0
	case 32:
		return abi.EOPNOTSUPP
	}
	return abi.EINVAL
}

func getAddressSize(c *Caller) abi.Errno {
	c.req.put32(16, 64)
	return 0
}

// schedulerDomain: {sched_id, cmd u32, weight u16, cap u16} (C/sched/core.c:
// sched_adjust, C/sched/credit2.c:csched2_dom_cntl). The structure goes back
// whatever comes of it.
func schedulerDomain(c *Caller) (uint64, error) {
	const putInfo, getInfo = 0, 1
	r := &c.req
	var err abi.Errno
	switch cmd, weight, limit := r.u32(20), r.u16(24), r.u16(26); {
	case r.u32(16) != abi.SchedulerCredit2, cmd != putInfo && cmd != getInfo:
		err = abi.EINVAL
	case cmd == getInfo:
		r.put32(24, uint32(c.D.Host.Weight))
	default:
		if weight != 0 {
			c.D.Host.Weight = weight
		}
		if uint32(limit) > 100*c.vcpus() {
			err = abi.EINVAL
		} else if limit != 0 {
			return c.loud("a cap")
		}
	}
	if c.back(0, r.size) != 0 {
		err = abi.EFAULT
	}
	return ret(err)
}

func hypercallInit(c *Caller) abi.Errno {
	mfn := c.req.u64(16)
	if !c.D.Rules.GetPage(mfn, c.D.Owner()) {
		return abi.EINVAL
	}
	ok := c.D.FillHypercallPage(mfn)
	c.D.Rules.PutPage(mfn)
	if !ok {
		return abi.EPERM
	}
	return 0
}

// pageFrameInfo: {num u64, array}: frames are replaced by what they are used
// for.
func pageFrameInfo(c *Caller) abi.Errno {
	const (
		most    = 1024
		pinned  = 1 << 31
		invalid = 0xf << 28
	)
	n, at := c.req.u64(16), c.req.u64(24)
	if n > most {
		return abi.E2BIG
	}
	r := c.D.Rules
	for i := range n {
		mfn, ok := c.V.Read64(at + 8*i)
		if !ok {
			return abi.EFAULT
		}
		typ := uint64(invalid)
		if r.GetPage(mfn, c.D.Owner()) {
			if p := c.D.Mem.Info(mfn); p.Flags&pagetable.XenHeap == 0 {
				typ = 0
				if p.Type >= pagetable.TypeL1 && p.Type <= pagetable.TypeL4 {
					typ = uint64(p.Type-pagetable.TypeL1+1) << 28
				}
				if p.Flags&pagetable.Pinned != 0 {
					typ |= pinned
				} else if p.Flags&pagetable.Validated == 0 {
					typ = 0
				}
			}
			r.PutPage(mfn)
		}
		if !c.V.Write64(at+8*i, typ) {
			return abi.EFAULT
		}
	}
	return 0
}

// setNodeAffinity and getNodeAffinity: {nodemap bitmap}. There is node 0; all
// nodes named means that the domain follows its vCPUs.
func setNodeAffinity(c *Caller) abi.Errno {
	const nodes = 64
	mask, err := c.bitmapIn(16, nodes)
	switch {
	case err != 0:
		return err
	case mask&1 == 0:
		return abi.EINVAL
	case mask == ^uint64(0):
		mask = 0
	}
	c.D.Host.NodeAffinity = mask
	return 0
}

func getNodeAffinity(c *Caller) abi.Errno {
	const nodes = 64
	mask := c.D.Host.NodeAffinity
	if mask == 0 {
		mask = 1
	}
	return c.bitmapOut(16, mask, nodes)
}

// setVNUMA: {nr_vnodes, nr_vmemranges, nr_vcpus, pad u32, ...}
// (C/domctl.c:vnuma_init, vnuma_alloc).
func setVNUMA(c *Caller) (uint64, error) {
	const distances, ranges = mem.PageSize / 4, mem.PageSize / 24
	r := &c.req
	nodes := r.u32(16)
	if r.u32(24) != c.vcpus() || r.u32(28) != 0 || nodes == 0 || nodes > distances/nodes || r.u32(20) > ranges {
		return ret(abi.EINVAL)
	}
	return c.loud("a topology")
}

// createDomain: {..., flags u32 at 36, iommu_opts, max_vcpus, ...}
// (C/domain.c:sanitise_domain_config).
func createDomain(c *Caller) (uint64, error) {
	const (
		hvm, hap       = 1 << 0, 1 << 1
		iommu          = 1 << 5
		vpmu           = 1 << 7
		known          = 1<<8 - 1
		versionMask    = 0xf
		offFlags       = 36
		offIOMMU       = 40
		offVCPUs       = 44
		offGrantOpts   = 60
		offVMTraceSize = 64
	)
	r := &c.req
	flags := r.u32(offFlags)
	switch {
	case !c.D.Privileged:
		return ret(abi.EPERM)
	case flags&^known != 0, r.u32(offGrantOpts)&^versionMask != 0, r.u32(offVCPUs) < 1, flags&hap != 0 && flags&hvm == 0,
		flags&iommu != 0, r.u32(offIOMMU) != 0, r.u32(offVMTraceSize) != 0, flags&vpmu != 0:
		return ret(abi.EINVAL)
	}
	return c.loud("a second domain")
}

// domctlPSR: {cmd u32, target u32, data u64}; even commands set, most odd ones get.
func domctlPSR(c *Caller) (uint64, error) {
	const last = 9
	switch cmd := c.req.u32(16); {
	case cmd > last:
		return ret(abi.EOPNOTSUPP)
	case cmd == 1, cmd == 4, cmd == 5, cmd == 7, cmd == 9:
		if err := c.back(0, c.req.size); err != 0 {
			return ret(err)
		}
	}
	return ret(abi.ENODEV)
}

// domctlPolicy: {nr_leaves u32, nr_msrs u32, leaves, msrs}.
func domctlPolicy(c *Caller) (uint64, error) {
	return c.policy(16, func(int) abi.Errno { return c.back(0, c.req.size) })
}

// vmEvent: {op u32, mode u32, version u32}. Anybody may ask for the version.
func vmEvent(c *Caller) (uint64, error) {
	const (
		getVersion = 3
		version    = 7
	)
	r := &c.req
	switch {
	case r.u32(16) == getVersion:
		r.put32(24, version)
		return ret(c.back(0, r.size))
	case !c.exists(r.u16(8)):
		return ret(abi.ESRCH)
	case !c.D.Privileged:
		return ret(abi.EPERM)
	}
	return ret(abi.EINVAL)
}

func setTarget(c *Caller) abi.Errno {
	switch target := c.req.u16(16); {
	case !c.exists(target):
		return abi.ESRCH
	case target == c.req.u16(8):
		return abi.EINVAL
	}
	return abi.EOPNOTSUPP // not an HVM domain
}
