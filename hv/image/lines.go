package image

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"io"
	"path"
	"slices"
	"sort"

	"github.com/klauspost/compress/zstd"
)

// Bounds on debug information, beyond which there are no source lines.
const (
	maxDebugSection = 64 << 20 // unpacked
	maxLineRows     = 4 << 20
	maxLineFiles    = 1 << 20
)

// lineTable is the DWARF line table of all units.
type lineTable struct {
	rows  []lineRow // by address
	files []lineFile
}

// lineRow says that code from addr on, up to the next row, comes from a line.
type lineRow struct {
	addr uint64
	file int32 // in files; -1: the sequence ends here
	line uint32
}

// lineFile is a file name and its directory, as they lie in the sections. They
// are joined when asked for: a crafted table could make them many and long.
type lineFile struct{ dir, name []byte }

// Line gives the source line of an address from the DWARF line table, with
// the file's name as the compiler was given it. ok is false when the table
// has none for it; what is broken in a table is left out.
func (img *Image) Line(addr uint64) (file string, line int, ok bool) {
	img.lineOnce.Do(func() { img.lines = readLines(readSections(img.elf, &img.head)) })
	addr, seg := img.linked(addr)
	if seg == nil {
		return "", 0, false
	}
	t := &img.lines
	i := sort.Search(len(t.rows), func(i int) bool { return t.rows[i].addr > addr }) - 1
	if i < 0 || t.rows[i].file < 0 || t.rows[i].line == 0 {
		return "", 0, false
	}
	f := t.files[t.rows[i].file]
	name, _ := cString(f.name, 0)
	if dir, _ := cString(f.dir, 0); dir != "" && !path.IsAbs(name) {
		name = path.Join(dir, name)
	}
	return name, int(t.rows[i].line), true
}

func readLines(secs []section) (t lineTable) {
	r := lineReader{t: &t}
	for i := range secs {
		switch s := &secs[i]; s.name {
		case ".debug_line":
			r.b = debugData(s)
		case ".debug_line_str":
			r.lineStr = debugData(s)
		case ".debug_str":
			r.str = debugData(s)
		}
	}
	for len(r.b) > 0 && r.unit() {
	}
	order := func(a, b lineRow) int {
		if c := cmp.Compare(a.addr, b.addr); c != 0 {
			return c
		}
		// An end comes before what begins there.
		return cmp.Compare(min(a.file, 0), min(b.file, 0))
	}
	if !slices.IsSortedFunc(t.rows, order) {
		slices.SortStableFunc(t.rows, order)
	}
	return t
}

// debugData is a section's content, unpacked if need be (gABI, "Section
// Compression"); nil if it cannot be had.
func debugData(s *section) []byte {
	if s.flags&shfCompressed == 0 {
		return s.data
	}
	const chdrSize = 24 // type u32, reserved u32, size u64, alignment u64
	if len(s.data) < chdrSize {
		return nil
	}
	size := binary.LittleEndian.Uint64(s.data[8:])
	if size > maxDebugSection || size > explodeRatio*uint64(len(s.data)) {
		return nil
	}
	var in io.Reader
	var err error
	switch body := bytes.NewReader(s.data[chdrSize:]); binary.LittleEndian.Uint32(s.data) {
	case 1:
		in, err = zlib.NewReader(body)
	case 2:
		var d *zstd.Decoder
		if d, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			defer d.Close()
			in = d
		}
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(in, out); err != nil {
		return nil
	}
	return out
}
