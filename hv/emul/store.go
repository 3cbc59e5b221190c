package emul

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/x86"
)

// store is what must be known of an instruction that writes memory: how wide
// its store is (0: none that Xen emulates), whether it repeats, and whether it
// reads memory too. A CMPXCHG (compares) that finds another value than RAX's
// stores nothing: Xen's emulator then only loads RAX, whatever the address.
type store struct {
	size  int
	rep   bool
	reads bool

	compares bool
}

// Widths in storeWidth besides plain numbers of bytes.
const (
	wOperand = -1 // operand size: 2, 4 or 8
	wStack   = -2 // stack operand: 8, or 2 with prefix 66
	wWide    = -3 // 8, or 16 with REX.W: CMPXCHG8B, CMPXCHG16B
)

// decode reads the instruction at RIP again, as Xen does; bytes that cannot
// be read give a #PF of a fetch (X/pv/ro-page-fault.c:
// ptwr_emulated_insn_fetch).
func (s *store) decode(v *dom.VCPU) x86.Fault {
	*s = store{}
	long := v.CPU.Mode() == cpu.Mode64
	if !long {
		return x86.Fault{} // Xen decodes as the domain's own width: 64-bit
	}
	var buf [maxLength]byte
	n, f := v.CopyFromFault(v.CPU.RIP, buf[:])
	code := buf[:n]
	opsize, rexW, rep := false, false, false
	for i := 0; i < len(code); i++ {
		b := code[i]
		switch {
		case b == 0x66:
			opsize, rexW = true, false
		case b == 0xf2 || b == 0xf3:
			rep, rexW = true, false
		case b == 0xf0 || b == 0x67 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65:
			rexW = false
		case b>>4 == 4:
			rexW = b&8 != 0
		default:
			s.classify(code[i:], opsize, rexW)
			s.rep = rep && isString(b)
			s.reads = !pureStore(code[i:])
			s.compares = b == 0x0f && i+1 < len(code) && code[i+1]&^1 == 0xb0
			return x86.Fault{}
		}
	}
	if f.Valid {
		return x86.PageFault(x86.PFFetch, v.CPU.RIP+uint64(n))
	}
	return x86.Fault{}
}

// isString reports MOVS and STOS.
func isString(b byte) bool { return b == 0xa4 || b == 0xa5 || b == 0xaa || b == 0xab }

// pureStore reports whether an instruction without its prefixes only writes
// memory: MOV, STOS, SETcc, MOVNTI, MOVBE, PUSH of no memory.
func pureStore(code []byte) bool {
	switch b := code[0]; {
	case b == 0x88 || b == 0x89 || b == 0x8c || b == 0xa2 || b == 0xa3 || b == 0xc6 || b == 0xc7,
		b == 0xaa || b == 0xab,
		b>>3 == 0x50>>3, b == 0x68, b == 0x6a, b == 0x9c, b == 0xe8:
		return true
	case b != 0x0f || len(code) < 2:
		return false
	}
	b := code[1]
	return b>>4 == 9 || b == 0xc3 || b == 0xa0 || b == 0xa8 || b == 0x38
}

func (s *store) classify(code []byte, opsize, rexW bool) {
	w := storeWidth(code)
	switch w {
	case wOperand:
		w = 4
		if rexW {
			w = 8
		} else if opsize {
			w = 2
		}
	case wStack:
		w = 8
		if opsize {
			w = 2
		}
	case wWide:
		w = 8
		if rexW {
			w = 0 // wider than an entry
		}
	}
	s.size = w
}

// storeWidth finds the width of the store of an instruction without its
// prefixes. Forms whose ModRM names a register never fault on memory.
func storeWidth(code []byte) int {
	b := code[0]
	digit := byte(0)
	if len(code) > 1 {
		digit = code[1] >> 3 & 7
	}
	byteOr := func(odd int) int {
		if b&1 == 0 {
			return 1
		}
		return odd
	}
	switch {
	case b == 0x0f:
		return storeWidth0F(code[1:])
	case b < 0x38 && b&7 < 2, // ADD to XOR r/m, r
		(b == 0x80 || b == 0x81) && digit != 7,
		b == 0x86 || b == 0x87, b == 0x88 || b == 0x89, b == 0xa2 || b == 0xa3, isString(b),
		b == 0xc0 || b == 0xc1, b == 0xc6 || b == 0xc7, b >= 0xd0 && b <= 0xd3,
		(b == 0xf6 || b == 0xf7) && digit >= 2 && digit <= 3, (b == 0xfe || b == 0xff) && digit < 2:
		return byteOr(wOperand)
	case b == 0x83 && digit != 7:
		return wOperand
	case b == 0x8c:
		return 2
	case b>>3 == 0x50>>3, b == 0x68, b == 0x6a, b == 0x8f, b == 0x9c, b == 0xe8, b == 0xff && (digit == 2 || digit == 6):
		return wStack
	}
	return 0
}

func storeWidth0F(code []byte) int {
	if len(code) == 0 {
		return 0
	}
	digit := byte(0)
	if len(code) > 1 {
		digit = code[1] >> 3 & 7
	}
	switch b := code[0]; b {
	case 0xab, 0xb3, 0xbb, 0xa4, 0xa5, 0xac, 0xad, 0xb1, 0xc1, 0xc3:
		return wOperand
	case 0xba:
		if digit >= 5 {
			return wOperand
		}
	case 0xb0, 0xc0:
		return 1
	case 0xc7:
		if digit == 1 {
			return wWide
		}
	case 0xa0, 0xa8:
		return wStack
	case 0x38: // MOVBE
		if len(code) > 1 && code[1] == 0xf1 {
			return wOperand
		}
	default:
		if b>>4 == 9 { // SETcc
			return 1
		}
	}
	return 0
}
