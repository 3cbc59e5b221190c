package pagetable

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Software bits of an entry that Xen itself uses.
const (
	// GuestKernel marks an L1 entry that the guest wrote without US: bit 52
	// (MM-04; X/x86_64/page.h:_PAGE_GUEST_KERNEL).
	GuestKernel Entry = 1 << 52

	availHigh  Entry = 0x7ff << 52
	cacheAttrs Entry = PWT | PCD | PSE // bit 7 is PAT in an L1 entry

	// allowed are the bits a guest may set in any entry (MM-03).
	allowed = Present | Writable | User | Accessed | Dirty | AvailLow | availHigh | NX | AddrMask

	// free are the bits that may change without a new audit of the entry.
	free = NX | availHigh | AvailLow | Global | Dirty | Accessed | User
)

func (r *Rules) badL1(e Entry, owner uint16) bool {
	ok := allowed | Global
	if r.Hardware != nil && r.Hardware(owner) {
		ok |= cacheAttrs
	}
	return e&^ok != 0
}

// adjust rewrites a present entry of the given level as Xen stores it (MM-04).
func adjust(e Entry, level Type) Entry {
	if !e.Has(Present) {
		return e
	}
	switch level {
	case TypeL1:
		if !e.Has(User) {
			e |= GuestKernel | User
		}
		if !e.Has(GuestKernel) {
			e |= Global | User
		}
	case TypeL4:
		e |= Accessed | User
	default:
		e |= User
	}
	return e
}

// getL1 takes the references of a present L1 entry. pgOwner owns the target,
// l1Owner the table. flip are cache bits that Xen inverts for MMIO
// (X/mm.c:get_page_from_l1e).
func (r *Rules) getL1(e Entry, l1Owner, pgOwner uint16) (flip Entry, err abi.Errno) {
	if r.badL1(e, l1Owner) {
		return 0, abi.EINVAL
	}
	mfn := e.MFN()
	if !r.valid(mfn) || r.M.Info(mfn).Owner == OwnerIO {
		if pgOwner == OwnerIO {
			pgOwner = l1Owner // who is asked for the right
		}
		return r.getMMIO(e, pgOwner)
	}
	p := r.M.Info(mfn)
	if p.Count == 0 || p.Owner != pgOwner {
		return 0, abi.EBUSY
	}
	p.Count++
	r.M.SetInfo(mfn, p)
	if e.Has(Writable) && r.GetType(mfn, TypeWritable) != 0 {
		r.PutPage(mfn)
		return 0, abi.EBUSY
	}
	if e&cacheAttrs != 0 && p.Flags&XenHeap != 0 {
		if e.Has(Writable) {
			r.PutType(mfn)
		}
		r.PutPage(mfn)
		return 0, abi.EACCES
	}
	return 0, 0
}

// getMMIO decides about an entry whose frame is not RAM. Such entries hold no
// references.
func (r *Rules) getMMIO(e Entry, pgOwner uint16) (flip Entry, err abi.Errno) {
	mfn := e.MFN()
	if r.Hardware == nil || !r.Hardware(pgOwner) || mfn >= 1<<(r.MaxPA-mem.PageShift) || platformFrame(mfn) {
		if mfn == noMFN {
			return 0, abi.EINVAL
		}
		return 0, abi.EPERM
	}
	if ReadOnlyIO(mfn) {
		flip = e & Writable
	}
	// MMIO must not be mapped cacheable: WB becomes UC, WT and WP too.
	switch e & cacheAttrs {
	case 0:
		flip |= PWT | PCD
	case PWT, PWT | PSE:
		flip |= PCD | e&PSE
	}
	return flip, 0
}

// MMIO frames that Xen keeps for itself, wholly or in part
// (X/dom0_build.c:dom0_setup_permissions).
const (
	IOAPICFrame   = 0xfec00 // may only be looked at
	HPETFrame     = 0xfed00 // the same
	FirstMSIFrame = 0xfee00 // the local APIC, and where messages of interrupts go
	LastMSIFrame  = 0xfeeff
)

// ReadOnlyIO reports whether dom0 may look at a frame of I/O, but not write
// (Xen's mmio_ro_ranges).
func ReadOnlyIO(mfn uint64) bool { return mfn == IOAPICFrame || mfn == HPETFrame }

// platformFrame names the MMIO frames that not even the hardware domain may
// map.
func platformFrame(mfn uint64) bool { return mfn >= FirstMSIFrame && mfn <= LastMSIFrame }

// putL1 drops the references of an L1 entry that was in force.
func (r *Rules) putL1(e Entry) {
	mfn := e.MFN()
	if !e.Has(Present) || !r.valid(mfn) || r.M.Info(mfn).Owner == OwnerIO {
		return
	}
	if e.Has(Writable) {
		r.PutType(mfn)
	}
	r.PutPage(mfn)
}

// getTable takes the references of a present entry in a table of type t at
// frame table: its target must be a table of the level below, or, read-only,
// an already validated one of the same level (MM-15).
func (r *Rules) getTable(e Entry, table uint64, t Type, owner uint16) abi.Errno {
	if e&^allowed != 0 {
		return abi.EINVAL
	}
	err := r.GetPageAndType(e.MFN(), owner, t-1)
	if err == abi.EINVAL && r.getLinear(e, table, t, owner) {
		return 0
	}
	return err
}

// getLinear admits an entry that refers to a table of its own level
// (X/mm.c:get_lN_linear_pagetable).
func (r *Rules) getLinear(e Entry, table uint64, t Type, owner uint16) bool {
	if e.Has(Writable) {
		return false
	}
	mfn := e.MFN()
	if mfn == table {
		return true // no reference: a table may map itself
	}
	if r.M.Info(table).Owner != owner || !r.getPage(mfn, owner) {
		return false
	}
	p := r.M.Info(mfn)
	if p.Type != t || p.Flags&Validated == 0 || p.TypeCount == ^uint32(0) ||
		r.linear(table) < 0 || r.linear(mfn) > 0 {
		r.PutPage(mfn)
		return false
	}
	p.TypeCount++
	r.M.SetInfo(mfn, p)
	r.addLinear(table, 1)
	r.addLinear(mfn, -1)
	return true
}

// The linear count of a table is positive when it has entries for other
// tables of its level and negative when it is the target of some: a table
// cannot be both, so chains are impossible (XSA-240).
func (r *Rules) linear(mfn uint64) int32 { return int32(r.M.Info(mfn).Aux) }

func (r *Rules) addLinear(mfn uint64, d int32) {
	p := r.M.Info(mfn)
	p.Aux = uint32(int32(p.Aux) + d)
	r.M.SetInfo(mfn, p)
}

// putTable drops what getTable took.
func (r *Rules) putTable(e Entry, table uint64) {
	mfn := e.MFN()
	if !e.Has(Present) || mfn == table {
		return
	}
	r.putType(mfn, table)
	r.PutPage(mfn)
}
