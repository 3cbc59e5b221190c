package image

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// planDomU lays out a domain as the toolstack's builder does
// (T/xg_dom_core.c:xc_dom_build_image, T/xg_dom_x86.c; Xen 4.17). It hands
// out PFNs from 0 up, and virtual addresses from VIRT_BASE up along with them.
func (l *PVLayout) planDomU(r reporter, p *XenParms, ramdisk uint64) *Error {
	if p.Required>>abi.FeatDom0&1 != 0 {
		return r.errorf("note FEATURES", "dom0 is required: the kernel does not support unprivileged (domU) operation")
	}
	if l.Kernel.Start != 0 && l.Kernel.Start%mem.PageSize != 0 {
		return r.errorf("program headers", "the image begins at %#x, expected a multiple of 4096 for a domU", l.Kernel.Start)
	}
	at := l.VStart // the next free address
	take := func(bytes uint64) Region {
		s := Region{at, at + bytes}
		at = pageUp(s.End)
		return s
	}
	mapped := ramdisk != 0 && !p.UnmappedInitrd
	initP2M := p.InitP2M
	if initP2M != Unset && (initP2M >= l.VStart || initP2M%mem.PageSize != 0) {
		initP2M = Unset // the tools then put the list into the initial mapping
	}

	at = l.Kernel.Start
	l.Kernel = take(l.Kernel.size())
	if mapped {
		l.Ramdisk = take(ramdisk)
		l.RamdiskLen = ramdisk
	}
	if initP2M == Unset {
		l.P2M = take(pageUp(l.NrPages * 8))
	}
	l.StartInfo = take(mem.PageSize)
	l.Xenstore = take(mem.PageSize)
	l.Console = take(mem.PageSize)
	if at < l.Kernel.End {
		return l.outside(r)
	}

	// Tables, stack and padding have to fit in the mapping that the tables
	// make, which ends at a multiple of 4 MiB.
	const extra = 1 + padding/mem.PageSize
	nr := uint64(0)
	for {
		l.VEnd = (at + (nr+extra)*mem.PageSize) | (mib4 - 1) + 1
		if l.VEnd <= l.VStart || !guestRange(l.VStart, l.VEnd) {
			return l.outside(r)
		}
		if n := (l.VEnd - l.VStart) >> mem.PageShift; n > l.NrPages {
			return r.errorf("memory", "%d pages are too few for the initial mapping, which takes %d", l.NrPages, n)
		}
		nr = 1 + tablesFor(l.VStart, l.VEnd, 3) + tablesFor(l.VStart, l.VEnd, 2) + tablesFor(l.VStart, l.VEnd, 1)
		if at+(nr+extra)*mem.PageSize <= l.VEnd {
			break
		}
	}
	l.PageTables = take(nr * mem.PageSize)
	l.Stack = take(mem.PageSize)
	l.tablesDomU(l.PFN(l.PageTables.Start), l.VStart, l.VEnd)
	l.leaves = append(l.leaves, leafRun{va: l.VStart & va48, pages: (l.VEnd - l.VStart) >> mem.PageShift})

	pfn := l.PFN(l.VEnd)
	l.RamdiskPages = pages(ramdisk)
	if mapped {
		l.RamdiskPFN = l.PFN(l.Ramdisk.Start)
	} else if ramdisk != 0 {
		l.RamdiskPFN, l.RamdiskLen = pfn, l.RamdiskPages*mem.PageSize
		pfn += l.RamdiskPages
		if pfn > l.NrPages {
			return r.errorf("memory", "%d pages are too few for the ramdisk, which takes %d behind the first %d", l.NrPages, l.RamdiskPages, l.RamdiskPFN)
		}
	}
	if initP2M != Unset {
		return l.p2mDomU(r, initP2M, pfn)
	}
	return nil
}

// tablesDomU numbers the tables that map [start, end) level by level from the
// root down, leaving out those that are there.
func (l *PVLayout) tablesDomU(pfn, start, end uint64) {
	old := l.Tables
	for level := 4; level >= 1; level-- {
		last := tableBase(level, end-1)
		for base := tableBase(level, start); base <= last; base += 1 << levelShift(level+1) {
			if !haveTable(old, level, base) {
				l.addTable(level, base, pfn)
				pfn++
			}
		}
	}
}

// p2mDomU maps the p2m list at base: behind everything else come its frames,
// then its tables.
func (l *PVLayout) p2mDomU(r reporter, base, pfn uint64) *Error {
	bytes := pageUp(l.NrPages * 8)
	l.P2M = Region{base, base + bytes}
	if !guestRange(l.P2M.Start, l.P2M.End) {
		return r.errorf("note INIT_P2M", "the list %#x..%#x leaves the guest's part of the address space", base, base+bytes)
	}
	if l.P2M.Start < l.VEnd && l.P2M.End > l.VStart {
		return r.errorf("note INIT_P2M", "the list %#x..%#x overlaps the initial mapping %#x..%#x", base, base+bytes, l.VStart, l.VEnd)
	}
	n, old := pages(bytes), len(l.Tables)
	l.tablesDomU(pfn+n, l.P2M.Start, l.P2M.End)
	l.FirstP2MPFN, l.NrP2MFrames = pfn, n+uint64(len(l.Tables)-old)
	if pfn+l.NrP2MFrames > l.NrPages {
		return r.errorf("memory", "%d pages are too few for the p2m list, which takes %d behind the first %d", l.NrPages, l.NrP2MFrames, pfn)
	}
	l.leaves = append(l.leaves, leafRun{va: base & va48, pfn: pfn, pages: n, p2m: true})
	return nil
}

// maxUnzip is the size beyond which the tools do not unpack a ramdisk
// (XC_DOM_DECOMPRESS_MAX).
const maxUnzip = 1 << 30

// domURamdisk is the ramdisk as the tools load it (T/xg_dom_core.c:
// xc_dom_build_module, xc_dom_check_gzip), and its size, which may exceed the
// data: what looks like a gzip file gets room for 16 bytes more than its last
// word says, and is unpacked there, or left as it is if it does not unpack.
// Nothing is unpacked that exceeds limit.
func domURamdisk(b []byte, limit uint64) (data []byte, size uint64) {
	size = uint64(len(b))
	if len(b) < 6 || b[0] != 0x1f || b[1] != 0x8b {
		return b, size
	}
	room := uint64(binary.LittleEndian.Uint32(b[len(b)-4:])) + 16
	if room > maxUnzip {
		return b, size
	}
	if size = max(size, room); room > limit {
		return b, size
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return b, size
	}
	z.Multistream(false)
	out := make([]byte, room)
	switch n, err := io.ReadFull(z, out); err {
	case io.EOF, io.ErrUnexpectedEOF:
		// A good file ends with io.EOF, whatever ReadFull makes of it.
		if _, err := z.Read(out[n:]); err == io.EOF {
			return out, size
		}
	}
	return b, size
}
