package cpu

import "pvlab/hv/x86"

// What the delivery of an event (package entry) needs of the processor.

// CurrentStack is SS:RSP as the running code uses it.
func (c *CPU) CurrentStack() Stack { return c.currentStack() }

// FlatStack is a 64-bit stack at rsp. With inner, the event comes from user
// mode and the accesses are those of privilege level 0-2; otherwise they are
// made as the running code makes its own.
func (c *CPU) FlatStack(rsp uint64, inner bool) Stack {
	if inner {
		return c.innerStack(x86.Segment{}, rsp, true)
	}
	return c.stackAt(x86.Segment{}, rsp, true, c.tlb)
}

// PrivilegeStack is the stack that the TSS names for privilege level cpl, and
// the segment to load into SS with it. Faults: #TS, #SS, #PF of the TSS.
func (c *CPU) PrivilegeStack(cpl uint8) (Stack, x86.Segment, x86.Fault) {
	s, ss, ok := c.privilegeStack(cpl)
	if !ok {
		return s, ss, c.fault
	}
	return s, ss, x86.Fault{}
}

// TSSWord reads size bytes at offset off of the task state segment; #TS(TR)
// outside its limit.
func (c *CPU) TSSWord(off uint32, size int) (uint64, x86.Fault) {
	v, ok := c.tssWord(off, size)
	if !ok {
		return 0, c.fault
	}
	return v, x86.Fault{}
}

// SystemWord reads size bytes (1, 2, 4, 8) at a linear address for the
// processor itself, as it reads descriptor tables.
func (c *CPU) SystemWord(lin uint64, size int) (uint64, x86.Fault) {
	v, ok := c.sysLoad(lin, size)
	if !ok {
		return 0, c.fault
	}
	return v, x86.Fault{}
}

// Push stores a word of size bytes below the cursor.
func (s *Stack) Push(size int, v uint64) x86.Fault {
	if !s.push(size, v) {
		return s.c.fault
	}
	return x86.Fault{}
}

// Pointer is the value that the stack pointer would get.
func (s *Stack) Pointer() uint64 { return s.sp }

// Linear is the linear address of the cursor.
func (s *Stack) Linear() uint64 {
	if s.flat {
		return s.sp
	}
	return (s.seg.Base + s.sp) & 0xffffffff
}

// Align rounds the cursor down to a multiple of n, a power of two.
func (s *Stack) Align(n uint64) { s.sp &^= n - 1 }

// Commit makes the cursor the current stack pointer.
func (s *Stack) Commit() { s.commit() }

// EnterCode loads CS with a checked segment at privilege level cpl and goes
// on at rip.
func (c *CPU) EnterCode(s x86.Segment, rip uint64, cpl uint8) { c.enterCode(s, rip, cpl) }

// MarkAccessed sets the accessed bit of the code or data descriptor that sel
// names, in memory, and returns the loaded segment.
func (c *CPU) MarkAccessed(sel uint16) (x86.Segment, x86.Fault) {
	d, at, ok := c.descriptor(sel, x86.VectorGP)
	if ok {
		d, ok = c.markAccessed(d, at)
	}
	if !ok {
		return x86.Segment{}, c.fault
	}
	return d.Segment(sel), x86.Fault{}
}

// NullStackSegment is SS as an event in long mode leaves it when it changes
// the privilege level: a null selector of that level.
func NullStackSegment(cpl uint8) x86.Segment { return nullSS(uint16(cpl)) }
