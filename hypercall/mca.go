package hypercall

import (
	"strings"

	"pvlab/hypercall/abi"
)

// mca is hypercall 48: machine checks (X/cpu/mcheck/mce.c:do_mca). None ever
// happened; the union of struct xen_mc begins at 8.
func mca(c *Caller) (uint64, error) {
	if !c.D.Privileged {
		return ret(abi.EPERM)
	}
	if err := c.read(mcaSize, mcaVersion); err != 0 {
		return ret(err)
	}
	return c.operation(c.req.cmd(), abi.EINVAL)
}

func mcaOps() Ops {
	return Ops{inStruct, mask32, []SubOp{
		{1, "XEN_MC_fetch", Full, Denied, "", answer(mcaFetch)},
		{2, "XEN_MC_notifydomain", Always(abi.EINVAL), Denied, "", nil},
		{3, "XEN_MC_physcpuinfo", Partial, Denied, "of fewer processors than there are, which corrupts Xen 4.17 itself: loud", mcaCPUs},
		{4, "XEN_MC_msrinject", Partial, Denied, "a target is checked; to inject is loud", mcaInject},
		{5, "XEN_MC_mceinject", Partial, Denied, "a target is checked; to inject is loud", mcaInject},
		{6, "XEN_MC_inject_v2", Partial, Denied, "targets and type are checked; to inject is loud", mcaInjectV2},
	}}
}

// mcaFetch: {flags u32, fetch_id u64, data}.
func mcaFetch(c *Caller) abi.Errno {
	const (
		nonurgent, urgent = 1, 2
		acknowledge       = 4
		noData            = 2
	)
	r := &c.req
	flags := r.u32(8)
	switch which := flags & (nonurgent | urgent); {
	case which != nonurgent && which != urgent:
		return abi.EINVAL
	case flags&acknowledge != 0:
		return 0
	case r.u64(24) == 0:
		return abi.EINVAL
	}
	r.put32(8, noData)
	r.put64(16, 0)
	return c.back(0, r.size)
}

// mcaCPUs: {ncpus u32, info}; a struct mcinfo_logical_cpu each.
func mcaCPUs(c *Caller) (uint64, error) {
	const (
		size     = 304
		offBrand = 68
		offCaps  = 132
		offCache = 160
	)
	r := &c.req
	n := c.cpus()
	if at := r.u64(16); at != 0 {
		most := int32(r.u32(8))
		switch {
		case most == 0:
			return ret(abi.EINVAL)
		case most < 0:
			return ret(abi.ENOMEM)
		case uint32(most) < n:
			return c.loud("fewer processors than there are")
		}
		for i := range n {
			cpuid := c.D.VCPU[i].CPU.CPUID
			var b [size]byte
			leaves, vb, vc, vd := cpuid(0, 0)
			sig, _, _, _ := cpuid(1, 0)
			family, model, stepping := signature(sig)
			vendor := uint32(1) // X86_VENDOR_INTEL
			if vb == 0x68747541 {
				vendor = 2 // "Auth"enticAMD
			}
			for k, w := range [...]uint32{i, 0, i, i, 0, n, n, 1, leaves, family, vendor, model, stepping, vb, vd, vc} {
				le.PutUint32(b[4*k:], w)
			}
			copy(b[offBrand:offBrand+64], c.brand())
			words := c.features32()
			copy(b[offCaps:offCache], words[:])
			_, eb, _, _ := cpuid(1, 0)
			le.PutUint32(b[offCache+4:], eb>>8&0xff*8)
			if !c.copyOut(at+uint64(i)*size, b[:]) {
				return ret(abi.EFAULT)
			}
		}
	}
	r.put32(8, n)
	return ret(c.back(0, r.size))
}

// brand is the processor's name.
func (c *Caller) brand() string {
	var b []byte
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		eax, ebx, ecx, edx := c.V.CPU.CPUID(leaf, 0)
		for _, w := range [...]uint32{eax, ebx, ecx, edx} {
			b = le.AppendUint32(b, w)
		}
	}
	return strings.TrimRight(string(b), "\x00 ")
}

// mcaInject: {cpunr u32, flags u32, count u32, ...} for MSRs, {cpunr u32} for an
// exception.
func mcaInject(c *Caller) (uint64, error) {
	const msrs = 4
	switch {
	case c.req.u32(8) >= c.cpus():
		return ret(abi.EINVAL)
	case c.req.cmd() == msrs && c.req.u32(16) == 0:
		return ret(0)
	}
	return c.loud("a machine check")
}

// mcaInjectV2: {flags u32, cpumap bitmap at 16}.
func mcaInjectV2(c *Caller) (uint64, error) {
	const (
		typeMask  = 7
		exception = 0
		broadcast = 8
	)
	flags := c.req.u32(8)
	if flags&broadcast == 0 {
		mask, err := c.bitmapIn(16, c.cpus())
		switch {
		case err != 0:
			return ret(err)
		case mask == 0:
			return ret(abi.EINVAL)
		}
	}
	if flags&typeMask != exception { // the machine has neither CMCI nor LMCE
		return ret(abi.EINVAL)
	}
	return c.loud("a machine check")
}
