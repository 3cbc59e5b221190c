package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/hypercall/grant"
)

// Operations that move data or frames by grants.

// grantCopy is GNTTABOP_copy: a list during which the sides of a copy are
// kept for the next one.
func grantCopy(c *Caller) (uint64, error) {
	list, n := c.args[1], c.cmd32(2)
	if !dom.AddrOK(list) {
		return ret(abi.EFAULT)
	}
	k := c.D.Grants.Copy(c.D.GrantTable())
	defer k.End()
	for i := uint64(0); i < n; i++ {
		at := list + i*abi.GnttabCopySize
		var b [abi.GnttabCopySize]byte
		if !c.more(i) {
			return c.proceed(c.cmd32(0), at, n-i)
		}
		if !c.copyIn(at, b[:]) {
			return ret(abi.EFAULT)
		}
		op := abi.DecodeGrantCopy(b[:])
		st := k.One(&op)
		if st == grant.Again {
			return c.proceed(c.cmd32(0), at, n-i)
		}
		if err := c.putStatus(at+abi.GnttabCopyStatus, st); err != 0 {
			return ret(err)
		}
	}
	return ret(0)
}

// grantTransfer is one element of GNTTABOP_transfer: {mfn u64, domid u16, ref
// u32, status s16}.
func grantTransfer(c *Caller, at uint64) abi.Errno {
	var b [abi.GnttabTransferSize]byte
	if !c.copyIn(at, b[:]) {
		return abi.EFAULT
	}
	st := c.transfer(le.Uint64(b[0:]), le.Uint16(b[8:]), le.Uint32(b[12:]))
	return c.putStatus(at+abi.GnttabTransferStatus, st)
}

// transfer moves a frame to the domain whose entry ref waits for one. The
// frame leaves the caller first, and is lost if that does not come about
// (gnttab_transfer).
func (c *Caller) transfer(mfn uint64, id uint16, ref uint32) abi.GrantStatus {
	d := c.D
	if mfn >= d.Mem.Frames() || d.Steal(mfn) != 0 {
		return abi.GrantBadPage
	}
	d.TotPages--
	d.FlushTLB()
	to := d.Grants.Table(id)
	switch {
	case to == nil:
		d.Discard(mfn, 0)
		return abi.GrantBadDomain
	case d.TotPages >= d.MaxPages, !to.Accept(ref, d.ID):
		d.Discard(mfn, 0)
		return abi.GrantGeneralError
	}
	// Another domain's entries are empty here: it is the caller itself.
	d.Assign(mfn, 0)
	d.TotPages++
	d.SetM2P(mfn, to.Complete(ref, mfn))
	return 0
}

// grantCacheFlush is GNTTABOP_cache_flush: {dev_bus_addr u64, offset u16,
// length u16, op u32}. It has no status: an error ends the list.
func grantCacheFlush(c *Caller) (uint64, error) {
	from := uint32(c.args[0]) &^ grantCmdMask
	list, n := c.args[1], c.cmd32(2)
	if !dom.AddrOK(list) {
		return ret(abi.EFAULT)
	}
	for i := uint64(0); i < n; i++ {
		at := list + i*abi.GnttabCacheFlushSize
		if !c.more(i) {
			return c.proceed(abi.GnttabCacheFlush, at, n-i)
		}
		var b [abi.GnttabCacheFlushSize]byte
		if !c.copyIn(at, b[:]) {
			return ret(abi.EFAULT)
		}
		if err := c.cacheFlush(&b, from); err != 0 {
			return ret(err)
		}
		from = 0
	}
	return ret(0)
}

// cacheFlush checks one flush of a frame's cache lines. Only the caller's own
// frames have lines to flush: no other domain has any here.
func (c *Caller) cacheFlush(b *[abi.GnttabCacheFlushSize]byte, from uint32) abi.Errno {
	mfn := le.Uint64(b[0:]) >> mem.PageShift
	offset, length, op := uint32(le.Uint16(b[8:])), uint32(le.Uint16(b[10:])), le.Uint32(b[12:])
	switch {
	case offset >= mem.PageSize, offset+length > mem.PageSize, op&^(abi.GnttabCacheClean|abi.GnttabCacheInval) != 0:
		return abi.EINVAL
	case length == 0 || op == 0:
		if from != 0 {
			return abi.EILSEQ
		}
		return 0
	case mfn >= c.D.Mem.Frames():
		return abi.EINVAL
	}
	if p := c.D.Mem.Info(mfn); p.Count == 0 || p.Owner != c.D.Owner() {
		return abi.EPERM
	}
	if op == abi.GnttabCacheInval {
		return abi.EOPNOTSUPP // x86 has no such instruction for a range
	}
	return 0
}
