package grant

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Copier does a list of GNTTABOP_copy. Like Xen it keeps what the last copy
// used until another is asked for, which the flags of the entries show.
type Copier struct {
	s         *System
	self      *Table
	src, dest copyBuf
}

// copyBuf is one side of a copy.
type copyBuf struct {
	ptr    abi.GrantCopyPtr
	length uint16
	table  *Table // of the domain, nil: none yet
	mfn    uint64

	readonly                       bool
	referenced, typed, grant, open bool
}

// Copy begins a list for domain self.
func (s *System) Copy(self *Table) *Copier { return &Copier{s: s, self: self} }

// One does one copy (gnttab_copy_one); its status may be Again.
func (c *Copier) One(op *abi.GrantCopy) abi.GrantStatus {
	st := c.one(op)
	if st != 0 {
		c.release()
	}
	return st
}

// End lets go of what the list holds.
func (c *Copier) End() { c.release() }

func (c *Copier) release() {
	c.src.release(c.s)
	c.dest.release(c.s)
}

func (c *Copier) one(op *abi.GrantCopy) abi.GrantStatus {
	fromGref, toGref := op.Flags&abi.GntcopySourceGref != 0, op.Flags&abi.GntcopyDestGref != 0
	if c.src.table == nil || op.Source.Domid != c.src.ptr.Domid || c.dest.table == nil || op.Dest.Domid != c.dest.ptr.Domid {
		c.release()
		c.src.table, c.dest.table = nil, nil
		st := c.src.domain(c, op.Source.Domid)
		if st == 0 {
			st = c.dest.domain(c, op.Dest.Domid)
		}
		if st != 0 {
			c.src.table, c.dest.table = nil, nil
			return st
		}
	}
	if !c.src.holds(&op.Source, fromGref) {
		c.src.release(c.s)
		if st := c.src.claim(c, &op.Source, fromGref, true); st != 0 {
			return st
		}
	}
	if !c.dest.holds(&op.Dest, toGref) {
		c.dest.release(c.s)
		if st := c.dest.claim(c, &op.Dest, toGref, false); st != 0 {
			return st
		}
	}
	from, to, n := uint32(op.Source.Offset), uint32(op.Dest.Offset), uint32(op.Len)
	switch {
	case from+n > mem.PageSize || to+n > mem.PageSize:
		return abi.GrantBadCopyArg
	case !c.src.has(from, n) || !c.dest.has(to, n):
		return abi.GrantGeneralError
	}
	m := c.s.Mem
	m.PrepareWrite(c.dest.mfn)
	moveUp(m.Frame(c.dest.mfn)[to:to+n], m.Frame(c.src.mfn)[from:from+n])
	return 0
}

// moveUp copies upwards, eight bytes at a time and then single ones, which
// shows when the two overlap (X/memcpy.S, REP MOVSQ and MOVSB).
func moveUp(dest, src []byte) {
	n := len(src) &^ 7
	for i := 0; i < n; i += 8 {
		var word [8]byte
		copy(word[:], src[i:])
		copy(dest[i:], word[:])
	}
	for i := n; i < len(src); i++ {
		dest[i] = src[i]
	}
}

// domain finds the domain of one side.
func (b *copyBuf) domain(c *Copier, domid uint16) abi.GrantStatus {
	if b.table = c.s.tableOf(c.self, domid); b.table == nil {
		return abi.GrantBadDomain
	}
	b.ptr.Domid = domid
	return 0
}

// holds reports whether the last copy used the same.
func (b *copyBuf) holds(p *abi.GrantCopyPtr, gref bool) bool {
	if !b.open || b.grant != gref {
		return false
	}
	if gref {
		return uint32(p.U) == uint32(b.ptr.U)
	}
	return p.U == b.ptr.U
}

func (b *copyBuf) has(offset, n uint32) bool {
	return offset >= uint32(b.ptr.Offset) && offset+n <= uint32(b.ptr.Offset)+uint32(b.length)
}

// claim takes references to the frame of one side. Frames may only be named by
// their owner, as DOMID_SELF (gnttab_copy_claim_buf; that the last copy had the
// same domain does not help since the fix of XSA-523).
func (b *copyBuf) claim(c *Copier, p *abi.GrantCopyPtr, gref, readonly bool) abi.GrantStatus {
	b.readonly, b.ptr.U = readonly, p.U
	switch {
	case gref:
		u, st := b.table.acquire(uint32(p.U), c.self.Domain, readonly, true)
		if st != 0 {
			return st
		}
		b.mfn, b.ptr.Offset, b.length = u.mfn, u.start, u.length
		b.grant = true
	case p.Domid != abi.DomIDSelf:
		return abi.GrantPermissionDenied
	case !c.s.Rules.GetPage(p.U, b.table.owner()):
		return abi.GrantBadPage
	default:
		b.mfn, b.ptr.Offset, b.length = p.U, 0, mem.PageSize
	}
	b.referenced = true
	if !readonly {
		if c.s.Rules.GetType(b.mfn, pagetable.TypeWritable) != 0 {
			return abi.GrantGeneralError
		}
		b.typed = true
	}
	b.open = true
	return 0
}

func (b *copyBuf) release(s *System) {
	if b.grant {
		b.table.release(uint32(b.ptr.U), b.readonly)
	}
	if b.typed {
		s.Rules.PutType(b.mfn)
	}
	if b.referenced {
		s.Rules.PutPage(b.mfn)
	}
	b.grant, b.typed, b.referenced, b.open = false, false, false, false
}
