package pagetable

import "pvlab/hv/mem"

// Entries of grant mappings are Xen's to write: they may map another domain's
// frame. The references are taken by the grant, but the entry owns them: what
// drops an ordinary entry drops those of this one (MM-23; X/pv/grant_table.c).

// ownL1 takes a reference to the frame of entry pa if it is a validated L1 of
// owner's.
func (r *Rules) ownL1(pa uint64, owner uint16) bool {
	mfn := pa >> mem.PageShift
	if !r.getPage(mfn, owner) {
		return false
	}
	if p := r.M.Info(mfn); p.Type != TypeL1 || p.TypeCount == 0 || p.Flags&Validated == 0 {
		r.PutPage(mfn)
		return false
	}
	return true
}

// MapGrant writes e, which holds references already, to the L1 entry at
// machine address pa, and drops what was there.
func (r *Rules) MapGrant(pa uint64, e Entry, owner uint16) bool {
	if !r.ownL1(pa, owner) {
		return false
	}
	mfn, i := pa>>mem.PageShift, int(pa&mem.PageMask/8)
	old := r.entry(mfn, i)
	r.setEntry(mfn, i, adjust(e, TypeL1))
	r.PutPage(mfn)
	r.putL1(old)
	return true
}

// UnmapGrant replaces the entry at pa by e if it maps the frame that e0 maps,
// with the same right to write. The references of the old entry stay, for
// the grant to drop.
func (r *Rules) UnmapGrant(pa uint64, e0, e Entry, owner uint16) bool {
	if !r.ownL1(pa, owner) {
		return false
	}
	mfn, i := pa>>mem.PageShift, int(pa&mem.PageMask/8)
	defer r.PutPage(mfn)
	if old := r.entry(mfn, i); old.MFN() != e0.MFN() || (old^e0)&(Present|Writable) != 0 {
		return false
	}
	r.setEntry(mfn, i, e)
	return true
}

// StealL1 empties the entry at pa and returns it with its references.
func (r *Rules) StealL1(pa uint64, owner uint16) (Entry, bool) {
	if !r.ownL1(pa, owner) {
		return 0, false
	}
	mfn, i := pa>>mem.PageShift, int(pa&mem.PageMask/8)
	defer r.PutPage(mfn)
	old := r.entry(mfn, i)
	r.setEntry(mfn, i, 0)
	return old, true
}

// DropL1 drops the references of an entry that was stolen.
func (r *Rules) DropL1(e Entry) { r.putL1(e) }

// Reference takes a general reference to a frame whoever owns it, and says who
// does; false when nobody does (X/mm.c:page_get_owner_and_reference).
func (r *Rules) Reference(mfn uint64) (owner uint16, ok bool) {
	p := r.M.Info(mfn)
	if !r.valid(mfn) || p.Count == 0 {
		return OwnerNone, false
	}
	p.Count++
	r.M.SetInfo(mfn, p)
	return p.Owner, true
}
