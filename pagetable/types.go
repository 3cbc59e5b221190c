package pagetable

import (
	"fmt"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Type is what a frame may be used for while its type count is not zero
// (MM-01; X/mm.c head comment). The numbers are Xen's PGT_* types.
type Type = uint8

// Page types.
const (
	TypeNone     Type = 0
	TypeL1       Type = 1
	TypeL2       Type = 2
	TypeL3       Type = 3
	TypeL4       Type = 4
	TypeSegDesc  Type = 5
	TypeShared   Type = 6
	TypeWritable Type = 7
)

// Bits of mem.PageInfo.Flags.
const (
	Validated uint8 = 1 << iota // contents were audited for Type
	Pinned                      // MMUEXT_PIN holds one type reference
	Allocated                   // the domain's own reference (PGC_allocated)
	XenHeap                     // a frame of Xen's; one with Allocated may be mapped by its owner (Share)
)

// Owner values of mem.PageInfo.Owner: domain id + 1, and these.
const (
	OwnerNone uint16 = 0
	OwnerXen  uint16 = abi.DomIDXen + 1
	OwnerIO   uint16 = abi.DomIDIO + 1
)

// OwnerOf is the Owner value of a domain.
func OwnerOf(domid uint16) uint16 { return domid + 1 }

// Rules are the page-type rules of one machine: every change of a guest page
// table goes through them. They see frames and owners, no vCPUs.
type Rules struct {
	M *mem.Memory
	// XenSlots are put into slots 256-271 of an L4 the moment it validates
	// (MM-12).
	XenSlots [abi.L4LastXenSlot - abi.L4FirstXenSlot + 1]Entry
	// StrictM2P reports whether new roots get the M2P in slot 256 at once; else
	// they get it when they first become a kernel's (MM-21).
	StrictM2P func() bool
	// Hardware reports whether the owner has hardware rights: cache
	// attribute bits in L1 entries, and MMIO frames (MM-03, MM-13).
	Hardware func(owner uint16) bool
	// MaxPA is the number of physical address bits, which bounds MMIO.
	MaxPA uint
	// L1TF guards against entries that a vulnerable processor leaks through;
	// nil does not.
	L1TF *L1TF
	// Flush drops all translations of the domain's vCPUs: called when a frame
	// changes its type (a stale writable translation could exist) and after
	// L2-L4 changes (MM-11).
	Flush func()
	// Changes, if not nil, counts entries written: while it stands still no
	// translation can have become stale.
	Changes *uint64
	// Tables counts page tables validated or taken apart: the work an
	// operation made, by which long lists are cut into pieces.
	Tables uint64
	// Freed is told that the last reference to a frame has gone, and what the
	// frame was.
	Freed func(mfn uint64, was mem.PageInfo)
	// Log gets the lines that a release build of Xen prints.
	Log func(line string)
}

// Share lets owner have a frame of Xen's: its type is held at writable, or at
// none, which no writable mapping can have (X/mm.c:share_xen_page_with_guest,
// assign_io_page).
func Share(m *mem.Memory, mfn uint64, owner uint16, t Type) {
	p := mem.PageInfo{Owner: owner, Type: t, Flags: Validated | Allocated | XenHeap, TypeCount: 1, Count: 1}
	if owner == OwnerIO {
		p.Flags &^= XenHeap
	}
	m.SetInfo(mfn, p)
}

// noMFN is the frame number of an all-ones address: Xen's INVALID_MFN in a
// page-table entry (MM-13).
const noMFN = uint64(AddrMask) >> mem.PageShift

func (r *Rules) valid(mfn uint64) bool { return mfn < r.M.Frames() }

// getPage takes a general reference to a frame that owner owns.
func (r *Rules) getPage(mfn uint64, owner uint16) bool {
	if !r.valid(mfn) {
		return false
	}
	p := r.M.Info(mfn)
	if p.Owner == owner && p.Count != 0 {
		p.Count++
		r.M.SetInfo(mfn, p)
		return true
	}
	od := "d[NULL]"
	if p.Count != 0 {
		od = domName(p.Owner)
	}
	if r.Log != nil {
		caf, taf := packed(p)
		r.Log(fmt.Sprintf("Error mfn %05x: rd=%s od=%s caf=%08x taf=%016x", mfn, domName(owner), od, caf, taf))
	}
	return false
}

// packed are the words in which Xen keeps what p says (XI/mm.h:PGC_*, PGT_*);
// those of a free frame hold something else.
func packed(p mem.PageInfo) (countInfo, typeInfo uint64) {
	countInfo, typeInfo = uint64(p.Count), uint64(p.Type)<<61|uint64(p.TypeCount)
	if p.Flags&Allocated != 0 {
		countInfo |= 1 << 63
	}
	if p.Flags&XenHeap != 0 {
		countInfo |= 1 << 62
	}
	if p.Flags&Pinned != 0 {
		typeInfo |= 1 << 59
	}
	if p.Flags&Validated != 0 {
		typeInfo |= 1 << 58
	}
	return countInfo, typeInfo
}

// domName is how Xen's %pd prints a domain.
func domName(owner uint16) string {
	switch owner {
	case OwnerNone:
		return "d[NULL]"
	case OwnerXen:
		return "d[XEN]"
	case OwnerIO:
		return "d[IO]"
	}
	return fmt.Sprintf("d%d", owner-1)
}

// GetPage takes a general reference; false when owner does not own the frame.
func (r *Rules) GetPage(mfn uint64, owner uint16) bool { return r.getPage(mfn, owner) }

// PutPage drops one; the last one frees the frame.
func (r *Rules) PutPage(mfn uint64) {
	p := r.M.Info(mfn)
	if p.Count == 0 {
		panic(fmt.Sprintf("pagetable: frame %#x: general reference below zero", mfn))
	}
	p.Count--
	if p.Count != 0 {
		r.M.SetInfo(mfn, p)
		return
	}
	r.M.SetInfo(mfn, mem.PageInfo{Flags: p.Flags & XenHeap})
	if r.Freed != nil {
		r.Freed(mfn, p)
	}
}

// Release gives up the owner's own reference to a frame, which is free with
// its last mapping; false when it is not owner's (C/memory.c:
// guest_remove_page).
func (r *Rules) Release(mfn uint64, owner uint16) bool {
	if !r.getPage(mfn, owner) {
		return false
	}
	if p := r.M.Info(mfn); p.Flags&Allocated != 0 {
		p.Flags &^= Allocated
		r.M.SetInfo(mfn, p)
		r.PutPage(mfn)
	}
	r.PutPage(mfn)
	return true
}

// GetType takes a type reference, validating the frame if it is the first
// (X/mm.c:_get_page_type).
func (r *Rules) GetType(mfn uint64, t Type) abi.Errno {
	p := r.M.Info(mfn)
	switch {
	case p.TypeCount == 0:
		changed, used := p.Type != t, p.Type != TypeNone
		if changed {
			p.Type = t
			p.Flags &^= Validated
		}
		p.TypeCount = 1
		if p.Flags&Validated != 0 { // same type as before: still audited
			r.M.SetInfo(mfn, p)
			return 0
		}
		p.Aux = 0
		r.M.SetInfo(mfn, p)
		if changed && used && r.Flush != nil {
			r.Flush()
		}
		if t != TypeWritable && t != TypeShared {
			if err := r.validate(mfn, t); err != 0 {
				p = r.M.Info(mfn)
				p.Type, p.TypeCount, p.Aux = TypeNone, 0, 0
				p.Flags &^= Validated
				r.M.SetInfo(mfn, p)
				return err
			}
		}
		p = r.M.Info(mfn)
		p.Flags |= Validated
		r.M.SetInfo(mfn, p)
		return 0
	case p.Type != t:
		return abi.EINVAL
	case p.Flags&Validated == 0:
		// The frame is being validated further up the call: an entry that
		// leads back to its own table (other than linear ones).
		return abi.EINVAL
	case p.TypeCount == ^uint32(0):
		return abi.EINVAL
	}
	p.TypeCount++
	r.M.SetInfo(mfn, p)
	return 0
}

// PutType drops a type reference; at zero a page table is taken apart.
func (r *Rules) PutType(mfn uint64) { r.putType(mfn, noMFN) }

// putType drops a type reference that table parent held (noMFN: none), which
// matters for linear tables.
func (r *Rules) putType(mfn, parent uint64) {
	p := r.M.Info(mfn)
	if p.TypeCount == 0 {
		panic(fmt.Sprintf("pagetable: frame %#x: type reference below zero", mfn))
	}
	linear := parent != noMFN && r.M.Info(parent).Type == p.Type
	if p.TypeCount == 1 && p.Type >= TypeL1 && p.Type <= TypeL4 && p.Flags&Validated != 0 {
		p.Flags &^= Validated
		r.M.SetInfo(mfn, p)
		r.demote(mfn, p.Type)
		p = r.M.Info(mfn)
	}
	p.TypeCount--
	r.M.SetInfo(mfn, p)
	if linear {
		r.addLinear(mfn, 1)
		r.addLinear(parent, -1)
	}
}

func (r *Rules) validate(mfn uint64, t Type) abi.Errno {
	switch t {
	case TypeL1:
		return r.promoteL1(mfn)
	case TypeL2, TypeL3, TypeL4:
		return r.promoteTable(mfn, t)
	case TypeSegDesc:
		return r.validateSegDesc(mfn)
	}
	return abi.EINVAL
}

// GetPageAndType takes both references or none; -EINVAL otherwise
// (X/mm.c:get_page_and_type_from_mfn).
func (r *Rules) GetPageAndType(mfn uint64, owner uint16, t Type) abi.Errno {
	if !r.getPage(mfn, owner) {
		return abi.EINVAL
	}
	if err := r.GetType(mfn, t); err != 0 {
		r.PutPage(mfn)
		return err
	}
	return 0
}

// PutPageAndType drops both.
func (r *Rules) PutPageAndType(mfn uint64) {
	r.PutType(mfn)
	r.PutPage(mfn)
}
