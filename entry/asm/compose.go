package asm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// Slots of the guest's table of user stubs, in order: eight 8-byte pointers.
var tableSlots = [8]string{"xen_pf", "xen_bp", "xen_db", "xen_gp", "native_pf", "native_bp", "native_db", "native_gp"}

var entryName = regexp.MustCompile(`^(.+)_(?:xen|native)_(?:pf|bp|db|gp)$`)

// MissingEntries says which entry points a stub file does not define.
type MissingEntries struct {
	File, Stub string
	Missing    []string // "NAME_xen_pf", ...
}

func (e *MissingEntries) Error() string {
	if e.Stub == "" {
		return fmt.Sprintf("%s: no entry point found; expected global symbols NAME_xen_pf ... NAME_native_gp (STUB(NAME) of stub.h defines them)", e.File)
	}
	return fmt.Sprintf("%s: missing entry point: %s", e.File, strings.Join(e.Missing, ", "))
}

// Entries finds the eight entry points NAME_{xen,native}_{pf,bp,db,gp} of a
// linked stub. An entry with value 0 means "no handler". Errors:
// *MissingEntries, or *ObjectError when the file has stubs of two names.
func (l *Linked) Entries() (name string, entries [8]uint64, err error) {
	found := make(map[string]bool)
	for s := range l.Symbols {
		if m := entryName.FindStringSubmatch(s); m != nil {
			found[m[1]] = true
		}
	}
	names := make([]string, 0, len(found))
	for n := range found {
		names = append(names, n)
	}
	sort.Strings(names)
	switch len(names) {
	case 0:
		return "", entries, &MissingEntries{File: l.File}
	case 1:
		name = names[0]
	default:
		return "", entries, &ObjectError{l.File, "entry points", "stubs of several names, expected one: " + strings.Join(names, ", ")}
	}
	var missing []string
	for i, s := range tableSlots {
		v, ok := l.Symbols[name+"_"+s]
		if !ok {
			missing = append(missing, name+"_"+s)
		}
		entries[i] = v
	}
	if missing != nil {
		return name, entries, &MissingEntries{l.File, name, missing}
	}
	return name, entries, nil
}

// Guest is where a guest image takes a user's stub, and its symbols.
type Guest struct {
	Area     uint64 // virtual address of the area for code
	AreaSize uint64 // bytes
	Table    uint64 // virtual address of the eight pointers
	symbols  map[string]uint64
	elf      *elf.File
	data     []byte
	file     string
}

// Lookup resolves a symbol of the guest image for Link.
func (g *Guest) Lookup(name string) (uint64, bool) {
	v, ok := g.symbols[name]
	return v, ok
}

// OpenGuest reads a guest image that reserves room for a user's stub: area
// and table are the names of the two symbols. The area's size is the symbol's,
// or reaches to the symbol area_end. All errors are *ObjectError.
func OpenGuest(file string, data []byte, area, table string) (*Guest, error) {
	bad := func(field, format string, a ...any) (*Guest, error) {
		return nil, &ObjectError{file, field, fmt.Sprintf(format, a...)}
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return bad("ELF header", "not a readable ELF file: %v", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 {
		return bad("e_machine", "%v %v, expected a 64-bit x86-64 image", f.Class, f.Machine)
	}
	syms, err := f.Symbols()
	if err != nil {
		return bad("symbol table", "unreadable: %v", err)
	}
	g := &Guest{symbols: make(map[string]uint64, len(syms)), elf: f, data: data, file: file}
	var haveArea, haveTable bool
	for _, s := range syms {
		if s.Section == elf.SHN_UNDEF {
			continue
		}
		switch s.Name {
		case area:
			g.Area, g.AreaSize, haveArea = s.Value, s.Size, true
		case table:
			g.Table, haveTable = s.Value, true
			if s.Size != 8*uint64(len(tableSlots)) {
				return bad("symbol "+table, "%d bytes, expected %d pointers", s.Size, len(tableSlots))
			}
		}
		if elf.ST_BIND(s.Info) != elf.STB_LOCAL {
			g.symbols[s.Name] = s.Value
		}
	}
	switch {
	case !haveArea:
		return bad("symbol "+area, "not defined: this image takes no user stub")
	case !haveTable:
		return bad("symbol "+table, "not defined: this image takes no user stub")
	}
	if end, ok := g.symbols[area+"_end"]; g.AreaSize == 0 && ok && end > g.Area {
		g.AreaSize = end - g.Area
	}
	if g.AreaSize == 0 {
		return bad("symbol "+area, "has no size, and there is no %s_end", area)
	}
	return g, nil
}

// Compose returns a copy of the guest image with the linked stub in its area
// and the entry points in its table. l must be linked at g.Area. Errors:
// *ObjectError (too large, wrong base, image without the bytes), and those of
// Entries.
func (g *Guest) Compose(l *Linked) ([]byte, error) {
	if l.Base != g.Area {
		return nil, &ObjectError{l.File, "base", fmt.Sprintf("linked for %#x, the area is at %#x", l.Base, g.Area)}
	}
	if uint64(len(l.Code)) > g.AreaSize {
		return nil, &ObjectError{l.File, "code size", fmt.Sprintf("%d bytes, the guest image has room for %d", len(l.Code), g.AreaSize)}
	}
	_, entries, err := l.Entries()
	if err != nil {
		return nil, err
	}
	var table [8 * len(tableSlots)]byte
	for i, e := range entries {
		binary.LittleEndian.PutUint64(table[8*i:], e)
	}
	out := append([]byte(nil), g.data...)
	if err := g.patch(out, g.Area, l.Code); err != nil {
		return nil, err
	}
	if err := g.patch(out, g.Table, table[:]); err != nil {
		return nil, err
	}
	return out, nil
}

// patch overwrites image bytes at a virtual address.
func (g *Guest) patch(image []byte, va uint64, b []byte) error {
	for _, p := range g.elf.Progs {
		if p.Type != elf.PT_LOAD || va < p.Vaddr || va-p.Vaddr > p.Filesz || p.Filesz-(va-p.Vaddr) < uint64(len(b)) {
			continue
		}
		off := p.Off + (va - p.Vaddr)
		if off > uint64(len(image)) || uint64(len(image))-off < uint64(len(b)) {
			break
		}
		copy(image[off:], b)
		return nil
	}
	return &ObjectError{g.file, fmt.Sprintf("address %#x", va), fmt.Sprintf("%d bytes there do not lie in the file part of a segment", len(b))}
}
