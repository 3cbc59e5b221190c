package grant

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Mapper changes the page tables of a domain that maps grants.
type Mapper interface {
	// Create maps frame mfn at addr as GNTMAP_* flags say. The entry takes
	// over references that the caller holds.
	Create(addr, mfn uint64, flags uint32) abi.GrantStatus
	// Replace empties the entry at addr that maps mfn, or moves the one of
	// newAddr there if that is not 0.
	Replace(addr, mfn, newAddr uint64, flags uint32) abi.GrantStatus
}

// Actor is on whose behalf an operation is done: a domain, by one of its
// vCPUs.
type Actor struct {
	*Table
	VCPU int
	Mapper
}

// increment is one mapping's count in activeEntry.pin.
func increment(flags uint32) (n uint32) {
	readonly := flags&abi.GntmapReadonly != 0
	if flags&abi.GntmapDeviceMap != 0 {
		n += pick(readonly, pinDeviceRead, pinDeviceWrite)
	}
	if flags&abi.GntmapHostMap != 0 {
		n += pick(readonly, pinHostRead, pinHostWrite)
	}
	return n
}

func pick(cond bool, a, b uint32) uint32 {
	if cond {
		return a
	}
	return b
}

// Map is GNTTABOP_map_grant_ref: it fills in Status, and on success Handle and
// DevBusAddr (map_grant_ref).
func (s *System) Map(a *Actor, op *abi.GrantMap) {
	op.Status = s.mapRef(a, op)
}

func (s *System) mapRef(a *Actor, op *abi.GrantMap) abi.GrantStatus {
	n := increment(op.Flags)
	if n == 0 {
		return abi.GrantBadGntref
	}
	rt := s.Table(op.Dom)
	if rt == nil {
		return abi.GrantBadDomain
	}
	h := a.takeHandle(a.VCPU)
	if h == noHandle {
		return abi.GrantNoSpace
	}
	readonly := op.Flags&abi.GntmapReadonly != 0
	mfn, referenced, st := rt.pin(op.Ref, n, readonly, a.Domain)
	if st == 0 {
		if st = s.mapFrame(a, op, rt.owner(), mfn, referenced); st != 0 {
			act := rt.active.at(op.Ref)
			act.pin -= n
			rt.active.set(op.Ref, act)
			rt.reduceStatus(op.Ref, act.pin, readonly)
		}
	}
	if st != 0 {
		a.putHandle(h)
		return st
	}
	m := a.track.at(h)
	m.domid, m.ref, m.flags = op.Dom, op.Ref, uint16(op.Flags)
	a.track.set(h, m)
	op.DevBusAddr, op.Handle = mfn<<mem.PageShift, h
	return 0
}

// pin checks that domain ld may map ref and counts the mapping. referenced
// says that a reference to the frame was taken with the first use.
func (t *Table) pin(ref, n uint32, readonly bool, ld uint16) (mfn uint64, referenced bool, st abi.GrantStatus) {
	if ref >= t.Entries() {
		return 0, false, abi.GrantBadGntref
	}
	act := t.active.at(ref)
	if act.pin != 0 && (act.domid != ld || overflows(act.pin, n) || act.part) {
		return 0, false, abi.GrantGeneralError
	}
	if needsStatus(act.pin, readonly) {
		if st := t.setStatus(ref, act.pin, readonly, true, ld); st != 0 {
			return 0, false, st
		}
		if act.pin == 0 {
			mfn := t.frame(ref)
			if !t.sys.Rules.GetPage(mfn, t.owner()) {
				t.reduceStatus(ref, 0, readonly)
				return 0, false, abi.GrantBadPage
			}
			act = activeEntry{domid: ld, length: mem.PageSize, transDomain: t.Domain, transRef: ref, mfn: mfn}
			referenced = true
		}
	}
	act.pin += n
	t.active.set(ref, act)
	return act.mfn, referenced, 0
}

// mapFrame takes a mapping's references to the frame, one of each kind for
// the processor and one for a device, and makes the host mapping. Frames that
// are not RAM cannot get here: a PV domain owns none.
func (s *System) mapFrame(a *Actor, op *abi.GrantMap, owner uint16, mfn uint64, referenced bool) (st abi.GrantStatus) {
	r := s.Rules
	pages, types := 0, 0
	defer func() {
		if st == 0 {
			return
		}
		for ; types > 0; types-- {
			r.PutType(mfn)
		}
		for ; pages > 0; pages-- {
			r.PutPage(mfn)
		}
	}()
	if referenced {
		pages++
	} else {
		// The frame may have been given up since: overwriting the entry of a
		// grant mapping drops its references, not its pin.
		who, ok := r.Reference(mfn)
		if ok {
			pages++
		}
		if !ok || who != owner {
			return abi.GrantGeneralError
		}
	}
	device, host := op.Flags&abi.GntmapDeviceMap != 0, op.Flags&abi.GntmapHostMap != 0
	writable := op.Flags&abi.GntmapReadonly == 0
	if device && writable {
		if r.GetType(mfn, pagetable.TypeWritable) != 0 {
			return abi.GrantGeneralError
		}
		types++
	}
	if !host {
		return 0
	}
	if device {
		if !r.GetPage(mfn, owner) {
			return abi.GrantGeneralError
		}
		pages++
	}
	if writable {
		if r.GetType(mfn, pagetable.TypeWritable) != 0 {
			return abi.GrantGeneralError
		}
		types++
	}
	return a.Create(op.HostAddr, mfn, op.Flags)
}
