package grant

import (
	"encoding/binary"

	"pvlab/hypercall/abi"
)

// Size is what GNTTABOP_setup_table asks for: a table of at least n frames;
// false if that is more than it may have.
func (t *Table) Size(n uint32) bool {
	if n > MaxFrames {
		return false
	}
	if n > t.Shared {
		t.grow(n)
	}
	return true
}

// SetVersion changes the layout of the table (gnttab_set_version). All
// entries are lost but the toolstack's, the only ones that may be in use.
func (t *Table) SetVersion(v uint32) abi.Errno {
	switch {
	case v != 1 && v != 2:
		return abi.EINVAL
	case uint32(t.Version) == v:
		return 0
	}
	for ref := uint32(abi.GnttabReservedEntries); ref < t.Entries(); ref++ {
		if t.active.at(ref).pin != 0 {
			return abi.EBUSY
		}
	}
	if v == 1 {
		return t.downgrade()
	}
	var kept [abi.GnttabReservedEntries * abi.GrantEntryV1Size]byte
	t.sys.Mem.Read(t.entry(0), kept[:])
	t.addStatus()
	t.wipe()
	t.Version = 2
	le := binary.LittleEndian
	for ref := uint32(0); ref < abi.GnttabReservedEntries; ref++ {
		e := kept[ref*abi.GrantEntryV1Size:]
		flags := le.Uint16(e[abi.GrantEntryFlags:])
		const use = abi.GTFReading | abi.GTFWriting
		t.put16(t.status(ref), flags&use)
		at := t.entry(ref)
		t.put16(at+abi.GrantEntryFlags, flags&^use)
		t.put16(at+abi.GrantEntryDomid, le.Uint16(e[abi.GrantEntryDomid:]))
		t.sys.Mem.Write64(at+abi.GrantEntryV2Frame, uint64(le.Uint32(e[abi.GrantEntryV1Frame:])))
	}
	return 0
}

// downgrade goes from version 2 to 1.
func (t *Table) downgrade() abi.Errno {
	if t.v2ops != 0 {
		return abi.EAGAIN
	}
	var kept [abi.GnttabReservedEntries * abi.GrantEntryV1Size]byte
	le := binary.LittleEndian
	for ref := uint32(0); ref < abi.GnttabReservedEntries; ref++ {
		flags, frame := t.flags(ref), t.frame(ref)
		switch flags & abi.GTFTypeMask {
		case abi.GTFPermitAccess:
			if frame>>32 != 0 {
				return abi.ERANGE
			}
			e := kept[ref*abi.GrantEntryV1Size:]
			le.PutUint16(e[abi.GrantEntryFlags:], flags|t.get16(t.status(ref)))
			le.PutUint16(e[abi.GrantEntryDomid:], t.domid(ref))
			le.PutUint32(e[abi.GrantEntryV1Frame:], uint32(frame))
		case abi.GTFTransitive:
			return abi.ERANGE
		}
	}
	if err := t.dropStatus(); err != 0 {
		return err
	}
	t.wipe()
	t.Version = 1
	t.sys.Mem.Write(t.entry(0), kept[:])
	return 0
}

// wipe clears all entries.
func (t *Table) wipe() {
	for i := uint32(0); i < t.Shared; i++ {
		t.clear(t.SharedFrame(i))
	}
}

// Swap exchanges two entries that are not in use (GNTTABOP_swap_grant_ref).
func (t *Table) Swap(a, b uint32) abi.GrantStatus {
	switch {
	case a >= t.Entries() || b >= t.Entries():
		return abi.GrantBadGntref
	case a == b:
		return 0
	case t.active.at(a).pin != 0 || t.active.at(b).pin != 0:
		return abi.GrantEagain
	}
	size := abi.GrantEntryV1Size
	if t.Version > 1 {
		size = abi.GrantEntryV2Size
		sa, sb := t.get16(t.status(a)), t.get16(t.status(b))
		t.put16(t.status(a), sb)
		t.put16(t.status(b), sa)
	}
	var ea, eb [abi.GrantEntryV2Size]byte
	m := t.sys.Mem
	m.Read(t.entry(a), ea[:size])
	m.Read(t.entry(b), eb[:size])
	m.Write(t.entry(a), eb[:size])
	m.Write(t.entry(b), ea[:size])
	return 0
}

// Accept commits entry ref to a transfer from domain ld, if it waits for one
// (gnttab_prepare_for_transfer).
func (t *Table) Accept(ref uint32, ld uint16) bool {
	if ref >= t.Entries() || t.flags(ref) != abi.GTFAcceptTransfer || t.domid(ref) != ld {
		return false
	}
	t.put16(t.entry(ref)+abi.GrantEntryFlags, abi.GTFAcceptTransfer|abi.GTFTransferCommitted)
	return true
}

// Complete tells the guest about its new frame: the entry has the number of
// the page that the frame becomes, which it returns, and gets that of the
// frame.
func (t *Table) Complete(ref uint32, mfn uint64) (pfn uint64) {
	pfn = t.frame(ref)
	t.putFrame(ref, mfn)
	at := t.entry(ref) + abi.GrantEntryFlags
	t.put16(at, t.get16(at)|abi.GTFTransferCompleted)
	return pfn
}

// MapsFrame reports whether domain ld has a grant of this table's for frame
// mfn in use, in entries from on; it looks at limit entries and says where to
// go on (grant_map_exists).
func (t *Table) MapsFrame(ld uint16, mfn uint64, from, limit uint32) (found bool, next uint32) {
	for next = from; next < t.Entries() && next-from < limit; next++ {
		if act := t.active.at(next); act.pin != 0 && act.domid == ld && act.mfn == mfn {
			return true, next
		}
	}
	return false, next
}
