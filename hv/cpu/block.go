package cpu

import (
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// A block is a run of decoded instructions on one page, ended by the first
// one that may change RIP otherwise than by falling through (or by anything
// the decoding depends on). It is found again by where its bytes lie, and is
// valid while nobody wrote to that frame (mem.CodeGen).
type block struct {
	rip   uint64 // offset in CS of the first instruction
	pa    uint64 // physical address of its first byte
	gen   uint32
	mode  Mode
	valid bool
	insts []Inst
	size  uint64 // bytes
}

const (
	blockSlots = 4096
	blockMax   = 64 // instructions in a block
	maxInst    = 15 // bytes in an instruction (SDM vol. 2, "Instruction Format")
)

type blockCache struct{ slots []block }

func blockSlot(pa uint64) uint64 { return (pa ^ pa>>12) & (blockSlots - 1) }

// cached returns the block at RIP if nothing has to be looked up, checked or
// decoded for it; nil else.
func (c *CPU) cached() *block {
	rip := c.RIP
	e := &c.tlb[rip>>12&tlbMask]
	if e.xtag != rip&^mem.PageMask|c.gen || c.mode != Mode64 {
		return nil
	}
	pa := e.pa + rip&mem.PageMask
	b := &c.blocks.slots[blockSlot(pa)]
	if b.pa == pa && b.rip == rip && b.mode == Mode64 && b.valid && b.gen == c.Mem.CodeGen(pa>>mem.PageShift) {
		return b
	}
	return nil
}

// lookup returns the block at CS:RIP, decoding it if need be; false with
// c.fault set when the fetch faults.
func (c *CPU) lookup() (*block, bool) {
	lin := c.RIP
	if c.mode != Mode64 {
		var ok bool
		if lin, ok = c.codeLinear(); !ok {
			return nil, false
		}
	}
	e := &c.tlb[lin>>12&tlbMask]
	if e.xtag != lin&^mem.PageMask|c.gen {
		var ok bool
		if e, ok = c.fetchEntry(lin); !ok {
			return nil, false
		}
		if e.perm&permOutside != 0 {
			return c.decodeAcross(lin)
		}
	}
	pa := e.pa + lin&mem.PageMask
	b := &c.blocks.slots[blockSlot(pa)]
	if b.pa == pa && b.rip == c.RIP && b.mode == c.mode && b.valid && b.gen == c.Mem.CodeGen(pa>>mem.PageShift) {
		return b, true
	}
	if c.decodeBlock(b, pa) {
		return b, true
	}
	return c.decodeAcross(lin)
}

// codeLinear is CS.base+RIP outside 64-bit code, with the limit check.
func (c *CPU) codeLinear() (uint64, bool) {
	cs := &c.Seg[x86.CS]
	if c.RIP > uint64(cs.Limit) {
		c.fault = x86.WithCode(x86.VectorGP, 0)
		return 0, false
	}
	return (cs.Base + c.RIP) & 0xffffffff, true
}

func (c *CPU) fetchEntry(lin uint64) (*tlbEntry, bool) {
	if c.mode == Mode64 && !x86.Canonical(lin) {
		c.fault = x86.WithCode(x86.VectorGP, 0)
		return nil, false
	}
	return c.lookupTLB(lin, accFetch)
}

// decodeBlock fills b with the instructions from physical address pa to the
// end of the block or page. False when not even the first instruction lies
// wholly on the page.
func (c *CPU) decodeBlock(b *block, pa uint64) bool {
	frame := pa >> mem.PageShift
	code := c.Mem.Frame(frame)[pa&mem.PageMask:]
	gen := c.Mem.MarkCode(frame)
	if b.insts == nil {
		b.insts = make([]Inst, 0, 8)
	}
	*b = block{rip: c.RIP, pa: pa, gen: gen, mode: c.mode, insts: b.insts[:0]}
	rip := c.RIP
	for len(b.insts) < blockMax {
		var in Inst
		if !c.decode(code[:min(len(code), maxInst)], rip, &in) {
			break // needs bytes of the next page
		}
		heat(&in)
		b.insts = append(b.insts, in)
		rip += uint64(in.Len)
		code = code[in.Len:]
		if in.Flags&FlagEnd != 0 || len(code) == 0 {
			break
		}
	}
	markDead(b.insts)
	b.size = rip - b.rip
	b.valid = len(b.insts) > 0
	c.sync()
	return b.valid
}

// decodeAcross decodes the one instruction at lin whose bytes cross into the
// next page (or lie outside the arena). It is never cached.
func (c *CPU) decodeAcross(lin uint64) (*block, bool) {
	var buf [maxInst]byte
	n, f := c.FetchLinear(lin, buf[:])
	b := &c.one
	if b.insts == nil {
		b.insts = make([]Inst, 0, 1)
	}
	var in Inst
	if !c.decode(buf[:n], c.RIP, &in) {
		if !f.Valid { // 15 bytes and still no end
			f = x86.WithCode(x86.VectorGP, 0)
		}
		c.fault = f
		return nil, false
	}
	*b = block{rip: c.RIP, mode: c.mode, insts: append(b.insts[:0], in), size: uint64(in.Len)}
	return b, true
}

// FlushCode forgets all decoded code.
func (c *CPU) FlushCode() {
	for i := range c.blocks.slots {
		c.blocks.slots[i].valid = false
	}
}
