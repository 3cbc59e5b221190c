package image

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// ELF64 layout (System V ABI, "Object Files"), byte offsets.
const (
	ehdrSize = 64
	phdrSize = 56
	shdrSize = 64

	// In the ELF header; e_ident bytes first.
	eClass     = 4  // 2 = 64-bit
	eData      = 5  // 1 = little-endian
	eType      = 16 // u16
	eMachine   = 18 // u16
	eEntry     = 24 // u64
	ePhoff     = 32 // u64
	eShoff     = 40 // u64
	ePhentsize = 54 // u16
	ePhnum     = 56 // u16
	eShentsize = 58 // u16
	eShnum     = 60 // u16
	eShstrndx  = 62 // u16

	etExec, etDyn = 2, 3
	emX8664       = 62
	pnXnum        = 0xffff // the number is elsewhere

	// In a program header.
	phType   = 0 // u32
	phFlags  = 4 // u32
	phOffset = 8 // u64, as all that follow
	phVaddr  = 16
	phPaddr  = 24
	phFilesz = 32
	phMemsz  = 40

	ptLoad, ptNote      = 1, 4
	flagR, flagW, flagX = 4, 2, 1

	// In a section header.
	shName   = 0  // u32
	shType   = 4  // u32
	shFlags  = 8  // u64
	shOffset = 24 // u64
	shSize   = 32 // u64
	shLink   = 40 // u32

	shtSymtab, shtStrtab, shtNote, shtNobits = 2, 3, 7, 8

	shfCompressed = 0x800
)

// Segment is one PT_LOAD program header.
type Segment struct {
	Index  int    // in the program header table
	Flags  uint32 // PF_X 1, PF_W 2, PF_R 4
	Offset uint64 // in the file
	Vaddr  uint64 // linked address; may be 0 (Linux's per-CPU segment)
	Paddr  uint64 // where it is placed
	Memsz  uint64
	Data   []byte // filesz bytes of the file; the rest up to Memsz is zero
}

// end is the address after the last byte in memory; parsing excludes overflow.
func (s *Segment) end() uint64 { return s.Paddr + s.Memsz }

// header is the checked ELF header.
type header struct {
	entry        uint64
	phoff, shoff uint64
	phnum, shnum uint64
	shstrndx     uint64
}

// readHeader checks the ELF header in b, which may be the beginning of a file.
func (r reporter) readHeader(b []byte) (h header, err *Error) {
	le := binary.LittleEndian
	if len(b) < ehdrSize {
		return h, r.errorf("ELF header", "truncated: %d bytes, expected %d", len(b), ehdrSize)
	}
	switch {
	case b[eData] != 1:
		return h, r.errorf("e_ident[EI_DATA]", "%d, expected 1 (little-endian)", b[eData])
	case b[eClass] == 1:
		return h, r.errorf("e_ident[EI_CLASS]", "a 32-bit ELF, expected 64-bit (2)")
	case b[eClass] != 2:
		return h, r.errorf("e_ident[EI_CLASS]", "%d, expected 2 (64-bit)", b[eClass])
	}
	if m := le.Uint16(b[eMachine:]); m != emX8664 {
		return h, r.errorf("e_machine", "%d, expected %d (x86-64)", m, emX8664)
	}
	if t := le.Uint16(b[eType:]); t != etExec && t != etDyn {
		return h, r.errorf("e_type", "%d, expected %d (executable) or %d (shared)", t, etExec, etDyn)
	}
	h = header{
		entry: le.Uint64(b[eEntry:]),
		phoff: le.Uint64(b[ePhoff:]), phnum: uint64(le.Uint16(b[ePhnum:])),
		shoff: le.Uint64(b[eShoff:]), shnum: uint64(le.Uint16(b[eShnum:])),
		shstrndx: uint64(le.Uint16(b[eShstrndx:])),
	}
	if h.phnum == 0 || h.phnum == pnXnum {
		return h, r.errorf("e_phnum", "%d, expected 1 to 65534 program headers", h.phnum)
	}
	if n := le.Uint16(b[ePhentsize:]); n != phdrSize {
		return h, r.errorf("e_phentsize", "%d, expected %d", n, phdrSize)
	}
	if n := le.Uint16(b[eShentsize:]); h.shnum != 0 && n != shdrSize {
		return h, r.errorf("e_shentsize", "%d, expected %d", n, shdrSize)
	}
	const far = 1 << 56 // so that the sums below cannot wrap
	if h.phoff > far {
		return h, r.errorf("e_phoff", "%#x is beyond any file", h.phoff)
	}
	if h.shnum == 0 {
		h.shoff = 0
	} else if h.shoff > far {
		return h, r.errorf("e_shoff", "%#x is beyond any file", h.shoff)
	}
	return h, nil
}

func (h *header) phEnd() uint64 { return h.phoff + h.phnum*phdrSize }
func (h *header) shEnd() uint64 { return h.shoff + h.shnum*shdrSize }

// extent tells how long the ELF that begins with b is, as far as b shows:
// done is false while only the size of a longer beginning is known.
func (r reporter) extent(b []byte) (need uint64, done bool, err *Error) {
	h, err := r.readHeader(b)
	if err != nil {
		return 0, false, err
	}
	if need = h.phEnd(); need > uint64(len(b)) {
		return need, false, nil
	}
	need = max(need, h.shEnd())
	le := binary.LittleEndian
	for i := uint64(0); i < h.phnum; i++ {
		p := b[h.phoff+i*phdrSize:]
		t := le.Uint32(p[phType:])
		if t != ptLoad && t != ptNote {
			continue
		}
		off, size := le.Uint64(p[phOffset:]), le.Uint64(p[phFilesz:])
		if off+size < off {
			return 0, false, r.errorf(segField(int(i), "p_filesz"), "offset %#x and size %#x exceed 64 bits", off, size)
		}
		need = max(need, off+size)
	}
	return need, true, nil
}

func segField(i int, name string) string {
	return fmt.Sprintf("program header %d %s", i, name)
}

// readSegments gives the PT_LOAD segments ordered by p_paddr, and the notes'
// segments. Segments without any of the flags R, W, X are skipped, as Xen
// does (C/libelf/libelf-tools.c:elf_phdr_is_loadable).
func (r reporter) readSegments(b []byte, h *header, limit uint64) (load []Segment, notes []Segment, err *Error) {
	le := binary.LittleEndian
	for i := 0; i < int(h.phnum); i++ {
		p := b[h.phoff+uint64(i)*phdrSize:]
		typ := le.Uint32(p[phType:])
		s := Segment{Index: i, Flags: le.Uint32(p[phFlags:]), Offset: le.Uint64(p[phOffset:]),
			Vaddr: le.Uint64(p[phVaddr:]), Paddr: le.Uint64(p[phPaddr:]), Memsz: le.Uint64(p[phMemsz:])}
		filesz := le.Uint64(p[phFilesz:])
		switch {
		case typ != ptLoad && typ != ptNote:
			continue
		case typ == ptLoad && s.Flags&(flagR|flagW|flagX) == 0:
			continue
		}
		if n := uint64(len(b)); s.Offset > n || filesz > n-s.Offset {
			return nil, nil, r.errorf(segField(i, "p_filesz"), "truncated: bytes %#x+%#x of the file, which has %#x", s.Offset, filesz, n)
		}
		s.Data = b[s.Offset : s.Offset+filesz : s.Offset+filesz]
		if typ == ptNote {
			notes = append(notes, s)
			continue
		}
		if filesz > s.Memsz {
			return nil, nil, r.errorf(segField(i, "p_memsz"), "%#x, expected at least p_filesz %#x", s.Memsz, filesz)
		}
		if s.Memsz == 0 {
			continue
		}
		if s.Paddr+s.Memsz < s.Paddr {
			return nil, nil, r.errorf(segField(i, "p_memsz"), "huge: p_paddr %#x plus %#x exceeds 64 bits", s.Paddr, s.Memsz)
		}
		if s.Memsz > limit {
			return nil, nil, r.errorf(segField(i, "p_memsz"), "huge: %d bytes, the guest's memory is %d", s.Memsz, limit)
		}
		load = append(load, s)
	}
	if len(load) == 0 {
		return nil, nil, r.errorf("program headers", "no PT_LOAD segment, expected at least one")
	}
	sort.SliceStable(load, func(i, j int) bool { return load[i].Paddr < load[j].Paddr })
	for i := 1; i < len(load); i++ {
		a, c := &load[i-1], &load[i]
		if c.Paddr < a.end() {
			return nil, nil, r.errorf(segField(c.Index, "p_paddr"), "%#x overlaps program header %d, which takes %#x..%#x",
				c.Paddr, a.Index, a.Paddr, a.end())
		}
	}
	return load, notes, nil
}

// section is one section header whose content lies in the file.
type section struct {
	name  string
	typ   uint32
	flags uint64
	link  uint32
	data  []byte // nil for SHT_NOBITS
}

// readSections gives the sections; those whose content lies outside the file
// are left out: sections serve only for symbols and the fallbacks for notes.
func readSections(b []byte, h *header) []section {
	le := binary.LittleEndian
	raw := func(i uint64) (section, bool) {
		p := b[h.shoff+i*shdrSize:]
		s := section{typ: le.Uint32(p[shType:]), flags: le.Uint64(p[shFlags:]), link: le.Uint32(p[shLink:])}
		if s.typ == shtNobits {
			return s, true
		}
		at, ok := sectionSpan(b, h, i)
		if ok {
			s.data = b[at.from:at.to:at.to]
		}
		return s, ok
	}
	if h.shnum == 0 {
		return nil
	}
	var names []byte
	if h.shstrndx < h.shnum {
		if s, ok := raw(h.shstrndx); ok {
			names = s.data
		}
	}
	out := make([]section, h.shnum)
	for i := range out {
		s, ok := raw(uint64(i))
		if !ok {
			s = section{} // keeps the indices of sh_link right
		}
		s.name = sectionName(names, uint64(le.Uint32(b[h.shoff+uint64(i)*shdrSize+shName:])))
		out[i] = s
	}
	return out
}

// sectionSpan is where section i lies in the file; false if not all of it does.
func sectionSpan(b []byte, h *header, i uint64) (span, bool) {
	le := binary.LittleEndian
	p := b[h.shoff+i*shdrSize:]
	off, size := le.Uint64(p[shOffset:]), le.Uint64(p[shSize:])
	if n := uint64(len(b)); le.Uint32(p[shType:]) == shtNobits || off > n || size > n-off {
		return span{}, false
	}
	return span{off, off + size}, true
}

// noteSegments are the stretches of the file that PT_NOTE headers name.
func noteSegments(b []byte, h *header) []span {
	le := binary.LittleEndian
	var out []span
	for i := uint64(0); i < h.phnum; i++ {
		p := b[h.phoff+i*phdrSize:]
		if le.Uint32(p[phType:]) == ptNote {
			off := le.Uint64(p[phOffset:])
			out = append(out, span{off, off + le.Uint64(p[phFilesz:])})
		}
	}
	return out
}

// sectionName is the name at off of the name table; "" for those longer than
// any that is looked for.
func sectionName(names []byte, off uint64) string {
	if off >= uint64(len(names)) {
		return ""
	}
	s, _ := cString(names[off:min(off+64, uint64(len(names)))], 0)
	return s
}

// maxString is the longest string taken from a file (Xen's
// ELF_MAX_STRING_LENGTH).
const maxString = 4096

// cString reads the NUL-terminated string at off of a string table.
func cString(tab []byte, off uint64) (string, bool) {
	if off >= uint64(len(tab)) {
		return "", false
	}
	tab = tab[off:]
	for i := 0; i < len(tab) && i <= maxString; i++ {
		if tab[i] == 0 {
			return string(tab[:i]), true
		}
	}
	return "", false
}
