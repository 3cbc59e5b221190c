package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// setGDT is hypercall 2 (SEG-01).
func setGDT(c *Caller) (uint64, error) {
	n := uint32(c.args[1])
	if n > abi.FirstReservedGDTEntry {
		return ret(abi.EINVAL)
	}
	var b [8 * abi.FirstReservedGDTPage]byte
	pages := int(n+511) / 512
	if pages != 0 && !c.copyIn(c.args[0], b[:8*pages]) {
		return ret(abi.EFAULT)
	}
	var frames [abi.FirstReservedGDTPage]uint64
	for i := range frames[:pages] {
		frames[i] = le.Uint64(b[8*i:])
	}
	return ret(c.V.SetGDT(frames[:pages], n))
}

// updateDescriptor is hypercall 10 (SEG-05; X/pv/descriptor-tables.c:
// do_update_descriptor).
func updateDescriptor(c *Caller) (uint64, error) {
	pa := c.args[0]
	desc, ok := pagetable.CheckDescriptor(c.args[1])
	if pa&7 != 0 || !ok {
		return ret(abi.EINVAL)
	}
	r, mfn := c.D.Rules, pa>>mem.PageShift
	if !r.GetPage(mfn, c.D.Owner()) {
		return ret(abi.EINVAL)
	}
	t := pagetable.TypeWritable
	if c.D.Mem.Info(mfn).Type == pagetable.TypeSegDesc {
		t = pagetable.TypeSegDesc
	}
	err := abi.EINVAL
	if r.GetType(mfn, t) == 0 {
		c.D.Mem.Write64(pa, desc)
		r.PutType(mfn)
		err = 0
	}
	r.PutPage(mfn)
	return ret(err)
}

// setSegmentBase is hypercall 25 (PRIV-10).
func setSegmentBase(c *Caller) (uint64, error) {
	which, base, k := c.cmd32(0), c.args[1], c.V.CPU
	if which != abi.SegBaseGSUserSel && !dom.Canonical(base) && which <= abi.SegBaseGSKernel {
		return ret(abi.EINVAL)
	}
	switch which {
	case abi.SegBaseFS:
		k.Seg[x86.FS].Base = base
	case abi.SegBaseGSUser:
		k.KernelGSBase = base
	case abi.SegBaseGSKernel:
		k.Seg[x86.GS].Base = base
	case abi.SegBaseGSUserSel:
		c.loadUserGS(uint16(base))
	default:
		return ret(abi.EINVAL)
	}
	return ret(0)
}

// loadUserGS loads a selector into GS while the user's base is live. A bad
// selector becomes NUL without an error.
func (c *Caller) loadUserGS(sel uint16) {
	k := c.V.CPU
	gs := &k.Seg[x86.GS]
	gs.Base, k.KernelGSBase = k.KernelGSBase, gs.Base
	if sel > 3 {
		sel |= 3
	}
	f := k.LoadSegment(x86.GS, sel, 3)
	if f.Valid && f.Vector == x86.VectorPF {
		// The descriptor lies on an LDT page not mapped yet; a page that
		// cannot be mapped counts as a bad selector.
		if off, ldt, ok := c.V.LDTWindow(f.Addr); ok && ldt && c.V.MapLDTPage(off) {
			f = k.LoadSegment(x86.GS, sel, 3)
		}
	}
	if f.Valid {
		k.LoadSegment(x86.GS, 0, 3)
	}
	gs.Base, k.KernelGSBase = k.KernelGSBase, gs.Base
}

// setDebugreg and getDebugreg are hypercalls 8 and 9 (DBG-11).
func setDebugreg(c *Caller) (uint64, error) {
	return ret(c.V.SetDebugreg(c.cmd32(0), c.args[1]))
}

func getDebugreg(c *Caller) (uint64, error) {
	val, err := c.V.GetDebugreg(c.cmd32(0))
	if err != 0 {
		return ret(err)
	}
	return value(val)
}

// fpuTaskswitch is hypercall 5 (PRIV-14).
func fpuTaskswitch(c *Caller) (uint64, error) {
	c.V.SetTS(c.cmd32(0) != 0)
	return ret(0)
}

// vmAssist is hypercall 21 (MM-17; C/domain.c:do_vm_assist).
func vmAssist(c *Caller) (uint64, error) {
	const valid = 1<<abi.VMAssistWritablePagetables | 1<<abi.VMAssistPAEExtendedCR3 |
		1<<abi.VMAssistArchitecturalIOPL | 1<<abi.VMAssistRunstateUpdateFlag | 1<<abi.VMAssistM2PStrict |
		1<<abi.VMAssist4GBSegments | 1<<abi.VMAssist4GBSegmentsNotify // accepted, without meaning
	t := c.cmd32(1)
	if t >= 64 || uint64(valid)>>t&1 == 0 {
		return ret(abi.EINVAL)
	}
	switch c.cmd32(0) {
	case abi.VMAssistEnable:
		c.D.Assist |= 1 << t
	case abi.VMAssistDisable:
		c.D.Assist &^= 1 << t
	default:
		return ret(abi.ENOSYS)
	}
	return ret(0)
}
