package dom

import (
	"encoding/binary"
	"fmt"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Xen's own frames lie at the bottom of the arena:
//
//	0 .. (1 MiB)     a machine's first MiB, which is I/O to Xen; no device is
//	                 there
//	256 ..           page tables of slots 256 and 260, descriptor pages, the
//	                 zero page, shared_info
//	512 .. (2 MiB)   the M2P table, 8 bytes a frame, mapped by 2 MiB pages
//	then             the domain's frames
//
// The domain's frames are contiguous but shifted, so that no MFN equals its
// PFN.
const (
	firstXenFrame = 0x100
	m2pFrame      = 512 // first frame of the M2P table, 2 MiB aligned
	superFrames   = 512

	perVCPUPages = 32 // of the per-domain area: 16 GDT pages, then 16 for the LDT
	tssPage      = 15 // behind the GDT's limit
	ldtPage      = 16
	maxVCPUs     = 128
)

// Entry flags Xen uses for its own mappings.
const (
	xenTable  = pagetable.Present | pagetable.Writable | pagetable.Accessed | pagetable.Dirty
	xenRO     = pagetable.Present | pagetable.Accessed | pagetable.NX
	xenRW     = xenTable | pagetable.NX
	guestView = pagetable.Present | pagetable.User | pagetable.Accessed
)

// space is the fixed layout of Xen's own memory; it does not change after
// New.
type space struct {
	next       uint64   // next free frame of the private area while building
	zero       uint64   // the zero page
	scratch    uint64   // a page that takes stores that go nowhere
	perDomainL uint64   // L3 of slot 260
	perDomain  []uint64 // L1s of the per-domain area, 16 vCPUs each
	gdt        []uint64 // Xen's GDT page, one a vCPU
	sharedInfo uint64
	isolated   uint64 // root that the processors use for slots 256-271 under page-table isolation, else 0
	m2pEnd     uint64 // first frame after the M2P table
	full       [abi.L4LastXenSlot - abi.L4FirstXenSlot + 1]pagetable.Entry
}

// ReservedFrames is the number of frames that Xen takes for itself at the
// bottom of an arena of total frames with n vCPUs: the arena of a domain with
// P pages needs P more, and a few to spare.
func ReservedFrames(total uint64) uint64 {
	m2p := (total*8 + superFrames<<mem.PageShift - 1) >> (mem.PageShift + 9)
	return m2pFrame + m2p*superFrames
}

// ArenaFrames is the size of an arena for a domain of pages pages: Xen's part
// included, rounded to 2 MiB, with some free RAM and some that nobody may
// have.
func ArenaFrames(pages uint64) uint64 {
	need := pages + spareFrames
	total := need
	for {
		t := ReservedFrames(total) + need
		t = (t + superFrames - 1) &^ (superFrames - 1)
		if t == total {
			return total
		}
		total = t
	}
}

// spareFrames are free RAM above the domain, for populate_physmap and for
// tests of frames that nobody owns.
const spareFrames = 2048

func (d *Domain) xenFrame() uint64 {
	mfn := d.space.next
	if mfn >= m2pFrame {
		panic("dom: Xen's private frames are used up")
	}
	d.space.next++
	d.Mem.SetInfo(mfn, mem.PageInfo{Flags: pagetable.XenHeap})
	return mfn
}

func (d *Domain) setEntry(table, i uint64, e pagetable.Entry) {
	d.Changes++
	d.Mem.Write64(table<<mem.PageShift+8*i, uint64(e))
}

// buildSpace lays out Xen's memory for n vCPUs.
func (d *Domain) buildSpace(n int) error {
	total := d.Mem.Frames()
	s := &d.space
	s.m2pEnd = ReservedFrames(total)
	if s.m2pEnd+superFrames > total {
		return fmt.Errorf("dom: arena of %d frames is too small", total)
	}
	s.next = firstXenFrame
	// dom0 may map the first MiB (MM-13, MM-34; X/mm.c:arch_init_memory).
	for mfn := range uint64(firstXenFrame) {
		pagetable.Share(d.Mem, mfn, pagetable.OwnerIO, pagetable.TypeWritable)
	}
	s.zero, s.scratch = d.xenFrame(), d.xenFrame()
	tss := d.xenFrame()
	// No I/O bitmap: its offset lies beyond the limit (SDM vol. 1, "I/O
	// Permission Bit Map").
	d.Mem.Write64(tss<<mem.PageShift+0x60, 0x8000<<48)

	// The M2P: slot 256, readable by everybody, 2 MiB pages. Entries of
	// frames that belong to no domain are all ones.
	l3, l2 := d.xenFrame(), d.xenFrame()
	d.setEntry(l3, 0, pagetable.Make(l2, guestView))
	for i, mfn := uint64(0), uint64(m2pFrame); mfn < s.m2pEnd; i, mfn = i+1, mfn+superFrames {
		if i == 512 {
			l2 = d.xenFrame()
			d.setEntry(l3, i>>9, pagetable.Make(l2, guestView))
		}
		d.setEntry(l2, i&511, pagetable.Make(mfn, guestView|pagetable.PSE|pagetable.NX))
	}
	d.fillM2P(0, total, ^uint64(0))

	// The per-domain area: slot 260.
	s.perDomainL = d.xenFrame()
	pl2 := d.xenFrame()
	d.setEntry(s.perDomainL, 0, pagetable.Make(pl2, xenTable))
	for i := 0; i < n; i++ {
		if i%16 == 0 {
			l1 := d.xenFrame()
			d.setEntry(pl2, uint64(i/16), pagetable.Make(l1, xenTable))
			s.perDomain = append(s.perDomain, l1)
		}
		gdt := d.xenFrame()
		s.gdt = append(s.gdt, gdt)
		d.fillXenGDT(gdt, i)
		d.setWindow(i, abi.FirstReservedGDTPage, pagetable.Make(gdt, xenRW))
		d.setWindow(i, tssPage, pagetable.Make(tss, xenRO))
		for p := uint64(0); p < abi.FirstReservedGDTPage; p++ {
			d.setWindow(i, p, pagetable.Make(s.zero, xenRO))
		}
	}
	s.sharedInfo = d.xenFrame()
	pagetable.Share(d.Mem, s.sharedInfo, d.owner(), pagetable.TypeWritable)

	d.fillSlots(l3)
	return nil
}

// fillSlots decides what L4 slots 256-271 hold: in every root of the guest,
// and in Xen's own view. With page-table isolation (HIST-16) the processors
// don't use what the guest's roots have there: nothing but the M2P and the
// per-domain area is mapped while the guest runs, for user mode too (MM-21).
// What the roots show besides leads to an empty table, so that accesses fault
// as not present; without isolation the direct map is there, for Xen alone.
func (d *Domain) fillSlots(m2pL3 uint64) {
	s, slots := &d.space, &d.Rules.XenSlots
	empty := d.xenFrame()
	slot := func(n int) int { return n - abi.L4FirstXenSlot }
	slots[slot(abi.L4M2PSlot)] = pagetable.Make(m2pL3, guestView|pagetable.NX)
	slots[slot(abi.L4Linear)] = pagetable.Make(empty, xenTable|pagetable.NX)
	slots[slot(abi.L4PerDomain)] = pagetable.Make(s.perDomainL, xenTable|pagetable.NX)
	slots[slot(abi.L4Xen)] = pagetable.Make(empty, xenTable)
	slots[slot(abi.L4DirectMap)] = pagetable.Make(empty, xenTable|pagetable.NX)
	s.full = *slots
	s.full[slot(abi.L4DirectMap)] = pagetable.Make(d.directMap(), xenTable|pagetable.NX)
	if d.NoXPTI {
		*slots = s.full
		slots[slot(abi.L4Xen)] = pagetable.Make(d.imageMap(), xenTable)
		return
	}
	s.isolated = d.xenFrame()
	for _, n := range [...]int{abi.L4M2PSlot, abi.L4PerDomain} {
		d.setEntry(s.isolated, uint64(n), slots[slot(n)])
	}
}

// imageMap maps where Xen's image is, in 2 MiB pages of nothing: only that
// they are there shows, in the error code of a guest's access.
func (d *Domain) imageMap() uint64 {
	const image, size = 0xffff82d040200000, 3 // XEN_VIRT_START, without the first 2 MiB
	l3, l2 := d.xenFrame(), d.xenFrame()
	d.setEntry(l3, pagetable.Index(image, 3), pagetable.Make(l2, xenTable))
	for i := uint64(0); i < size; i++ {
		d.setEntry(l2, pagetable.Index(image, 2)+i, pagetable.Make(0, xenTable|pagetable.PSE|pagetable.Global))
	}
	return l3
}

// directMap builds the tables of Xen's direct map of all RAM, which only
// Xen's own page walks see: 2 MiB pages, the first 2 MiB in small ones.
func (d *Domain) directMap() uint64 {
	const page = pagetable.Present | pagetable.Writable | pagetable.Accessed | pagetable.Dirty | pagetable.Global
	l3 := d.xenFrame()
	var l2 uint64
	for i := uint64(0); i*superFrames < d.Mem.Frames(); i++ {
		if i&511 == 0 {
			l2 = d.xenFrame()
			d.setEntry(l3, i>>9, pagetable.Make(l2, xenTable))
		}
		d.setEntry(l2, i&511, pagetable.Make(i*superFrames, page|pagetable.PSE|pagetable.NX))
		if i == 0 {
			l1 := d.xenFrame()
			d.setEntry(l2, 0, pagetable.Make(l1, xenTable))
			for p := uint64(0); p < superFrames; p++ {
				d.setEntry(l1, p, pagetable.Make(p, page|1<<9))
			}
		}
	}
	return l3
}

// setWindow maps page p of vCPU v's part of the per-domain area.
func (d *Domain) setWindow(v int, p uint64, e pagetable.Entry) {
	d.setEntry(d.space.perDomain[v/16], uint64(v%16)*perVCPUPages+p, e)
}

func (d *Domain) window(v int, p uint64) pagetable.Entry {
	at := d.space.perDomain[v/16]<<mem.PageShift + 8*(uint64(v%16)*perVCPUPages+p)
	return pagetable.Entry(d.Mem.Read64(at))
}

// GDTBase is the linear address of vCPU v's GDT (X/pv/domain.h:
// GDT_VIRT_START).
func GDTBase(v int) uint64 { return abi.PerDomainVirtStart + uint64(v)*perVCPUPages<<mem.PageShift }

// LDTBase is the linear address of its LDT.
func LDTBase(v int) uint64 { return GDTBase(v) + ldtPage<<mem.PageShift }

// fillXenGDT writes Xen's own descriptors: entries 7168 and up of every
// guest's GDT (X/desc.c:boot_gdt).
func (d *Domain) fillXenGDT(mfn uint64, v int) {
	page := d.Mem.Frame(mfn)
	d.Mem.PrepareWrite(mfn)
	put := func(sel uint16, desc uint64) {
		binary.LittleEndian.PutUint64(page[sel&0xff8:], desc)
	}
	put(abi.HypervisorCS, 0x00af9b000000ffff)
	put(abi.HypervisorDS, 0x00cf93000000ffff)
	put(abi.FlatUserCS32, 0x00cffb000000ffff)
	put(abi.FlatUserDS32, 0x00cff3000000ffff)
	put(abi.FlatKernelCS, 0x00affb000000ffff)
	put(abi.TSSSelector, 0x00008b0000000067|(GDTBase(v)+tssPage<<mem.PageShift)&0xffffff<<16)
	put(abi.PerCPUSelector, 0x0000910000000000|uint64(v)) // limit = CPU number
}

// fillM2P sets the M2P entries of frames from to to-1.
func (d *Domain) fillM2P(from, to, pfn uint64) {
	for mfn := from; mfn < to; {
		at := m2pFrame<<mem.PageShift + mfn*8
		frame := at >> mem.PageShift
		d.Mem.PrepareWrite(frame)
		page := d.Mem.Frame(frame)
		for o := at & mem.PageMask; o < mem.PageSize && mfn < to; o, mfn = o+8, mfn+1 {
			binary.LittleEndian.PutUint64(page[o:], pfn)
		}
	}
}

// M2PExtents are the frames at which each 2 MiB of the M2P table begins.
func (d *Domain) M2PExtents() (mfns []uint64) {
	for mfn := uint64(m2pFrame); mfn < d.space.m2pEnd; mfn += superFrames {
		mfns = append(mfns, mfn)
	}
	return mfns
}

// SetM2P records that frame mfn holds pseudo-physical page pfn (^0: none).
func (d *Domain) SetM2P(mfn, pfn uint64) {
	if mfn < d.Mem.Frames() {
		d.Mem.Write64(m2pFrame<<mem.PageShift+mfn*8, pfn)
	}
}

// M2P is the pseudo-physical page of frame mfn, all ones when there is none.
func (d *Domain) M2P(mfn uint64) uint64 {
	if mfn >= d.Mem.Frames() {
		return ^uint64(0)
	}
	return d.Mem.Read64(m2pFrame<<mem.PageShift + mfn*8)
}

// ScratchMFN is a frame of Xen's in which nothing is kept.
func (d *Domain) ScratchMFN() uint64 { return d.space.scratch }

// XenSlot is Xen's own entry for L4 slot 256-271, as Xen's page walks see it.
func (d *Domain) XenSlot(slot uint64) pagetable.Entry { return d.space.full[slot-abi.L4FirstXenSlot] }
