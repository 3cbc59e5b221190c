package cpu

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/pagetable"
)

// walkPlain is walkAs where nothing out of the ordinary is met: four levels of
// 64-bit paging, a 4 KiB page, all entries present and in memory, no reserved
// bit, rights enough, accessed and dirty bits as the access needs them. Else
// it changes nothing, and false says that walkAs has to look.
func (c *CPU) walkPlain(e *tlbEntry, lin uint64, a access, user bool) bool {
	if c.CR0&x86.CR0PG == 0 || !c.Long() || c.Mem.TrackTables {
		return false
	}
	reserved := pagetable.Entry(uint64(pagetable.AddrMask) >> c.MaxPA << c.MaxPA)
	if c.EFER&x86.EFERNXE == 0 {
		reserved |= pagetable.NX
	}
	end := c.Mem.Size()
	table := c.root(lin) & uint64(pagetable.AddrMask)
	all, some := ^pagetable.Entry(0), pagetable.Entry(0)
	var leaf pagetable.Entry
	for shift := uint(39); ; shift -= 9 {
		at := table + lin>>shift&511*8
		if at >= end { // tables are pages, and the end is a page's
			return false
		}
		leaf = *(*pagetable.Entry)(c.host(at))
		all &= leaf
		some |= leaf
		if shift == 12 {
			break
		}
		if leaf&pagetable.PSE != 0 || !leaf.Has(pagetable.Present) {
			return false
		}
		table = uint64(leaf & pagetable.AddrMask)
	}
	if !all.Has(pagetable.Present|pagetable.Accessed) || some&reserved != 0 {
		return false
	}
	p := c.rights(all.Has(pagetable.Writable), all.Has(pagetable.User), some.Has(pagetable.NX), user)
	if !leaf.Has(pagetable.Dirty) {
		if a == accWrite {
			return false
		}
		p &^= permW // the first write must set the dirty bit
	}
	if p&needPerm[a] == 0 {
		return false
	}
	global := leaf.Has(pagetable.Global) && c.CR4&x86.CR4PGE != 0
	c.install(e, lin&^mem.PageMask, uint64(leaf&pagetable.AddrMask), p, global)
	return true
}
