package image

import (
	"math/bits"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// planDom0 lays out the first domain as Xen's own builder does
// (X/pv/dom0_build.c:dom0_construct_pv, setup_pv_physmap; Xen 4.17).
func (l *PVLayout) planDom0(r reporter, p *XenParms, p2m []uint64, ramdisk uint64) *Error {
	if p.HasSupported && p.Supported>>abi.FeatDom0&1 == 0 {
		return r.errorf("note SUPPORTED_FEATURES", "%#x lacks dom0 (bit %d): the kernel does not support dom0 operation", p.Supported, abi.FeatDom0)
	}
	mapped := ramdisk != 0 && !p.UnmappedInitrd
	l.RamdiskPages, l.RamdiskLen = pages(ramdisk), ramdisk
	at := pageUp(l.Kernel.End)
	if mapped {
		l.Ramdisk = Region{at, at + ramdisk}
		at = pageUp(l.Ramdisk.End)
	}
	l.P2M = Region{at, at}
	if p.InitP2M == Unset {
		l.P2M.End += l.NrPages * 8
	}
	at = pageUp(l.P2M.End)
	l.StartInfo = Region{at, at + abi.StartInfoSize + abi.Dom0VGAConsoleInfoSize}
	if at = pageUp(l.StartInfo.End); at < l.Kernel.End {
		return l.outside(r)
	}
	// The tables' number depends on the end of the mapping, and that on their
	// number: the smallest that suffices is taken.
	for nr := uint64(2); ; nr++ {
		if nr > l.NrPages {
			return r.errorf("memory", "%d pages are too few for the page tables of %#x..%#x", l.NrPages, l.VStart, l.VEnd)
		}
		l.PageTables = Region{at, at + nr*mem.PageSize}
		l.Stack = Region{l.PageTables.End, l.PageTables.End + mem.PageSize}
		l.VEnd = (l.Stack.End + mib4 - 1) &^ (mib4 - 1)
		if l.VEnd-l.Stack.End < padding {
			l.VEnd += mib4
		}
		if l.VEnd <= l.VStart || !guestRange(l.VStart, l.VEnd) {
			return l.outside(r)
		}
		if 1+tablesFor(l.VStart, l.VEnd, 3)+tablesFor(l.VStart, l.VEnd, 2)+tablesFor(l.VStart, l.VEnd, 1) <= nr {
			break
		}
	}
	// Xen takes the smallest power of two of pages that the mapping without
	// the ramdisk fits in, and then the ramdisk's own.
	size := l.VEnd - l.VStart
	if mapped {
		size -= pageUp(ramdisk)
	}
	l.initialPages = 1 << bits.Len64(pages(size)-1)
	if l.initialPages+l.RamdiskPages > l.NrPages {
		return r.errorf("memory", "%d pages are too few for the kernel image: the first allocation takes %d, the ramdisk %d", l.NrPages, l.initialPages, l.RamdiskPages)
	}
	if mapped {
		l.RamdiskPFN = l.PFN(l.Ramdisk.Start)
	} else if ramdisk != 0 {
		l.RamdiskPFN = l.initialPages
	}
	l.tablesDom0()
	l.leaves = append(l.leaves, leafRun{va: l.VStart & va48, pages: (l.VEnd - l.VStart) >> mem.PageShift})
	l.FirstP2MPFN = l.initialPages + l.RamdiskPages
	if p.InitP2M != Unset {
		return l.p2mDom0(r, p.InitP2M, p2m)
	}
	return nil
}

// tablesDom0 numbers the initial mapping's tables as the builder's loop over
// the pages meets them: the L4, then at each L1 boundary the L1 before the L2
// and L3 that begin there, too.
func (l *PVLayout) tablesDom0() {
	pfn := l.PFN(l.PageTables.Start)
	add := func(level int, va uint64) {
		l.addTable(level, va, pfn)
		pfn++
	}
	add(4, 0)
	for va := l.VStart; ; {
		for level := 1; level <= 3; level++ {
			if va != l.VStart && va&(1<<levelShift(level+1)-1) != 0 {
				break
			}
			add(level, va)
		}
		if va = (va>>21 + 1) << 21; va >= l.VEnd {
			break
		}
	}
}

// p2mDom0 maps the p2m list at base, in 2 MiB pages where the list and the
// machine frames allow it. Its frames and tables are numbered in the order in
// which the builder allocates them.
func (l *PVLayout) p2mDom0(r reporter, base uint64, p2m []uint64) *Error {
	end := base + l.NrPages*8
	l.P2M = Region{base, end}
	switch {
	case base%mem.PageSize != 0:
		return r.errorf("note INIT_P2M", "%#x, expected a multiple of 4096", base)
	case !guestRange(base, end):
		return r.errorf("note INIT_P2M", "the list %#x..%#x leaves the guest's part of the address space", base, end)
	case l.VStart <= end && base <= l.VEnd:
		return r.errorf("note INIT_P2M", "the list %#x..%#x overlaps the initial mapping %#x..%#x", base, end, l.VStart, l.VEnd)
	}
	pfn := l.FirstP2MPFN
	room := func(va uint64) *Error {
		if pfn+pages(end-va)+3 > l.NrPages {
			return r.errorf("memory", "%d pages are too few for the p2m list, which takes %d behind the first %d", l.NrPages, pages(end-va), pfn)
		}
		return nil
	}
	for va := base; va < end; {
		if err := room(va); err != nil {
			return err
		}
		for level := 3; level >= 2; level-- {
			if !haveTable(l.Tables, level, va) {
				l.addTable(level, va, pfn)
				pfn++
			}
		}
		if va%(2<<20) == 0 && end-va >= 2<<20 && !haveTable(l.Tables, 1, va) && (p2m == nil || contiguous(p2m[pfn:pfn+ptEntries])) {
			l.leaves = append(l.leaves, leafRun{va: va & va48, pfn: pfn, pages: ptEntries, p2m: true, large: true})
			pfn += ptEntries
			va += 2 << 20
			continue
		}
		if !haveTable(l.Tables, 1, va) {
			l.addTable(1, va, pfn)
			pfn++
		}
		n := min(pages(end-va), ptEntries-va>>mem.PageShift%ptEntries)
		if n > 1 { // the builder looks again before each further page
			if err := room(va); err != nil {
				return err
			}
		}
		l.leaves = append(l.leaves, leafRun{va: va & va48, pfn: pfn, pages: n, p2m: true})
		pfn += n
		va += n << mem.PageShift
	}
	l.NrP2MFrames = pfn - l.FirstP2MPFN
	return nil
}

// contiguous reports whether the 512 frames can be mapped by one 2 MiB entry.
func contiguous(mfns []uint64) bool {
	for i, m := range mfns {
		if m != mfns[0]+uint64(i) {
			return false
		}
	}
	return mfns[0]%ptEntries == 0
}
