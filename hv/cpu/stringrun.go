package cpu

import (
	"unsafe"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// The fast path of REP MOVS and REP STOS: whole runs within a page, upward,
// through translations that need no check.

// runFn does up to n elements at once and returns how many it did; 0 asks for
// a single careful iteration.
type runFn func(c *CPU, in *Inst, n uint64) uint64

// repeatedRuns is repeated with a run function in front of the iterations.
func repeatedRuns(run runFn, f1, f2, f4, f8 execFn) fns {
	f := func(step execFn) execFn {
		return func(c *CPU, in *Inst) status {
			if in.Flags&(FlagRep|FlagRepne) == 0 {
				return step(c, in)
			}
			if c.rflags&x86.FlagDF != 0 {
				return c.repeat(in, plain, step, nil)
			}
			return c.repeat(in, plain, step, run)
		}
	}
	return sized(f(f1), f(f2), f(f4), f(f8))
}

// runAt returns how many bytes, at most n, can be touched at offset off of
// segment seg without leaving the page or wrapping, and their host address;
// 0 when the fast tag is missing.
func (c *CPU) runAt(in *Inst, seg uint8, off, n uint64, write bool) (uint64, unsafe.Pointer) {
	mask := in.addrMask()
	off &= mask
	lin := c.linear(seg, off, 1, write)
	if room := mem.PageSize - lin&mem.PageMask; n > room {
		n = room
	}
	if n-1 > mask-off {
		n = mask - off + 1
	}
	if c.mode != Mode64 && c.linear(seg, off, n, write) == badLinear {
		return 0, nil
	}
	e := &c.tlb[tlbSlot(lin)]
	if write {
		if e.wtag != lin&^mem.PageMask|c.wgen {
			return 0, nil
		}
	} else if e.rtag != lin&^mem.PageMask|c.gen {
		return 0, nil
	}
	return n, c.host(e.pa + lin&mem.PageMask)
}

func movsRun(c *CPU, in *Inst, n uint64) uint64 {
	size := uint64(in.Size)
	from, src := c.runAt(in, in.Seg, c.R[x86.RSI], n*size, false)
	to, dst := c.runAt(in, x86.ES, c.R[x86.RDI], n*size, true)
	bytes := min(from, to) &^ (size - 1)
	if bytes == 0 {
		return 0
	}
	// An upward copy onto itself repeats what it wrote; copy in pieces no
	// longer than the distance.
	s, d := uintptr(src), uintptr(dst)
	if d > s && uint64(d-s) < bytes {
		bytes = uint64(d-s) &^ (size - 1)
		if bytes == 0 {
			return 0
		}
	}
	copy(unsafe.Slice((*byte)(dst), bytes), unsafe.Slice((*byte)(src), bytes))
	c.setAddrReg(in, x86.RSI, c.R[x86.RSI]+bytes)
	c.setAddrReg(in, x86.RDI, c.R[x86.RDI]+bytes)
	return bytes / size
}

func stosRun(c *CPU, in *Inst, n uint64) uint64 {
	size := uint64(in.Size)
	bytes, dst := c.runAt(in, x86.ES, c.R[x86.RDI], n*size, true)
	bytes &^= size - 1
	if bytes == 0 {
		return 0
	}
	b := unsafe.Slice((*byte)(dst), bytes)
	for i := uint64(0); i < size; i++ {
		b[i] = byte(c.R[x86.RAX] >> (8 * i))
	}
	for k := size; k < bytes; k *= 2 {
		copy(b[k:], b[:k])
	}
	c.setAddrReg(in, x86.RDI, c.R[x86.RDI]+bytes)
	return bytes / size
}
