package image

import (
	"encoding/binary"
	"sort"
)

// Symbol is a named address of the image.
type Symbol struct {
	Name string
	Addr uint64 // as linked
	Size uint64 // 0 when the file does not tell, as for a bare label
	Func bool
}

// maxSymbols bounds the table made of a file's symbols; Linux has 200,000.
const maxSymbols = 1 << 20

// Symbol table entry (System V ABI, "Symbol Table"), byte offsets.
const (
	symSize  = 24
	stName   = 0
	stInfo   = 4
	stShndx  = 6
	stValue  = 8
	stSize   = 16
	shnAbs   = 0xfff1
	shnUndef = 0

	sttNotype, sttObject, sttFunc = 0, 1, 2
)

// symbols are ordered by address. Names stay in the file's string table until
// asked for.
type symbols struct {
	strtab []byte
	rows   []symRow
	abs    []symRow // absolute symbols: constants, no addresses
}

type symRow struct {
	addr, size uint64
	name       uint32
	rank       uint8 // of symbols at one address the highest is shown
	fn         bool
}

func (img *Image) symbols() *symbols {
	img.symOnce.Do(func() { img.symTable = readSymbols(readSections(img.elf, &img.head)) })
	return &img.symTable
}

func readSymbols(secs []section) (t symbols) {
	for _, s := range secs {
		if s.typ != shtSymtab || uint64(s.link) >= uint64(len(secs)) || secs[s.link].typ != shtStrtab {
			continue
		}
		t.strtab = secs[s.link].data
		t.read(s.data)
		break
	}
	sort.Slice(t.rows, func(i, j int) bool {
		a, b := &t.rows[i], &t.rows[j]
		if a.addr != b.addr {
			return a.addr < b.addr
		}
		if a.rank != b.rank {
			return a.rank < b.rank
		}
		return a.name > b.name
	})
	return t
}

func (t *symbols) read(data []byte) {
	le := binary.LittleEndian
	for ; len(data) >= symSize && len(t.rows)+len(t.abs) < maxSymbols; data = data[symSize:] {
		typ, bind, shndx := data[stInfo]&0xf, data[stInfo]>>4, le.Uint16(data[stShndx:])
		name := le.Uint32(data[stName:])
		if typ > sttFunc || shndx == shnUndef || uint64(name) >= uint64(len(t.strtab)) || t.strtab[name] == 0 {
			continue
		}
		row := symRow{addr: le.Uint64(data[stValue:]), size: le.Uint64(data[stSize:]), name: name, fn: typ == sttFunc, rank: typ * 2}
		if bind != 0 { // global or weak
			row.rank++
		}
		if shndx == shnAbs {
			t.abs = append(t.abs, row)
		} else {
			t.rows = append(t.rows, row)
		}
	}
}

func (t *symbols) name(r *symRow) string {
	s, _ := cString(t.strtab, uint64(r.name))
	return s
}

// named reports whether the row has that name.
func (t *symbols) named(r *symRow, name string) bool {
	tab := t.strtab[r.name:]
	return len(tab) > len(name) && tab[len(name)] == 0 && string(tab[:len(name)]) == name
}

func (t *symbols) symbol(r *symRow) Symbol {
	return Symbol{Name: t.name(r), Addr: r.addr, Size: r.size, Func: r.fn}
}

// Lookup finds a symbol by name; of several with that name a global one.
func (img *Image) Lookup(name string) (Symbol, bool) {
	t := img.symbols()
	var best *symRow
	for _, rows := range [][]symRow{t.rows, t.abs} {
		for i := range rows {
			if r := &rows[i]; t.named(r, name) && (best == nil || r.rank > best.rank) {
				best = r
			}
		}
	}
	if best == nil {
		return Symbol{}, false
	}
	return t.symbol(best), true
}

// maxEnclosing is how many symbols before an address are looked at for one
// that spans it.
const maxEnclosing = 64

// Symbol names an address: the innermost function or object that spans it,
// else the nearest label before it in the same segment. off is the distance.
// A physical address of a segment counts as the linked one, as a kernel runs
// there before it has page tables.
func (img *Image) Symbol(addr uint64) (name string, off uint64, ok bool) {
	addr, seg := img.linked(addr)
	if seg == nil {
		return "", 0, false
	}
	t := img.symbols()
	end := sort.Search(len(t.rows), func(i int) bool { return t.rows[i].addr > addr })
	var label *symRow
	for i := end - 1; i >= 0 && i >= end-maxEnclosing; i-- {
		r := &t.rows[i]
		if addr-r.addr < r.size {
			if label != nil && label.rank >= sttFunc*2 {
				r = label
			}
			return t.name(r), addr - r.addr, true
		}
		if r.size == 0 && label == nil {
			label = r
		}
	}
	if label == nil || label.addr < seg.Vaddr {
		return "", 0, false
	}
	return t.name(label), addr - label.addr, true
}

// linked turns a physical address of a segment into the linked one; linked
// addresses stay. seg is nil for an address of no segment.
func (img *Image) linked(addr uint64) (uint64, *Segment) {
	for i := range img.Segments {
		if s := &img.Segments[i]; addr-s.Vaddr < s.Memsz {
			return addr, s
		}
	}
	if s := img.segmentAt(addr); s != nil {
		return addr - s.Paddr + s.Vaddr, s
	}
	return addr, nil
}

// Symbols calls yield for each function and object in address order until it
// returns false.
func (img *Image) Symbols(yield func(Symbol) bool) {
	t := img.symbols()
	for i := range t.rows {
		if !yield(t.symbol(&t.rows[i])) {
			return
		}
	}
}
