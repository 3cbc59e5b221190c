package grant

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Unmap is what GNTTABOP_unmap_grant_ref and GNTTABOP_unmap_and_replace ask
// for, and what Xen remembers until the translations are flushed.
type Unmap struct {
	HostAddr   uint64 // 0: the processor's mapping stays
	DevBusAddr uint64 // 0: the device's mapping stays
	NewAddr    uint64 // where the entry to move to HostAddr is, 0: none
	Handle     uint32

	done  uint16 // GNTMAP_* that are gone
	mfn   uint64
	table *Table
	ref   uint32
}

// Unmap takes the mapping away; Finish has to follow, after translations have
// been flushed (unmap_common).
func (s *System) Unmap(a *Actor, u *Unmap) abi.GrantStatus {
	u.done = 0
	if u.Handle >= a.track.len() {
		return abi.GrantBadHandle
	}
	m := a.track.at(u.Handle)
	if m.flags == 0 {
		return abi.GrantBadHandle
	}
	u.table, u.ref = s.Table(m.domid), m.ref
	if u.ref >= u.table.Entries() {
		return abi.GrantBadHandle
	}
	u.mfn = u.table.active.at(u.ref).mfn
	device := u.DevBusAddr != 0 && m.flags&abi.GntmapDeviceMap != 0
	if device && u.DevBusAddr != u.mfn<<mem.PageShift {
		return abi.GrantBadDevAddr
	}
	flags := m.flags
	if u.HostAddr != 0 && flags&abi.GntmapHostMap != 0 {
		if st := a.Replace(u.HostAddr, u.mfn, u.NewAddr, uint32(flags)); st != 0 {
			return st
		}
		m.flags &^= abi.GntmapHostMap
		u.done |= abi.GntmapHostMap | flags&abi.GntmapReadonly
	}
	if device {
		m.flags &^= abi.GntmapDeviceMap
		u.done |= abi.GntmapDeviceMap | flags&abi.GntmapReadonly
	}
	a.track.set(u.Handle, m)
	if m.flags&(abi.GntmapDeviceMap|abi.GntmapHostMap) == 0 {
		a.putHandle(u.Handle)
	}
	return 0
}

// Finish drops the references of what Unmap took away
// (unmap_common_complete).
func (s *System) Finish(u *Unmap) {
	if u.done == 0 {
		return
	}
	readonly := u.done&abi.GntmapReadonly != 0
	act := u.table.active.at(u.ref)
	for _, flag := range [...]uint16{abi.GntmapDeviceMap, abi.GntmapHostMap} {
		if u.done&flag == 0 {
			continue
		}
		if readonly {
			s.Rules.PutPage(u.mfn)
		} else {
			s.Rules.PutPageAndType(u.mfn)
		}
		act.pin -= increment(uint32(flag | u.done&abi.GntmapReadonly))
	}
	u.table.active.set(u.ref, act)
	u.table.reduceStatus(u.ref, act.pin, readonly)
}
