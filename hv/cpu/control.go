package cpu

import "pvlab/hv/x86"

// Control registers (SDM vol. 3, "Control Registers"; vol. 2, "MOV - Move
// to/from Control Registers").

const (
	cr0Defined = x86.CR0PE | x86.CR0MP | x86.CR0EM | x86.CR0TS | x86.CR0ET | x86.CR0NE |
		x86.CR0WP | x86.CR0AM | x86.CR0NW | x86.CR0CD | x86.CR0PG
	// cr4Defined are the bits whose feature the modern model has: see CPU.cr4.
	cr4Defined = x86.CR4TSD | x86.CR4DE | x86.CR4PSE | x86.CR4PAE | x86.CR4PGE |
		x86.CR4PCE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4UMIP | x86.CR4FSGSBASE |
		x86.CR4OSXSAVE | x86.CR4SMEP | x86.CR4SMAP
	// Changing one of these changes what a cached translation allows.
	cr0Paging = x86.CR0PG | x86.CR0WP | x86.CR0PE
	cr4Paging = x86.CR4PGE | x86.CR4PAE | x86.CR4PSE | x86.CR4SMEP | x86.CR4SMAP
)

func opMovFromCR(c *CPU, in *Inst) status {
	var v uint64
	switch in.Reg {
	case 0:
		v = c.CR0
	case 2:
		v = c.CR2
	case 3:
		v = c.CR3
	case 4:
		v = c.CR4
	case 8:
		v = c.CR8
	default:
		return c.except(x86.VectorUD)
	}
	if c.CPL != 0 {
		return c.gp0()
	}
	c.R[in.RM] = truncate(v, int(in.Size))
	return stOK
}

func opMovToCR(c *CPU, in *Inst) status {
	v := truncate(c.R[in.RM], int(in.Size))
	switch in.Reg {
	case 0, 2, 3, 4, 8:
	default:
		return c.except(x86.VectorUD)
	}
	if c.CPL != 0 {
		return c.gp0()
	}
	ok := true
	switch in.Reg {
	case 0:
		ok = c.setCR0(v)
	case 2:
		c.CR2 = v
	case 3:
		ok = c.setCR3(v)
	case 4:
		ok = c.setCR4(v)
	case 8:
		if !c.exact() {
			return stFault
		}
		if ok = v < 16; ok {
			c.setCR8(v)
		}
	}
	if !ok {
		return c.gp0()
	}
	return stEnd
}

// setCR0 writes CR0; false means #GP(0).
func (c *CPU) setCR0(v uint64) bool {
	const pg, pe = x86.CR0PG, x86.CR0PE
	if v>>32 != 0 || v&pg != 0 && v&pe == 0 || v&x86.CR0NW != 0 && v&x86.CR0CD == 0 {
		return false
	}
	if v&pg != 0 && c.CR0&pg == 0 && c.EFER&x86.EFERLME != 0 {
		cs := &c.Seg[x86.CS]
		if c.CR4&x86.CR4PAE == 0 || cs.Attr&x86.AttrL != 0 || c.TR.Attr&x86.AttrType <= x86.TypeTSS16Busy && c.TR.Sel != 0 {
			return false
		}
	}
	if v&pg == 0 && c.mode == Mode64 {
		return false
	}
	old := c.CR0
	c.CR0 = v&cr0Defined | x86.CR0ET
	if c.EFER&x86.EFERLME != 0 && c.CR0&pg != 0 {
		c.EFER |= x86.EFERLMA
	} else {
		c.EFER &^= x86.EFERLMA
	}
	if (old^c.CR0)&cr0Paging != 0 {
		c.FlushTLB()
	}
	c.updateMode()
	return true
}

// setCR3 writes CR3 and drops the translations that are not global; false
// means #GP(0).
func (c *CPU) setCR3(v uint64) bool {
	if c.Long() && v>>c.MaxPA != 0 {
		return false
	}
	c.CR3 = v
	c.FlushTLBNonGlobal()
	return true
}

// TaskPriority is implemented by a Bus with a local APIC, which must hear of
// writes to CR8 (the upper half of its task priority register).
type TaskPriority interface{ SetTPR(class uint8) }

func (c *CPU) setCR8(v uint64) {
	c.CR8 = v
	if t, ok := c.Bus.(TaskPriority); ok {
		t.SetTPR(uint8(v))
	}
}

// setCR4 writes CR4; false means #GP(0).
func (c *CPU) setCR4(v uint64) bool {
	if v&^c.cr4() != 0 || c.Long() && v&x86.CR4PAE == 0 {
		return false
	}
	old := c.CR4
	c.CR4 = v
	if (old^v)&cr4Paging != 0 {
		c.FlushTLB()
	}
	c.updateMode()
	return true
}

// setEFER writes EFER; false means #GP(0).
func (c *CPU) setEFER(v uint64) bool {
	const defined = x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	if v&^uint64(defined) != 0 || (v^c.EFER)&x86.EFERLME != 0 && c.CR0&x86.CR0PG != 0 {
		return false
	}
	old := c.EFER
	c.EFER = v&^x86.EFERLMA | old&x86.EFERLMA // LMA is read-only
	if (old^c.EFER)&x86.EFERNXE != 0 {
		c.FlushTLB()
	}
	return true
}

// opSMSW stores the low word of CR0; a register destination gets as much as
// the operand size.
func opSMSW(c *CPU, in *Inst) status {
	if c.umipBlocks() {
		return c.gp0()
	}
	if in.Flags&FlagMem != 0 {
		return c.store16(in.Seg, c.ea(in), uint16(c.CR0))
	}
	c.setRegSize(in.RM, in.Size, c.CR0)
	return stOK
}

// opLMSW loads PE, MP, EM and TS; it cannot clear PE.
func opLMSW(c *CPU, in *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	v, ok := c.rm16(in)
	if !ok {
		return stFault
	}
	if !c.setCR0(c.CR0&^(x86.CR0MP|x86.CR0EM|x86.CR0TS) | uint64(v&0xf)) {
		return c.gp0()
	}
	return stEnd
}

func opCLTS(c *CPU, _ *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	c.CR0 &^= x86.CR0TS
	return stEnd
}

func opINVLPG(c *CPU, in *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	lin := c.ea(in)
	if x86.Canonical(lin) {
		c.FlushPage(lin)
	}
	return stEnd
}

// opPrivNop is INVD, WBINVD: caches are not modelled, privilege is.
func opPrivNop(c *CPU, _ *Inst) status {
	if c.CPL != 0 {
		return c.gp0()
	}
	return stOK
}

// umipBlocks is the user-mode instruction prevention of SGDT, SIDT, SLDT,
// STR and SMSW.
func (c *CPU) umipBlocks() bool { return c.CR4&x86.CR4UMIP != 0 && c.CPL != 0 }

// rm16 reads a 16-bit register or memory operand.
func (c *CPU) rm16(in *Inst) (uint16, bool) {
	if in.Flags&FlagMem != 0 {
		return c.load16(in.Seg, c.ea(in))
	}
	return uint16(c.R[in.RM]), true
}
