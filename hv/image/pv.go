package image

import (
	"encoding/binary"
	"strings"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// PVOptions say how a Xen PV domain is built.
type PVOptions struct {
	Cmdline string // cut at 1,023 bytes, as the builders do
	Initrd  []byte // for a domU a gzip file is unpacked, as its tools do

	Dom0 bool // by Xen's own builder, else by the toolstack's

	SharedInfoMFN uint64 // the shared_info frame, which is not the domain's
	// Event channels of the xenstore and console rings (domU).
	StoreEvtchn, ConsoleEvtchn uint32

	// HypercallPage fills the page that a HYPERCALL_PAGE note asks for; page
	// is 4,096 bytes.
	HypercallPage func(page []byte)
}

// dom0PMBits are start_info's power management bits: Xen's default has the
// first domain manage C and P states (X/../drivers/cpufreq, xen_processor_pmbits).
const dom0PMBits = 3

// PVStart is a built domain: what its first vCPU starts with (BOOT-04), and
// where things are.
type PVStart struct {
	RIP, RSP, RSI uint64 // entry, top of the boot stack, start_info
	L4MFN         uint64 // CR3; slots 256 to 271 are left for Xen

	// The ring pages of a domU; 0 for dom0.
	StoreMFN, ConsoleMFN uint64

	*PVLayout
}

// BuildPV puts a kernel and its start-of-day structures into a domain's
// frames. p2m gives the MFN of each PFN and so the domain's size; the frames
// must be zero.
//
// Page tables are finished but for Xen's slots of the L4. Every L1 entry has
// the user bit and bit 52, which Xen sets in entries that it validates
// (X/pv/mm.h:adjust_guest_l1e); those of page tables are read-only (BOOT-08).
func BuildPV(m *mem.Memory, p2m []uint64, img *Image, o PVOptions) (*PVStart, error) {
	r := reporter(img.Name)
	for pfn, mfn := range p2m {
		if mfn >= m.Frames() {
			return nil, r.errorf("memory", "PFN %#x is MFN %#x, the machine has %#x frames", pfn, mfn, m.Frames())
		}
	}
	ramdisk := uint64(len(o.Initrd))
	if !o.Dom0 {
		o.Initrd, ramdisk = domURamdisk(o.Initrd, uint64(len(p2m))*mem.PageSize)
	}
	l, err := layoutPV(uint64(len(p2m)), p2m, img, o.Dom0, ramdisk)
	if err != nil {
		return nil, err
	}
	b := &pvBuilder{m: m, p2m: p2m, l: l}
	for i := range img.Segments {
		s := &img.Segments[i]
		va := s.Paddr - img.Xen.PaddrOffset + img.Xen.VirtBase
		b.write(l.PFN(va), va%mem.PageSize, s.Data)
		b.touch(va, va+s.Memsz)
	}
	b.write(l.RamdiskPFN, 0, o.Initrd)
	b.writeP2M()
	if img.Xen.HypercallPage != Unset {
		b.hypercallPage(img.Xen.HypercallPage, o)
	}
	b.startInfo(img, o)
	b.tables()

	s := &PVStart{RIP: img.Xen.Entry, RSP: l.Stack.End, RSI: l.StartInfo.Start,
		L4MFN: p2m[l.Tables[0].PFN], PVLayout: l}
	if !o.Dom0 {
		s.StoreMFN, s.ConsoleMFN = p2m[l.PFN(l.Xenstore.Start)], p2m[l.PFN(l.Console.Start)]
	}
	return s, nil
}

type pvBuilder struct {
	m     *mem.Memory
	p2m   []uint64
	l     *PVLayout
	dirty []Region // what the dom0 builder wrote through the domain's own tables
}

// write copies data to frame pfn and those that follow it.
func (b *pvBuilder) write(pfn, offset uint64, data []byte) {
	for len(data) > 0 {
		n := min(uint64(len(data)), mem.PageSize-offset)
		b.m.Write(b.p2m[pfn]<<mem.PageShift+offset, data[:n])
		data, offset = data[n:], 0
		pfn++
	}
}

// touch notes that the dom0 builder stored to [start, end), so that the
// processor set the dirty bits.
func (b *pvBuilder) touch(start, end uint64) {
	if b.l.Dom0 && end > start {
		b.dirty = append(b.dirty, Region{start & va48, end - start + start&va48})
	}
}

// writeP2M stores the p2m list page by page.
func (b *pvBuilder) writeP2M() {
	var page [mem.PageSize]byte
	at := b.p2mPFNs()
	for i := 0; i < len(b.p2m); i += ptEntries {
		n := 0
		for _, mfn := range b.p2m[i:min(i+ptEntries, len(b.p2m))] {
			binary.LittleEndian.PutUint64(page[n:], mfn)
			n += 8
		}
		b.write(at(uint64(i/ptEntries)), 0, page[:n])
	}
	b.touch(b.l.P2M.Start, b.l.P2M.End)
}

// p2mPFNs gives the frame of the list's i-th page.
func (b *pvBuilder) p2mPFNs() func(i uint64) uint64 {
	if b.l.NrP2MFrames == 0 {
		first := b.l.PFN(b.l.P2M.Start)
		return func(i uint64) uint64 { return first + i }
	}
	runs := b.l.leaves
	base := b.l.P2M.Start & va48
	return func(i uint64) uint64 {
		va := base + i<<mem.PageShift
		for !runs[0].p2m || va >= runs[0].va+runs[0].pages<<mem.PageShift {
			runs = runs[1:]
		}
		return runs[0].pfn + (va-runs[0].va)>>mem.PageShift
	}
}

func (b *pvBuilder) hypercallPage(va uint64, o PVOptions) {
	var page [mem.PageSize]byte
	if o.HypercallPage != nil {
		o.HypercallPage(page[:])
	}
	if !b.l.Dom0 { // the tools name the frame, the offset is lost
		va &^= mem.PageMask
	}
	b.write(b.l.PFN(va), va%mem.PageSize, page[:])
	b.touch(va, va+mem.PageSize)
}

// startInfo writes the start_info page (BOOT-05).
func (b *pvBuilder) startInfo(img *Image, o PVOptions) {
	l := b.l
	var page [mem.PageSize]byte
	le := binary.LittleEndian
	put := func(off int, v uint64) { le.PutUint64(page[off:], v) }
	magic := abi.StartMagic
	if o.Dom0 && img.Xen.pae() {
		magic = abi.StartMagicPAE
	}
	copy(page[abi.StartInfoMagic:], magic)
	put(abi.StartInfoNrPages, l.NrPages)
	put(abi.StartInfoSharedInfo, o.SharedInfoMFN<<mem.PageShift)
	put(abi.StartInfoPTBase, l.PageTables.Start)
	put(abi.StartInfoNrPTFrames, l.PageTables.size()>>mem.PageShift)
	put(abi.StartInfoMFNList, l.P2M.Start)
	put(abi.StartInfoFirstP2MPFN, l.FirstP2MPFN)
	put(abi.StartInfoNrP2MFrames, l.NrP2MFrames)
	var flags uint32
	if o.Dom0 {
		flags = abi.SIFPrivileged | abi.SIFInitDomain | dom0PMBits<<abi.SIFPMShift
		le.PutUint32(page[abi.StartInfoDom0InfoOff:], abi.StartInfoSize)
		le.PutUint32(page[abi.StartInfoDom0InfoLen:], abi.Dom0VGAConsoleInfoSize)
	} else {
		// The library would set SIFVirtP2MTools, and libxl clears it again
		// (tools/libs/light/libxl_dom.c:libxl__build_pv).
		put(abi.StartInfoStoreMFN, b.p2m[l.PFN(l.Xenstore.Start)])
		le.PutUint32(page[abi.StartInfoStoreEvtchn:], o.StoreEvtchn)
		put(abi.StartInfoConsoleMFN, b.p2m[l.PFN(l.Console.Start)])
		le.PutUint32(page[abi.StartInfoConsolePort:], o.ConsoleEvtchn)
	}
	if l.RamdiskLen != 0 {
		put(abi.StartInfoModLen, l.RamdiskLen)
		if l.Ramdisk != (Region{}) {
			put(abi.StartInfoModStart, l.Ramdisk.Start)
		} else {
			put(abi.StartInfoModStart, l.RamdiskPFN)
			flags |= abi.SIFModStartPFN
		}
	}
	le.PutUint32(page[abi.StartInfoFlags:], flags)
	copy(page[abi.StartInfoCmdline:abi.StartInfoCmdline+abi.MaxGuestCmdline-1], o.Cmdline)
	b.write(l.PFN(l.StartInfo.Start), 0, page[:])
	b.touch(l.StartInfo.Start, l.StartInfo.End)
}

// pae is Xen's reading of PAE_MODE; it only decides start_info.magic here.
func (p *XenParms) pae() bool {
	return p.PAE == "yes" || strings.Contains(p.PAE, "bimodal")
}

// Entry flags of the builders; the user bit is there because a PV kernel runs
// in ring 3.
const (
	tableFlags = pagetable.Present | pagetable.Writable | pagetable.Accessed | pagetable.Dirty | pagetable.User
	leafFlags  = pagetable.Present | pagetable.Writable | pagetable.Accessed | pagetable.User | guestKernel
	// guestKernel is Xen's own software bit for pages of the guest kernel.
	guestKernel pagetable.Entry = 1 << 52
)

// tables writes the page tables.
func (b *pvBuilder) tables() {
	l := b.l
	content := make([][ptEntries]pagetable.Entry, len(l.Tables))
	index := make(map[TableFrame]int, len(l.Tables))
	for i, t := range l.Tables {
		index[TableFrame{Level: t.Level, Base: t.Base}] = i
	}
	table := func(level int, va uint64) *[ptEntries]pagetable.Entry {
		return &content[index[TableFrame{Level: level, Base: tableBase(level, va)}]]
	}
	for _, t := range l.Tables[1:] {
		table(t.Level+1, t.Base)[pagetable.Index(t.Base, t.Level+1)] = pagetable.Make(b.p2m[t.PFN], tableFlags)
	}
	for _, run := range l.leaves {
		flags := leafFlags
		if run.p2m && l.Dom0 {
			flags |= pagetable.Dirty
		}
		if run.large {
			table(2, run.va)[pagetable.Index(run.va, 2)] = pagetable.Make(b.p2m[run.pfn], flags|pagetable.PSE)
			continue
		}
		var t *[ptEntries]pagetable.Entry
		for i := uint64(0); i < run.pages; i++ {
			va := run.va + i<<mem.PageShift
			n := pagetable.Index(va, 1)
			if t == nil || n == 0 {
				t = table(1, va)
			}
			t[n] = pagetable.Make(b.p2m[run.pfn+i], flags)
		}
	}
	leaf := func(va uint64) *pagetable.Entry { return &table(1, va)[pagetable.Index(va, 1)] }
	for _, d := range b.dirty {
		if d.Start < l.VStart&va48 || d.Start >= l.VStart&va48+l.VEnd-l.VStart {
			continue // the p2m list outside
		}
		for va := d.Start &^ mem.PageMask; va < d.End; va += mem.PageSize {
			*leaf(va) |= pagetable.Dirty
		}
	}
	for va := l.PageTables.Start; va < l.PageTables.End; va += mem.PageSize {
		*leaf(va) &^= pagetable.Writable
	}
	var page [mem.PageSize]byte
	for i := range content {
		for j, e := range content[i] {
			binary.LittleEndian.PutUint64(page[j*8:], uint64(e))
		}
		b.write(l.Tables[i].PFN, 0, page[:])
	}
}
