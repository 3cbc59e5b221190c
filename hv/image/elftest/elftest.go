// Package elftest makes small ELF files from Go values, for tests of whatever
// loads or boots guests. It is no assembler: code comes as bytes.
package elftest

import (
	"encoding/binary"

	"pvlab/hypercall/abi"
)

// File describes an ELF64 executable for x86-64. The zero value of a field
// means the usual thing; Patch makes unusual ones.
type File struct {
	Entry    uint64
	Segments []Segment
	Notes    []Note
	Symbols  []Symbol
	Sections []Section
	// NotesInSections puts the notes into an SHT_NOTE section only, without a
	// PT_NOTE segment.
	NotesInSections bool
	// Patch may change the finished file.
	Patch func(file []byte)
}

// Segment is one PT_LOAD.
type Segment struct {
	Vaddr, Paddr uint64
	Data         []byte
	Memsz        uint64 // 0 means len(Data)
	Flags        uint32 // 0 means R+W+X
}

// Note is an ELF note; Owner "" means "Xen".
type Note struct {
	Owner string
	Type  uint32
	Desc  []byte
}

// Symbol is an entry of the symbol table. Info is st_info: binding in the
// upper, type in the lower four bits.
type Symbol struct {
	Name string
	Addr uint64
	Size uint64
	Info byte
}

// Section is a section that is not loaded.
type Section struct {
	Name  string
	Type  uint32 // 0 means SHT_PROGBITS
	Flags uint64
	Data  []byte
}

// Str and Num make notes of the two kinds that Xen knows.
func Str(typ uint32, s string) Note { return Note{Type: typ, Desc: append([]byte(s), 0)} }

// Num makes a numeric note of 8 bytes.
func Num(typ uint32, v uint64) Note {
	return Note{Type: typ, Desc: binary.LittleEndian.AppendUint64(nil, v)}
}

// VirtBase is where PVNotes link a kernel, as Linux does.
const VirtBase = 0xffffffff80000000

// PVNotes are the notes of an ordinary PV kernel at VirtBase.
func PVNotes(entry uint64) []Note {
	return []Note{
		Str(abi.ELFNoteGuestOS, "pvlab"),
		Str(abi.ELFNoteXenVersion, "xen-3.0"),
		Str(abi.ELFNoteLoader, "generic"),
		Num(abi.ELFNoteVirtBase, VirtBase),
		Num(abi.ELFNoteEntry, entry),
	}
}

// PV is an ordinary PV kernel: code at 1 MiB, entered at its first byte, in
// memsz bytes, with more notes.
func PV(code []byte, memsz uint64, more ...Note) File {
	const entry = VirtBase + 0x100000
	return File{
		Entry:    entry,
		Segments: []Segment{{Vaddr: entry, Paddr: 0x100000, Data: code, Memsz: memsz}},
		Notes:    append(PVNotes(entry), more...),
	}
}

// SetNote replaces the Xen note of its type, or adds it.
func (f *File) SetNote(n Note) {
	for i := range f.Notes {
		if f.Notes[i].Type == n.Type {
			f.Notes[i] = n
			return
		}
	}
	f.Notes = append(f.Notes, n)
}

// PVH is a kernel with a PVH entry at its first byte, at 1 MiB.
func PVH(code []byte) File {
	return File{
		Entry:    0x100000,
		Segments: []Segment{{Vaddr: 0x100000, Paddr: 0x100000, Data: code}},
		Notes:    []Note{{Type: abi.ELFNotePhys32Entry, Desc: []byte{0, 0, 0x10, 0}}},
	}
}

const (
	ehdrSize, phdrSize, shdrSize, symSize = 64, 56, 64, 24

	ptLoad, ptNote                                    = 1, 4
	shtProgbits, shtSymtab, shtStrtab, shtNote        = 1, 2, 3, 7
	flagsRWX                                   uint32 = 7
)

// Bytes makes the file.
func (f File) Bytes() []byte {
	le := binary.LittleEndian
	notes := noteBytes(f.Notes)
	noteSeg := len(notes) > 0 && !f.NotesInSections
	phnum := len(f.Segments)
	if noteSeg {
		phnum++
	}
	out := make([]byte, ehdrSize+phnum*phdrSize)
	place := func(b []byte, align int) (off uint64) {
		for len(out)%align != 0 {
			out = append(out, 0)
		}
		off = uint64(len(out))
		out = append(out, b...)
		return off
	}
	phdr := func(i int, typ, flags uint32, off, vaddr, paddr, filesz, memsz, align uint64) {
		p := out[ehdrSize+i*phdrSize:]
		le.PutUint32(p, typ)
		le.PutUint32(p[4:], flags)
		for j, v := range []uint64{off, vaddr, paddr, filesz, memsz, align} {
			le.PutUint64(p[8+8*j:], v)
		}
	}
	for i, s := range f.Segments {
		off := place(s.Data, 4096)
		memsz, flags := s.Memsz, s.Flags
		if memsz == 0 {
			memsz = uint64(len(s.Data))
		}
		if flags == 0 {
			flags = flagsRWX
		}
		phdr(i, ptLoad, flags, off, s.Vaddr, s.Paddr, uint64(len(s.Data)), memsz, 4096)
	}
	noteOff := place(notes, 4)
	if noteSeg {
		phdr(len(f.Segments), ptNote, 4, noteOff, 0, 0, uint64(len(notes)), uint64(len(notes)), 4)
	}
	shoff, shnum, shstrndx := f.sections(place, noteOff, uint64(len(notes)))

	copy(out, "\x7fELF\x02\x01\x01")
	le.PutUint16(out[16:], 2)  // ET_EXEC
	le.PutUint16(out[18:], 62) // EM_X86_64
	le.PutUint32(out[20:], 1)
	le.PutUint64(out[24:], f.Entry)
	le.PutUint64(out[32:], ehdrSize)
	le.PutUint64(out[40:], shoff)
	le.PutUint16(out[52:], ehdrSize)
	le.PutUint16(out[54:], phdrSize)
	le.PutUint16(out[56:], uint16(phnum))
	le.PutUint16(out[58:], shdrSize)
	le.PutUint16(out[60:], uint16(shnum))
	le.PutUint16(out[62:], uint16(shstrndx))
	if f.Patch != nil {
		f.Patch(out)
	}
	return out
}

func noteBytes(notes []Note) (b []byte) {
	le := binary.LittleEndian
	for _, n := range notes {
		owner := n.Owner
		if owner == "" {
			owner = abi.ELFNoteOwner
		}
		b = le.AppendUint32(b, uint32(len(owner)+1))
		b = le.AppendUint32(b, uint32(len(n.Desc)))
		b = le.AppendUint32(b, n.Type)
		b = append(append(b, owner...), 0)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		b = append(b, n.Desc...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

// sections places the section contents and headers, if there are any.
func (f *File) sections(place func([]byte, int) uint64, noteOff, noteLen uint64) (shoff uint64, num, strndx int) {
	if len(f.Symbols) == 0 && len(f.Sections) == 0 && !f.NotesInSections {
		return 0, 0, 0
	}
	le := binary.LittleEndian
	names, heads := []byte{0}, make([]byte, shdrSize)
	add := func(name string, typ uint32, flags, off, size uint64, link uint32, entsize uint64) {
		h := make([]byte, shdrSize)
		le.PutUint32(h, uint32(len(names)))
		names = append(append(names, name...), 0)
		le.PutUint32(h[4:], typ)
		le.PutUint64(h[8:], flags)
		le.PutUint64(h[24:], off)
		le.PutUint64(h[32:], size)
		le.PutUint32(h[40:], link)
		le.PutUint64(h[48:], 1)
		le.PutUint64(h[56:], entsize)
		heads = append(heads, h...)
		num++
	}
	num = 1
	if f.NotesInSections {
		add(".note.Xen", shtNote, 0, noteOff, noteLen, 0, 0)
	}
	for _, s := range f.Sections {
		typ := s.Type
		if typ == 0 {
			typ = shtProgbits
		}
		add(s.Name, typ, s.Flags, place(s.Data, 1), uint64(len(s.Data)), 0, 0)
	}
	if len(f.Symbols) > 0 {
		strs, syms := []byte{0}, make([]byte, symSize)
		for _, s := range f.Symbols {
			b := make([]byte, symSize)
			le.PutUint32(b, uint32(len(strs)))
			b[4] = s.Info
			le.PutUint16(b[6:], 1) // any defined section
			le.PutUint64(b[8:], s.Addr)
			le.PutUint64(b[16:], s.Size)
			syms = append(syms, b...)
			strs = append(append(strs, s.Name...), 0)
		}
		add(".symtab", shtSymtab, 0, place(syms, 8), uint64(len(syms)), uint32(num+1), symSize)
		add(".strtab", shtStrtab, 0, place(strs, 1), uint64(len(strs)), 0, 0)
	}
	strndx = num
	// The name table names itself: its header comes last and knows its size.
	size := uint64(len(names) + len(".shstrtab") + 1)
	off := place(append(append(names[:len(names):len(names)], ".shstrtab"...), 0), 1)
	add(".shstrtab", shtStrtab, 0, off, size, 0, 0)
	return place(heads, 8), num, strndx
}
