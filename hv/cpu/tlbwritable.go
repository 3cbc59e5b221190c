package cpu

import "pvlab/hv/mem"

// WritableByUser calls yield for each page that code at CPL 3 could write
// through a translation now in the TLB: its linear address and its frame.
// Page tables may say otherwise by now.
func (c *CPU) WritableByUser(yield func(lin, mfn uint64)) {
	for _, view := range [...]int{viewUser, viewUserAC} {
		for i := range c.tlbs[view] {
			e := &c.tlbs[view][i]
			if e.page&1 != 0 && c.valid(e, e.page) && e.perm&(permW|permOutside) == permW {
				yield(e.page&^mem.PageMask, e.pa>>mem.PageShift)
			}
		}
	}
}
