package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// e820Size is the size of one entry of a memory map: {addr u64, size u64,
// type u32}, packed.
const e820Size = 20

// maxE820 bounds the map that can be set (E820MAX).
const maxE820 = 1024

func putE820(b []byte, e dom.E820Entry) {
	le.PutUint64(b[0:], e.Addr)
	le.PutUint64(b[8:], e.Size)
	le.PutUint32(b[16:], e.Type)
}

func marshalE820(list []dom.E820Entry) []byte {
	b := make([]byte, e820Size*len(list))
	for i, e := range list {
		putE820(b[e820Size*i:], e)
	}
	return b
}

// memoryMap: {nr_entries u32, pad, buffer handle}. dom0 has no map but one
// that it set itself.
func memoryMap(c *Caller) (uint64, error) {
	var b [16]byte
	at := c.args[1]
	if !c.copyIn(at, b[:]) {
		return ret(abi.EFAULT)
	}
	all := c.D.MemoryMap
	if len(all) == 0 {
		return ret(abi.ENOSYS)
	}
	n := min(uint64(le.Uint32(b[0:])), uint64(len(all)))
	if !c.copyOut(le.Uint64(b[8:]), marshalE820(all[:n])) {
		return ret(abi.EFAULT)
	}
	le.PutUint32(b[0:], uint32(n))
	return c.give(at, b[:])
}

// setMemoryMap: {domid u16, pad, nr_entries u32, pad, buffer handle}.
func setMemoryMap(c *Caller) (uint64, error) {
	var b [24]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	n := le.Uint32(b[8:])
	if n > maxE820 {
		return ret(abi.EINVAL)
	}
	if err := c.domain(le.Uint16(b[0:])); err != 0 {
		return ret(err)
	}
	raw := make([]byte, e820Size*n)
	if !c.copyIn(le.Uint64(b[16:]), raw) {
		return ret(abi.EFAULT)
	}
	list := make([]dom.E820Entry, n)
	for i := range list {
		e := raw[e820Size*i:]
		list[i] = dom.E820Entry{Addr: le.Uint64(e), Size: le.Uint64(e[8:]), Type: le.Uint32(e[16:])}
	}
	c.D.MemoryMap = list
	return ret(0)
}

// machineMemoryMap gives dom0 the machine's own map, with what it may not map
// in the holes as reserved (X/mm.c:arch_memory_op).
func machineMemoryMap(c *Caller) (uint64, error) {
	var b [16]byte
	at := c.args[1]
	switch {
	case !c.D.Privileged:
		return ret(abi.EPERM)
	case !c.copyIn(at, b[:]):
		return ret(abi.EFAULT)
	}
	own, all := c.D.MachineMap()
	if buf := le.Uint64(b[8:]); buf != 0 {
		switch n := int(le.Uint32(b[0:])); {
		case n < own+1 || n <= len(all):
			return ret(abi.EINVAL)
		case !c.copyOut(buf, marshalE820(all)):
			return ret(abi.EFAULT)
		}
	}
	le.PutUint32(b[0:], uint32(len(all)))
	return c.give(at, b[:])
}

// machphysList: {max_extents u32, pad, extents handle, nr_extents u32 out}:
// the frames of the M2P table, one for each 2 MiB of it.
func machphysList(c *Caller) (uint64, error) {
	var b [24]byte
	at := c.args[1]
	if !c.copyIn(at, b[:]) {
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
	return c.give(at, b[:])
}

// machphysMapping: {start, end, highest frame u64}; dom0 is told the real
// end of the M2P table.
func machphysMapping(c *Caller) (uint64, error) {
	var b [24]byte
	maxMFN := (abi.M2PVirtEnd-abi.M2PVirtStart)/8 - 1
	if c.D.Privileged {
		maxMFN = c.D.Mem.Frames() - 1
	}
	le.PutUint64(b[0:], abi.M2PVirtStart)
	le.PutUint64(b[8:], abi.M2PVirtEnd)
	le.PutUint64(b[16:], maxMFN)
	return c.give(c.args[1], b[:])
}
