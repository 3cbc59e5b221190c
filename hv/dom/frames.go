package dom

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Frames coming to the domain and leaving it. A free frame has a zero
// PageInfo; one in Xen's hands between two owners has the flag XenHeap alone.

// maxFrameBits is an address width that bounds nothing.
const maxFrameBits = 64

// AllocFrames gives the domain 2^order more frames, contiguous and aligned,
// zeroed, all below address 2^bits (0: anywhere); false when there is no such
// free RAM or the domain has its maximum (C/page_alloc.c:
// alloc_domheap_pages).
func (d *Domain) AllocFrames(order, bits uint32) (first uint64, ok bool) {
	n := uint64(1) << order
	if d.TotPages+n > d.MaxPages {
		return 0, false
	}
	if d.Claimed != 0 && d.Claimed < n && d.Claimed+n > d.FreeFrames() {
		return 0, false
	}
	if first, ok = d.Take(order, bits); ok {
		d.Assign(first, order)
		d.TotPages += n
		d.Claimed -= min(d.Claimed, n)
	}
	return first, ok
}

// FreeFrames is the number of frames that nobody has.
func (d *Domain) FreeFrames() (n uint64) {
	for mfn := d.space.m2pEnd; mfn < d.Mem.Frames(); mfn++ {
		if d.Mem.Info(mfn) == (mem.PageInfo{}) {
			n++
		}
	}
	return n
}

// Take puts 2^order free frames into Xen's hands; Assign gives them to the
// domain, Discard frees them again.
func (d *Domain) Take(order, bits uint32) (first uint64, ok bool) {
	n := uint64(1) << order
	total := d.Mem.Frames()
	if bits != 0 && bits < maxFrameBits {
		total = min(total, uint64(1)<<bits>>mem.PageShift)
	}
	next := (d.NextFree + n - 1) &^ (n - 1)
	for pass := 0; pass < 2; pass++ {
		for ; next+n <= total; next += n {
			if d.free(next, n) {
				d.take(next, n)
				d.NextFree = next + n
				return next, true
			}
		}
		next = (d.space.m2pEnd + n - 1) &^ (n - 1)
	}
	return 0, false
}

func (d *Domain) free(first, n uint64) bool {
	for mfn := first; mfn < first+n; mfn++ {
		if d.Mem.Info(mfn) != (mem.PageInfo{}) {
			return false
		}
	}
	return true
}

// take empties free frames. Translations that a former owner still has of
// one could make it writable in whatever type it gets now: they go first.
func (d *Domain) take(first, n uint64) {
	if d.StaleFrees {
		d.StaleFrees = false
		d.FlushTLB()
	}
	for mfn := first; mfn < first+n; mfn++ {
		d.Mem.PrepareWrite(mfn)
		clear(d.Mem.Frame(mfn))
		d.Mem.SetInfo(mfn, mem.PageInfo{Flags: pagetable.XenHeap})
	}
}

// Assign makes 2^order frames in Xen's hands the domain's. Its number of
// pages stays.
func (d *Domain) Assign(first uint64, order uint32) {
	for mfn := first; mfn < first+1<<order; mfn++ {
		d.Mem.SetInfo(mfn, mem.PageInfo{Owner: d.owner(), Flags: pagetable.Allocated, Count: 1})
	}
}

// Steal takes a frame that nothing refers to away from the domain, into Xen's
// hands, without changing its number of pages (X/mm.c:steal_page); -EINVAL
// otherwise.
func (d *Domain) Steal(mfn uint64) abi.Errno {
	p := d.Mem.Info(mfn)
	if mfn >= d.Mem.Frames() || p.Owner != d.owner() || p.Count != 1 ||
		p.Flags&(pagetable.Allocated|pagetable.XenHeap) != pagetable.Allocated {
		return abi.EINVAL
	}
	d.Mem.SetInfo(mfn, mem.PageInfo{Flags: pagetable.XenHeap})
	d.StaleFrees = true
	return 0
}

// Discard frees 2^order frames in Xen's hands.
func (d *Domain) Discard(first uint64, order uint32) {
	for mfn := first; mfn < first+1<<order; mfn++ {
		d.Mem.SetInfo(mfn, mem.PageInfo{})
		d.SetM2P(mfn, ^uint64(0))
	}
}

// Claim stakes what is missing to a total of pages for the domain, 0 gives the
// stake back (C/page_alloc.c:domain_set_outstanding_pages).
func (d *Domain) Claim(pages uint64) abi.Errno {
	switch {
	case pages == 0:
		d.Claimed = 0
		return 0
	case d.Claimed != 0 || pages <= d.TotPages || pages > d.MaxPages:
		return abi.EINVAL
	case pages-d.TotPages > d.FreeFrames():
		return abi.ENOMEM
	}
	d.Claimed = pages - d.TotPages
	return 0
}

// freed is told when the last reference to a frame of the domain has gone.
func (d *Domain) freed(mfn uint64, p mem.PageInfo) {
	if p.Flags&pagetable.XenHeap != 0 {
		return // Xen's own, which it keeps
	}
	d.TotPages--
	d.StaleFrees = true
	d.SetM2P(mfn, ^uint64(0))
}
