package hypercall

import (
	"fmt"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// memoryOp is hypercall 12 (MM-22; C/memory.c:do_memory_op). Bits 6 and up of
// the command are the first extent of a continuation.
func memoryOp(c *Caller) (uint64, error) {
	op, start := c.args[0]&abi.MemOpCmdMask, c.args[0]>>6
	arg := c.args[1]
	switch op {
	case abi.MemOpIncreaseReservation, abi.MemOpDecreaseReservation, abi.MemOpPopulatePhysmap:
		return c.reservation(op, start, arg)
	}
	if start != 0 && op != abi.MemOpAddToPhysmap {
		return ret(abi.EINVAL)
	}
	var b [24]byte
	switch op {
	case abi.MemOpMaximumRAMPage:
		return value(c.D.Mem.Frames())
	case abi.MemOpCurrentReservation, abi.MemOpMaximumReservation, abi.MemOpMaximumGPFN:
		if !c.copyIn(arg, b[:2]) {
			return ret(abi.EFAULT)
		}
		if !c.self(le.Uint16(b[:])) {
			return ret(abi.ESRCH)
		}
		return value(map[uint64]uint64{abi.MemOpCurrentReservation: c.D.TotPages,
			abi.MemOpMaximumReservation: c.D.MaxPages, abi.MemOpMaximumGPFN: c.maxGPFN()}[op])
	case abi.MemOpMachphysMFNList:
		return c.machphysList(arg)
	case abi.MemOpMachphysMapping:
		maxMFN := (abi.M2PVirtEnd-abi.M2PVirtStart)/8 - 1
		if c.D.Privileged {
			maxMFN = c.D.Mem.Frames() - 1
		}
		le.PutUint64(b[0:], abi.M2PVirtStart)
		le.PutUint64(b[8:], abi.M2PVirtEnd)
		le.PutUint64(b[16:], maxMFN)
		return c.give(arg, b[:])
	case abi.MemOpMemoryMap:
		return c.memoryMap(arg)
	case abi.MemOpMachineMemoryMap:
		if !c.D.Privileged {
			return ret(abi.EPERM)
		}
		return c.machineMap(arg)
	}
	if op > maxMemoryOp || op == translateGPFNList {
		return ret(abi.ENOSYS)
	}
	return c.unmodelled(fmt.Sprintf("operation %d", op))
}

// The highest operation of 4.17, and one that is gone.
const (
	maxMemoryOp       = 28
	translateGPFNList = 8
)

// maxGPFN is the highest pseudo-physical page: what the guest wrote into
// shared_info's arch part, less one.
func (c *Caller) maxGPFN() uint64 {
	return c.D.Mem.Read64(c.D.SharedInfoMFN()<<mem.PageShift+abi.SharedInfoMaxPFN) - 1
}

// reservation handles {extents handle, nr_extents u64, order u32, flags u32,
// domid u16}. Errors are not errnos but the number of extents done so far.
func (c *Caller) reservation(op, start, arg uint64) (uint64, error) {
	var b [32]byte
	if !c.copyIn(arg, b[:26]) {
		return value(start)
	}
	list, n, order := le.Uint64(b[0:]), le.Uint64(b[8:]), le.Uint32(b[16:])
	const maxExtents = 1<<32 - 1>>6
	if n > maxExtents || start >= n || !c.self(le.Uint16(b[24:])) || order > c.maxOrder() {
		return value(start)
	}
	i := start
	for ; i < n && c.more(i-start); i++ {
		if !c.extent(op, list, i, order) {
			return value(i)
		}
	}
	if i < n {
		return c.proceed(op | i<<6)
	}
	return value(i)
}

// maxOrder bounds an extent: 2^18 pages for dom0, 2^9 otherwise
// (C/memory.c:max_order with the default memop-max-order).
func (c *Caller) maxOrder() uint32 {
	if c.D.Privileged {
		return 18
	}
	return 9
}

func (c *Caller) extent(op, list, i uint64, order uint32) bool {
	d, at := c.D, list+8*i
	if op == abi.MemOpDecreaseReservation {
		first, ok := c.V.Read64(at)
		for j := uint64(0); ok && j < 1<<order; j++ {
			ok = c.release(first + j)
		}
		return ok
	}
	pfn := ^uint64(0)
	if op == abi.MemOpPopulatePhysmap {
		var ok bool
		if pfn, ok = c.V.Read64(at); !ok {
			return false
		}
	}
	first, ok := d.AllocFrames(order)
	if !ok {
		return false
	}
	if op == abi.MemOpPopulatePhysmap {
		for j := uint64(0); j < 1<<order; j++ {
			d.SetM2P(first+j, pfn+j)
		}
	}
	return list == 0 || c.V.Write64(at, first)
}

// release gives up the domain's own reference to a frame, which is free (and
// its M2P entry gone) with its last mapping.
func (c *Caller) release(mfn uint64) bool {
	r := c.D.Rules
	if !r.GetPage(mfn, c.D.Owner()) {
		return false
	}
	if p := c.D.Mem.Info(mfn); p.Flags&pagetable.Allocated != 0 && p.Flags&pagetable.XenHeap == 0 {
		p.Flags &^= pagetable.Allocated
		c.D.Mem.SetInfo(mfn, p)
		r.PutPage(mfn)
	}
	r.PutPage(mfn)
	return true
}

// machphysList: {max_extents u32, pad, extents handle, nr_extents u32 out}:
// the frames of the M2P table, one for each 2 MiB of it.
func (c *Caller) machphysList(arg uint64) (uint64, error) {
	var b [24]byte
	if !c.copyIn(arg, b[:]) {
		return ret(abi.EFAULT)
	}
	n, list := le.Uint32(b[0:]), le.Uint64(b[8:])
	frames := c.D.M2PExtents()
	i := uint32(0)
	for ; i < n && i < uint32(len(frames)); i++ {
		if !c.V.Write64(list+8*uint64(i), frames[i]) {
			return ret(abi.EFAULT)
		}
	}
	le.PutUint32(b[16:], i)
	return c.give(arg, b[:])
}

// e820 is one entry of a memory map: {addr u64, size u64, type u32}, packed.
const e820Size = 20

func putE820(b []byte, addr, size uint64, typ uint32) {
	le.PutUint64(b[0:], addr)
	le.PutUint64(b[8:], size)
	le.PutUint32(b[16:], typ)
}

// memoryMap: {nr_entries u32, pad, buffer handle}. The toolstack gives a domU
// one range of RAM; dom0 has no such map (X/mm.c:arch_memory_op).
func (c *Caller) memoryMap(arg uint64) (uint64, error) {
	var b [16]byte
	if !c.copyIn(arg, b[:]) {
		return ret(abi.EFAULT)
	}
	if c.D.Privileged {
		return ret(abi.ENOSYS)
	}
	n := min(le.Uint32(b[0:]), 1)
	var e [e820Size]byte
	putE820(e[:], 0, c.D.Pages<<mem.PageShift, abi.E820RAM)
	if !c.copyOut(le.Uint64(b[8:]), e[:e820Size*n]) {
		return ret(abi.EFAULT)
	}
	le.PutUint32(b[0:], n)
	return c.give(arg, b[:])
}

// machineMap gives dom0 the machine's own map: RAM for all of the arena.
func (c *Caller) machineMap(arg uint64) (uint64, error) {
	var b [16]byte
	if !c.copyIn(arg, b[:]) {
		return ret(abi.EFAULT)
	}
	if buf := le.Uint64(b[8:]); buf != 0 {
		if le.Uint32(b[0:]) < 2 {
			return ret(abi.EINVAL)
		}
		var e [e820Size]byte
		putE820(e[:], 0, c.D.Mem.Size(), abi.E820RAM)
		if !c.copyOut(buf, e[:]) {
			return ret(abi.EFAULT)
		}
	}
	le.PutUint32(b[0:], 1)
	return c.give(arg, b[:])
}
