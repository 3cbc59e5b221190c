package cpu

import (
	"encoding/hex"
	"strings"
	"testing"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// box is a processor with 4 MiB of identity-mapped memory, descriptor tables
// and a TSS: what the tests of system instructions run in.
type box struct {
	*CPU
	t testing.TB
	// pages is the next free frame for page tables.
	pages uint64
}

// Where things lie in a box.
const (
	boxSize   = 4 << 20
	boxGDT    = 0x5000
	boxLDT    = 0x5800
	boxIDT    = 0x6000
	boxTSS    = 0x7000
	boxCode   = 0x10000
	boxStack  = 0x21000 // top
	boxRSP0   = 0x23000
	boxRSP1   = 0x25000
	boxData   = 0x30000
	boxTarget = 0x40000 // where far transfers go
	boxTables = 0x100000
)

// Selectors of a box. The low two bits are the RPL.
const (
	selCode64  = 0x08 // DPL 0
	selData0   = 0x10
	selCode32  = 0x18 // DPL 0
	selCode32U = 0x23 // DPL 3
	selData3   = 0x2b
	selCode64U = 0x33
	selRO0     = 0x38 // read-only data, DPL 0
	selNoCode  = 0x40 // 64-bit code, not present
	selNoData3 = 0x4b // data, DPL 3, not present
	selConform = 0x50 // conforming 64-bit code, DPL 0
	selNoCodeU = 0x5b // 64-bit code, DPL 3, not present
	selTSS     = 0x60 // 16 bytes
	selLDT     = 0x70 // 16 bytes
	selGate    = 0x83 // call gate, DPL 3, to selCode64:boxTarget; 16 bytes
	selCodeLD  = 0x90 // L and D both set
	selExec3   = 0x9b // execute-only 32-bit code, DPL 3
	selData16  = 0xa3 // 16-bit data, DPL 3
	selNoData0 = 0xa8 // data, DPL 0, not present
	selConfU   = 0xb3 // conforming 64-bit code, DPL 3
	selCode16  = 0xb8 // 16-bit code, DPL 0
	selData16K = 0xc0 // 16-bit data, DPL 0
	selLimit3  = 0xcb // data, DPL 3, limit 0xfff, base boxData
	gdtEnd     = 0xd0

	selInLDT = 0x0f // LDT entry 1: data, DPL 3, base boxData
)

// desc makes an 8-byte descriptor; attr as in x86.Segment.
func desc(base, limit uint64, attr uint64) uint64 {
	return limit&0xffff | base&0xffffff<<16 | attr&0xff<<40 | limit>>16&0xf<<48 | attr>>8&0xf<<52 | base>>24&0xff<<56
}

const (
	dData  = attrData32 &^ x86.AttrAccess
	dCode  = attrCode32 &^ x86.AttrAccess
	dCode6 = attrCode64 &^ x86.AttrAccess
	dpl3   = 3 << 5
)

func newBox(t testing.TB, v Vendor) *box {
	t.Helper()
	m, err := mem.New(boxSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	b := &box{CPU: New(m, nil, v), t: t, pages: boxTables + 0x1000}
	for va := uint64(0); va < boxSize; va += mem.PageSize {
		b.mapPage(va, va, pteP|pteW|pteU)
	}
	flat := func(sel uint64, attr uint64) { b.gdt(sel, desc(0, 0xfffff, attr)) }
	flat(selCode64, dCode6)
	flat(selData0, dData)
	flat(selCode32, dCode)
	flat(selCode32U, dCode|dpl3)
	flat(selData3, dData|dpl3)
	flat(selCode64U, dCode6|dpl3)
	flat(selRO0, dData&^x86.AttrRW)
	flat(selNoCode, dCode6&^x86.AttrP)
	flat(selNoData3, (dData|dpl3)&^x86.AttrP)
	flat(selConform, dCode6|x86.AttrDown)
	flat(selNoCodeU, (dCode6|dpl3)&^x86.AttrP)
	flat(selCodeLD, dCode6|x86.AttrDB)
	flat(selExec3, (dCode|dpl3)&^x86.AttrRW)
	flat(selData16, (dData|dpl3)&^x86.AttrDB)
	flat(selNoData0, dData&^x86.AttrP)
	flat(selConfU, dCode6|x86.AttrDown|dpl3)
	b.gdt(selCode16, desc(0, 0xffff, dCode&^(x86.AttrDB|x86.AttrG)))
	b.gdt(selData16K, desc(0, 0xffff, dData&^(x86.AttrDB|x86.AttrG)))
	b.gdt(selLimit3, desc(boxData, 0xfff, (dData|dpl3)&^x86.AttrG))
	b.gdt(selTSS, desc(boxTSS, 0x200, x86.AttrP|x86.TypeTSSAvail))
	b.gdt(selLDT, desc(boxLDT, 0xff, x86.AttrP|x86.TypeLDT))
	b.callGate(selGate, selCode64, boxTarget, dpl3)
	b.put64(boxLDT+8, desc(boxData, 0xfffff, dData|dpl3))
	b.put64(boxTSS+4, boxRSP0)
	b.put64(boxTSS+12, boxRSP1)
	b.put64(boxTSS+102, 0x68)                    // I/O bitmap
	for i := uint64(0x68); i < 0x68+0x100; i++ { // all ports refused
		b.Mem.Write(boxTSS+i, []byte{0xff})
	}
	b.GDTR = x86.Table{Base: boxGDT, Limit: gdtEnd - 1}
	b.LDTR = x86.Segment{Sel: selLDT, Attr: x86.AttrP | x86.TypeLDT, Limit: 0xff, Base: boxLDT}
	b.TR = x86.Segment{Sel: selTSS, Attr: x86.AttrP | x86.TypeTSSBusy, Limit: 0x200, Base: boxTSS}
	b.long(0)
	return b
}

// Page-table entry bits.
const (
	pteP, pteW, pteU, pteA, pteD, pteG = 1, 2, 4, 0x20, 0x40, 0x100
	pteNX                              = 1 << 63
)

// mapPage maps one page; the upper levels allow everything.
func (b *box) mapPage(va, pa, flags uint64) { b.Mem.Write64(b.pte(va), pa|flags) }

// pte is the physical address of the leaf entry of va.
func (b *box) pte(va uint64) uint64 {
	table := uint64(boxTables)
	for level := 3; level > 0; level-- {
		at := table + va>>(12+9*level)&511*8
		if b.Mem.Read64(at) == 0 {
			b.Mem.Write64(at, b.pages|pteP|pteW|pteU)
			b.pages += mem.PageSize
		}
		table = b.Mem.Read64(at) &^ 0xfff
	}
	return table + va>>12&511*8
}

func (b *box) gdt(sel, d uint64) { b.put64(boxGDT+sel&^7, d) }

func (b *box) callGate(sel uint64, code, off uint64, attr uint64) {
	b.gdt(sel, off&0xffff|code<<16|(x86.AttrP|x86.TypeCallGate|attr)<<40|off>>16&0xffff<<48)
	b.put64(boxGDT+sel&^7+8, off>>32)
}

func (b *box) put64(pa, v uint64)      { b.Mem.Write64(pa, v) }
func (b *box) get64(pa uint64) uint64  { return b.Mem.Read64(pa) }
func (b *box) put(pa uint64, s string) { b.Mem.Write(pa, unhex(b.t, s)) }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	c, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return c
}

// set loads a segment register with the box's descriptor, unchecked.
func (b *box) set(seg int, sel uint16) {
	b.Seg[seg] = x86.Segment{}
	if sel&^3 != 0 {
		b.Seg[seg] = x86.Descriptor(b.get64(boxGDT + uint64(sel&^7))).Segment(sel)
		b.Seg[seg].Attr |= x86.AttrAccess
	}
}

// long puts the processor into 64-bit code at privilege level cpl.
func (b *box) long(cpl uint8) {
	b.paged(x86.EFERLME|x86.EFERLMA|x86.EFERNXE|x86.EFERSCE, selCode64, selData0, selCode64U, selData3, cpl)
}

// compat puts it into 32-bit code of long mode.
func (b *box) compat(cpl uint8) {
	b.paged(x86.EFERLME|x86.EFERLMA|x86.EFERNXE|x86.EFERSCE, selCode32, selData0, selCode32U, selData3, cpl)
}

// legacy puts it into 32-bit protected mode without paging.
func (b *box) legacy(cpl uint8) {
	b.paged(0, selCode32, selData0, selCode32U, selData3, cpl)
	b.CR0 &^= x86.CR0PG
	b.TR.Attr = x86.AttrP | x86.TypeTSSBusy
	b.StateChanged()
	b.FlushTLB()
}

// real puts it into real-address mode.
func (b *box) real() {
	b.Reset()
	b.Seg[x86.CS].Sel, b.Seg[x86.CS].Base = boxCode>>4, boxCode
	b.RIP = 0
	b.R[x86.RSP] = 0x8000
	b.StateChanged()
}

func (b *box) paged(efer uint64, code0, data0, code3, data3 uint16, cpl uint8) {
	b.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0WP | x86.CR0NE | x86.CR0ET
	b.CR4, b.CR3, b.EFER = x86.CR4PAE|x86.CR4PGE, boxTables, efer
	code, data := code0, data0
	if cpl == 3 {
		code, data = code3, data3
	}
	b.set(x86.CS, code)
	for _, s := range []int{x86.SS, x86.DS, x86.ES, x86.FS, x86.GS} {
		b.set(s, data)
	}
	b.CPL = cpl
	b.SetFlags(x86.FlagOne)
	b.RIP, b.R[x86.RSP] = boxCode, boxStack
	b.Shadow, b.PendingDB = ShadowNone, 0
	b.StateChanged()
	b.FlushTLB()
}

// code puts instructions at boxCode (real mode: 0 of its segment) and starts
// there.
func (b *box) code(s string) {
	b.put(boxCode, s)
	b.RIP = boxCode
	if !b.Protected() {
		b.RIP = 0
	}
}

// push puts words of size bytes on the stack at boxStack, the last one
// uppermost, and points RSP at the first.
func (b *box) push(size int, words ...uint64) {
	sp := uint64(boxStack - size*len(words))
	for i, w := range words {
		for j := 0; j < size; j++ {
			b.Mem.Write(sp+uint64(i*size+j), []byte{byte(w >> (8 * j))})
		}
	}
	b.R[x86.RSP] = sp
}

// step1 runs one instruction and returns its fault, if it has one.
func (b *box) step1() x86.Fault {
	b.t.Helper()
	ex := b.Run(1)
	switch ex.Kind {
	case ExitBudget:
		return x86.Fault{}
	case ExitFault:
		return ex.Fault
	}
	b.t.Fatalf("exit %v: %+v", ex.Kind, ex.Unmodelled)
	return x86.Fault{}
}

func gp(code uint32) x86.Fault { return x86.WithCode(x86.VectorGP, code) }

var (
	noFault x86.Fault
	ud      = x86.NoCode(x86.VectorUD)
	nm      = x86.NoCode(x86.VectorNM)
)
