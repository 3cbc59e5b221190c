package image

import "pvlab/hv/mem"

// Region is a named piece of a domain's initial virtual mapping, in bytes:
// [Start, End). Absent pieces are zero.
type Region struct{ Start, End uint64 }

func (r Region) size() uint64 { return r.End - r.Start }

// PVLayout is where a domain builder puts everything (BOOT-07). The initial
// mapping maps PFN 0 and up at VStart and up.
type PVLayout struct {
	Dom0    bool
	NrPages uint64 // the domain's frames

	VStart, VEnd uint64 // the initial mapping; VEnd-1 is its last byte
	Kernel       Region
	Ramdisk      Region // zero when it is not mapped
	P2M          Region // the list of NrPages MFNs
	StartInfo    Region
	Xenstore     Region // domU
	Console      Region // domU
	PageTables   Region
	Stack        Region

	RamdiskPFN, RamdiskPages uint64
	RamdiskLen               uint64 // what start_info says
	// FirstP2MPFN and NrP2MFrames are the start_info fields: frames of the p2m
	// list and its tables when INIT_P2M puts it outside the initial mapping.
	FirstP2MPFN, NrP2MFrames uint64

	// Tables are the page-table frames, the L4 first.
	Tables []TableFrame

	initialPages uint64 // dom0: what the first allocation has
	leaves       []leafRun
}

// TableFrame is one page-table page of the builder.
type TableFrame struct {
	PFN   uint64
	Level int    // 4 to 1
	Base  uint64 // first virtual address it maps, with bits 48-63 clear
}

// leafRun maps pages consecutive in both address and PFN.
type leafRun struct {
	va, pfn, pages uint64 // va with bits 48-63 clear
	p2m            bool   // the p2m list outside the initial mapping
	large          bool   // by one 2 MiB entry
}

const (
	va48      = 1<<48 - 1
	mib4      = 4 << 20
	padding   = 512 << 10 // mapped behind the last piece, at least
	ptEntries = 512
)

func pages(bytes uint64) uint64 { return (bytes + mem.PageMask) >> mem.PageShift }
func pageUp(a uint64) uint64    { return (a + mem.PageMask) &^ uint64(mem.PageMask) }

// levelShift is how many address bits one entry of a level-l table maps.
func levelShift(l int) uint { return uint(mem.PageShift + 9*(l-1)) }

// tablesFor is the number of level-l tables that map [start, end).
func tablesFor(start, end uint64, l int) uint64 {
	s := levelShift(l + 1)
	return (end-1)>>s - start>>s + 1
}

// LayoutPV plans what BuildPV does for a domain of nrPages frames, without
// touching memory. It takes every 2 MiB page that the builder could make to be
// possible; Frames makes them so.
func LayoutPV(nrPages uint64, img *Image, o PVOptions) (*PVLayout, error) {
	size := uint64(len(o.Initrd))
	if !o.Dom0 {
		_, size = domURamdisk(o.Initrd, nrPages*mem.PageSize)
	}
	l, err := layoutPV(nrPages, nil, img, o.Dom0, size)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// layoutPV is LayoutPV with the MFNs known, and the ramdisk's size in memory.
func layoutPV(nrPages uint64, p2m []uint64, img *Image, dom0 bool, ramdisk uint64) (*PVLayout, *Error) {
	if img.xen != nil {
		return nil, img.xen
	}
	r := reporter(img.Name)
	l := &PVLayout{Dom0: dom0, NrPages: nrPages, VStart: img.Xen.VirtBase,
		Kernel: Region{img.Xen.KStart, img.Xen.KEnd}}
	var err *Error
	if dom0 {
		err = l.planDom0(r, &img.Xen, p2m, ramdisk)
	} else {
		err = l.planDomU(r, &img.Xen, ramdisk)
	}
	if err != nil {
		return nil, err
	}
	if hc := img.Xen.HypercallPage; hc != Unset {
		if hc < l.VStart || hc >= l.VEnd || hc+mem.PageSize > l.VEnd {
			return nil, r.errorf("note HYPERCALL_PAGE", "%#x is outside the initial mapping %#x..%#x (BOOT-03)", hc, l.VStart, l.VEnd)
		}
		if hc+mem.PageSize > l.PageTables.Start && hc < l.PageTables.End {
			return nil, r.errorf("note HYPERCALL_PAGE", "%#x is in the page tables %#x..%#x", hc, l.PageTables.Start, l.PageTables.End)
		}
	}
	return l, nil
}

// NamedRegion is a Region as Xen's boot log names it.
type NamedRegion struct {
	Name string
	Region
}

// Regions lists the pieces in the order of Xen's "VIRTUAL MEMORY ARRANGEMENT",
// those that a domU has beside them in their place. Absent ones are left out.
func (l *PVLayout) Regions() []NamedRegion {
	all := []NamedRegion{
		{"Loaded kernel", l.Kernel}, {"Init. ramdisk", l.Ramdisk}, {"Phys-Mach map", l.P2M},
		{"Start info", l.StartInfo}, {"Xenstore ring", l.Xenstore}, {"Console ring", l.Console},
		{"Page tables", l.PageTables}, {"Boot stack", l.Stack}, {"TOTAL", Region{l.VStart, l.VEnd}},
	}
	out := all[:0]
	for _, r := range all {
		if r.Start != r.End {
			out = append(out, r)
		}
	}
	return out
}

// PFN is the frame that the initial mapping has at va, which must be in it.
func (l *PVLayout) PFN(va uint64) uint64 { return (va - l.VStart) >> mem.PageShift }

func (l *PVLayout) outside(r reporter) *Error {
	return r.errorf("note VIRT_BASE", "the initial mapping from %#x on leaves the guest's part of the address space (BOOT-14)", l.VStart)
}

// tableBase is the first address that the level-l table with va in it maps.
func tableBase(level int, va uint64) uint64 {
	if level == 4 {
		return 0
	}
	return va & va48 >> levelShift(level+1) << levelShift(level+1)
}

// haveTable reports whether the level-l table with va in it is there.
func haveTable(tables []TableFrame, level int, va uint64) bool {
	base := tableBase(level, va)
	for i := len(tables) - 1; i >= 0; i-- {
		if t := &tables[i]; t.Level == level && t.Base == base {
			return true
		}
	}
	return false
}

func (l *PVLayout) addTable(level int, va, pfn uint64) {
	l.Tables = append(l.Tables, TableFrame{PFN: pfn, Level: level, Base: tableBase(level, va)})
}
