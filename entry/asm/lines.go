package asm

import (
	"debug/dwarf"
	"path"
	"sort"
)

// Bounds of what is read of the debug sections.
const (
	maxLines   = 1 << 18 // rows kept
	maxUnits   = 256     // compile units looked at
	maxEntries = 1 << 16 // entries of all units; debug/dwarf can stand still on a broken one
)

// Lines answers which source line an address came from.
type Lines struct {
	rows []lineRow // sorted by address
}

type lineRow struct {
	addr uint64
	file string
	line int
	end  bool // first address after a sequence
}

// Line returns the source position of the instruction at addr.
func (l *Lines) Line(addr uint64) (file string, line int, ok bool) {
	if l == nil {
		return "", 0, false
	}
	i := sort.Search(len(l.rows), func(i int) bool { return l.rows[i].addr > addr })
	if i == 0 || l.rows[i-1].end {
		return "", 0, false
	}
	r := l.rows[i-1]
	return r.file, r.line, true
}

// lines reads the DWARF line table with the relocations of the finished
// layout applied. Line information is a convenience: a broken table gives
// none, it does not make the object unusable.
func (o *Object) lines(addr []uint64) (l *Lines) {
	defer func() {
		// debug/dwarf does not promise to be hardened against hostile
		// tables, and an object file comes from outside.
		if recover() != nil {
			l = nil
		}
	}()
	sec := make(map[string][]byte)
	for _, s := range o.debug {
		b := append([]byte(nil), s.Data...)
		for _, r := range s.Relocs {
			if r.apply(b, 0, o.debugAddress(r.Symbol, addr)) != nil {
				return nil
			}
		}
		sec[s.Name] = b
	}
	if sec[".debug_line"] == nil || sec[".debug_info"] == nil {
		return nil
	}
	d, err := dwarf.New(sec[".debug_abbrev"], nil, nil, sec[".debug_info"], sec[".debug_line"], nil, sec[".debug_ranges"], sec[".debug_str"])
	if err != nil {
		return nil
	}
	for _, name := range []string{".debug_line_str", ".debug_addr", ".debug_rnglists", ".debug_str_offsets"} {
		if sec[name] != nil && d.AddSection(name, sec[name]) != nil {
			return nil
		}
	}
	l = &Lines{}
	units := 0
	// Children are read, not skipped: skipping follows offsets in the file,
	// which may lead back.
	r := d.Reader()
	for n := 0; n < maxEntries && units < maxUnits; n++ {
		cu, err := r.Next()
		if err != nil || cu == nil {
			break
		}
		if cu.Tag != dwarf.TagCompileUnit {
			continue
		}
		units++
		lr, err := d.LineReader(cu)
		if err != nil || lr == nil {
			continue
		}
		dir, _ := cu.Val(dwarf.AttrCompDir).(string)
		var e dwarf.LineEntry
		for len(l.rows) < maxLines && lr.Next(&e) == nil {
			row := lineRow{addr: e.Address, line: e.Line, end: e.EndSequence}
			if e.File != nil {
				row.file = relativeTo(dir, e.File.Name)
			}
			l.rows = append(l.rows, row)
		}
	}
	if len(l.rows) == 0 {
		return nil
	}
	// At one address the end of a sequence comes before the next begins.
	sort.SliceStable(l.rows, func(i, j int) bool {
		a, b := l.rows[i], l.rows[j]
		return a.addr < b.addr || a.addr == b.addr && a.end && !b.end
	})
	return l
}

// debugAddress is the address of a symbol for the debug sections: their own
// sections begin at 0.
func (o *Object) debugAddress(sym int, addr []uint64) uint64 {
	y := &o.Symbols[sym]
	for i := range o.debug {
		if y.Defined && !y.Abs && o.debug[i].index == y.section {
			return y.Value
		}
	}
	return addr[sym]
}

// relativeTo shows a file as the user named it: without the compilation
// folder that the assembler puts before it.
func relativeTo(dir, file string) string {
	file = path.Clean(file)
	if dir = path.Clean(dir); dir != "." && dir != "/" && len(file) > len(dir) && file[:len(dir)] == dir && file[len(dir)] == '/' {
		return file[len(dir)+1:]
	}
	return file
}
