package pagetable

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

const entries = 512

func (r *Rules) entry(mfn uint64, i int) Entry {
	return Entry(binary.LittleEndian.Uint64(r.M.Frame(mfn)[8*i:]))
}

func (r *Rules) setEntry(mfn uint64, i int, e Entry) {
	r.M.PrepareWrite(mfn)
	binary.LittleEndian.PutUint64(r.M.Frame(mfn)[8*i:], uint64(e))
	if r.Changes != nil {
		*r.Changes++
	}
}

// guestSlot reports whether slot i of a table of type t is the guest's to
// fill.
func guestSlot(t Type, i int) bool {
	return t != TypeL4 || i < abi.L4FirstXenSlot || i > abi.L4LastXenSlot
}

// promoteL1 audits all entries of an L1 and takes their references
// (X/mm.c:promote_l1_table). Entries rewritten before a failure stay
// rewritten, as in Xen.
func (r *Rules) promoteL1(mfn uint64) abi.Errno {
	r.Tables++
	owner := r.M.Info(mfn).Owner
	for i := 0; i < entries; i++ {
		old := r.entry(mfn, i)
		if !old.Has(Present) && !r.Leaks(old, TypeL1) {
			continue
		}
		flip, err := Entry(0), abi.ERESTART
		if old.Has(Present) {
			flip, err = r.getL1(old, owner, owner)
		}
		if err != 0 {
			for i--; i >= 0; i-- {
				r.putL1(r.entry(mfn, i))
			}
			return err
		}
		if e := adjust(old^flip, TypeL1); e != old {
			r.setEntry(mfn, i, e)
		}
	}
	return 0
}

// promoteTable is the same for L2 to L4. It recurses at most through the
// levels below; linear entries only refer to tables already validated.
func (r *Rules) promoteTable(mfn uint64, t Type) abi.Errno {
	r.Tables++
	owner := r.M.Info(mfn).Owner
	for i := 0; i < entries; i++ {
		old := r.entry(mfn, i)
		if !guestSlot(t, i) || !old.Has(Present) && !r.Leaks(old, t) {
			continue
		}
		err := abi.ERESTART
		if old.Has(Present) {
			err = r.getTable(old, mfn, t, owner)
		}
		if err != 0 {
			for i--; i >= 0; i-- {
				if guestSlot(t, i) {
					r.putTable(r.entry(mfn, i), mfn)
				}
			}
			return err
		}
		if e := adjust(old, t); e != old {
			r.setEntry(mfn, i, e)
		}
	}
	if t == TypeL4 {
		for i, e := range r.XenSlots {
			if i == abi.L4M2PSlot-abi.L4FirstXenSlot && (r.StrictM2P == nil || !r.StrictM2P()) {
				e = 0
			}
			r.setEntry(mfn, abi.L4FirstXenSlot+i, xenSlot(i, e, mfn))
		}
	}
	return 0
}

// xenSlot is what a root has in slot 256+i, where e is what all have: the slot
// of the linear map leads to the root itself (X/mm.c:init_xen_l4_slots).
func xenSlot(i int, e Entry, root uint64) Entry {
	if i == abi.L4Linear-abi.L4FirstXenSlot && e.Has(Present) {
		return Make(root, e&^AddrMask)
	}
	return e
}

// demote drops the references of all entries of a page table whose type
// count falls to zero (X/mm.c:demote_lN_table). The contents stay.
func (r *Rules) demote(mfn uint64, t Type) {
	r.Tables++
	for i := 0; i < entries; i++ {
		e := r.entry(mfn, i)
		switch {
		case !guestSlot(t, i):
		case t == TypeL1:
			r.putL1(e)
		default:
			r.putTable(e, mfn)
		}
	}
}

// Apply is the one door through which a guest's entry is changed: it writes
// val to slot (pa&0xfff)/8 of the frame of pa, which must be a validated page
// table or a frame that can take the writable type (X/mm.c:do_mmu_update).
// pgOwner owns the frames that an L1 entry may map. preserveAD ORs the old
// accessed and dirty bits in. It returns the level changed (0: the value was
// just stored, MM-09).
func (r *Rules) Apply(pa uint64, val Entry, owner, pgOwner uint16, preserveAD bool) (level Type, err abi.Errno) {
	mfn, i := pa>>mem.PageShift, int(pa&mem.PageMask/8)
	p := r.M.Info(mfn)
	if p.TypeCount == 0 {
		if r.GetType(mfn, TypeWritable) != 0 {
			return 0, abi.EINVAL
		}
		r.setEntry(mfn, i, val)
		r.PutType(mfn)
		return 0, 0
	}
	switch {
	case p.Flags&Validated == 0:
		return p.Type, abi.EINVAL
	case p.Type == TypeL1:
		return TypeL1, r.modL1(mfn, i, val, owner, pgOwner, preserveAD)
	case p.Type >= TypeL2 && p.Type <= TypeL4:
		if pgOwner != owner {
			return p.Type, abi.EINVAL
		}
		err = r.modTable(mfn, i, val, p.Type, owner, preserveAD)
		if err == 0 && r.Flush != nil {
			r.Flush()
		}
		return p.Type, err
	case p.Type == TypeWritable:
		r.setEntry(mfn, i, val)
		return 0, 0
	}
	return 0, abi.EINVAL
}

func keepAD(old, val Entry, preserve bool) Entry {
	if preserve {
		return val | old&(Accessed|Dirty)
	}
	return val
}

// modL1 replaces an L1 entry (X/mm.c:mod_l1_entry).
func (r *Rules) modL1(mfn uint64, i int, val Entry, owner, pgOwner uint16, preserveAD bool) abi.Errno {
	old := r.entry(mfn, i)
	if val.Has(Present) {
		if r.badL1(val, owner) {
			return abi.EINVAL
		}
		val = adjust(val, TypeL1)
		if old.Has(Present) && (old^val)&^free == 0 {
			r.setEntry(mfn, i, keepAD(old, val, preserveAD))
			return 0
		}
		flip, err := r.getL1(val, owner, pgOwner)
		if err != 0 {
			return err
		}
		val ^= flip
	} else if r.Leaks(val, TypeL1) {
		return abi.ERESTART
	}
	r.setEntry(mfn, i, keepAD(old, val, preserveAD))
	r.putL1(old)
	return 0
}

// modTable replaces an L2, L3 or L4 entry.
func (r *Rules) modTable(mfn uint64, i int, val Entry, t Type, owner uint16, preserveAD bool) abi.Errno {
	if !guestSlot(t, i) {
		return abi.EINVAL
	}
	old := r.entry(mfn, i)
	if val.Has(Present) {
		if val&^allowed != 0 {
			return abi.EINVAL
		}
		val = adjust(val, t)
		if old.Has(Present) && (old^val)&^free == 0 {
			r.setEntry(mfn, i, keepAD(old, val, preserveAD))
			return 0
		}
		if err := r.getTable(val, mfn, t, owner); err != 0 {
			return err
		}
	} else if r.Leaks(val, t) {
		return abi.ERESTART
	}
	r.setEntry(mfn, i, keepAD(old, val, preserveAD))
	r.putTable(old, mfn)
	return 0
}

// Emulated is Apply for a store to an L1 entry that Xen emulates (MM-16): the
// new entry is audited even where only free bits change, and cmpxchg makes
// the store conditional on the old value. It reports whether it was made.
func (r *Rules) Emulated(pa uint64, val Entry, owner uint16, cmpxchg bool, expect Entry) (stored bool, err abi.Errno) {
	mfn, i := pa>>mem.PageShift, int(pa&mem.PageMask/8)
	if val.Has(Present) {
		flip, err := r.getL1(val, owner, owner)
		if err != 0 {
			return false, err
		}
		val = adjust(val^flip, TypeL1)
	}
	old := r.entry(mfn, i)
	if cmpxchg && old != expect {
		r.putL1(val)
		return false, 0
	}
	r.setEntry(mfn, i, val)
	r.putL1(old)
	return true, 0
}
