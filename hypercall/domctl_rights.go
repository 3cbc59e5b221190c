package hypercall

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Rights of domains to the hardware. A dom0 may give itself what it has; what
// it would take from itself is not modelled.

// irqPermission: {pirq u32, allow u8}.
func irqPermission(c *Caller) (uint64, error) {
	pirq := c.req.u32(16)
	switch {
	case pirq >= c.D.NrPIRQs():
		return ret(abi.EINVAL)
	case !c.D.Privileged || c.D.IRQ.PIRQ[pirq].IRQ <= 0:
		return ret(abi.EPERM)
	}
	return c.loud("of a mapped PIRQ")
}

// iomemPermission: {first_mfn u64, nr_mfns u64, allow u8}
// (X/dom0_build.c:dom0_setup_permissions).
func iomemPermission(c *Caller) (uint64, error) {
	first, n := c.req.u64(16), c.req.u64(24)
	last := first + n - 1
	switch {
	case last < first:
		return ret(abi.EINVAL)
	case !c.D.Privileged, last>>(c.D.Rules.MaxPA-mem.PageShift) != 0,
		first <= pagetable.LastMSIFrame && last >= pagetable.FirstMSIFrame:
		return ret(abi.EPERM)
	case c.req.u8(32) == 0:
		return c.loud("taking memory away")
	}
	return ret(0)
}

// memoryMapping: {first_gfn, first_mfn, nr_mfns u64, add u32}. A PV domain has
// no translation to add it to.
func memoryMapping(c *Caller) abi.Errno {
	gfn, mfn, n := c.req.u64(16), c.req.u64(24), c.req.u64(32)
	last := mfn + n - 1
	switch {
	case last < mfn, (mfn|last)>>(c.D.Rules.MaxPA-mem.PageShift) != 0, gfn+n-1 < gfn:
		return abi.EINVAL
	case !c.D.Privileged:
		return abi.EPERM
	}
	return 0
}

// Ports that Xen keeps from a dom0: both 8259s, the 8254 and its gate, the ACPI
// timer, PCI configuration data, its own serial port
// (X/dom0_build.c:dom0_setup_permissions).
var xensPorts = [][2]uint32{{0x20, 0x21}, {0x40, 0x43}, {0x61, 0x61}, {0xa0, 0xa1}, {0x3f8, 0x3ff}, {0x608, 0x60b}, {0xcfc, 0xcff}}

// ioportPermission: {first_port u32, nr_ports u32, allow u8}.
func ioportPermission(c *Caller) (uint64, error) {
	const ports = 1 << 16
	first, n := c.req.u32(16), c.req.u32(20)
	if end := first + n; end <= first || end > ports {
		return ret(abi.EINVAL)
	}
	denied := !c.D.Privileged
	for _, p := range xensPorts {
		denied = denied || first <= p[1] && first+n-1 >= p[0]
	}
	switch {
	case denied:
		return ret(abi.EPERM)
	case c.req.u8(24) == 0:
		return c.loud("taking ports away")
	}
	return ret(0)
}
