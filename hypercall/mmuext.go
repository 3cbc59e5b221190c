package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// mmuextOp is hypercall 26: a list of {cmd u32, pad, arg1 u64, arg2 u64}
// (MM-06, MM-07, MM-18, MM-26; X/mm.c:do_mmuext_op).
func mmuextOp(c *Caller) (uint64, error) {
	if c.deferred() {
		return value(uint64(int64(int32(c.args[3]))))
	}
	list, count, done := c.listArgs()
	if !dom.AddrOK(list) { // the number done stays as it is
		return ret(abi.EFAULT)
	}
	owner, err := c.owner(uint16(c.args[3]))
	if err != 0 {
		return ret(err)
	}
	if !c.mayUse(owner) {
		return ret(abi.EPERM)
	}
	var i uint32
	for ; i < count && c.more(uint64(i)); i++ {
		var b [abi.MMUExtOpSize]byte
		if !c.copyIn(list+uint64(i)*abi.MMUExtOpSize, b[:]) {
			err = abi.EFAULT
			break
		}
		if err = c.mmuext(owner, le.Uint32(b[0:]), le.Uint64(b[8:]), le.Uint64(b[16:])); err != 0 {
			break
		}
	}
	return c.finishList(list, abi.MMUExtOpSize, i, count, done, err)
}

// mmuext does one operation on frames of own; those on the caller's own state
// refuse another owner.
func (c *Caller) mmuext(own uint16, cmd uint32, arg1, arg2 uint64) abi.Errno {
	r := c.D.Rules
	switch cmd {
	case abi.MMUExtPinL1, abi.MMUExtPinL2, abi.MMUExtPinL3, abi.MMUExtPinL4, abi.MMUExtUnpin, abi.MMUExtClearPage,
		abi.MMUExtCopyPage, abi.MMUExtMarkSuper, abi.MMUExtUnmarkSuper:
	default:
		if cmd > abi.MMUExtUnmarkSuper || cmd == unusedMMUExt {
			return abi.ENOSYS
		}
		if own != c.D.Owner() {
			return abi.EPERM
		}
	}
	switch cmd {
	case abi.MMUExtPinL1, abi.MMUExtPinL2, abi.MMUExtPinL3, abi.MMUExtPinL4:
		return r.Pin(arg1, own, pagetable.TypeL1+uint8(cmd-abi.MMUExtPinL1))
	case abi.MMUExtUnpin:
		return r.Unpin(arg1, own)
	case abi.MMUExtNewBaseptr:
		return c.V.NewBaseptr(arg1)
	case abi.MMUExtNewUserBaseptr:
		return c.V.NewUserBaseptr(arg1)
	case abi.MMUExtSetLDT:
		return c.setLDT(arg1, uint32(arg2))
	case abi.MMUExtClearPage, abi.MMUExtCopyPage:
		return c.fillPage(own, arg1, arg2, cmd == abi.MMUExtCopyPage)
	case abi.MMUExtFlushCache, abi.MMUExtFlushCacheGlob:
		if !c.D.Privileged {
			if cmd == abi.MMUExtFlushCache {
				return abi.EACCES
			}
			return abi.EINVAL
		}
		return 0 // caches are not modelled: memory is always coherent
	case abi.MMUExtMarkSuper, abi.MMUExtUnmarkSuper:
		return abi.EOPNOTSUPP
	}
	return c.mmuextFlush(cmd, arg1, arg2)
}

// unusedMMUExt is a number in the middle that no operation has.
const unusedMMUExt = 14

// mmuextFlush are the TLB operations; INVLPG of an address of Xen's is
// ignored (MM-18).
func (c *Caller) mmuextFlush(cmd uint32, arg1, arg2 uint64) abi.Errno {
	kind := uint64(abi.UVMFTLBFlush)
	switch cmd {
	case abi.MMUExtInvlpgLocal, abi.MMUExtInvlpgMulti, abi.MMUExtInvlpgAll:
		kind = abi.UVMFInvlpg
	}
	skip := kind == abi.UVMFInvlpg && !dom.AddrOK(arg1)
	switch cmd {
	case abi.MMUExtTLBFlushLocal, abi.MMUExtInvlpgLocal:
		if !skip {
			c.flushOne(c.V.ID, kind, arg1)
		}
	case abi.MMUExtTLBFlushMulti, abi.MMUExtInvlpgMulti:
		if skip {
			kind, arg1 = abi.UVMFInvlpg, 0
		}
		if c.flushBitmap(arg2, kind, arg1) != 0 {
			return abi.EINVAL
		}
	case abi.MMUExtTLBFlushAll, abi.MMUExtInvlpgAll:
		for i := range c.D.VCPU {
			if !skip {
				c.flushOne(i, kind, arg1)
			}
		}
	default:
		return abi.ENOSYS
	}
	return 0
}

// setLDT is MMUEXT_SET_LDT (SEG-06).
func (c *Caller) setLDT(base uint64, n uint32) abi.Errno {
	if n == 0 {
		base = 0
	}
	if n > abi.MaxLDTEntries || n != 0 && (base&0xfff != 0 || !dom.AddrOK(base)) {
		return abi.EINVAL
	}
	if base != c.V.LDTBase || n != c.V.LDTEntries {
		c.V.SetLDT(base, n)
	}
	return 0
}

// fillPage is MMUEXT_CLEAR_PAGE and MMUEXT_COPY_PAGE.
func (c *Caller) fillPage(own uint16, dst, src uint64, isCopy bool) abi.Errno {
	r, m := c.D.Rules, c.D.Mem
	if own == pagetable.OwnerIO { // no RAM, also where there is a frame
		return abi.EINVAL
	}
	if isCopy {
		if !r.GetPage(src, own) {
			return abi.EINVAL
		}
		defer r.PutPage(src)
	}
	if r.GetPageAndType(dst, own, pagetable.TypeWritable) != 0 {
		return abi.EINVAL
	}
	m.PrepareWrite(dst)
	if isCopy {
		copy(m.Frame(dst), m.Frame(src))
	} else {
		clear(m.Frame(dst))
	}
	r.PutPageAndType(dst)
	return 0
}
