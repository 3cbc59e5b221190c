// Package disasm turns instruction bytes into GNU assembler text for
// messages. It wraps golang.org/x/arch/x86/x86asm and names what that package
// lacks or gets wrong. Nothing is ever executed from what it says.
package disasm

import (
	"golang.org/x/arch/x86/x86asm"
)

// Bad is the text for bytes that are not understood.
const Bad = "(bad)"

// Inst disassembles the instruction at the start of code, which lies at rip
// and is decoded for mode 16, 32 or 64. sym (may be nil) names an address:
// the symbol at or before it and that symbol's address, or "". It returns the
// text and the instruction's length in bytes; text is Bad and length 0 when
// the bytes are not understood or not complete.
func Inst(code []byte, mode int, rip uint64, sym func(uint64) (string, uint64)) (text string, length int) {
	if len(code) > 15 {
		code = code[:15]
	}
	if text, length, ok := missing(code, mode, rip, sym); ok {
		return text, length
	}
	return library(code, mode, rip, sym)
}

// library asks x86asm. A prefix that it cannot place comes back as an
// instruction of its own: that counts as not understood.
func library(code []byte, mode int, rip uint64, sym func(uint64) (string, uint64)) (string, int) {
	in, err := x86asm.Decode(code, mode)
	if err != nil || in.Len == 0 || in.Op == 0 {
		return Bad, 0
	}
	return x86asm.GNUSyntax(in, rip, sym), in.Len
}
