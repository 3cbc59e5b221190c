package asm

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// relocForm says how a relocation type computes and stores its value
// (AMD64 ABI supplement, table 4.9): S+A, or S+A-P when relative.
type relocForm struct {
	size     int // bytes written; 0 for R_X86_64_NONE
	relative bool
	signed   bool // the value must fit sign-extended, otherwise zero-extended
}

// A PLT32 reference is a call that needs no table here: everything is in one
// piece, so it is a PC32.
var relocForms = map[elf.R_X86_64]relocForm{
	elf.R_X86_64_NONE:  {},
	elf.R_X86_64_64:    {size: 8},
	elf.R_X86_64_PC64:  {size: 8, relative: true, signed: true},
	elf.R_X86_64_32:    {size: 4},
	elf.R_X86_64_32S:   {size: 4, signed: true},
	elf.R_X86_64_PC32:  {size: 4, relative: true, signed: true},
	elf.R_X86_64_PLT32: {size: 4, relative: true, signed: true},
	elf.R_X86_64_16:    {size: 2},
	elf.R_X86_64_PC16:  {size: 2, relative: true, signed: true},
	elf.R_X86_64_8:     {size: 1},
	elf.R_X86_64_PC8:   {size: 1, relative: true, signed: true},
}

// apply stores the relocation's value into data, the section's bytes as they
// will lie at address base; s is the symbol's address.
func (r *Reloc) apply(data []byte, base, s uint64) error {
	form := relocForms[r.Type]
	v := s + uint64(r.Addend)
	if form.relative {
		v -= base + r.Offset
	}
	if !form.fits(v) {
		return fmt.Errorf("value %#x does not fit the %d bytes of %v", v, form.size, r.Type)
	}
	at := data[r.Offset:]
	switch form.size {
	case 8:
		binary.LittleEndian.PutUint64(at, v)
	case 4:
		binary.LittleEndian.PutUint32(at, uint32(v))
	case 2:
		binary.LittleEndian.PutUint16(at, uint16(v))
	case 1:
		at[0] = byte(v)
	}
	return nil
}

func (f relocForm) fits(v uint64) bool {
	if f.size == 0 || f.size == 8 {
		return true
	}
	shift := 64 - 8*uint(f.size)
	if f.signed {
		return uint64(int64(v<<shift)>>shift) == v
	}
	return v<<shift>>shift == v
}
