package disasm

import "strings"

// What x86asm v0.32 does not decode, takes for something else, or returns as
// a lone prefix.

type operands uint8

const (
	none  operands = iota // the ModRM byte is part of the opcode
	reg                   // one register, ModRM.rm
	mem                   // one memory operand
	regRM                 // r/m, then a register
)

// prefix classes
const (
	np = 0
	p6 = 0x66
	f2 = 0xf2
	f3 = 0xf3
)

// gap is one instruction: prefix class, opcode after 0F, and ModRM: for none
// the whole byte, for reg and mem the digit.
type gap struct {
	prefix byte
	op     string // bytes after 0F
	modrm  byte
	kind   operands
	name   string
}

var gaps = []gap{
	{np, "\x01", 0xc0, none, "enclv"},
	{np, "\x01", 0xc1, none, "vmcall"},
	{np, "\x01", 0xc2, none, "vmlaunch"},
	{np, "\x01", 0xc3, none, "vmresume"},
	{np, "\x01", 0xc4, none, "vmxoff"},
	{np, "\x01", 0xc5, none, "pconfig"},
	{np, "\x01", 0xca, none, "clac"},
	{np, "\x01", 0xcb, none, "stac"},
	{np, "\x01", 0xcf, none, "encls"},
	{np, "\x01", 0xd7, none, "enclu"},
	{np, "\x01", 0xd8, none, "vmrun"},
	{np, "\x01", 0xd9, none, "vmmcall"},
	{np, "\x01", 0xda, none, "vmload"},
	{np, "\x01", 0xdb, none, "vmsave"},
	{np, "\x01", 0xdc, none, "stgi"},
	{np, "\x01", 0xdd, none, "clgi"},
	{np, "\x01", 0xde, none, "skinit"},
	{np, "\x01", 0xdf, none, "invlpga"},
	{np, "\x01", 0xe8, none, "serialize"},
	{np, "\x01", 0xee, none, "rdpkru"},
	{np, "\x01", 0xef, none, "wrpkru"},
	{np, "\x01", 0xfa, none, "monitorx"},
	{np, "\x01", 0xfb, none, "mwaitx"},
	{np, "\x01", 0xfc, none, "clzero"},
	{np, "\x01", 0xfd, none, "rdpru"},
	{f3, "\x01", 0xe8, none, "setssbsy"},
	{f3, "\x01", 0xea, none, "saveprevssp"},
	{f3, "\x01", 0xec, none, "uiret"},
	{f3, "\x01", 0xed, none, "testui"},
	{f3, "\x01", 0xee, none, "clui"},
	{f3, "\x01", 0xef, none, "stui"},
	{f3, "\x01", 5, mem, "rstorssp"},
	{f3, "\x1e", 0xfa, none, "endbr64"},
	{f3, "\x1e", 0xfb, none, "endbr32"},
	{f3, "\x1e", 1, reg, "rdssp"},
	{np, "\x1c", 0, mem, "cldemote"},
	{p6, "\xae", 6, mem, "clwb"},
	{p6, "\xae", 7, mem, "clflushopt"},
	{p6, "\xae", 6, reg, "tpause"},
	{f2, "\xae", 6, reg, "umwait"},
	{f3, "\xae", 6, reg, "umonitor"},
	{f3, "\xae", 5, reg, "incssp"},
	{f3, "\xae", 6, mem, "clrssbsy"},
	{np, "\xc7", 6, reg, "rdrand"},
	{np, "\xc7", 7, reg, "rdseed"},
	{f3, "\xc7", 6, reg, "senduipi"},
	{f3, "\xc7", 7, reg, "rdpid"},
	{p6, "\x38\xf6", 0, regRM, "adcx"},
	{f3, "\x38\xf6", 0, regRM, "adox"},
}

// Instructions without ModRM.
var bare = []gap{
	{f3, "\x09", 0, none, "wbnoinvd"},
	{np, "\x37", 0, none, "getsec"},
}

// missing disassembles what the tables above list.
func missing(code []byte, mode int, rip uint64, sym func(uint64) (string, uint64)) (string, int, bool) {
	n, prefix, rex := prefixes(code, mode)
	rest := code[n:]
	if len(rest) < 2 || rest[0] != 0x0f {
		return "", 0, false
	}
	rest = rest[1:]
	if rest[0] == 0x07 && mode == 64 {
		return [2]string{"sysretl", "sysretq"}[rex>>3&1], n + 2, true
	}
	for _, g := range bare {
		if g.prefix == prefix && rest[0] == g.op[0] {
			return g.name, n + 2, true
		}
	}
	for i := range gaps {
		g := &gaps[i]
		if g.prefix != prefix || !strings.HasPrefix(string(rest), g.op) || len(rest) <= len(g.op) {
			continue
		}
		modrm := rest[len(g.op)]
		isReg := modrm>>6 == 3
		switch g.kind {
		case none:
			if modrm == g.modrm {
				return g.name, n + 2 + len(g.op), true
			}
		case reg:
			if isReg && modrm>>3&7 == g.modrm {
				return g.name + " " + register(modrm&7|rex&1<<3, rex&8 != 0, mode), n + 2 + len(g.op), true
			}
		case mem:
			if !isReg && modrm>>3&7 == g.modrm {
				// INVLPG has the same operand and is known.
				return borrow(code, n, g, mode, rip, sym, []byte{0x0f, 0x01}, "invlpg", modrm|7<<3)
			}
		case regRM:
			// IMUL has the same operands and is known.
			return borrow(code, n, g, mode, rip, sym, []byte{0x0f, 0xaf}, "imul", modrm)
		}
	}
	return "", 0, false
}

// prefixes skips legacy and REX prefixes and returns their number, the
// mandatory prefix in effect and the REX byte.
func prefixes(code []byte, mode int) (n int, prefix, rex byte) {
	for ; n < len(code); n++ {
		switch b := code[n]; {
		case b == f2 || b == f3:
			prefix, rex = b, 0
		case b == p6:
			if prefix == np {
				prefix = p6
			}
			rex = 0
		case b == 0x67 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 || b == 0x65 || b == 0xf0:
			rex = 0
		case mode == 64 && b&0xf0 == 0x40:
			rex = b
		default:
			return n, prefix, rex
		}
	}
	return n, prefix, rex
}

// borrow has x86asm print the operands under another instruction's name.
func borrow(code []byte, n int, g *gap, mode int, rip uint64, sym func(uint64) (string, uint64), op []byte, known string, modrm byte) (string, int, bool) {
	var b []byte
	for _, p := range code[:n] {
		if p != g.prefix {
			b = append(b, p)
		}
	}
	b = append(append(b, op...), modrm)
	from := n + 2 + len(g.op)
	b = append(b, code[from:]...)
	shorter := from - (len(b) - len(code[from:]))
	text, length := library(b, mode, rip+uint64(shorter), sym)
	if length == 0 {
		return Bad, 0, true
	}
	name := strings.Fields(text)[0]
	return g.name + strings.TrimPrefix(strings.TrimPrefix(text, name), known), length + shorter, true
}

var names = [16]string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "8", "9", "10", "11", "12", "13", "14", "15"}

func register(n byte, wide bool, mode int) string {
	switch {
	case mode == 64 && wide:
		return "%r" + names[n]
	case n >= 8:
		return "%r" + names[n] + "d"
	}
	return "%e" + names[n]
}
