package image

// Frames gives the domain machine frames from first up, as MFN by PFN: in
// ascending order, but for the 2 MiB pages of the p2m list, which lie in
// aligned blocks as Xen's allocator gives them. end is the MFN after the
// highest.
func (l *PVLayout) Frames(first uint64) (p2m []uint64, end uint64) {
	p2m = make([]uint64, l.NrPages)
	// The blocks: from lo, in the order of their PFNs.
	lo := (first + ptEntries - 1) / ptEntries * ptEntries
	hi := lo
	next, pfn := first, uint64(0)
	fill := func(to uint64) {
		for ; pfn < to; pfn++ {
			if next == lo {
				next = hi
			}
			p2m[pfn] = next
			next++
		}
	}
	for _, run := range l.leaves {
		if run.large {
			hi += ptEntries
		}
	}
	block := lo
	for _, run := range l.leaves {
		if !run.large {
			continue
		}
		fill(run.pfn)
		for i := uint64(0); i < ptEntries; i++ {
			p2m[pfn] = block
			block++
			pfn++
		}
	}
	fill(l.NrPages)
	return p2m, max(next, hi)
}
