package cpu

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// New makes a processor over m in the state of a reset; the caller sets the
// start state and calls StateChanged.
func New(m *mem.Memory, bus Bus, v Vendor) *CPU {
	c := &CPU{Mem: m, Bus: bus, Vendor: v, MaxPA: 46, KeepTLB: true, base: m.Base(), gen: 1, wgen: 1, arch: 2, archAll: 2,
		genTop: 1, wgenTop: 1, archTop: 2}
	c.Policy = Policy{Vendor: v, MaxPA: c.MaxPA}
	c.blocks.slots = make([]block, blockSlots)
	c.Reset()
	return c
}

// StateChanged must be called after State was written from outside: it
// recomputes what is derived. It drops no translation: call FlushTLB where
// the change asks for it.
func (c *CPU) StateChanged() {
	c.R[zeroReg] = 0
	c.updateDebug()
	c.updateMode()
}

// Run executes until budget instructions have retired or something else ends
// it. Faults and exits count as one, so that no loop of them is free.
func (c *CPU) Run(budget uint64) Exit { return *c.RunFor(budget) }

// RunFor is Run without the copy: the Exit is the processor's own, and good
// until it runs again.
func (c *CPU) RunFor(budget uint64) *Exit {
	c.inRun = true
	c.run(budget)
	c.inRun = false
	return &c.exit
}

// run leaves in c.exit what ended it.
func (c *CPU) run(budget uint64) {
	c.sync()
	end := c.Retired + budget
	if end < c.Retired {
		end = ^uint64(0)
	}
	for c.Retired < end {
		if c.special() {
			if c.step() {
				return
			}
			continue
		}
		b := c.cached()
		if b == nil {
			var ok bool
			if b, ok = c.lookup(); !ok {
				c.faultExit()
				return
			}
		}
		insts := b.insts
		st := stOK
		i := 0
		if left := end - c.Retired; uint64(len(insts)) <= left {
			i, st = c.runBlock(insts)
		} else {
			insts = insts[:left]
			for ; i < len(insts); i++ {
				in := &insts[i]
				if st = exec[in.Op](c, in); st != stOK {
					break
				}
			}
		}
		if st == stOK {
			c.Retired += uint64(len(insts))
			if len(insts) == len(b.insts) {
				c.RIP = b.rip + b.size
			} else {
				c.RIP = insts[len(insts)-1].Next()
			}
			if c.mode != Mode64 {
				c.RIP &= c.ripMask()
			}
			continue
		}
		c.Retired += uint64(i)
		if st == stJump { // how most blocks end; finish returns a large value
			c.Retired++
			continue
		}
		if c.finish(&insts[i], st) {
			return
		}
	}
	c.exit = Exit{Kind: ExitBudget}
}

// finish does what a status other than stOK asks, for the instruction that
// returned it. True means that Run ends, with c.exit.
func (c *CPU) finish(in *Inst, st status) bool {
	switch st {
	case stFault:
		c.RIP = in.RIP
		if c.retry {
			c.retry, c.forceStep = false, true
			return false
		}
		c.faultExit()
		return true
	case stExit:
		c.Retired++
		return true
	case stRepeat:
		c.RIP = in.RIP
		// An event between two iterations saves RF = 1 (SDM vol. 3,
		// "Instruction-Breakpoint Exception Condition").
		c.rflags |= x86.FlagRF
	case stOK, stEnd:
		c.RIP = in.Next()
		if c.mode != Mode64 {
			c.RIP &= c.ripMask()
		}
	}
	c.Retired++
	return false
}

func (c *CPU) faultExit() {
	c.Retired++
	if c.unmod != nil {
		c.exit = Exit{Kind: ExitUnmodelled, Unmodelled: c.unmod}
		c.unmod = nil
		return
	}
	c.exit = Exit{Kind: ExitFault, Fault: c.fault}
}

// ripMask is the width of RIP outside 64-bit code. It is 32 bits in 16-bit
// code, too: running off the end of a 64 KiB segment meets its limit (#GP), it
// does not wrap.
func (c *CPU) ripMask() uint64 { return 0xffffffff }

// exact makes sure that Retired is right while an instruction that can see
// the time (RDTSC, a device) runs. Within a block it is not: then exact
// returns false and the instruction must return stFault at once, having
// changed nothing; it is run again by itself.
func (c *CPU) exact() bool {
	if c.inRun && !c.stepping {
		c.retry = true
		return false
	}
	return true
}

// special reports whether the next instruction needs the careful path.
func (c *CPU) special() bool {
	if c.rflags&(x86.FlagTF|x86.FlagRF) != 0 || c.Shadow != ShadowNone || c.PendingDB != 0 || c.armed || c.forceStep {
		return true
	}
	return c.Attn != 0 && (c.Attn&^AttnInterrupt != 0 || c.rflags&x86.FlagIF != 0)
}

// step executes one instruction with everything that can happen at its
// boundaries, in the order of SDM vol. 3, "Prioritization of Concurrent
// Events": traps of the previous instruction, NMI, interrupts, instruction
// breakpoints, the instruction itself, its own traps.
func (c *CPU) step() bool {
	if c.Attn&AttnStop != 0 {
		return c.stop(ExitStop)
	}
	shadow := c.Shadow
	if shadow != ShadowMovSS {
		if c.PendingDB != 0 {
			return c.debugTrap(0)
		}
		if c.Attn&AttnNMI != 0 && !c.NMIBlocked && shadow == ShadowNone {
			return c.stop(ExitNMI)
		}
		if c.Attn&AttnInterrupt != 0 && c.rflags&x86.FlagIF != 0 && shadow == ShadowNone {
			return c.stop(ExitInterrupt)
		}
	}
	if c.armed && c.rflags&x86.FlagRF == 0 && shadow != ShadowMovSS {
		if bits := c.execBreakpoint(); bits != 0 {
			c.DR[6] |= bits
			c.fault = x86.NoCode(x86.VectorDB)
			c.faultExit()
			return true
		}
	}
	b, ok := c.lookup()
	if !ok {
		c.faultExit()
		return true
	}
	in := &c.stepInst // a copy: the block may be decoded anew meanwhile
	*in = b.insts[0]
	c.forceStep = false
	tf := c.rflags&x86.FlagTF != 0
	rf := c.rflags & x86.FlagRF
	c.rflags &^= x86.FlagRF // an instruction may set it again (IRET)
	c.Shadow = ShadowNone
	c.hit = 0
	c.tfAfter = tf
	c.stepping = true
	st := exec[in.Op](c, in)
	c.stepping = false
	if st == stFault {
		// RF stays as it was: the instruction will be restarted. What MOV SS
		// or STI blocked is over with the delivery of the fault.
		c.rflags |= rf
		return c.finish(in, st)
	}
	if c.finish(in, st) {
		return true
	}
	if c.Shadow == ShadowMovSS {
		c.PendingDB |= c.hit // held until after the next instruction
		return false
	}
	bits := c.hit
	if c.tfAfter {
		bits |= x86.DR6BS
	}
	if bits|c.PendingDB != 0 {
		return c.debugTrap(bits)
	}
	return false
}

// stop ends Run with an exit that has nothing but a kind.
func (c *CPU) stop(k ExitKind) bool {
	c.exit = Exit{Kind: k}
	return true
}

// debugTrap reports the trap-class #DB of the instruction just completed.
func (c *CPU) debugTrap(bits uint64) bool {
	c.DR[6] |= bits | c.PendingDB
	c.PendingDB = 0
	c.exit = Exit{Kind: ExitFault, Fault: x86.NoCode(x86.VectorDB)}
	return true
}
