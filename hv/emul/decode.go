package emul

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/x86"
)

// decoded is as much of an instruction as the privileged ones need: none of
// them has a memory operand by ModRM.
type decoded struct {
	length int
	code   uint16 // opcode byte, or 0x0f00 | byte
	opsize bool   // 66
	adsize bool   // 67
	rep    bool   // F2 or F3
	seg    int    // override, -1 none
	rex    uint8
	modrm  uint8
	imm    uint8
	long   bool // 64-bit code segment
}

// maxLength is the architectural limit of an instruction.
const maxLength = 15

// fetch reads and decodes the instruction at RIP. The bytes are read again
// from memory, as Xen does; those that cannot be read give the guest a #PF
// without the fetch bit (X/pv/emul-priv-op.c:insn_fetch). An instruction that
// is none of the privileged ones has code 0.
func (d *decoded) fetch(v *dom.VCPU) x86.Fault {
	*d = decoded{seg: -1, long: v.CPU.Mode() == cpu.Mode64}
	base := uint64(0)
	if !d.long {
		base = v.CPU.Seg[x86.CS].Base
	}
	seen := v.Look(base+v.CPU.RIP, maxLength)
	next := func() (b byte, f x86.Fault) {
		if d.length < len(seen) {
			d.length++
			return seen[d.length-1], x86.Fault{}
		}
		var buf [1]byte
		at := base + v.CPU.RIP + uint64(d.length)
		if n, rf := v.CopyFromFault(at, buf[:]); n == 0 {
			if rf.Vector != x86.VectorPF {
				return 0, x86.WithCode(x86.VectorGP, 0)
			}
			return 0, x86.PageFault(0, at)
		}
		d.length++
		return buf[0], x86.Fault{}
	}
	for d.length < maxLength {
		b, f := next()
		if f.Valid {
			return f
		}
		switch {
		case b == 0x66:
			d.opsize, d.rex = true, 0
		case b == 0x67:
			d.adsize, d.rex = true, 0
		case b == 0xf2 || b == 0xf3:
			d.rep, d.rex = true, 0
		case b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e:
			d.seg, d.rex = int(b>>3&3), 0
		case b == 0x64 || b == 0x65:
			d.seg, d.rex = int(b&7), 0
		case b == 0xf0:
			return x86.Fault{} // LOCK: none of ours
		case d.long && b>>4 == 4:
			d.rex = b
		case b == 0x0f:
			if b, f = next(); f.Valid {
				return f
			}
			d.code = 0x0f00 | uint16(b)
			return d.operands(next)
		default:
			d.code = uint16(b)
			return d.operands(next)
		}
	}
	return x86.Fault{}
}

// operands reads what follows the opcodes that have something following.
func (d *decoded) operands(next func() (byte, x86.Fault)) (f x86.Fault) {
	switch d.code {
	case 0x0f01, 0x0f20, 0x0f21, 0x0f22, 0x0f23:
		d.modrm, f = next()
	case 0xe4, 0xe5, 0xe6, 0xe7:
		d.imm, f = next()
	}
	return f
}

// reg and rm are the ModRM fields with REX applied.
func (d *decoded) reg() int { return int(d.modrm>>3&7 | d.rex&4<<1) }
func (d *decoded) rm() int  { return int(d.modrm&7 | d.rex&1<<3) }

// ioSize is the width of IN, OUT, INS and OUTS in bytes.
func (d *decoded) ioSize() int {
	switch {
	case d.code&1 == 0:
		return 1
	case d.opsize:
		return 2
	}
	return 4
}

// op is one row of the table of what Xen emulates.
type op struct {
	code uint16
	sub  int // whole ModRM byte, -1 = any
	name string
	run  func(*inst) outcome
}

// ops is the complete list (PRIV-01; X/pv/emul-priv-op.c:validate).
var ops = []op{
	{0x6c, -1, "insb", (*inst).ins}, {0x6d, -1, "ins", (*inst).ins},
	{0x6e, -1, "outsb", (*inst).outs}, {0x6f, -1, "outs", (*inst).outs},
	{0xe4, -1, "inb", (*inst).in}, {0xe5, -1, "in", (*inst).in},
	{0xe6, -1, "outb", (*inst).out}, {0xe7, -1, "out", (*inst).out},
	{0xec, -1, "inb", (*inst).in}, {0xed, -1, "in", (*inst).in},
	{0xee, -1, "outb", (*inst).out}, {0xef, -1, "out", (*inst).out},
	{0xfa, -1, "cli", (*inst).ignored}, {0xfb, -1, "sti", (*inst).ignored},
	{0x0f01, 0xd1, "xsetbv", (*inst).xsetbv}, {0x0f01, 0xf9, "rdtscp", (*inst).rdtscp},
	{0x0f06, -1, "clts", (*inst).clts}, {0x0f09, -1, "wbinvd", (*inst).wbinvd},
	{0x0f20, -1, "mov from cr", (*inst).readCR}, {0x0f22, -1, "mov to cr", (*inst).writeCR},
	{0x0f21, -1, "mov from dr", (*inst).readDR}, {0x0f23, -1, "mov to dr", (*inst).writeDR},
	{0x0f30, -1, "wrmsr", (*inst).wrmsr}, {0x0f31, -1, "rdtsc", (*inst).rdtsc},
	{0x0f32, -1, "rdmsr", (*inst).rdmsr}, {0x0fa2, -1, "cpuid", (*inst).cpuid},
}

func find(d *decoded) *op {
	for i := range ops {
		if o := &ops[i]; o.code == d.code && (o.sub < 0 || o.sub == int(d.modrm)) {
			return o
		}
	}
	return nil
}
