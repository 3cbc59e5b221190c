package cpu

import (
	"math/bits"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// The operations that compilers emit most, executed in the run loop itself: a
// call through exec costs more than most of them do. What a case cannot do at
// once (a page not in the TLB, say) it leaves to the operation's function.
//
// Where the flags of an instruction are overwritten before anything can see
// them, decoding has said so by FlagDead and they are not computed. That holds
// for a block that is executed whole; one that the budget cuts short, or that
// is stepped, goes through exec.

// flags64 and flags32 are what add and subtract leave: the result, and the
// vector of carries (see lazyFlags).
func flags64(r, carry uint64) lazyFlags { return lazyFlags{r, r, carry} }

func flags32(r, carry uint32) lazyFlags {
	v := uint64(int64(int32(r)))
	return lazyFlags{v, v, uint64(carry)<<32 | uint64(carry)&carryAF}
}

// see64 and see32 read the memory operand if the TLB has it and it lies on one
// page.
func (c *CPU) see64(in *Inst) (uint64, bool) {
	lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-8 {
		return *(*uint64)(c.host(e.pa + o)), true
	}
	return 0, false
}

func (c *CPU) see32(in *Inst) (uint32, bool) {
	lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
	e := &c.tlb[tlbSlot(lin)]
	if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-4 {
		return *(*uint32)(c.host(e.pa + o)), true
	}
	return 0, false
}

// runBlock executes instructions to the first one that returns another status
// than stOK, and says which.
func (c *CPU) runBlock(insts []Inst) (int, status) {
	for i := range insts {
		in := &insts[i]
		switch in.Hot {
		case hotMov64:
			c.R[in.RM&31] = c.R[in.Reg&31] + uint64(in.Imm)
			continue
		case hotMov32:
			c.R[in.RM&31] = uint64(uint32(c.R[in.Reg&31]) + uint32(in.Imm))
			continue
		case hotLea64:
			c.R[in.Reg&31] = c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
			continue
		case hotLea32:
			c.R[in.Reg&31] = uint64(uint32(c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)))
			continue
		case hotNot64:
			c.R[in.RM&31] = ^c.R[in.RM&31]
			continue
		case hotNot32:
			c.R[in.RM&31] = uint64(^uint32(c.R[in.RM&31]))
			continue
		case hotNop:
			continue
		case hotLoad64:
			lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
			e := &c.tlb[tlbSlot(lin)]
			if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-8 {
				c.R[in.Reg&31] = *(*uint64)(c.host(e.pa + o))
				continue
			}
		case hotLoad32:
			lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
			e := &c.tlb[tlbSlot(lin)]
			if o := lin & mem.PageMask; e.rtag == lin&^mem.PageMask|c.gen && o <= mem.PageSize-4 {
				c.R[in.Reg&31] = uint64(*(*uint32)(c.host(e.pa + o)))
				continue
			}
		case hotLoadZX8:
			lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
			e := &c.tlb[tlbSlot(lin)]
			if e.rtag == lin&^mem.PageMask|c.gen {
				c.R[in.Reg&31] = uint64(*(*uint8)(c.host(e.pa + lin&mem.PageMask)))
				continue
			}
		case hotMovZX8:
			c.R[in.Reg&31] = c.R[in.RM&31] & 0xff
			continue
		case hotStore64:
			lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
			e := &c.tlb[tlbSlot(lin)]
			if o := lin & mem.PageMask; e.wtag == lin&^mem.PageMask|c.wgen && o <= mem.PageSize-8 {
				*(*uint64)(c.host(e.pa + o)) = c.R[in.Reg&31]
				continue
			}
		case hotStore32:
			lin := c.R[in.Base&31] + c.R[in.Index&31]<<(in.Scale&3) + uint64(in.Disp)
			e := &c.tlb[tlbSlot(lin)]
			if o := lin & mem.PageMask; e.wtag == lin&^mem.PageMask|c.wgen && o <= mem.PageSize-4 {
				*(*uint32)(c.host(e.pa + o)) = uint32(c.R[in.Reg&31])
				continue
			}
		case hotAdd64:
			a, b := c.R[in.RM&31], c.R[in.Reg&31]+uint64(in.Imm)
			r := a + b
			if in.Flags&FlagDead == 0 {
				c.lazy = flags64(r, a&b|(a|b)&^r)
			}
			c.R[in.RM&31] = r
			continue
		case hotAdd32:
			a, b := uint32(c.R[in.RM&31]), uint32(c.R[in.Reg&31])+uint32(in.Imm)
			r := a + b
			if in.Flags&FlagDead == 0 {
				c.lazy = flags32(r, a&b|(a|b)&^r)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotSub64:
			a, b := c.R[in.RM&31], c.R[in.Reg&31]+uint64(in.Imm)
			r := a - b
			if in.Flags&FlagDead == 0 {
				c.lazy = flags64(r, ^a&b|(^a|b)&r)
			}
			c.R[in.RM&31] = r
			continue
		case hotSub32:
			a, b := uint32(c.R[in.RM&31]), uint32(c.R[in.Reg&31])+uint32(in.Imm)
			r := a - b
			if in.Flags&FlagDead == 0 {
				c.lazy = flags32(r, ^a&b|(^a|b)&r)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotCmp64:
			a, b := c.R[in.RM&31], c.R[in.Reg&31]+uint64(in.Imm)
			r := a - b
			c.lazy = flags64(r, ^a&b|(^a|b)&r)
			continue
		case hotCmp32:
			a, b := uint32(c.R[in.RM&31]), uint32(c.R[in.Reg&31])+uint32(in.Imm)
			r := a - b
			c.lazy = flags32(r, ^a&b|(^a|b)&r)
			continue
		case hotAnd64:
			r := c.R[in.RM&31] & (c.R[in.Reg&31] + uint64(in.Imm))
			if in.Flags&FlagDead == 0 {
				c.lazy = flags64(r, 0)
			}
			c.R[in.RM&31] = r
			continue
		case hotAnd32:
			r := uint32(c.R[in.RM&31]) & (uint32(c.R[in.Reg&31]) + uint32(in.Imm))
			if in.Flags&FlagDead == 0 {
				c.lazy = flags32(r, 0)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotOr64:
			r := c.R[in.RM&31] | (c.R[in.Reg&31] + uint64(in.Imm))
			if in.Flags&FlagDead == 0 {
				c.lazy = flags64(r, 0)
			}
			c.R[in.RM&31] = r
			continue
		case hotOr32:
			r := uint32(c.R[in.RM&31]) | (uint32(c.R[in.Reg&31]) + uint32(in.Imm))
			if in.Flags&FlagDead == 0 {
				c.lazy = flags32(r, 0)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotXor64:
			r := c.R[in.RM&31] ^ (c.R[in.Reg&31] + uint64(in.Imm))
			if in.Flags&FlagDead == 0 {
				c.lazy = flags64(r, 0)
			}
			c.R[in.RM&31] = r
			continue
		case hotXor32:
			r := uint32(c.R[in.RM&31]) ^ (uint32(c.R[in.Reg&31]) + uint32(in.Imm))
			if in.Flags&FlagDead == 0 {
				c.lazy = flags32(r, 0)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotTest64:
			r := c.R[in.RM&31] & (c.R[in.Reg&31] + uint64(in.Imm))
			c.lazy = flags64(r, 0)
			continue
		case hotTest32:
			r := uint32(c.R[in.RM&31]) & (uint32(c.R[in.Reg&31]) + uint32(in.Imm))
			c.lazy = flags32(r, 0)
			continue
		case hotInc64:
			a := c.R[in.RM&31]
			r := a + 1
			if in.Flags&FlagDead == 0 {
				old := c.lazy.carry
				c.lazy = flags64(r, a&1|(a|1)&^r)
				c.keepCF(old)
			}
			c.R[in.RM&31] = r
			continue
		case hotInc32:
			a := uint32(c.R[in.RM&31])
			r := a + 1
			if in.Flags&FlagDead == 0 {
				old := c.lazy.carry
				c.lazy = flags32(r, a&1|(a|1)&^r)
				c.keepCF(old)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotDec64:
			a := c.R[in.RM&31]
			r := a - 1
			if in.Flags&FlagDead == 0 {
				old := c.lazy.carry
				c.lazy = flags64(r, ^a&1|(^a|1)&r)
				c.keepCF(old)
			}
			c.R[in.RM&31] = r
			continue
		case hotDec32:
			a := uint32(c.R[in.RM&31])
			r := a - 1
			if in.Flags&FlagDead == 0 {
				old := c.lazy.carry
				c.lazy = flags32(r, ^a&1|(^a|1)&r)
				c.keepCF(old)
			}
			c.R[in.RM&31] = uint64(r)
			continue
		case hotShl64:
			a := c.R[in.RM&31]
			if in.Flags&FlagDead == 0 {
				a = shl(c, a, uint(in.Imm&63))
			} else {
				a = a << uint(in.Imm&63)
			}
			c.R[in.RM&31] = a
			continue
		case hotShl32:
			a := uint32(c.R[in.RM&31])
			if in.Flags&FlagDead == 0 {
				a = shl(c, a, uint(in.Imm&31))
			} else {
				a = a << uint(in.Imm&31)
			}
			c.R[in.RM&31] = uint64(a)
			continue
		case hotShr64:
			a := c.R[in.RM&31]
			if in.Flags&FlagDead == 0 {
				a = shr(c, a, uint(in.Imm&63))
			} else {
				a = a >> uint(in.Imm&63)
			}
			c.R[in.RM&31] = a
			continue
		case hotShr32:
			a := uint32(c.R[in.RM&31])
			if in.Flags&FlagDead == 0 {
				a = shr(c, a, uint(in.Imm&31))
			} else {
				a = a >> uint(in.Imm&31)
			}
			c.R[in.RM&31] = uint64(a)
			continue
		case hotRol64:
			a := c.R[in.RM&31]
			if in.Flags&FlagDead == 0 {
				a = rol(c, a, uint(in.Imm&63))
			} else {
				a = bits.RotateLeft64(a, int(in.Imm&63))
			}
			c.R[in.RM&31] = a
			continue
		case hotRol32:
			a := uint32(c.R[in.RM&31])
			if in.Flags&FlagDead == 0 {
				a = rol(c, a, uint(in.Imm&31))
			} else {
				a = bits.RotateLeft32(a, int(in.Imm&31))
			}
			c.R[in.RM&31] = uint64(a)
			continue
		case hotRor64:
			a := c.R[in.RM&31]
			if in.Flags&FlagDead == 0 {
				a = ror(c, a, uint(in.Imm&63))
			} else {
				a = bits.RotateLeft64(a, -int(in.Imm&63))
			}
			c.R[in.RM&31] = a
			continue
		case hotRor32:
			a := uint32(c.R[in.RM&31])
			if in.Flags&FlagDead == 0 {
				a = ror(c, a, uint(in.Imm&31))
			} else {
				a = bits.RotateLeft32(a, -int(in.Imm&31))
			}
			c.R[in.RM&31] = uint64(a)
			continue
		case hotAddLoad64:
			if b, ok := c.see64(in); ok {
				a := c.R[in.Reg&31]
				r := a + b
				c.lazy = flags64(r, a&b|(a|b)&^r)
				c.R[in.Reg&31] = r
				continue
			}
		case hotAddLoad32:
			if b, ok := c.see32(in); ok {
				a := uint32(c.R[in.Reg&31])
				r := a + b
				c.lazy = flags32(r, a&b|(a|b)&^r)
				c.R[in.Reg&31] = uint64(r)
				continue
			}
		case hotXorLoad64:
			if b, ok := c.see64(in); ok {
				r := c.R[in.Reg&31] ^ b
				c.lazy = flags64(r, 0)
				c.R[in.Reg&31] = r
				continue
			}
		case hotXorLoad32:
			if b, ok := c.see32(in); ok {
				r := uint32(c.R[in.Reg&31]) ^ b
				c.lazy = flags32(r, 0)
				c.R[in.Reg&31] = uint64(r)
				continue
			}
		case hotCmpLoad64:
			if b, ok := c.see64(in); ok {
				a := c.R[in.Reg&31]
				r := a - b
				c.lazy = flags64(r, ^a&b|(^a|b)&r)
				continue
			}
		case hotCmpLoad32:
			if b, ok := c.see32(in); ok {
				a := uint32(c.R[in.Reg&31])
				r := a - b
				c.lazy = flags32(r, ^a&b|(^a|b)&r)
				continue
			}
		case hotCmpMem64:
			if a, ok := c.see64(in); ok {
				b := c.R[in.Reg&31] + uint64(in.Imm)
				r := a - b
				c.lazy = flags64(r, ^a&b|(^a|b)&r)
				continue
			}
		case hotCmpMem32:
			if a, ok := c.see32(in); ok {
				b := uint32(c.R[in.Reg&31]) + uint32(in.Imm)
				r := a - b
				c.lazy = flags32(r, ^a&b|(^a|b)&r)
				continue
			}
		case hotPush, hotPushImm:
			sp := c.R[x86.RSP] - 8
			e := &c.tlb[tlbSlot(sp)]
			if o := sp & mem.PageMask; e.wtag == sp&^mem.PageMask|c.wgen && o <= mem.PageSize-8 {
				*(*uint64)(c.host(e.pa + o)) = c.R[in.RM&31] + uint64(in.Imm)
				c.R[x86.RSP] = sp
				continue
			}
		case hotPop:
			sp := c.R[x86.RSP]
			e := &c.tlb[tlbSlot(sp)]
			if o := sp & mem.PageMask; e.rtag == sp&^mem.PageMask|c.gen && o <= mem.PageSize-8 {
				c.R[x86.RSP] = sp + 8
				c.R[in.RM&31] = *(*uint64)(c.host(e.pa + o)) // POP RSP: the value read wins
				continue
			}
		case hotJmp:
			c.RIP = uint64(in.Imm)
			return i, stJump
		case hotJmpReg:
			if to := c.R[in.RM&31]; x86.Canonical(to) {
				c.RIP = to
				return i, stJump
			}
		case hotCall:
			sp := c.R[x86.RSP] - 8
			e := &c.tlb[tlbSlot(sp)]
			if o := sp & mem.PageMask; e.wtag == sp&^mem.PageMask|c.wgen && o <= mem.PageSize-8 {
				*(*uint64)(c.host(e.pa + o)) = in.Next()
				c.R[x86.RSP] = sp
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
		case hotRet:
			sp := c.R[x86.RSP]
			e := &c.tlb[tlbSlot(sp)]
			if o := sp & mem.PageMask; e.rtag == sp&^mem.PageMask|c.gen && o <= mem.PageSize-8 {
				if to := *(*uint64)(c.host(e.pa + o)); x86.Canonical(to) {
					c.R[x86.RSP] = sp + 8
					c.RIP = to
					return i, stJump
				}
			}
		case hotJE:
			if c.lazy.zf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJNE:
			if !c.lazy.zf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJB:
			if c.lazy.cf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJAE:
			if !c.lazy.cf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJBE:
			if c.lazy.cf() || c.lazy.zf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJA:
			if !c.lazy.cf() && !c.lazy.zf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJS:
			if c.lazy.sf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJNS:
			if !c.lazy.sf() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJL:
			if c.lazy.sf() != c.lazy.of() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJGE:
			if c.lazy.sf() == c.lazy.of() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJLE:
			if c.lazy.zf() || c.lazy.sf() != c.lazy.of() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		case hotJG:
			if !c.lazy.zf() && c.lazy.sf() == c.lazy.of() {
				c.RIP = uint64(in.Imm)
				return i, stJump
			}
			continue
		}
		if st := exec[in.Op](c, in); st != stOK {
			return i, st
		}
	}
	return len(insts), stOK
}
