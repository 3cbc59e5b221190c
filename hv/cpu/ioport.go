package cpu

import "pvlab/hv/x86"

// Port I/O (SDM vol. 1, "Protected-Mode I/O").

// ioAllowed checks IOPL and the TSS's I/O bitmap for [port, port+size); false
// with c.fault set: #GP(0), or the page fault of reading the bitmap.
func (c *CPU) ioAllowed(port uint16, size int) bool {
	if !c.Protected() || c.CPL <= c.iopl() {
		return true
	}
	const bitmapBase = 102 // offset in a 32- or 64-bit TSS
	typ := c.TR.Attr & x86.AttrType
	if typ != x86.TypeTSSBusy && typ != x86.TypeTSSAvail || c.TR.Limit < bitmapBase+1 {
		c.gp0()
		return false
	}
	base, ok := c.sysLoad(c.TR.Base+bitmapBase, 2)
	if !ok {
		return false
	}
	off := uint32(base) + uint32(port)/8
	if off+1 > c.TR.Limit { // the processor always reads two bytes
		c.gp0()
		return false
	}
	bits, ok := c.sysLoad(c.TR.Base+uint64(off), 2)
	if !ok {
		return false
	}
	if bits>>(port&7)&(1<<size-1) != 0 {
		c.gp0()
		return false
	}
	return true
}

// portIn and portOut make the access after it was allowed (ioAllowed) and the
// time made exact (exact).
func (c *CPU) portIn(port uint16, size int) uint32 {
	c.ioBreakpoint(port, size)
	if c.Bus == nil {
		return uint32(uint64(1)<<(8*size) - 1)
	}
	return c.Bus.In(port, size)
}

func (c *CPU) portOut(port uint16, size int, v uint32) {
	c.ioBreakpoint(port, size)
	if c.Bus != nil {
		c.Bus.Out(port, size, v&uint32(uint64(1)<<(8*size)-1))
	}
}

func opINImm(c *CPU, in *Inst) status  { return c.in(in, uint16(in.Imm)) }
func opINDX(c *CPU, in *Inst) status   { return c.in(in, uint16(c.R[x86.RDX])) }
func opOUTImm(c *CPU, in *Inst) status { return c.out(in, uint16(in.Imm)) }
func opOUTDX(c *CPU, in *Inst) status  { return c.out(in, uint16(c.R[x86.RDX])) }

func (c *CPU) in(in *Inst, port uint16) status {
	size := min(int(in.Size), 4)
	if !c.ioAllowed(port, size) || !c.exact() {
		return stFault
	}
	v := uint64(c.portIn(port, size))
	if size == 1 {
		c.R[x86.RAX] = c.R[x86.RAX]&^0xff | v&0xff
	} else {
		c.setRegSize(x86.RAX, uint8(size), v)
	}
	return stEnd
}

func (c *CPU) out(in *Inst, port uint16) status {
	size := min(int(in.Size), 4)
	if !c.ioAllowed(port, size) || !c.exact() {
		return stFault
	}
	c.portOut(port, size, uint32(c.R[x86.RAX]))
	return stEnd
}
