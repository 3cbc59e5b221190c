package cpu

import (
	"unsafe"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// Accesses that are not an instruction's own operands: the processor's
// implicit ones to descriptor tables and TSS, and those a hypervisor or a
// debugger makes through the guest's page tables.

// View chooses with whose eyes memory is looked at.
type View uint8

// Views.
const (
	// ViewSystem is an implicit supervisor access (GDT, IDT, TSS, stack push
	// of an interrupt to ring 0): SMAP always applies.
	ViewSystem View = viewKernel
	// ViewUser is an access at CPL 3.
	ViewUser View = viewUser
	// ViewHypervisor is a supervisor access with SMAP lifted: how Xen touches
	// guest memory.
	ViewHypervisor View = viewKernelAC
)

// ReadLinear copies len(b) bytes from linear address lin. On a fault it
// returns the fault (CR2 = first byte that failed) and how many bytes were
// copied before it.
func (c *CPU) ReadLinear(v View, lin uint64, b []byte) (int, x86.Fault) {
	return c.copyLinear(v, lin, b, accRead)
}

// WriteLinear copies b to linear address lin, page by page; see ReadLinear.
func (c *CPU) WriteLinear(v View, lin uint64, b []byte) (int, x86.Fault) {
	return c.copyLinear(v, lin, b, accWrite)
}

// FetchLinear reads bytes with execute permission at the current privilege.
func (c *CPU) FetchLinear(lin uint64, b []byte) (int, x86.Fault) {
	return c.copyAt(lin, b, accFetch)
}

// ReadLinear64 and WriteLinear64 are the 8-byte forms.
func (c *CPU) ReadLinear64(v View, lin uint64) (uint64, x86.Fault) {
	save := c.tlb
	c.tlb = &c.tlbs[v]
	r, ok := c.load64(x86.DS, lin)
	c.tlb = save
	if !ok {
		return 0, c.fault
	}
	return r, x86.Fault{}
}

// WriteLinear64 writes one word; nothing is written on a fault.
func (c *CPU) WriteLinear64(v View, lin, w uint64) x86.Fault {
	save := c.tlb
	c.tlb = &c.tlbs[v]
	st := c.store64(x86.DS, lin, w)
	c.tlb = save
	if st == stFault {
		return c.fault
	}
	return x86.Fault{}
}

// Window is the n bytes at lin themselves, to be read or (write) written at
// once, before anything else happens to the processor or memory. It is nil
// where that takes more than a look into the TLB, which says nothing about
// whether they can be accessed.
func (c *CPU) Window(v View, lin uint64, n int, write bool) []byte {
	e := &c.tlbs[v][tlbSlot(lin)]
	page, o := lin&^mem.PageMask, lin&mem.PageMask
	if o+uint64(n) > mem.PageSize || write && e.wtag != page|c.wgen || !write && e.rtag != page|c.gen {
		return nil
	}
	return unsafe.Slice((*byte)(c.host(e.pa+o)), n)
}

// CheckLinear reports whether n bytes at lin could be written (or read) in
// view v, without doing it. Accessed and dirty bits are set as by the access.
func (c *CPU) CheckLinear(v View, lin uint64, n int, write bool) x86.Fault {
	save := c.tlb
	c.tlb = &c.tlbs[v]
	defer func() { c.tlb = save }()
	a := accRead
	if write {
		a = accWrite
	}
	for n > 0 {
		if c.Long() && !x86.Canonical(lin) {
			return x86.WithCode(x86.VectorGP, 0)
		}
		if _, ok := c.lookupTLB(c.wrap(lin), a); !ok {
			return c.fault
		}
		k := int(mem.PageSize - lin&mem.PageMask)
		lin += uint64(k)
		n -= k
	}
	return x86.Fault{}
}

func (c *CPU) copyLinear(v View, lin uint64, b []byte, a access) (int, x86.Fault) {
	save := c.tlb
	c.tlb = &c.tlbs[v]
	n, f := c.copyAt(lin, b, a)
	c.tlb = save
	return n, f
}

func (c *CPU) copyAt(lin uint64, b []byte, a access) (n int, f x86.Fault) {
	for n < len(b) {
		at := c.wrap(lin + uint64(n))
		if c.Long() && !x86.Canonical(at) {
			return n, x86.WithCode(x86.VectorGP, 0)
		}
		e, ok := c.lookupTLB(at, a)
		if !ok {
			return n, c.fault
		}
		k := min(len(b)-n, int(mem.PageSize-at&mem.PageMask))
		pa := e.pa + at&mem.PageMask
		if a == accWrite {
			if c.writePiece(pa, b[n:n+k]) != stOK {
				c.sync()
			}
		} else {
			c.readPiece(pa, b[n:n+k])
		}
		n += k
	}
	return n, x86.Fault{}
}

// sysLoad reads a word for the processor itself (descriptor tables, TSS).
func (c *CPU) sysLoad(lin uint64, size int) (uint64, bool) {
	save := c.tlb
	c.tlb = &c.tlbs[viewKernel]
	v, ok := c.load(x86.DS, lin, size)
	c.tlb = save
	return v, ok
}

func (c *CPU) sysStore(lin uint64, size int, v uint64) status {
	save := c.tlb
	c.tlb = &c.tlbs[viewKernel]
	st := c.store(x86.DS, lin, size, v)
	c.tlb = save
	return st
}
