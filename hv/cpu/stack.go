package cpu

import "pvlab/hv/x86"

// PUSH and POP (segment registers apart), PUSHA, POPA, ENTER, LEAVE.

func stackRows() []row {
	return []row{
		{m: map1, op: 0x50, span: 8, name: "PUSH", form: formOpReg, size: size64, fn: fns{reg: [4]execFn{1: pushReg, 2: pushReg, 3: pushReg64}}},
		{m: map1, op: 0x58, span: 8, name: "POP", form: formOpReg, size: size64, fn: fns{reg: [4]execFn{1: popReg, 2: popReg, 3: popReg64}}},
		{m: map1, op: 0x68, name: "PUSH", form: formImmZ, size: size64, fn: all(pushImm)},
		{m: map1, op: 0x6a, name: "PUSH", form: formImm8, size: size64, fn: all(pushImm)},
		{m: map1, op: 0xff, digit: d6, name: "PUSH", form: formModRM, size: size64, fn: split(pushReg, pushMem)},
		{m: map1, op: 0x8f, digit: d0, name: "POP", form: formModRM, size: size64, attr: attrWrite, fn: split(popReg, popMem)},
		{m: map1, op: 0x60, modes: not64, name: "PUSHA", fn: all(opPusha)},
		{m: map1, op: 0x61, modes: not64, name: "POPA", fn: all(opPopa)},
		{m: map1, op: 0xc8, name: "ENTER", form: formEnter, size: size64, fn: all(opEnter)},
		{m: map1, op: 0xc9, name: "LEAVE", size: size64, fn: all(opLeave)},
	}
}

// spMask is the width of the stack pointer: 64 bits in 64-bit code, else by
// SS.B (SDM vol. 1, "Address-Size Attributes for Stack Accesses").
func (c *CPU) spMask() uint64 {
	switch {
	case c.mode == Mode64:
		return ^uint64(0)
	case c.Seg[x86.SS].Attr&x86.AttrDB != 0:
		return 0xffffffff
	}
	return 0xffff
}

// setSP writes the stack pointer in its width.
func (c *CPU) setSP(v uint64) { c.setStackReg(x86.RSP, v) }

func (c *CPU) setStackReg(r int, v uint64) {
	switch c.spMask() {
	case 0xffff:
		c.R[r] = c.R[r]&^0xffff | v&0xffff
	case 0xffffffff:
		c.R[r] = v & 0xffffffff
	default:
		c.R[r] = v
	}
}

// stackLinear is the linear address of size bytes at offset sp of the stack.
func (c *CPU) stackLinear(sp uint64, size uint8, write bool) uint64 {
	return c.linear(x86.SS, sp&c.spMask(), uint64(size), write)
}

// push pushes size bytes; on a fault RSP is as before.
func (c *CPU) push(size uint8, v uint64) status {
	sp := c.R[x86.RSP] - uint64(size)
	st := c.store(x86.SS, c.stackLinear(sp, size, true), int(size), v)
	if st != stFault {
		c.setSP(sp)
	}
	return st
}

// peek reads size bytes at delta above the stack pointer, which stays.
func (c *CPU) peek(size uint8, delta uint64) (uint64, bool) {
	return c.load(x86.SS, c.stackLinear(c.R[x86.RSP]+delta, size, false), int(size))
}

func pushReg(c *CPU, in *Inst) status { return c.push(in.Size, c.R[in.RM&31]) }
func pushImm(c *CPU, in *Inst) status { return c.push(in.Size, uint64(in.Imm)) }

// pushReg64 and popReg64 exist in 64-bit code only, where the stack is flat.

func pushReg64(c *CPU, in *Inst) status {
	sp := c.R[x86.RSP] - 8
	st := c.store64(x86.SS, sp, c.R[in.RM&31])
	if st != stFault {
		c.R[x86.RSP] = sp
	}
	return st
}

func popReg64(c *CPU, in *Inst) status {
	sp := c.R[x86.RSP]
	v, ok := c.load64(x86.SS, sp)
	if !ok {
		return stFault
	}
	c.R[x86.RSP] = sp + 8
	c.R[in.RM&31] = v // POP RSP: the value read wins
	return stOK
}

func pushMem(c *CPU, in *Inst) status {
	v, ok := c.load(in.Seg, c.ea(in), int(in.Size))
	if !ok {
		return stFault
	}
	return c.push(in.Size, v)
}

func popReg(c *CPU, in *Inst) status {
	v, ok := c.peek(in.Size, 0)
	if !ok {
		return stFault
	}
	c.setSP(c.R[x86.RSP] + uint64(in.Size))
	c.setRegSize(in.RM, in.Size, v)
	return stOK
}

// popMem forms the address with RSP already raised (SDM vol. 2, "POP").
func popMem(c *CPU, in *Inst) status {
	v, ok := c.peek(in.Size, 0)
	if !ok {
		return stFault
	}
	old := c.R[x86.RSP]
	c.setSP(old + uint64(in.Size))
	st := c.store(in.Seg, c.ea(in), int(in.Size), v)
	if st == stFault {
		c.R[x86.RSP] = old
	}
	return st
}

// opPusha stores eight registers, RSP as it was before. A fault leaves RSP,
// but the words before it are written, as on processors.
func opPusha(c *CPU, in *Inst) status {
	size, sp, st := uint64(in.Size), c.R[x86.RSP], stOK
	for i := uint64(1); i <= 8; i++ {
		s := c.store(x86.SS, c.stackLinear(sp-i*size, in.Size, true), int(size), c.R[i-1])
		if s == stFault {
			return s
		}
		st = max(st, s)
	}
	c.setSP(sp - 8*size)
	return st
}

// opPopa loads them, RSP apart, in the same incremental way.
func opPopa(c *CPU, in *Inst) status {
	for i := uint64(0); i < 8; i++ {
		v, ok := c.peek(in.Size, i*uint64(in.Size))
		if !ok {
			return stFault
		}
		if r := uint8(7 - i); r != x86.RSP {
			c.setRegSize(r, in.Size, v)
		}
	}
	c.setSP(c.R[x86.RSP] + 8*uint64(in.Size))
	return stOK
}

// opEnter makes a frame with up to 31 enclosing frame pointers.
func opEnter(c *CPU, in *Inst) status {
	alloc, level := uint64(in.Imm&0xffff), uint64(in.Imm>>16&31)
	size := uint64(in.Size)
	sp, bp := c.R[x86.RSP], c.R[x86.RBP]
	st := stOK
	push := func(v uint64) bool {
		sp -= size
		s := c.store(x86.SS, c.stackLinear(sp, in.Size, true), int(size), v)
		st = max(st, s)
		return s != stFault
	}
	if !push(bp) {
		return stFault
	}
	frame := sp
	for i := uint64(1); i < level; i++ {
		v, ok := c.load(x86.SS, c.stackLinear(bp-i*size, in.Size, false), int(size))
		if !ok || !push(v) {
			return stFault
		}
	}
	if level > 0 && !push(frame) {
		return stFault
	}
	sp -= alloc
	// The new top of the stack must be writable, though nothing is written.
	if !c.checkWrite(x86.SS, c.stackLinear(sp, in.Size, true), int(size)) {
		return stFault
	}
	c.setRegSize(x86.RBP, in.Size, c.frameValue(frame, in.Size))
	c.setSP(sp)
	return st
}

// frameValue is the frame pointer ENTER makes: a 16-bit stack with wider
// operands keeps the rest of RSP.
func (c *CPU) frameValue(frame uint64, size uint8) uint64 {
	if m := c.spMask(); size > 2 && m == 0xffff {
		return c.R[x86.RSP]&^m | frame&m
	}
	return frame
}

func opLeave(c *CPU, in *Inst) status {
	bp := c.R[x86.RBP]
	v, ok := c.load(x86.SS, c.stackLinear(bp, in.Size, false), int(in.Size))
	if !ok {
		return stFault
	}
	c.setSP(bp + uint64(in.Size))
	c.setRegSize(x86.RBP, in.Size, v)
	return stOK
}
