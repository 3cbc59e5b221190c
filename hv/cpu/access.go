package cpu

import (
	"encoding/binary"
	"unsafe"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// Guest memory accesses by linear address. The fast path is one tag compare;
// everything else (TLB miss, page crossing, MMIO, breakpoints, alignment
// checks, non-canonical addresses) is accessSlow. seg only decides between
// #GP and #SS.

// badLinear is an address that no translation ever has: the effective address
// of an operand outside its segment. Turned into #GP(0) or #SS(0) on access.
const badLinear = 0x8000_0000_0000_0000

func (c *CPU) host(off uint64) unsafe.Pointer { return unsafe.Add(c.base, off) }

func (c *CPU) load8(seg uint8, lin uint64) (uint8, bool) {
	e := &c.tlb[tlbSlot(lin)]
	if e.rtag == lin&^mem.PageMask|c.gen {
		return *(*uint8)(c.host(e.pa + lin&mem.PageMask)), true
	}
	v, ok := c.loadSlow(seg, lin, 1)
	return uint8(v), ok
}

func (c *CPU) load16(seg uint8, lin uint64) (uint16, bool) {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-2 {
		return *(*uint16)(c.host(e.pa + o)), true
	}
	v, ok := c.loadSlow(seg, lin, 2)
	return uint16(v), ok
}

func (c *CPU) load32(seg uint8, lin uint64) (uint32, bool) {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-4 {
		return *(*uint32)(c.host(e.pa + o)), true
	}
	v, ok := c.loadSlow(seg, lin, 4)
	return uint32(v), ok
}

func (c *CPU) load64(seg uint8, lin uint64) (uint64, bool) {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-8 {
		return *(*uint64)(c.host(e.pa + o)), true
	}
	return c.loadSlow(seg, lin, 8)
}

// store* write memory. stEnd says that the write touched decoded code, a
// walked page table or a device: the block must not go on as decoded.
func (c *CPU) store8(seg uint8, lin uint64, v uint8) status {
	e := &c.tlb[tlbSlot(lin)]
	if e.wtag == lin&^mem.PageMask|c.wgen {
		*(*uint8)(c.host(e.pa + lin&mem.PageMask)) = v
		return stOK
	}
	return c.storeSlow(seg, lin, 1, uint64(v))
}

func (c *CPU) store16(seg uint8, lin uint64, v uint16) status {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.wtag == lin&^mem.PageMask|c.wgen && o <= mem.PageSize-2 {
		*(*uint16)(c.host(e.pa + o)) = v
		return stOK
	}
	return c.storeSlow(seg, lin, 2, uint64(v))
}

func (c *CPU) store32(seg uint8, lin uint64, v uint32) status {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.wtag == lin&^mem.PageMask|c.wgen && o <= mem.PageSize-4 {
		*(*uint32)(c.host(e.pa + o)) = v
		return stOK
	}
	return c.storeSlow(seg, lin, 4, uint64(v))
}

func (c *CPU) store64(seg uint8, lin uint64, v uint64) status {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.wtag == lin&^mem.PageMask|c.wgen && o <= mem.PageSize-8 {
		*(*uint64)(c.host(e.pa + o)) = v
		return stOK
	}
	return c.storeSlow(seg, lin, 8, v)
}

// loadRMW reads the destination of a read-modify-write: it faults as the
// write would, before anything changed, so that the following store of the
// same size to the same place cannot fault.
func (c *CPU) loadRMW(seg uint8, lin uint64, size int) (uint64, bool) {
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.wtag != lin&^mem.PageMask|c.wgen || o > mem.PageSize-uint64(size) {
		if !c.checkWrite(seg, lin, size) {
			return 0, false
		}
	}
	return c.load(seg, lin, size)
}

// load and store by size in bytes: 1, 2, 4 or 8.
func (c *CPU) load(seg uint8, lin uint64, size int) (v uint64, ok bool) {
	switch size {
	case 1:
		b, ok := c.load8(seg, lin)
		return uint64(b), ok
	case 2:
		w, ok := c.load16(seg, lin)
		return uint64(w), ok
	case 4:
		d, ok := c.load32(seg, lin)
		return uint64(d), ok
	}
	return c.load64(seg, lin)
}

func (c *CPU) store(seg uint8, lin uint64, size int, v uint64) status {
	switch size {
	case 1:
		return c.store8(seg, lin, uint8(v))
	case 2:
		return c.store16(seg, lin, uint16(v))
	case 4:
		return c.store32(seg, lin, uint32(v))
	}
	return c.store64(seg, lin, v)
}

// badAddress sets the fault of an address that has no translation by form.
func (c *CPU) badAddress(seg uint8) {
	if seg == x86.SS {
		c.fault = x86.WithCode(x86.VectorSS, 0)
	} else {
		c.fault = x86.WithCode(x86.VectorGP, 0)
	}
}

// checkForm tests what can be wrong with [lin, lin+size) before paging.
func (c *CPU) checkForm(seg uint8, lin uint64, size int) bool {
	if c.Long() && c.mode == Mode64 || lin == badLinear || c.tlb == &c.tlbs[viewKernel] && c.Long() {
		if !x86.Canonical(lin) || !x86.Canonical(lin+uint64(size)-1) {
			c.badAddress(seg)
			return false
		}
	}
	if c.tlb == &c.tlbs[viewUserAC] && lin&uint64(size-1) != 0 && size&(size-1) == 0 && size <= 8 {
		c.fault = x86.WithCode(x86.VectorAC, 0)
		return false
	}
	return true
}

// wrap brings a linear address into the 32-bit space outside 64-bit code.
func (c *CPU) wrap(lin uint64) uint64 {
	if c.mode != Mode64 && lin != badLinear && !c.Long() {
		return lin & 0xffffffff
	}
	return lin
}

// checkWrite makes sure that a write of size bytes at lin will not fault.
func (c *CPU) checkWrite(seg uint8, lin uint64, size int) bool {
	if !c.checkForm(seg, lin, size) {
		return false
	}
	if _, ok := c.lookupTLB(c.wrap(lin), accWrite); !ok {
		return false
	}
	if last := c.wrap(lin + uint64(size) - 1); last&^mem.PageMask != c.wrap(lin)&^mem.PageMask {
		_, ok := c.lookupTLB(last&^mem.PageMask, accWrite)
		return ok
	}
	return true
}

func (c *CPU) loadSlow(seg uint8, lin uint64, size int) (uint64, bool) {
	if !c.checkForm(seg, lin, size) {
		return 0, false
	}
	var b [8]byte
	lin = c.wrap(lin)
	first := min(size, int(mem.PageSize-lin&mem.PageMask))
	e, ok := c.lookupTLB(lin, accRead)
	if !ok {
		return 0, false
	}
	// The second lookup may land on the same TLB slot only in a one-entry
	// TLB; neighbours never collide, so e stays good.
	var e2 *tlbEntry
	if first < size {
		if e2, ok = c.lookupTLB(c.wrap(lin+uint64(first)), accRead); !ok {
			return 0, false
		}
	}
	if (e.perm&permOutside != 0 || e2 != nil && e2.perm&permOutside != 0) && !c.exact() {
		return 0, false
	}
	c.noteAccess(lin, size, accRead)
	if first == size && e.perm&permOutside != 0 {
		return c.readOutside(e.pa+lin&mem.PageMask, size), true
	}
	c.readPiece(e.pa+lin&mem.PageMask, b[:first])
	if e2 != nil {
		c.readPiece(e2.pa, b[first:size])
	}
	return binary.LittleEndian.Uint64(b[:]), true
}

func (c *CPU) storeSlow(seg uint8, lin uint64, size int, v uint64) status {
	if !c.checkForm(seg, lin, size) {
		return stFault
	}
	lin = c.wrap(lin)
	first := min(size, int(mem.PageSize-lin&mem.PageMask))
	e, ok := c.lookupTLB(lin, accWrite)
	if !ok {
		return stFault
	}
	var e2 *tlbEntry
	if first < size {
		if e2, ok = c.lookupTLB(c.wrap(lin+uint64(first)), accWrite); !ok {
			return stFault
		}
	}
	if (e.perm&permOutside != 0 || e2 != nil && e2.perm&permOutside != 0) && !c.exact() {
		return stFault
	}
	c.noteAccess(lin, size, accWrite)
	if first == size && e.perm&permOutside != 0 {
		return c.writeOutside(e.pa+lin&mem.PageMask, size, v)
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	pa1, pa2 := e.pa+lin&mem.PageMask, uint64(0)
	if e2 != nil {
		pa2 = e2.pa
	}
	st := c.writePiece(pa1, b[:first])
	if e2 != nil {
		st = max(st, c.writePiece(pa2, b[first:size]))
	}
	if st == stOK {
		c.lookupTLB(lin, accWrite) // now direct: grant the fast tag
	} else {
		c.sync()
	}
	return st
}

func (c *CPU) readPiece(pa uint64, b []byte) {
	if c.inMMIO(pa) || !c.Mem.Read(pa, b) {
		for i := range b {
			b[i] = byte(c.readOutside(pa+uint64(i), 1))
		}
	}
}

func (c *CPU) writePiece(pa uint64, b []byte) status {
	if c.inMMIO(pa) || !c.Mem.Contains(pa, uint64(len(b))) {
		for i := range b {
			c.writeOutside(pa+uint64(i), 1, uint64(b[i]))
		}
		return stEnd
	}
	st := stOK
	if c.Mem.PrepareWrite(pa >> mem.PageShift) {
		st = stEnd
	}
	copy(c.Mem.Frame(pa >> mem.PageShift)[pa&mem.PageMask:], b)
	return st
}

func (c *CPU) inMMIO(pa uint64) bool { return pa >= c.MMIOLo && pa < c.MMIOHi }

func (c *CPU) readOutside(pa uint64, size int) uint64 {
	if c.Bus == nil {
		return ^uint64(0) >> (64 - 8*uint(size))
	}
	return c.Bus.ReadPhys(pa, size)
}

func (c *CPU) writeOutside(pa uint64, size int, v uint64) status {
	c.outside = true
	if c.Bus != nil {
		c.Bus.WritePhys(pa, size, v)
	}
	return stEnd
}
