package grant

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// The frames of a table are Xen's, shared with the domain: it may map them
// writable and change them at any time.

// Grow makes the table n frames long, at least one; it never shrinks
// (gnttab_grow_table). n must not exceed MaxFrames.
func (t *Table) grow(n uint32) {
	n = max(n, 1)
	for t.active.len() < n*entriesV1 {
		t.active.grow()
	}
	for i := t.Shared; i < n; i++ {
		t.share(t.SharedFrame(i))
	}
	t.Shared = max(t.Shared, n)
	if t.Version > 1 {
		t.addStatus()
	}
}

// addStatus gives the table as many status frames as its entries need.
func (t *Table) addStatus() {
	n := (t.Shared*entriesV2 + statusPerFrame - 1) / statusPerFrame
	for i := t.Status; i < n; i++ {
		t.share(t.StatusFrame(i))
	}
	t.Status = n
}

// share zeroes a frame and hands it to the domain.
func (t *Table) share(mfn uint64) {
	t.clear(mfn)
	t.reshare(mfn)
}

func (t *Table) reshare(mfn uint64) {
	pagetable.Share(t.sys.Mem, mfn, t.owner(), pagetable.TypeWritable)
	t.sys.SetM2P(mfn, ^uint64(0))
}

func (t *Table) clear(mfn uint64) {
	t.sys.Mem.PrepareWrite(mfn)
	clear(t.sys.Mem.Frame(mfn))
}

// dropStatus takes the status frames away from the domain, all or none: -EBUSY
// if the domain still maps one (gnttab_unpopulate_status_frames).
func (t *Table) dropStatus() abi.Errno {
	for i := uint32(0); i < t.Status; i++ {
		mfn := t.StatusFrame(i)
		if !t.unshare(mfn) {
			for i > 0 {
				i--
				t.reshare(t.StatusFrame(i))
			}
			return abi.EBUSY
		}
	}
	t.Status = 0
	return 0
}

// unshare makes a frame a free one of Xen's; false if the domain maps it.
func (t *Table) unshare(mfn uint64) bool {
	p := t.sys.Mem.Info(mfn)
	if p.Flags&pagetable.Allocated != 0 { // else the domain gave its own up
		p.Count--
	}
	if p.Count == 0 {
		t.sys.Mem.SetInfo(mfn, mem.PageInfo{Flags: pagetable.XenHeap})
		return true
	}
	p.Flags |= pagetable.Allocated
	p.Count++
	t.sys.Mem.SetInfo(mfn, p)
	return false
}

// Words of a table in memory, by machine address.

func (t *Table) get16(pa uint64) uint16 {
	return binary.LittleEndian.Uint16(t.sys.Mem.Frame(pa >> mem.PageShift)[pa&mem.PageMask:])
}

func (t *Table) put16(pa uint64, v uint16) {
	t.sys.Mem.PrepareWrite(pa >> mem.PageShift)
	binary.LittleEndian.PutUint16(t.sys.Mem.Frame(pa >> mem.PageShift)[pa&mem.PageMask:], v)
}

func (t *Table) get32(pa uint64) uint32 {
	return binary.LittleEndian.Uint32(t.sys.Mem.Frame(pa >> mem.PageShift)[pa&mem.PageMask:])
}

// entry is the machine address of reference ref, which the table has.
func (t *Table) entry(ref uint32) uint64 {
	if t.Version == 1 {
		return t.SharedFrame(ref/entriesV1)<<mem.PageShift + uint64(ref%entriesV1)*abi.GrantEntryV1Size
	}
	return t.SharedFrame(ref/entriesV2)<<mem.PageShift + uint64(ref%entriesV2)*abi.GrantEntryV2Size
}

// status is the machine address of the word in which Xen says that ref is in
// use: the entry's flags, or version 2's status word.
func (t *Table) status(ref uint32) uint64 {
	if t.Version == 1 {
		return t.entry(ref) + abi.GrantEntryFlags
	}
	return t.StatusFrame(ref/statusPerFrame)<<mem.PageShift + uint64(ref%statusPerFrame)*abi.GrantStatusSize
}

func (t *Table) flags(ref uint32) uint16 { return t.get16(t.entry(ref) + abi.GrantEntryFlags) }
func (t *Table) domid(ref uint32) uint16 { return t.get16(t.entry(ref) + abi.GrantEntryDomid) }

// frame is the frame number in an entry (full_page or sub_page in version 2).
func (t *Table) frame(ref uint32) uint64 {
	if t.Version == 1 {
		return uint64(t.get32(t.entry(ref) + abi.GrantEntryV1Frame))
	}
	return t.sys.Mem.Read64(t.entry(ref) + abi.GrantEntryV2Frame)
}

// Grant fills in an entry of a version 1 table, as the toolstack does for the
// console and the store before the domain starts (T/xg_dom_boot.c:
// xc_dom_gnttab_init).
func (t *Table) Grant(ref uint32, to uint16, mfn uint64) {
	at := t.entry(ref)
	t.put16(at+abi.GrantEntryDomid, to)
	t.sys.Mem.Write(at+abi.GrantEntryV1Frame, binary.LittleEndian.AppendUint32(nil, uint32(mfn)))
	t.put16(at+abi.GrantEntryFlags, abi.GTFPermitAccess)
}
