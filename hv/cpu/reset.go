package cpu

import "pvlab/hv/x86"

// Attributes of the segments as a reset or a flat load leaves them.
const (
	attrData   = x86.AttrP | x86.AttrS | x86.AttrRW | x86.AttrAccess
	attrCode   = attrData | x86.AttrCode
	attrData32 = attrData | x86.AttrDB | x86.AttrG
	attrCode32 = attrCode | x86.AttrDB | x86.AttrG
	attrCode64 = attrCode | x86.AttrL | x86.AttrG
)

// Reset puts the processor into the state after RESET# (SDM vol. 3,
// "Processor State After Reset"): real mode at f000:fff0 with CS.base
// 0xffff0000. Nothing cached survives; Retired and Random go on.
func (c *CPU) Reset() {
	retired := c.Retired
	c.State = State{Retired: retired, Random: c.Random}
	c.RIP = 0xfff0
	c.R[x86.RDX] = uint64(c.Policy.signature())
	for i := range c.Seg {
		c.Seg[i] = x86.Segment{Attr: attrData, Limit: 0xffff}
	}
	c.Seg[x86.CS] = x86.Segment{Sel: 0xf000, Attr: attrCode, Limit: 0xffff, Base: 0xffff0000}
	c.LDTR = x86.Segment{Attr: x86.AttrP | x86.TypeLDT, Limit: 0xffff}
	c.TR = x86.Segment{Attr: x86.AttrP | x86.TypeTSS16Busy, Limit: 0xffff}
	c.GDTR.Limit, c.IDTR.Limit = 0xffff, 0xffff
	c.CR0 = x86.CR0CD | x86.CR0NW | x86.CR0ET
	c.DR[6], c.DR[7] = x86.DR6Init, x86.DR7Init
	c.PAT = 0x0007040600070406
	c.APICBase = 0xfee00000 | apicEnabled
	c.MiscEnab = 1 // fast strings
	c.XCR0 = xcr0X87
	c.resetFPU()
	c.SetFlags(x86.FlagOne)
	c.FlushTLB()
	c.FlushCode()
	c.StateChanged()
}

// Init is an INIT signal: a reset that keeps what INIT keeps: the x87/SSE
// state, CR0.CD and NW, the TSC and the MSRs that are not task state (SDM
// vol. 3, table "IA-32 and Intel 64 Processor States Following Power-up,
// Reset, or INIT").
func (c *CPU) Init() {
	old := c.State
	c.Reset()
	c.FX, c.XCR0 = old.FX, old.XCR0
	c.CR0 = old.CR0&(x86.CR0CD|x86.CR0NW) | x86.CR0ET
	c.PAT, c.APICBase, c.MiscEnab = old.PAT, old.APICBase, old.MiscEnab
	c.STAR, c.LSTAR, c.CSTAR, c.SFMASK = old.STAR, old.LSTAR, old.CSTAR, old.SFMASK
	c.KernelGSBase, c.TSCAux = old.KernelGSBase, old.TSCAux
	c.SysenterCS, c.SysenterESP, c.SysenterEIP = old.SysenterCS, old.SysenterESP, old.SysenterEIP
	c.StateChanged()
}

// StartupIPI starts a processor that waits after INIT: real mode at
// vector<<12 (SDM vol. 3, "SIPI").
func (c *CPU) StartupIPI(vector uint8) {
	cs := &c.Seg[x86.CS]
	cs.Sel, cs.Base = uint16(vector)<<8, uint64(vector)<<12
	c.RIP = 0
	c.Halted = false
	c.StateChanged()
}

// SetFlat loads a segment register with selector sel and a flat hidden part
// of privilege dpl, without looking at any table: a 64-bit code segment for
// CS in long mode, 4 GiB code or data otherwise.
func (c *CPU) SetFlat(seg int, sel uint16, dpl uint8) {
	attr := uint16(attrData32)
	switch {
	case seg == x86.CS && c.Long():
		attr = attrCode64
	case seg == x86.CS:
		attr = attrCode32
	}
	c.Seg[seg] = x86.Segment{Sel: sel, Attr: attr | uint16(dpl&3)<<5, Limit: 0xffffffff}
	if seg == x86.CS {
		c.CPL = dpl & 3
	}
	c.updateMode()
}

// SetFlat32 is SetFlat with a 32-bit code segment for CS even in long mode.
func (c *CPU) SetFlat32(seg int, sel uint16, dpl uint8) {
	c.SetFlat(seg, sel, dpl)
	if seg == x86.CS {
		c.Seg[seg].Attr = attrCode32 | uint16(dpl&3)<<5
		c.updateMode()
	}
}
