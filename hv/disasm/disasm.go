// Package disasm turns instruction bytes into GNU assembler text for
// messages. It wraps golang.org/x/arch/x86/x86asm and names what that package
// lacks or gets wrong. Nothing is ever executed from what it says.
package disasm

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// Inst disassembles the instruction at the start of code, which lies at rip
// and is decoded for mode 16, 32 or 64. sym (may be nil) names an address:
// the symbol at or before it and that symbol's address, or "". It returns the
// text and the instruction's length; text is "(bad)" and length 0 when the
// bytes are not understood.
func Inst(code []byte, mode int, rip uint64, sym func(uint64) (string, uint64)) (text string, length int) {
	if len(code) > 15 {
		code = code[:15]
	}
	in, err := x86asm.Decode(code, mode)
	if err != nil || in.Len == 0 {
		return "(bad)", 0
	}
	return x86asm.GNUSyntax(in, rip, sym), in.Len
}

// Bytes is the fallback for bytes that Inst does not understand.
func Bytes(code []byte) string { return fmt.Sprintf(".byte % x", code) }
