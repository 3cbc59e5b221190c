package cpu

import (
	"pvlab/hv/disasm"
	"pvlab/hv/x86"
)

// Operations that no encoding names: what the decoder answers instead of an
// instruction. Their rows come first, in this order.
const (
	pseudoUD      = iota // #UD
	pseudoTooLong        // more than 15 bytes: #GP(0)
	pseudoX87            // an x87 instruction that is not modelled
	numPseudo
)

func pseudoRows() []row {
	return []row{
		pseudoUD:      {name: "(undefined)", attr: attrEnd, fn: all(opUD)},
		pseudoTooLong: {name: "(too long)", attr: attrEnd, fn: all(opTooLong)},
		pseudoX87:     {name: "(x87)", attr: attrEnd, fn: all(opX87)},
	}
}

func opUD(c *CPU, _ *Inst) status      { return c.except(x86.VectorUD) }
func opTooLong(c *CPU, _ *Inst) status { return c.gp0() }

// unmodelled stops the machine at the running instruction; what says in words
// what is missing.
func (c *CPU) unmodelled(in *Inst, what string) status {
	var buf [maxInst]byte
	lin := in.RIP
	if c.mode != Mode64 {
		lin = (c.Seg[x86.CS].Base + lin) & 0xffffffff
	}
	n, _ := c.FetchLinear(lin, buf[:])
	text, length := disasm.Inst(buf[:n], c.mode.Bits(), in.RIP, nil)
	if length > 0 && length < n {
		n = length
	}
	c.unmod = &Unmodelled{RIP: in.RIP, Bytes: append([]byte(nil), buf[:n]...), Text: text, What: what}
	return stFault
}

// Bits is 16, 32 or 64.
func (m Mode) Bits() int { return 16 << m }

// The coprocessor state decides between #UD, #NM and being missing, in the
// order of SDM vol. 3, "Emulation of x87 FPU or MMX/SSE Instructions".

func opX87(c *CPU, in *Inst) status {
	if c.CR0&(x86.CR0EM|x86.CR0TS) != 0 {
		return c.except(x86.VectorNM)
	}
	return c.unmodelled(in, "x87 arithmetic")
}
