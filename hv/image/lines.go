package image

import (
	"bytes"
	"compress/zlib"
	"debug/dwarf"
	"encoding/binary"
	"io"
	"sort"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Bounds on debug information, beyond which there are no source lines.
const (
	maxDebugSection = 64 << 20 // unpacked
	maxLineRows     = 4 << 20
)

// lineRow says that code from addr on, up to the next row, comes from a line.
type lineRow struct {
	addr uint64
	file int32 // in Image.files; -1: the sequence ends here
	line int32
}

// Line gives the source line of an address from the DWARF line table. ok is
// false when the file has none for it; a broken table is as none.
func (img *Image) Line(addr uint64) (file string, line int, ok bool) {
	img.lineOnce.Do(img.readLines)
	addr, seg := img.linked(addr)
	if seg == nil {
		return "", 0, false
	}
	i := sort.Search(len(img.lines), func(i int) bool { return img.lines[i].addr > addr }) - 1
	if i < 0 || img.lines[i].file < 0 || img.lines[i].line == 0 {
		return "", 0, false
	}
	r := img.lines[i]
	return img.files[r.file], int(r.line), true
}

func (img *Image) readLines() {
	sec := map[string][]byte{}
	for _, s := range readSections(img.elf, &img.head) {
		if strings.HasPrefix(s.name, ".debug_") && sec[s.name] == nil {
			sec[s.name] = debugData(&s)
		}
	}
	if sec[".debug_line"] == nil {
		return
	}
	d, err := dwarf.New(sec[".debug_abbrev"], nil, nil, sec[".debug_info"], sec[".debug_line"], nil, sec[".debug_ranges"], sec[".debug_str"])
	if err != nil {
		return
	}
	for _, n := range []string{".debug_addr", ".debug_line_str", ".debug_str_offsets", ".debug_rnglists"} {
		if sec[n] != nil && d.AddSection(n, sec[n]) != nil {
			return
		}
	}
	ids := map[string]int32{}
	for u := d.Reader(); ; u.SkipChildren() {
		e, err := u.Next()
		if err != nil || e == nil {
			break
		}
		if e.Tag == dwarf.TagCompileUnit && !img.readUnit(d, e, ids) {
			break
		}
	}
	sort.SliceStable(img.lines, func(i, j int) bool {
		a, b := &img.lines[i], &img.lines[j]
		if a.addr != b.addr {
			return a.addr < b.addr
		}
		return a.file < 0 && b.file >= 0 // an end comes before what begins there
	})
}

// readUnit adds a compile unit's rows; false ends the reading.
func (img *Image) readUnit(d *dwarf.Data, e *dwarf.Entry, ids map[string]int32) bool {
	lr, err := d.LineReader(e)
	if err != nil || lr == nil {
		return true
	}
	var le dwarf.LineEntry
	for {
		if err := lr.Next(&le); err != nil {
			return true
		}
		if len(img.lines) == maxLineRows {
			return false
		}
		row := lineRow{addr: le.Address, file: -1, line: int32(le.Line)}
		if !le.EndSequence && le.File != nil {
			id, ok := ids[le.File.Name]
			if !ok {
				id = int32(len(img.files))
				ids[le.File.Name] = id
				img.files = append(img.files, le.File.Name)
			}
			row.file = id
		}
		img.lines = append(img.lines, row)
	}
}

// debugData is a section's content, unpacked if need be (gABI, "Section
// Compression"); nil if it cannot be had.
func debugData(s *section) []byte {
	if s.flags&shfCompress == 0 {
		return s.data
	}
	const chdrSize = 24 // type u32, reserved u32, size u64, alignment u64
	if len(s.data) < chdrSize {
		return nil
	}
	size := binary.LittleEndian.Uint64(s.data[8:])
	if size > maxDebugSection {
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
