package dom

import (
	"fmt"

	"pvlab/hv/mem"
	"pvlab/pagetable"
)

// Held lists every reference of the domain's to a frame that is not an entry
// of a page table, a pin, or its allocation. Whoever takes such a reference
// (GetPageAndType) and keeps it is in this list: Audit counts by it.
func (d *Domain) Held() (list []pagetable.Held) {
	hold := func(mfn uint64, t pagetable.Type, by string, n int) {
		if mfn != 0 {
			list = append(list, pagetable.Held{MFN: mfn, Type: t, By: by, N: n})
		}
	}
	for i, v := range d.VCPU {
		hold(v.GuestTable, pagetable.TypeL4, "kernel root of vCPU", i)
		hold(v.GuestTableUser, pagetable.TypeL4, "user root of vCPU", i)
		for _, mfn := range v.GDTFrames {
			hold(mfn, pagetable.TypeSegDesc, "GDT of vCPU", i)
		}
		for p := uint64(0); p < 16; p++ {
			if v.LDTMapped>>p&1 != 0 {
				hold(d.window(v.ID, ldtPage+p).MFN(), pagetable.TypeSegDesc, "LDT of vCPU", i)
			}
		}
		if v.InfoMoved {
			hold(v.InfoMFN, pagetable.TypeWritable, "vcpu_info of vCPU", i)
		}
	}
	d.heldFIFO(hold)
	hold(d.PIRQEOIMap, pagetable.TypeWritable, "PIRQ EOI map of domain", int(d.ID))
	d.heldGrants(hold)
	return list
}

// Audit derives from scratch what must hold of the domain's memory between
// two instructions of its guest and reports what does not: the counts and
// types of pagetable.Auditor.Audit, that every processor runs on its vCPU's
// roots and descriptor pages, that no translation in a TLB lets the guest
// write a page table or descriptor page, and the domain's number of pages.
// An error is a defect of pvlab, never the guest's fault.
func (d *Domain) Audit() error {
	if d.auditor == nil {
		d.auditor = pagetable.NewAuditor(d.Rules)
	}
	if err := d.auditor.Audit(d.Held()); err != nil {
		return err
	}
	pages := uint64(0)
	for mfn := uint64(0); mfn < d.Mem.Frames(); mfn++ {
		if p := d.Mem.Info(mfn); p.Owner == d.owner() && p.Flags&pagetable.XenHeap == 0 && p.Count != 0 {
			pages++
		}
	}
	if pages != d.TotPages {
		return fmt.Errorf("domain %d has %d pages, its count says %d", d.ID, pages, d.TotPages)
	}
	for _, v := range d.VCPU {
		if err := v.audit(); err != nil {
			return fmt.Errorf("%s: %w", v.Name(), err)
		}
	}
	return nil
}

// audit compares the processor with what Xen keeps of its vCPU.
func (v *VCPU) audit() (err error) {
	d := v.Dom
	root := v.GuestTableUser
	if v.KernelMode {
		root = v.GuestTable
	}
	if v.Initialised && !v.Down && v.CPU.CR3 != root<<mem.PageShift {
		return fmt.Errorf("CR3 is %#x, its root in this mode frame %#x", v.CPU.CR3, root)
	}
	for p, mfn := range v.GDTFrames {
		if mfn == 0 {
			mfn = d.space.zero
		}
		if d.window(v.ID, uint64(p)).MFN() != mfn {
			return fmt.Errorf("page %d of its GDT shows frame %#x, set was %#x", p, d.window(v.ID, uint64(p)).MFN(), mfn)
		}
	}
	for p := uint64(0); p < 16; p++ {
		if v.LDTMapped>>p&1 == 0 && d.window(v.ID, ldtPage+p) != 0 {
			return fmt.Errorf("page %d of its LDT is mapped but not held", p)
		}
	}
	v.CPU.WritableByUser(func(lin, mfn uint64) {
		p := d.Mem.Info(mfn)
		table := p.TypeCount != 0 && p.Type != pagetable.TypeWritable
		if table || p.Flags&pagetable.XenHeap != 0 && p.Flags&pagetable.Allocated == 0 {
			err = fmt.Errorf("its TLB lets the guest write frame %#x (owner %d, type %d) at %#x", mfn, p.Owner, p.Type, lin)
		}
	})
	return err
}
