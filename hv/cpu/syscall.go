package cpu

import "pvlab/hv/x86"

// Fast system calls (SDM vol. 2 and APM vol. 3, "SYSCALL", "SYSRET",
// "SYSENTER", "SYSEXIT"). Where the vendors differ:
//
//	SYSCALL, SYSRET outside 64-bit code    Intel #UD; AMD works
//	SYSENTER, SYSEXIT in long mode         AMD #UD; Intel works
//	SYSRET to a non-canonical RCX          Intel #GP(0) before the switch; AMD after it
//	SYSRET's SS                            Intel loads flat attributes; AMD only the selector
//
// Single-step: TF counts as it is after these instructions (DBG-02, DBG-03),
// so a SYSCALL that masks TF gives no trap, and a SYSRET that sets it traps
// before the first target instruction.

// flatSegment is a segment as these instructions load it.
func flatSegment(sel uint16, attr uint16, dpl uint8) x86.Segment {
	return x86.Segment{Sel: sel, Attr: attr | uint16(dpl)<<5, Limit: 0xffffffff}
}

func (c *CPU) syscallAllowed() bool {
	return c.EFER&x86.EFERSCE != 0 && c.Protected() && (c.mode == Mode64 || c.Vendor == AMD)
}

// finishFlags installs the flags of a fast transfer.
func (c *CPU) finishFlags(v uint64) {
	c.SetFlags(v&x86.FlagsDefined | x86.FlagOne)
	c.tfAfter = false
	if c.rflags&x86.FlagTF != 0 {
		c.PendingDB |= x86.DR6BS // also when the instruction began without TF
	}
}

func opSYSCALL(c *CPU, in *Inst) status {
	if !c.syscallAllowed() {
		return c.except(x86.VectorUD)
	}
	if c.Intercept&InterceptSyscall != 0 {
		return c.leave(in, Exit{Kind: ExitSyscall})
	}
	sel := uint16(c.STAR >> 32)
	flags := c.Flags() &^ x86.FlagRF
	if !c.Long() {
		c.R[x86.RCX] = uint64(uint32(in.Next()))
		c.Seg[x86.SS] = flatSegment(sel+8, attrData32, 0)
		c.enterCode(flatSegment(sel, attrCode32, 0), c.STAR&0xffffffff, 0)
		c.finishFlags(flags &^ (x86.FlagIF | x86.FlagVM))
		return stJump
	}
	target := c.LSTAR
	if c.mode != Mode64 {
		target = c.CSTAR
	}
	c.R[x86.RCX] = in.Next()
	c.R[x86.R11] = flags
	c.Seg[x86.SS] = flatSegment(sel+8, attrData32, 0)
	c.enterCode(flatSegment(sel, attrCode64, 0), target, 0)
	c.finishFlags(flags &^ c.SFMASK)
	return stJump
}

func opSYSRET(c *CPU, in *Inst) status {
	if !c.syscallAllowed() {
		return c.except(x86.VectorUD)
	}
	if c.CPL != 0 {
		return c.gp0()
	}
	sel := uint16(c.STAR >> 48)
	rip := c.R[x86.RCX]
	cs := flatSegment(sel, attrCode32, 3)
	if in.Size == 8 {
		if c.Vendor == Intel && !x86.Canonical(rip) {
			return c.gp0()
		}
		cs = flatSegment(sel+16, attrCode64, 3)
	} else {
		rip = uint64(uint32(rip))
	}
	ss := &c.Seg[x86.SS]
	ss.Sel = (sel + 8) | 3
	if c.Vendor == Intel {
		*ss = flatSegment(ss.Sel, attrData32, 3)
	}
	flags := c.Flags() | x86.FlagIF
	if c.Long() {
		flags = c.R[x86.R11]
	}
	c.enterCode(cs, rip, 3)
	c.finishFlags(flags &^ (x86.FlagRF | x86.FlagVM))
	return stJump
}

func opSYSENTER(c *CPU, in *Inst) status {
	if c.Long() && c.Vendor == AMD {
		return c.except(x86.VectorUD)
	}
	if c.Intercept&InterceptSysenter != 0 {
		return c.leave(in, Exit{Kind: ExitSysenter})
	}
	sel := uint16(c.SysenterCS) &^ 3
	if !c.Protected() || sel == 0 {
		return c.gp0()
	}
	attr, rip, rsp := uint16(attrCode32), c.SysenterEIP&0xffffffff, c.SysenterESP&0xffffffff
	if c.Long() {
		attr, rip, rsp = attrCode64, c.SysenterEIP, c.SysenterESP
	}
	c.R[x86.RSP] = rsp
	c.Seg[x86.SS] = flatSegment(sel+8, attrData32, 0)
	flags := c.Flags()
	c.enterCode(flatSegment(sel, attr, 0), rip, 0)
	c.finishFlags(flags &^ (x86.FlagIF | x86.FlagVM))
	return stJump
}

func opSYSEXIT(c *CPU, in *Inst) status {
	if c.Long() && c.Vendor == AMD && c.CPL == 0 { // a Zen 5 has #GP for CPL first
		return c.except(x86.VectorUD)
	}
	sel := uint16(c.SysenterCS) &^ 3
	if !c.Protected() || sel == 0 || c.CPL != 0 {
		return c.gp0()
	}
	rip, rsp := c.R[x86.RDX], c.R[x86.RCX]
	cs, ss := flatSegment(sel+16|3, attrCode32, 3), flatSegment(sel+24|3, attrData32, 3)
	if in.Size == 8 {
		if !x86.Canonical(rip) || !x86.Canonical(rsp) {
			return c.gp0()
		}
		cs, ss = flatSegment(sel+32|3, attrCode64, 3), flatSegment(sel+40|3, attrData32, 3)
	} else {
		rip, rsp = rip&0xffffffff, rsp&0xffffffff
	}
	c.R[x86.RSP] = rsp
	c.Seg[x86.SS] = ss
	c.enterCode(cs, rip, 3)
	return stJump
}

func opSWAPGS(c *CPU, _ *Inst) status {
	if c.mode != Mode64 {
		return c.except(x86.VectorUD)
	}
	if c.CPL != 0 {
		return c.gp0()
	}
	gs := &c.Seg[x86.GS]
	gs.Base, c.KernelGSBase = c.KernelGSBase, gs.Base
	return stEnd
}

// fsgsOK is the common condition of RDFSBASE and its kin.
func (c *CPU) fsgsOK() bool { return c.mode == Mode64 && c.CR4&x86.CR4FSGSBASE != 0 }

func opRDFSBASE(c *CPU, in *Inst) status { return c.readBase(in, x86.FS) }
func opRDGSBASE(c *CPU, in *Inst) status { return c.readBase(in, x86.GS) }
func opWRFSBASE(c *CPU, in *Inst) status { return c.writeBase(in, x86.FS) }
func opWRGSBASE(c *CPU, in *Inst) status { return c.writeBase(in, x86.GS) }

func (c *CPU) readBase(in *Inst, seg uint8) status {
	if !c.fsgsOK() {
		return c.except(x86.VectorUD)
	}
	c.R[in.RM] = truncate(c.Seg[seg].Base, int(in.Size))
	return stOK
}

func (c *CPU) writeBase(in *Inst, seg uint8) status {
	if !c.fsgsOK() {
		return c.except(x86.VectorUD)
	}
	v := truncate(c.R[in.RM], int(in.Size))
	if !x86.Canonical(v) {
		return c.gp0()
	}
	c.Seg[seg].Base = v
	return stEnd
}

// leave ends Run at the instruction, which the world outside completes.
func (c *CPU) leave(in *Inst, ex Exit) status {
	ex.Next = in.Next()
	if c.mode != Mode64 {
		ex.Next &= c.ripMask()
	}
	c.exit = ex
	c.RIP = in.RIP
	return stExit
}
