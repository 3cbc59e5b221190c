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
	e := &c.tlb[tlbSlot(rip)]
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
	e := &c.tlb[tlbSlot(lin)]
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
	if x := c.cachedAcross(lin); x != nil {
		return x, true
	}
	if c.decodeBlock(b, pa) {
		return b, true
	}
	return c.decodeAcross(lin)
}

// acrossBlock is one instruction that lies on two pages.
type acrossBlock struct {
	block
	pa2  uint64 // physical address of the second page
	gen2 uint32
}

// acrossSlots is how many of them are cached, by page.
const acrossSlots = 64

// cachedAcross returns the decoded instruction at lin if it lies on two pages,
// both as they were; nil else.
func (c *CPU) cachedAcross(lin uint64) *block {
	if lin&mem.PageMask <= mem.PageSize-maxInst || c.mode != Mode64 {
		return nil
	}
	x := &c.across[lin>>12&(acrossSlots-1)]
	if !x.valid || x.rip != c.RIP || x.mode != Mode64 {
		return nil
	}
	e, ok := c.lookupTLB(lin, accFetch)
	if !ok || e.perm&permOutside != 0 || e.pa+lin&mem.PageMask != x.pa || x.gen != c.Mem.CodeGen(x.pa>>mem.PageShift) {
		return nil
	}
	e, ok = c.lookupTLB(lin|mem.PageMask+1, accFetch)
	if !ok || e.perm&permOutside != 0 || e.pa != x.pa2 || x.gen2 != c.Mem.CodeGen(x.pa2>>mem.PageShift) {
		return nil
	}
	return &x.block
}

// keepAcross caches the instruction just decoded at lin.
func (c *CPU) keepAcross(lin uint64, in *Inst) {
	if c.mode != Mode64 || lin&mem.PageMask+uint64(in.Len) <= mem.PageSize {
		return
	}
	e, ok := c.lookupTLB(lin, accFetch)
	if !ok || e.perm&permOutside != 0 {
		return
	}
	pa := e.pa + lin&mem.PageMask
	if e, ok = c.lookupTLB(lin|mem.PageMask+1, accFetch); !ok || e.perm&permOutside != 0 {
		return
	}
	x := &c.across[lin>>12&(acrossSlots-1)]
	insts := append(x.insts[:0], *in)
	*x = acrossBlock{pa2: e.pa, gen2: c.Mem.MarkCode(e.pa >> mem.PageShift), block: block{
		rip: c.RIP, pa: pa, gen: c.Mem.MarkCode(pa >> mem.PageShift), mode: c.mode, valid: true, insts: insts, size: uint64(in.Len)}}
	c.sync()
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
// next page (or lie outside the arena, then it is never cached).
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
	c.keepAcross(lin, &in)
	return b, true
}

// FlushCode forgets all decoded code.
func (c *CPU) FlushCode() {
	for i := range c.blocks.slots {
		c.blocks.slots[i].valid = false
	}
	for i := range c.across {
		c.across[i].valid = false
	}
}
