package cpu

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
	"pvlab/pagetable"
)

// walk fills e with the translation of lin for an access of kind a, setting
// accessed and dirty bits (SDM vol. 3, "Paging"). On failure c.fault is set.
func (c *CPU) walk(e *tlbEntry, lin uint64, a access) bool {
	user := c.tlb == &c.tlbs[viewUser] || c.tlb == &c.tlbs[viewUserAC]
	return c.walkPlain(e, lin, a, user) || c.walkAs(e, lin, a, user)
}

func (c *CPU) walkAs(e *tlbEntry, lin uint64, a access, user bool) bool {
	page := lin &^ mem.PageMask
	if c.CR0&x86.CR0PG == 0 {
		c.install(e, page, page&0xffffffff, permR|permW|permX, true)
		return true
	}
	var w pagetable.Walk
	if c.CR4&x86.CR4PAE == 0 {
		w = c.walk32(lin)
	} else if !c.Long() {
		w = c.walkPAE(lin)
	} else {
		w = pagetable.Translate(c.Mem, c.root(lin), lin, c.MaxPA, c.EFER&x86.EFERNXE != 0)
	}
	if !w.Mapped {
		code := c.faultCode(a, user)
		if w.Reserved {
			code |= x86.PFPresent | x86.PFReserved
		}
		c.fault = x86.PageFault(code, lin)
		return false
	}
	p := c.rights(w.Writable, w.User, w.NX, user)
	if p&needPerm[a] == 0 {
		c.fault = x86.PageFault(c.faultCode(a, user)|x86.PFPresent, lin)
		return false
	}
	c.setAccessed(&w, a == accWrite)
	if a != accWrite && !w.Entries[leaf(&w)].Has(pagetable.Dirty) {
		p &^= permW // the first write must set the dirty bit
	}
	if w.Size > mem.PageSize {
		c.largeSeen = true
	}
	c.install(e, page, w.PA&^mem.PageMask, p, w.Global && c.CR4&x86.CR4PGE != 0)
	return true
}

// root is the root of the tables that translate lin.
func (c *CPU) root(lin uint64) uint64 {
	if lin >= c.AltFrom && lin < c.AltTo && c.AltCR3 != 0 {
		return c.AltCR3
	}
	return c.CR3
}

func leaf(w *pagetable.Walk) int { return w.Level - 1 }

func (c *CPU) faultCode(a access, user bool) (code uint32) {
	if a == accWrite {
		code |= x86.PFWrite
	}
	if user {
		code |= x86.PFUser
	}
	if a == accFetch && (c.EFER&x86.EFERNXE != 0 || c.CR4&x86.CR4SMEP != 0) {
		code |= x86.PFFetch
	}
	return code
}

// rights says what the current view may do with the page, ignoring the dirty
// bit (SDM vol. 3, "Determination of Access Rights").
func (c *CPU) rights(writable, userPage, nx, user bool) perm {
	p := permR | permW | permX
	if nx {
		p &^= permX
	}
	if user {
		if !userPage {
			return 0
		}
		if !writable {
			p &^= permW
		}
		return p
	}
	if !writable && c.CR0&x86.CR0WP != 0 {
		p &^= permW
	}
	if userPage {
		if c.CR4&x86.CR4SMEP != 0 {
			p &^= permX
		}
		if c.CR4&x86.CR4SMAP != 0 && c.tlb != &c.tlbs[viewKernelAC] {
			p &^= permR | permW
		}
	}
	return p
}

// setAccessed sets A in every entry used and D in the leaf of a write.
func (c *CPU) setAccessed(w *pagetable.Walk, write bool) {
	top := 3
	if !c.Long() {
		top = 1 // the PDPTEs of PAE paging have no accessed bit
	}
	for l := top; l >= leaf(w); l-- {
		old := w.Entries[l]
		set := pagetable.Accessed
		if l == leaf(w) && write {
			set |= pagetable.Dirty
		}
		if old.Has(set) {
			continue
		}
		w.Entries[l] = old | set
		at := w.At[l]
		c.Mem.PrepareWrite(at >> mem.PageShift)
		// Both bits lie in the entry's first byte: this fits 4-byte entries too.
		c.Mem.Frame(at >> mem.PageShift)[at&mem.PageMask] |= byte(set)
	}
	c.seenT = c.Mem.TableWrites // our own A/D updates change no translation
}

func (c *CPU) install(e *tlbEntry, page, pa uint64, p perm, global bool) {
	if pa >= c.Mem.Size() || (pa >= c.MMIOLo && pa < c.MMIOHi) {
		p |= permOutside
	}
	*e = tlbEntry{page: page | 1, pa: pa, agen: c.agenFor(global), perm: p}
	if c.seen != c.Mem.Revocations {
		c.sync()
		e.agen = c.agenFor(global)
	}
}

// walk32 is 32-bit paging with 4-byte entries; 4 MiB pages with CR4.PSE.
func (c *CPU) walk32(lin uint64) (w pagetable.Walk) {
	table := c.CR3 & 0xfffff000
	w.Writable, w.User = true, true
	for level := 2; level >= 1; level-- {
		at := table + (lin>>(12+10*uint(level-1))&1023)*4
		var e pagetable.Entry
		if c.Mem.Contains(at, 4) {
			e = pagetable.Entry(c.Mem.Read64(at&^7) >> (8 * (at & 4)) & 0xffffffff)
		}
		w.Level = level
		w.Entries[level-1], w.At[level-1] = e, at
		if !e.Has(pagetable.Present) {
			return w
		}
		c.Mem.MarkTable(at >> mem.PageShift)
		w.Writable = w.Writable && e.Has(pagetable.Writable)
		w.User = w.User && e.Has(pagetable.User)
		large := level == 2 && e.Has(pagetable.PSE) && c.CR4&x86.CR4PSE != 0
		if level == 1 || large {
			w.Size = 1 << (12 + 10*uint(level-1))
			w.PA = uint64(e)&0xfffff000&^(w.Size-1) | lin&(w.Size-1)
			w.Global = e.Has(pagetable.Global)
			w.Mapped = true
			return w
		}
		table = uint64(e) & 0xfffff000
	}
	return w
}

// walkPAE is 32-bit paging with 8-byte entries. The four PDPTEs are read at
// each walk instead of at the CR3 load.
func (c *CPU) walkPAE(lin uint64) (w pagetable.Walk) {
	at := c.CR3&0xffffffe0 + lin>>30&3*8
	e := pagetable.Entry(c.Mem.Read64(at))
	if !c.Mem.Contains(at, 8) {
		e = 0
	}
	w.Level, w.Entries[2], w.At[2] = 3, e, at
	if !e.Has(pagetable.Present) {
		return w
	}
	w.Writable, w.User = true, true
	table := uint64(e & pagetable.AddrMask)
	for level := 2; level >= 1; level-- {
		at := table + pagetable.Index(lin, level)*8
		e := pagetable.Entry(c.Mem.Read64(at))
		if !c.Mem.Contains(at, 8) {
			e = 0
		}
		w.Level, w.Entries[level-1], w.At[level-1] = level, e, at
		if !e.Has(pagetable.Present) {
			return w
		}
		c.Mem.MarkTable(at >> mem.PageShift)
		if e.Has(pagetable.NX) && c.EFER&x86.EFERNXE == 0 {
			w.Reserved = true
			return w
		}
		w.Writable = w.Writable && e.Has(pagetable.Writable)
		w.User = w.User && e.Has(pagetable.User)
		w.NX = w.NX || e.Has(pagetable.NX)
		if level == 1 || e.Has(pagetable.PSE) {
			w.Size = 1 << (12 + 9*uint(level-1))
			w.PA = uint64(e&pagetable.AddrMask)&^(w.Size-1) | lin&(w.Size-1)
			w.Global = e.Has(pagetable.Global)
			w.Mapped = true
			return w
		}
		table = uint64(e & pagetable.AddrMask)
	}
	return w
}
