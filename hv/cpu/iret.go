package cpu

import "pvlab/hv/x86"

// IRET, IRETD and IRETQ (SDM vol. 2, "IRET/IRETD/IRETQ"). All checks come
// before any change, so a fault leaves the state as it was, except that NMIs
// are no longer blocked (SDM vol. 3, "Handling Multiple NMIs").

// iretFrame is what IRET popped; rsp and ss only when hasStack.
type iretFrame struct {
	rip, rflags, rsp uint64
	cs, ss           uint16
}

func opIRET(c *CPU, in *Inst) status {
	c.NMIBlocked = false
	if !c.Protected() {
		return c.iretReal(int(in.Size))
	}
	if c.rflags&x86.FlagNT != 0 {
		if c.Long() {
			return c.gp0()
		}
		return c.unmodelled(in, "IRET with NT set: task switch")
	}
	size := int(in.Size)
	st := c.currentStack()
	f, ok := popFrame(&st, size)
	if !ok {
		return stFault
	}
	if f.rflags&x86.FlagVM != 0 && c.CPL == 0 && !c.Long() && size == 4 {
		return c.unmodelled(in, "IRET to virtual-8086 mode")
	}
	cs, ok := c.codeSegment(f.cs, c.CPL, codeReturn)
	if !ok {
		return stFault
	}
	outward := uint8(f.cs&3) > c.CPL
	if !outward && c.mode != Mode64 {
		if !c.targetOK(&cs, f.rip) {
			return stFault
		}
		cpl := c.CPL
		st.commit()
		c.enterCode(cs, f.rip, cpl)
		c.loadFlags(f.rflags, size, cpl)
		return stJump
	}
	if f.rsp, ok = st.pop(size); !ok {
		return stFault
	}
	ss, ok := st.pop(size)
	if !ok {
		return stFault
	}
	f.ss = uint16(ss)
	return c.iretStack(&f, &cs, size)
}

func popFrame(st *Stack, size int) (f iretFrame, ok bool) {
	if f.rip, ok = st.pop(size); !ok {
		return f, false
	}
	cs, ok := st.pop(size)
	if !ok {
		return f, false
	}
	f.cs = uint16(cs)
	f.rflags, ok = st.pop(size)
	return f, ok
}

// iretStack finishes an IRET that loads SS:RSP: to an outer level, or any in
// 64-bit code.
func (c *CPU) iretStack(f *iretFrame, cs *x86.Segment, size int) status {
	ss, ok := c.returnStack(f.ss, cs)
	if !ok || !c.targetOK(cs, f.rip) {
		return stFault
	}
	from, to := c.CPL, uint8(f.cs&3)
	c.setStack(ss, f.rsp, cs)
	c.enterCode(*cs, f.rip, to)
	c.loadFlags(f.rflags, size, from)
	if to > from {
		c.dropInner(to)
	}
	return stJump
}

// loadFlags loads RFLAGS as IRET executed at privilege cpl does: IOPL only
// from level 0, IF only where IOPL allows, the upper half only with a 32- or
// 64-bit operand.
func (c *CPU) loadFlags(v uint64, size int, cpl uint8) {
	mask := uint64(x86.FlagsStatus | x86.FlagTF | x86.FlagDF | x86.FlagNT)
	if size > 2 {
		mask |= x86.FlagRF | x86.FlagAC | x86.FlagID
		if cpl == 0 {
			mask |= x86.FlagVIF | x86.FlagVIP
		}
	}
	if cpl <= c.iopl() {
		mask |= x86.FlagIF
	}
	if cpl == 0 {
		mask |= x86.FlagIOPL
	}
	c.SetFlags(c.Flags()&^mask | v&mask | x86.FlagOne)
}

func (c *CPU) iretReal(size int) status {
	st := c.currentStack()
	f, ok := popFrame(&st, size)
	if !ok {
		return stFault
	}
	if f.rip > uint64(c.Seg[x86.CS].Limit) {
		return c.gp0()
	}
	st.commit()
	mask := uint64(0xffff)
	if size == 4 {
		mask = x86.FlagsDefined &^ (x86.FlagVM | x86.FlagVIF | x86.FlagVIP)
	}
	c.SetFlags(c.Flags()&^mask | f.rflags&mask&x86.FlagsDefined | x86.FlagOne)
	return c.realJump(f.cs, f.rip)
}

// IretTo does what an IRETQ executed in 64-bit code at privilege level 0
// does with these five values: selector checks against the current GDT and
// LDT, canonical RIP, loading of CS, SS, RSP and RFLAGS, unusable inner data
// segments. Whatever the processor ran before counts for nothing. On a fault
// nothing of the state is changed and the fault is returned; NMIs are
// unblocked either way.
func (c *CPU) IretTo(rip uint64, cs uint16, rflags, rsp uint64, ss uint16) x86.Fault {
	c.NMIBlocked = false
	cpl, mode, flags := c.CPL, c.mode, c.Flags()
	c.CPL, c.mode = 0, Mode64
	f := iretFrame{rip: rip, cs: cs, rflags: rflags, rsp: rsp, ss: ss}
	seg, ok := c.codeSegment(cs, 0, codeReturn)
	if ok && c.iretStack(&f, &seg, 8) == stJump {
		c.Shadow = ShadowNone
		return x86.Fault{}
	}
	c.CPL, c.mode = cpl, mode
	c.SetFlags(flags)
	return c.fault
}
