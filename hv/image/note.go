package image

import (
	"bytes"
	"encoding/binary"

	"pvlab/hypercall/abi"
)

// Note is one ELF note of owner "Xen".
type Note struct {
	Type uint32
	Name string // "VIRT_BASE", or "" for a type unknown here
	Str  string // for string types
	Num  uint64 // for numeric types: descriptors of 1, 2, 4 or 8 bytes, others 0
	Desc []byte // the descriptor
}

// Bounds on the notes of a file: their number (Xen's
// ELF_MAX_TOTAL_NOTE_COUNT), and the bytes of the Xen ones.
const (
	maxNotes     = 65536
	maxNoteBytes = 1 << 20
)

type noteBudget struct{ notes, bytes int }

// readNotes gives the Xen notes among the notes in b. Names and descriptors
// are padded to 4 bytes whatever the segment's alignment, as Xen reads them
// (C/libelf/libelf-tools.c:elf_note_next).
func (r reporter) readNotes(b []byte, field string, budget *noteBudget) (out []Note, err *Error) {
	le := binary.LittleEndian
	for len(b) > 0 {
		if budget.notes--; budget.notes < 0 {
			return nil, r.errorf(field, "more than %d notes", maxNotes)
		}
		if len(b) < 12 {
			if allZero(b) { // alignment of the segment's end
				break
			}
			return nil, r.errorf(field, "truncated: %d bytes left, a note header takes 12", len(b))
		}
		namesz, descsz, typ := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])), le.Uint32(b[8:])
		b = b[12:]
		name, desc := (namesz+3)&^3, (descsz+3)&^3
		// The last note's padding may be cut off.
		if n := uint64(len(b)); namesz > n || name+descsz > n {
			return nil, r.errorf(field, "truncated: a note of %d+%d bytes, %d are left", namesz, descsz, n)
		}
		owner, d := b[:namesz], b[name:name+descsz]
		b = b[min(name+desc, uint64(len(b))):]
		if s, ok := cString(owner, 0); !ok || s != abi.ELFNoteOwner {
			continue
		}
		if budget.bytes -= len(d); budget.bytes < 0 {
			return nil, r.errorf(field, "more than %d bytes of Xen notes", maxNoteBytes)
		}
		n := Note{Type: typ, Name: abi.ELFNoteName(typ), Desc: d}
		if abi.ELFNoteIsString(typ) {
			s, _, _ := bytes.Cut(d, []byte{0})
			if len(s) > maxString {
				return nil, r.errorf("note "+n.Name, "a string of %d bytes, expected at most %d", len(s), maxString)
			}
			n.Str = string(s)
		} else {
			n.Num = noteNumber(d)
		}
		out = append(out, n)
	}
	return out, nil
}

func noteNumber(d []byte) uint64 {
	switch len(d) {
	case 1:
		return uint64(d[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(d))
	case 4:
		return uint64(binary.LittleEndian.Uint32(d))
	case 8:
		return binary.LittleEndian.Uint64(d)
	}
	return 0
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
