package asm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Limits of an object that Parse accepts.
const (
	maxSections = 256
	maxSymbols  = 1 << 14
	maxRelocs   = 1 << 15
	// MaxCode is the largest total of loaded sections, in bytes.
	MaxCode = 1 << 20
	// maxKept is the largest total of all sections that are kept; the ranges
	// of sections may overlap, so the file's size does not bound it.
	maxKept = 2 * MaxObject
)

// Object is a parsed relocatable object: what gets loaded, and what is needed
// to move it.
type Object struct {
	File     string
	Sections []Section // loaded ones, in file order
	Symbols  []Symbol  // in file order; [0] is the empty one
	debug    []Section // .debug_*, with their relocations
}

// Section is a part of an object that stays together.
type Section struct {
	Name   string
	Data   []byte
	Align  uint64 // power of two, at least 1
	Exec   bool
	Relocs []Reloc
	index  int // in the section header table
}

// Symbol is a name with a place.
type Symbol struct {
	Name    string
	Value   uint64 // offset in its section, or the value itself when Abs
	Global  bool
	Abs     bool // SHN_ABS
	Defined bool
	section int // section header index
}

// Reloc asks to put an address into a section (Elf64_Rela).
type Reloc struct {
	Offset uint64
	Type   elf.R_X86_64
	Symbol int // index into Object.Symbols
	Addend int64
}

// ObjectError names what is wrong in an object file.
type ObjectError struct {
	File, Field, Msg string
}

func (e *ObjectError) Error() string { return fmt.Sprintf("%s: %s: %s", e.File, e.Field, e.Msg) }

// parser carries what the error messages need.
type parser struct {
	file string
	f    *elf.File
	size uint64
}

func (p *parser) errorf(field, format string, a ...any) error {
	return &ObjectError{p.file, field, fmt.Sprintf(format, a...)}
}

// Parse reads an x86-64 relocatable ELF object. file is only a name for
// messages. All errors are *ObjectError.
func Parse(file string, data []byte) (*Object, error) {
	p := &parser{file: file, size: uint64(len(data))}
	if len(data) > MaxObject {
		return nil, p.errorf("size", "%d bytes, at most %d are accepted", len(data), MaxObject)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, p.errorf("ELF header", "not a readable ELF file: %v", err)
	}
	p.f = f
	switch {
	case f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64:
		return nil, p.errorf("e_machine", "%v %v, expected a 64-bit x86-64 object", f.Class, f.Machine)
	case f.Type != elf.ET_REL:
		return nil, p.errorf("e_type", "%v, expected a relocatable object (ET_REL)", f.Type)
	case len(f.Sections) > maxSections:
		return nil, p.errorf("e_shnum", "%d sections, at most %d are accepted", len(f.Sections), maxSections)
	}
	o := &Object{File: file}
	if err := p.symbols(o); err != nil {
		return nil, err
	}
	if err := p.sections(o); err != nil {
		return nil, err
	}
	return o, nil
}

// ignored sections are loaded by a kernel or a linker, but are of no use to
// code that runs by itself.
func ignored(s *elf.Section) bool {
	return s.Type == elf.SHT_NOTE || s.Name == ".eh_frame"
}

func (p *parser) sections(o *Object) error {
	var total, kept uint64
	for i, s := range p.f.Sections {
		debug := strings.HasPrefix(s.Name, ".debug_") && s.Type == elf.SHT_PROGBITS
		load := s.Flags&elf.SHF_ALLOC != 0 && !ignored(s)
		if !load && !debug || s.Size == 0 {
			continue
		}
		field := "section " + s.Name
		if s.Size > MaxCode {
			return p.errorf(field, "%d bytes, at most %d are accepted", s.Size, MaxCode)
		}
		if kept += s.Size; kept > maxKept {
			return p.errorf(field, "all sections together have more than %d bytes", maxKept)
		}
		if load {
			if s.Flags&elf.SHF_WRITE != 0 || s.Type == elf.SHT_NOBITS {
				return p.errorf(field, "writable memory of its own is not possible for a stub; use the stack")
			}
			if s.Flags&elf.SHF_TLS != 0 {
				return p.errorf(field, "thread-local data is not possible for a stub")
			}
			if total += s.Size; total > MaxCode {
				return p.errorf(field, "the loaded sections have more than %d bytes", MaxCode)
			}
		}
		align := max(s.Addralign, 1)
		if align&(align-1) != 0 || align > 4096 {
			return p.errorf(field, "alignment %d, expected a power of two up to 4096", s.Addralign)
		}
		data, err := s.Data()
		if err != nil || uint64(len(data)) != s.Size {
			return p.errorf(field, "its bytes cannot be read (truncated file?)")
		}
		sec := Section{Name: s.Name, Data: data, Align: align, Exec: s.Flags&elf.SHF_EXECINSTR != 0, index: i}
		if sec.Relocs, err = p.relocs(i, &sec, len(o.Symbols)); err != nil {
			return err
		}
		if load {
			o.Sections = append(o.Sections, sec)
		} else {
			o.debug = append(o.debug, sec)
		}
	}
	return nil
}

// relocs reads all SHT_RELA sections that belong to section index.
func (p *parser) relocs(index int, sec *Section, nsyms int) ([]Reloc, error) {
	var out []Reloc
	for _, s := range p.f.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL || int(s.Info) != index {
			continue
		}
		field := "section " + s.Name
		if s.Type == elf.SHT_REL {
			return nil, p.errorf(field, "relocations without addend, x86-64 has only SHT_RELA")
		}
		const size = 24 // sizeof(Elf64_Rela)
		if s.Size%size != 0 || s.Size/size > maxRelocs {
			return nil, p.errorf(field, "%d bytes are not a list of up to %d relocations", s.Size, maxRelocs)
		}
		b, err := s.Data()
		if err != nil || uint64(len(b)) != s.Size {
			return nil, p.errorf(field, "its bytes cannot be read (truncated file?)")
		}
		for ; len(b) >= size; b = b[size:] {
			info := binary.LittleEndian.Uint64(b[8:])
			r := Reloc{
				Offset: binary.LittleEndian.Uint64(b),
				Type:   elf.R_X86_64(info & 0xffffffff),
				Symbol: int(info >> 32),
				Addend: int64(binary.LittleEndian.Uint64(b[16:])),
			}
			form, ok := relocForms[r.Type]
			switch {
			case !ok:
				return nil, p.errorf(field, "relocation %v at %s+%#x is not supported", r.Type, sec.Name, r.Offset)
			case r.Symbol >= nsyms:
				return nil, p.errorf(field, "relocation at %s+%#x names symbol %d of %d", sec.Name, r.Offset, r.Symbol, nsyms)
			case r.Offset > uint64(len(sec.Data)) || uint64(len(sec.Data))-r.Offset < uint64(form.size):
				return nil, p.errorf(field, "relocation at %s+%#x lies outside the section", sec.Name, r.Offset)
			}
			out = append(out, r)
		}
	}
	return out, nil
}

func (p *parser) symbols(o *Object) error {
	syms, err := p.f.Symbols()
	if err != nil && len(syms) == 0 {
		for _, s := range p.f.Sections {
			if s.Type == elf.SHT_SYMTAB && s.Size > 0 {
				return p.errorf("section "+s.Name, "unreadable symbol table: %v", err)
			}
		}
	}
	if len(syms) > maxSymbols {
		return p.errorf("section .symtab", "%d symbols, at most %d are accepted", len(syms), maxSymbols)
	}
	o.Symbols = make([]Symbol, 1, len(syms)+1) // debug/elf leaves out the empty symbol 0
	for _, s := range syms {
		y := Symbol{Name: s.Name, Value: s.Value, Global: elf.ST_BIND(s.Info) != elf.STB_LOCAL}
		switch {
		case s.Section == elf.SHN_UNDEF:
		case s.Section == elf.SHN_ABS:
			y.Abs, y.Defined = true, true
		case s.Section == elf.SHN_COMMON:
			return p.errorf("symbol "+s.Name, "common (uninitialised) data is not possible for a stub; use the stack")
		case int(s.Section) >= len(p.f.Sections):
			return p.errorf("symbol "+s.Name, "its section %d does not exist", s.Section)
		default:
			y.Defined, y.section = true, int(s.Section)
			if y.Name == "" && elf.ST_TYPE(s.Info) == elf.STT_SECTION {
				y.Name = p.f.Sections[s.Section].Name
			}
		}
		o.Symbols = append(o.Symbols, y)
	}
	return nil
}
