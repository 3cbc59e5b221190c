package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// memoryReservation is struct xen_memory_reservation: {extents handle,
// nr_extents u64, order u32, flags u32, domid u16}.
type memoryReservation struct {
	list, n uint64
	order   uint32
	flags   uint32
	domain  uint16
}

const reservationSize = 32

func (c *Caller) readReservation(at uint64) (r memoryReservation, ok bool) {
	var b [reservationSize]byte
	if !c.copyIn(at, b[:]) {
		return r, false
	}
	return parseReservation(b[:]), true
}

func parseReservation(b []byte) memoryReservation {
	return memoryReservation{le.Uint64(b[0:]), le.Uint64(b[8:]), le.Uint32(b[16:]), le.Uint32(b[20:]), le.Uint16(b[24:])}
}

// Parts of the flags (public/memory.h:XENMEMF_*). Bits 0-7 are the width of
// the addresses wanted, 0 for any; bits 8-15 are a NUMA node plus 1.
const (
	memfOnDemand  = 1 << 16
	memfExactNode = 1 << 17
	memfVNode     = 1 << 18
)

// node checks the NUMA node asked for. Node 0 is the machine's only one;
// another is only a wish, unless it must be exactly that (exists false).
func (r *memoryReservation) node(privileged bool) (exists, ok bool) {
	const maxNodes = 64
	node := uint8(r.flags>>8 - 1)
	exact := r.flags&memfExactNode != 0
	switch {
	case node == 0xff:
		return true, true
	case !privileged:
		return true, !exact // it is not asked, but may not insist
	}
	return node == 0 || !exact, node < maxNodes
}

// extents is a reservation being worked through.
type extents struct {
	memoryReservation
	bits     uint32 // width of addresses wanted, 0 for any
	noMemory bool   // the memory asked for does not exist
}

// reservation makes the handler of the three operations whose errors are not
// errnos: the answer is the number of extents done.
func reservation(one func(c *Caller, e *extents, i uint64) bool) handler {
	return func(c *Caller) (uint64, error) {
		start := c.startExtent()
		r, ok := c.readReservation(c.args[1])
		const maxExtents = (1<<32 - 1) >> 6
		if !ok || r.n > maxExtents || start >= r.n || c.domain(r.domain) != 0 {
			return value(start)
		}
		e, ok := c.prepare(r, start)
		if !ok {
			return value(start)
		}
		i := start
		for ; i < r.n && c.more(i-start); i++ {
			if !one(c, e, i) {
				return value(i)
			}
		}
		if i < r.n {
			return c.proceed(c.args[0]&abi.MemOpCmdMask | i<<6)
		}
		return value(i)
	}
}

// prepare checks what is common to all extents
// (C/memory.c:construct_memop_from_reservation).
func (c *Caller) prepare(r memoryReservation, start uint64) (*extents, bool) {
	e := &extents{memoryReservation: r}
	if bits := r.flags & 0xff; bits != 0 && bits < c.addressBits() {
		if bits <= mem.PageShift {
			return nil, false
		}
		e.bits = bits
	}
	if r.flags&memfVNode == 0 {
		exists, ok := r.node(c.D.Privileged)
		if !ok {
			return nil, false
		}
		e.noMemory = !exists
	}
	max := c.maxOrder()
	if c.args[0]&abi.MemOpCmdMask == abi.MemOpPopulatePhysmap && r.flags&memfOnDemand != 0 {
		max = maxHeapOrder
	}
	return e, r.order <= max && (r.list == 0 || dom.AddrOK(r.list+8*start))
}

// addressBits is the width of the machine's RAM addresses, as a power of two
// of pages.
func (c *Caller) addressBits() uint32 {
	bits := uint32(mem.PageShift)
	for uint64(1)<<bits < c.D.Mem.Size() {
		bits++
	}
	return bits
}

// Largest orders of an extent (C/memory.c:max_order with the default
// memop-max-order).
const (
	maxHeapOrder = 18
	maxDomUOrder = 9
)

func (c *Caller) maxOrder() uint32 {
	if c.D.Privileged {
		return maxHeapOrder
	}
	return maxDomUOrder
}

func increase(c *Caller, e *extents, i uint64) bool {
	first, ok := c.allocate(e)
	return ok && (e.list == 0 || c.V.Write64(e.list+8*i, first))
}

// populate puts new frames at the pages named. On demand, which is for
// domains being built, it refuses the caller.
func populate(c *Caller, e *extents, i uint64) bool {
	pfn, ok := c.V.Read64(e.list + 8*i)
	if !ok || e.flags&memfOnDemand != 0 {
		return false
	}
	first, ok := c.allocate(e)
	if !ok {
		return false
	}
	c.enter(first, pfn, e.order)
	return c.V.Write64(e.list+8*i, first)
}

func (c *Caller) allocate(e *extents) (first uint64, ok bool) {
	if e.noMemory {
		return 0, false
	}
	c.work += 1 << e.order
	return c.D.AllocFrames(e.order, e.bits)
}

// enter writes the M2P entries of an extent.
func (c *Caller) enter(first, pfn uint64, order uint32) {
	for j := uint64(0); j < 1<<order; j++ {
		c.D.SetM2P(first+j, pfn+j)
	}
}

// decrease gives frames up. The pages of an extent before a bad one are gone.
func decrease(c *Caller, e *extents, i uint64) bool {
	first, ok := c.V.Read64(e.list + 8*i)
	for j := uint64(0); ok && j < 1<<e.order; j++ {
		c.work++
		ok = c.D.Rules.Release(first+j, c.D.Owner())
	}
	return ok
}
