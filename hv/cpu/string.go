package cpu

import "pvlab/hv/x86"

// String instructions. A REP form runs at most repeatChunk iterations at a
// time, so that interrupts and budgets get their turn, and a single one while
// every iteration may trap (TF, breakpoints) or when it reached a device.
// Where it pauses is a guest-visible time: it must not depend on what happens
// to be cached.

const repeatChunk = 4096

func stringRows() []row {
	movs := repeatedRuns(movsRun, movsStep[uint8], movsStep[uint16], movsStep[uint32], movsStep[uint64])
	stos := repeatedRuns(stosRun, stosStep[uint8], stosStep[uint16], stosStep[uint32], stosStep[uint64])
	lods := repeated(plain, lodsStep[uint8], lodsStep[uint16], lodsStep[uint32], lodsStep[uint64])
	cmps := repeated(compares, cmpsStep[uint8], cmpsStep[uint16], cmpsStep[uint32], cmpsStep[uint64])
	scas := repeated(compares, scasStep[uint8], scasStep[uint16], scasStep[uint32], scasStep[uint64])
	return []row{
		{m: map1, op: 0xa4, name: "MOVS", size: sizeB, fn: movs},
		{m: map1, op: 0xa5, name: "MOVS", fn: movs},
		{m: map1, op: 0xa6, name: "CMPS", size: sizeB, fn: cmps},
		{m: map1, op: 0xa7, name: "CMPS", fn: cmps},
		{m: map1, op: 0xaa, name: "STOS", size: sizeB, fn: stos},
		{m: map1, op: 0xab, name: "STOS", fn: stos},
		{m: map1, op: 0xac, name: "LODS", size: sizeB, fn: lods},
		{m: map1, op: 0xad, name: "LODS", fn: lods},
		{m: map1, op: 0xae, name: "SCAS", size: sizeB, fn: scas},
		{m: map1, op: 0xaf, name: "SCAS", fn: scas},
	}
}

// repeatKind says when a repetition ends early.
type repeatKind uint8

const (
	plain    repeatKind = iota // never
	compares                   // REPE: when ZF is clear; REPNE: when it is set
	ports                      // never, and each iteration is a boundary
)

func repeated(k repeatKind, f1, f2, f4, f8 execFn) fns {
	return sized(repeat(k, f1), repeat(k, f2), repeat(k, f4), repeat(k, f8))
}

// repeat makes an instruction of one iteration's function.
func repeat(k repeatKind, step execFn) execFn {
	if step == nil {
		return nil
	}
	return func(c *CPU, in *Inst) status {
		if in.Flags&(FlagRep|FlagRepne) == 0 {
			return step(c, in)
		}
		return c.repeat(in, k, step, nil)
	}
}

// repeat does the iterations of one turn: by run, where there is one and it
// can, else one by one. Registers are up to date after each, so that a fault
// restarts where it happened.
func (c *CPU) repeat(in *Inst, k repeatKind, step execFn, run runFn) status {
	n := c.R[x86.RCX] & in.addrMask()
	if n == 0 {
		if k == ports && !c.ioAllowed(uint16(c.R[x86.RDX]), int(in.Size)) {
			return stFault // the permission is asked first
		}
		c.emptyRepeat(in)
		return stOK
	}
	done, turn := c.repDone, uint64(repeatChunk)
	c.repDone = 0
	if c.eachStep() {
		turn, run = done+1, nil
	}
	flags := c.lazy
	end := stOK
	for {
		if run != nil {
			if did := run(c, in, min(n, turn-done)); did != 0 {
				n, done = n-did, done+did
				c.setAddrReg(in, x86.RCX, n)
				if n == 0 {
					return end
				}
				if done == turn {
					return stRepeat
				}
				continue
			}
		}
		c.outside = false
		st := step(c, in)
		if st == stFault {
			if c.Vendor == Intel {
				c.lazy = flags // SDM vol. 2, "REP": as before the instruction; AMD keeps the last iteration's
			}
			if c.retry {
				c.repDone = done // the rest of this turn runs by itself
			}
			return stFault
		}
		n, done = n-1, done+1
		c.setAddrReg(in, x86.RCX, n)
		end = max(end, st) // a write to decoded code ends the block, not the turn
		if n == 0 || (k == compares && c.lazy.zf() != (in.Flags&FlagRep != 0)) {
			return end
		}
		if done == turn || k == ports || c.outside {
			return stRepeat
		}
	}
}

// eachStep reports whether every iteration is a boundary of its own.
func (c *CPU) eachStep() bool { return c.rflags&x86.FlagTF != 0 || c.armed }

// emptyRepeat is a count of zero. Intel's fast strings truncate the registers
// of a 32-bit address size even then (Linux arch/x86/kvm/emulate.c:
// string_registers_quirk).
func (c *CPU) emptyRepeat(in *Inst) {
	if c.Vendor != Intel || c.mode != Mode64 || in.Flags&FlagAddr32 == 0 {
		return
	}
	switch table.rows[in.Op>>3].op &^ 1 {
	case 0xa4:
		c.R[x86.RSI] &= 0xffffffff
		c.R[x86.RDI] &= 0xffffffff
	case 0xaa:
		c.R[x86.RDI] &= 0xffffffff
	}
	c.R[x86.RCX] = 0
}

// advance moves a string register by one element.
func (c *CPU) advance(in *Inst, r int) {
	d := uint64(in.Size)
	if c.rflags&x86.FlagDF != 0 {
		d = -d
	}
	c.setAddrReg(in, r, c.R[r]+d)
}

// source and dest are the linear addresses of DS:rSI (or the override) and
// ES:rDI.
func (c *CPU) source(in *Inst) uint64 {
	return c.linear(in.Seg, c.R[x86.RSI]&in.addrMask(), uint64(in.Size), false)
}

func (c *CPU) dest(in *Inst, write bool) uint64 {
	return c.linear(x86.ES, c.R[x86.RDI]&in.addrMask(), uint64(in.Size), write)
}

func loadAt[T word](c *CPU, seg uint8, lin uint64) (T, bool) {
	v, ok := c.load(seg, lin, int(bytesOf[T]()))
	return T(v), ok
}

func movsStep[T word](c *CPU, in *Inst) status {
	v, ok := loadAt[T](c, in.Seg, c.source(in))
	if !ok {
		return stFault
	}
	st := c.store(x86.ES, c.dest(in, true), int(bytesOf[T]()), uint64(v))
	if st == stFault {
		return st
	}
	c.advance(in, x86.RSI)
	c.advance(in, x86.RDI)
	return st
}

func stosStep[T word](c *CPU, in *Inst) status {
	st := c.store(x86.ES, c.dest(in, true), int(bytesOf[T]()), c.R[x86.RAX])
	if st != stFault {
		c.advance(in, x86.RDI)
	}
	return st
}

func lodsStep[T word](c *CPU, in *Inst) status {
	v, ok := loadAt[T](c, in.Seg, c.source(in))
	if !ok {
		return stFault
	}
	setReg(c, x86.RAX, v)
	c.advance(in, x86.RSI)
	return stOK
}

func cmpsStep[T word](c *CPU, in *Inst) status {
	a, ok := loadAt[T](c, in.Seg, c.source(in))
	if !ok {
		return stFault
	}
	b, ok := loadAt[T](c, x86.ES, c.dest(in, false))
	if !ok {
		return stFault
	}
	coreSub(c, a, b)
	c.advance(in, x86.RSI)
	c.advance(in, x86.RDI)
	return stOK
}

func scasStep[T word](c *CPU, in *Inst) status {
	b, ok := loadAt[T](c, x86.ES, c.dest(in, false))
	if !ok {
		return stFault
	}
	coreSub(c, reg[T](c, x86.RAX), b)
	c.advance(in, x86.RDI)
	return stOK
}
