package image

import (
	"bytes"
	"encoding/binary"
)

// The DWARF line number program, versions 2 to 5 (DWARF 5, section 6.2).
// debug/dwarf reads it, too, but joins every file name with its directory at
// once, which a crafted table turns into terabytes; and it wants the compile
// units first.

// Codes used in it.
const (
	lnsCopy           = 1
	lnsAdvancePC      = 2
	lnsAdvanceLine    = 3
	lnsSetFile        = 4
	lnsConstAddPC     = 8
	lnsFixedAdvancePC = 9

	lneEndSequence = 1
	lneSetAddress  = 2

	lnctPath      = 1
	lnctDirectory = 2

	formData2, formData4, formData8  = 0x05, 0x06, 0x07
	formString, formBlock, formData1 = 0x08, 0x09, 0x0b
	formStrp, formUdata              = 0x0e, 0x0f
	formData16, formLineStrp         = 0x1e, 0x1f
)

// lineReader reads units off b into t. Once b was too short or wrong, bad is
// set and everything reads as 0.
type lineReader struct {
	b            []byte
	lineStr, str []byte
	t            *lineTable
	bad          bool
}

func (r *lineReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// uint reads an unsigned number of n bytes, 1 to 8.
func (r *lineReader) uint(n uint64) (v uint64) {
	var w [8]byte
	copy(w[:], r.take(n))
	return binary.LittleEndian.Uint64(w[:])
}

func (r *lineReader) uleb() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		c := r.uint(1)
		if shift < 64 {
			v |= c & 0x7f << shift
		}
		if c&0x80 == 0 {
			return v
		}
	}
}

func (r *lineReader) sleb() (v int64) {
	for shift := uint(0); ; {
		c := r.uint(1)
		if shift < 64 {
			v |= int64(c&0x7f) << shift
		}
		shift += 7
		if c&0x80 == 0 {
			if c&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// text reads a NUL-terminated string in place; the result has no NUL.
func (r *lineReader) text() []byte {
	i := bytes.IndexByte(r.b, 0)
	if r.bad || i < 0 {
		r.bad = true
		return nil
	}
	return r.take(uint64(i) + 1)
}

// at is a string table from an offset on.
func at(tab []byte, off uint64) []byte {
	if off > uint64(len(tab)) {
		return nil
	}
	return tab[off:]
}

// lineHeader is what a unit's program needs of its header.
type lineHeader struct {
	version    uint64
	wide       bool // 64-bit DWARF
	minInst    uint64
	lineBase   int64
	lineRange  uint64
	opcodeBase uint64
	lengths    []byte // operands of the standard opcodes
	firstFile  int    // of the unit, in lineTable.files
}

func (h *lineHeader) offset() uint64 {
	if h.wide {
		return 8
	}
	return 4
}

// unit reads one unit's header and program; false ends the reading.
func (r *lineReader) unit() bool {
	var h lineHeader
	n := r.uint(4)
	if n == 0xffffffff {
		h.wide = true
		n = r.uint(8)
	}
	u := lineReader{b: r.take(n), lineStr: r.lineStr, str: r.str, t: r.t}
	if r.bad {
		return false
	}
	h.version = u.uint(2)
	if h.version < 2 || h.version > 5 {
		return true
	}
	if h.version == 5 {
		u.take(2) // sizes of addresses and segment selectors
	}
	prog := lineReader{b: at(u.b, h.offset()+u.peek(h.offset())), t: r.t}
	u.take(h.offset())
	h.minInst = u.uint(1)
	if h.version >= 4 {
		u.take(1) // operations per instruction: 1 on x86
	}
	u.take(1) // initial is_stmt
	h.lineBase, h.lineRange, h.opcodeBase = int64(int8(u.uint(1))), u.uint(1), u.uint(1)
	if h.opcodeBase == 0 {
		return true
	}
	h.lengths = u.take(h.opcodeBase - 1)
	h.firstFile = len(r.t.files)
	if h.version == 5 {
		u.names5(h.offset())
	} else {
		u.names2()
	}
	if u.bad {
		r.t.files = r.t.files[:h.firstFile]
		return true
	}
	return prog.run(&h)
}

// peek is uint without moving on.
func (r *lineReader) peek(n uint64) uint64 {
	c := *r
	return c.uint(n)
}

// names2 reads directories and files of versions 2 to 4. File numbers begin
// with 1; directory 0, the compiler's own, is left empty.
func (r *lineReader) names2() {
	dirs := [][]byte{nil}
	for {
		d := r.text()
		if len(d) <= 1 {
			break
		}
		dirs = append(dirs, d)
	}
	r.t.files = append(r.t.files, lineFile{})
	for !r.bad && len(r.t.files) < maxLineFiles {
		f := lineFile{name: r.text()}
		if len(f.name) <= 1 {
			break
		}
		if d := r.uleb(); d < uint64(len(dirs)) {
			f.dir = dirs[d]
		}
		r.uleb() // time
		r.uleb() // size
		r.t.files = append(r.t.files, f)
	}
}

// names5 reads directories and files of version 5, numbered from 0.
func (r *lineReader) names5(offset uint64) {
	dirs := r.entries(offset)
	for _, f := range r.entries(offset) {
		if f.dirIndex < uint64(len(dirs)) {
			f.dir = dirs[f.dirIndex].name
		}
		r.t.files = append(r.t.files, f.lineFile)
	}
}

type lineEntry struct {
	lineFile
	dirIndex uint64
}

// entries reads a table of version 5: a format, a count, and that many
// entries.
func (r *lineReader) entries(offset uint64) (out []lineEntry) {
	type field struct{ content, form uint64 }
	format := make([]field, r.uint(1))
	for i := range format {
		format[i] = field{r.uleb(), r.uleb()}
	}
	count := r.uleb()
	// Every entry takes a byte or more.
	if count > uint64(len(r.b)) || len(format) == 0 && count != 0 || uint64(len(r.t.files))+count > maxLineFiles {
		r.bad = true
	}
	for ; count > 0 && !r.bad; count-- {
		var e lineEntry
		for _, f := range format {
			var text []byte
			var num uint64
			switch f.form {
			case formString:
				text = r.text()
			case formLineStrp:
				text = at(r.lineStr, r.uint(offset))
			case formStrp:
				text = at(r.str, r.uint(offset))
			case formUdata:
				num = r.uleb()
			case formData1:
				num = r.uint(1)
			case formData2:
				num = r.uint(2)
			case formData4:
				num = r.uint(4)
			case formData8:
				num = r.uint(8)
			case formData16:
				r.take(16)
			case formBlock:
				r.take(r.uleb())
			default:
				r.bad = true
			}
			switch f.content {
			case lnctPath:
				e.name = text
			case lnctDirectory:
				e.dirIndex = num
			}
		}
		out = append(out, e)
	}
	return out
}

// run executes a unit's program; false ends the reading.
func (r *lineReader) run(h *lineHeader) bool {
	row := lineRow{line: 1}
	var file uint64 = 1
	emit := func(end bool) bool {
		if len(r.t.rows) == maxLineRows {
			return false
		}
		row.file = -1
		if i := uint64(h.firstFile) + file; !end && file < uint64(len(r.t.files)) && i < uint64(len(r.t.files)) {
			row.file = int32(i)
		}
		r.t.rows = append(r.t.rows, row)
		return true
	}
	for len(r.b) > 0 && !r.bad {
		op := r.uint(1)
		switch {
		case op >= h.opcodeBase:
			if h.lineRange == 0 {
				return true
			}
			op -= h.opcodeBase
			row.addr += op / h.lineRange * h.minInst
			row.line += uint32(h.lineBase + int64(op%h.lineRange))
			if !emit(false) {
				return false
			}
		case op == 0:
			e := lineReader{b: r.take(r.uleb())}
			switch e.uint(1) {
			case lneEndSequence:
				if !emit(true) {
					return false
				}
				row, file = lineRow{line: 1}, 1
			case lneSetAddress:
				row.addr = e.uint(min(uint64(len(e.b)), 8))
			}
		case op == lnsCopy:
			if !emit(false) {
				return false
			}
		case op == lnsAdvancePC:
			row.addr += r.uleb() * h.minInst
		case op == lnsAdvanceLine:
			row.line += uint32(r.sleb())
		case op == lnsSetFile:
			file = r.uleb()
		case op == lnsConstAddPC:
			if h.lineRange == 0 {
				return true
			}
			row.addr += (255 - h.opcodeBase) / h.lineRange * h.minInst
		case op == lnsFixedAdvancePC:
			row.addr += r.uint(2)
		default: // what does not move the row
			for i := byte(0); i < h.lengths[op-1]; i++ {
				r.uleb()
			}
		}
	}
	return true
}
