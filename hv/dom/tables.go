package dom

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// The guest's GDT and LDT pages appear in a window of the per-domain area:
// GDTR and LDTR always point there, so segment loads work as on hardware.

// SetGDT installs the frames as the guest's GDT of n descriptors (SEG-01;
// X/pv/descriptor-tables.c:pv_set_gdt). The old one is only dropped when all
// frames validate.
func (v *VCPU) SetGDT(frames []uint64, n uint32) abi.Errno {
	d := v.Dom
	pages := int(n+511) / 512
	if n > abi.FirstReservedGDTEntry || pages > len(frames) {
		return abi.EINVAL
	}
	for i := 0; i < pages; i++ {
		if err := d.Rules.GetPageAndType(frames[i], d.owner(), pagetable.TypeSegDesc); err != 0 {
			for i--; i >= 0; i-- {
				d.Rules.PutPageAndType(frames[i])
			}
			return abi.EINVAL
		}
	}
	v.DropGDT()
	v.GDTEntries = n
	for i := 0; i < pages; i++ {
		v.GDTFrames[i] = frames[i]
		d.setWindow(v.ID, uint64(i), pagetable.Make(frames[i], xenRW))
	}
	v.CPU.FlushTLB()
	return 0
}

// DropGDT takes the guest's GDT away; unset pages read as zero descriptors.
func (v *VCPU) DropGDT() {
	d := v.Dom
	for i, mfn := range v.GDTFrames {
		if mfn != 0 {
			d.setWindow(v.ID, uint64(i), pagetable.Make(d.space.zero, xenRO))
			d.Rules.PutPageAndType(mfn)
			v.GDTFrames[i] = 0
		}
	}
	v.GDTEntries = 0
	v.CPU.FlushTLB()
}

// SetLDT installs an LDT of n descriptors at base; its pages are mapped when
// first used (SEG-06).
func (v *VCPU) SetLDT(base uint64, n uint32) {
	v.DropLDT()
	v.LDTBase, v.LDTEntries = base, n
	v.LoadLDTR()
}

// LoadLDTR makes LDTR what the vCPU's LDT asks for.
func (v *VCPU) LoadLDTR() {
	if v.LDTEntries == 0 {
		v.CPU.LDTR = x86.Segment{}
		return
	}
	v.CPU.LDTR = x86.Segment{Sel: abi.LDTSelector, Attr: x86.AttrP | x86.TypeLDT,
		Base: LDTBase(v.ID), Limit: v.LDTEntries*8 - 1}
}

// DropLDT unmaps all LDT pages: they are looked up again on the next use
// (X/pv/descriptor-tables.c:pv_destroy_ldt).
func (v *VCPU) DropLDT() {
	if v.LDTMapped == 0 {
		return
	}
	d := v.Dom
	for p := uint64(0); p < 16; p++ {
		if v.LDTMapped>>p&1 == 0 {
			continue
		}
		mfn := d.window(v.ID, ldtPage+p).MFN()
		d.setWindow(v.ID, ldtPage+p, 0)
		d.Rules.PutPageAndType(mfn)
	}
	v.LDTMapped = 0
	v.CPU.FlushTLB()
}

// MapLDTPage maps the LDT page that holds byte off, if the guest's page there
// is present, its own, and validates as descriptors (X/pv/mm.c:
// pv_map_ldt_shadow_page).
func (v *VCPU) MapLDTPage(off uint64) bool {
	d := v.Dom
	if off>>3 >= uint64(v.LDTEntries) {
		return false
	}
	e, ok := v.KernelL1(v.LDTBase + off)
	if !ok || !e.Has(pagetable.Present) {
		return false
	}
	if d.Rules.GetPageAndType(e.MFN(), d.owner(), pagetable.TypeSegDesc) != 0 {
		return false
	}
	page := off >> mem.PageShift
	d.setWindow(v.ID, ldtPage+page, pagetable.Make(e.MFN(), xenRW))
	v.LDTMapped |= 1 << page
	v.CPU.FlushPage(LDTBase(v.ID) + page<<mem.PageShift)
	return true
}

// LDTWindow reports whether lin lies in this vCPU's own GDT or LDT window,
// and which byte of which.
func (v *VCPU) LDTWindow(lin uint64) (off uint64, ldt, ok bool) {
	base := GDTBase(v.ID)
	if lin < base || lin >= base+perVCPUPages<<mem.PageShift {
		return 0, false, false
	}
	off = lin - base
	if off >= ldtPage<<mem.PageShift {
		return off - ldtPage<<mem.PageShift, true, true
	}
	return off, false, true
}

// KernelL1 is the L1 entry that maps a guest address in the kernel's page
// table; false when there is no L1 for it.
func (v *VCPU) KernelL1(lin uint64) (pagetable.Entry, bool) {
	pa, ok := v.KernelL1At(lin)
	if !ok {
		return 0, false
	}
	return pagetable.Entry(v.Dom.Mem.Read64(pa)), true
}

// KernelL1At is the machine address of that entry (X/pv/mm.c:map_guest_l1e).
func (v *VCPU) KernelL1At(lin uint64) (pa uint64, ok bool) {
	if !AddrOK(lin) || !x86.Canonical(lin) {
		return 0, false
	}
	m := v.Dom.Mem
	table := v.GuestTable
	for level := 4; level >= 2; level-- {
		if table >= m.Frames() {
			return 0, false
		}
		e := pagetable.Entry(m.Read64(table<<mem.PageShift + 8*pagetable.Index(lin, level)))
		if !e.Has(pagetable.Present) || e.Has(pagetable.PSE) {
			return 0, false
		}
		table = e.MFN()
	}
	if table >= m.Frames() {
		return 0, false
	}
	return table<<mem.PageShift + 8*pagetable.Index(lin, 1), true
}
