package dom

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// FillHypercallPage makes frame mfn a hypercall page at the guest's request
// (BOOT-03; X/msr.c:guest_wrmsr_xen): false unless the frame is the domain's
// and can be writable.
func (d *Domain) FillHypercallPage(mfn uint64) bool {
	if d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeWritable) != 0 {
		return false
	}
	var page [mem.PageSize]byte
	abi.FillHypercallPage(page[:])
	d.Mem.Write(mfn<<mem.PageShift, page[:])
	d.Rules.PutPageAndType(mfn)
	return true
}
