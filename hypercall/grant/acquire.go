package grant

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// part is the memory that a grant gives a copy access to.
type part struct {
	mfn           uint64
	start, length uint16
}

// acquire pins ref for a copy of domain ld's and takes a reference to the
// frame (acquire_grant_for_copy). A transitive grant leads to another
// domain's, which must not be one again.
func (t *Table) acquire(ref uint32, ld uint16, readonly, transitive bool) (part, abi.GrantStatus) {
	if ref >= t.Entries() {
		return part{}, abi.GrantBadGntref
	}
	n := pick(readonly, pinHostRead, pinHostWrite)
	act := t.active.at(ref)
	if act.pin != 0 && (act.domid != ld || overflows(act.pin, n)) {
		return part{}, abi.GrantGeneralError
	}
	var now activeEntry
	var st abi.GrantStatus
	switch {
	case t.Version > 1 && t.flags(ref)&abi.GTFTypeMask == abi.GTFTransitive:
		now, st = t.follow(ref, act, ld, readonly, transitive)
	case needsStatus(act.pin, readonly):
		now, st = t.look(ref, act, ld, readonly)
	default:
		now = act
		if who, ok := t.sys.Rules.Reference(act.mfn); !ok || who != t.owner() {
			if ok {
				t.sys.Rules.PutPage(act.mfn)
			}
			st = abi.GrantBadDomain
			t.reduceStatus(ref, act.pin, readonly)
		}
	}
	if st != 0 {
		return part{}, st
	}
	now.pin = act.pin + n
	t.active.set(ref, now)
	return part{now.mfn, now.start, now.length}, 0
}

// look reads a permit_access entry.
func (t *Table) look(ref uint32, act activeEntry, ld uint16, readonly bool) (activeEntry, abi.GrantStatus) {
	if st := t.setStatus(ref, act.pin, readonly, false, ld); st != 0 {
		return act, st
	}
	now := activeEntry{domid: ld, length: mem.PageSize, transDomain: t.Domain, transRef: ref, mfn: t.frame(ref)}
	if !t.sys.Rules.GetPage(now.mfn, t.owner()) {
		t.reduceStatus(ref, act.pin, readonly)
		return act, abi.GrantBadPage
	}
	offset := uint16(0) // start has 15 bits, what is compared has 16
	if at := t.entry(ref); t.Version > 1 && t.flags(ref)&abi.GTFSubPage != 0 {
		offset = t.get16(at + abi.GrantEntryPageOff)
		now.part, now.start, now.length = true, offset&0x7fff, t.get16(at+abi.GrantEntryLength)
	}
	switch {
	case act.pin == 0:
		if now.part {
			t.v2ops++
		}
		return now, 0
	case act.mfn != now.mfn || act.transDomain != t.Domain || act.transRef != ref ||
		act.part && (!now.part || act.start != offset || act.length != now.length):
		t.sys.Rules.PutPage(now.mfn)
		t.reduceStatus(ref, act.pin, readonly)
		return act, abi.GrantGeneralError
	}
	return act, 0
}

// Again is what a copy returns instead of a status if it has to be begun anew,
// with nothing held (Xen's ERESTART).
const Again abi.GrantStatus = 1

// follow pins the grant that a transitive one names.
func (t *Table) follow(ref uint32, act activeEntry, ld uint16, readonly, allowed bool) (activeEntry, abi.GrantStatus) {
	if needsStatus(act.pin, readonly) {
		if st := t.setStatus(ref, act.pin, readonly, false, ld); st != 0 {
			return act, st
		}
	}
	at := t.entry(ref)
	domid := t.get16(at + abi.GrantEntryTransDomid)
	to := t.get32(at + abi.GrantEntryTransGref)
	behind := t.sys.Table(domid)
	if !allowed || domid == t.Domain || behind == nil {
		t.reduceStatus(ref, act.pin, readonly)
		return act, abi.GrantGeneralError
	}
	p, st := behind.acquire(to, t.Domain, readonly, false)
	if st != 0 {
		t.reduceStatus(ref, act.pin, readonly)
		return act, st
	}
	// It counts as a part even if it is a whole page: it cannot be mapped.
	now := activeEntry{domid: ld, start: p.start & 0x7fff, length: p.length, part: true, transDomain: domid, transRef: to, mfn: p.mfn}
	if act.pin == 0 {
		t.v2ops++
		return now, 0
	}
	if act.mfn != p.mfn || act.start != p.start || act.length != p.length || act.transDomain != domid || act.transRef != to || !act.part {
		// A copy into the table itself can have changed the entry.
		behind.release(to, readonly)
		t.sys.Rules.PutPage(p.mfn)
		t.reduceStatus(ref, act.pin, readonly)
		return act, Again
	}
	return act, 0
}

// release undoes acquire, but for the reference to the frame
// (release_grant_for_copy).
func (t *Table) release(ref uint32, readonly bool) {
	act := t.active.at(ref)
	act.pin -= pick(readonly, pinHostRead, pinHostWrite)
	t.active.set(ref, act)
	t.reduceStatus(ref, act.pin, readonly)
	if act.pin == 0 && act.part {
		t.v2ops--
	}
	if t.Version > 1 && act.transDomain != t.Domain {
		t.sys.Table(act.transDomain).release(act.transRef, readonly)
	}
}

// putFrame stores the frame number of a completed transfer.
func (t *Table) putFrame(ref uint32, mfn uint64) {
	at := t.entry(ref)
	if t.Version == 1 {
		t.sys.Mem.Write(at+abi.GrantEntryV1Frame, binary.LittleEndian.AppendUint32(nil, uint32(mfn)))
		return
	}
	t.sys.Mem.Write64(at+abi.GrantEntryV2Frame, mfn)
}
