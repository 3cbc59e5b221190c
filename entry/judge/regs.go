package judge

import (
	"regexp"
	"strings"
)

// gpr is one 64-bit register of a dump: Xen's name, QEMU's name, the place.
type gpr struct {
	xen, qemu string
	at        func(*Regs) *uint64
}

var gprs = []gpr{
	{"rax", "RAX", func(r *Regs) *uint64 { return &r.RAX }},
	{"rbx", "RBX", func(r *Regs) *uint64 { return &r.RBX }},
	{"rcx", "RCX", func(r *Regs) *uint64 { return &r.RCX }},
	{"rdx", "RDX", func(r *Regs) *uint64 { return &r.RDX }},
	{"rsi", "RSI", func(r *Regs) *uint64 { return &r.RSI }},
	{"rdi", "RDI", func(r *Regs) *uint64 { return &r.RDI }},
	{"rbp", "RBP", func(r *Regs) *uint64 { return &r.RBP }},
	{"rsp", "RSP", func(r *Regs) *uint64 { return &r.RSP }},
	{"r8", "R8", func(r *Regs) *uint64 { return &r.R8 }},
	{"r9", "R9", func(r *Regs) *uint64 { return &r.R9 }},
	{"r10", "R10", func(r *Regs) *uint64 { return &r.R10 }},
	{"r11", "R11", func(r *Regs) *uint64 { return &r.R11 }},
	{"r12", "R12", func(r *Regs) *uint64 { return &r.R12 }},
	{"r13", "R13", func(r *Regs) *uint64 { return &r.R13 }},
	{"r14", "R14", func(r *Regs) *uint64 { return &r.R14 }},
	{"r15", "R15", func(r *Regs) *uint64 { return &r.R15 }},
	{"rip", "RIP", func(r *Regs) *uint64 { return &r.RIP }},
	{"rflags", "RFL", func(r *Regs) *uint64 { return &r.RFLAGS }},
	{"cr0", "CR0", func(r *Regs) *uint64 { return &r.CR0 }},
	{"cr2", "CR2", func(r *Regs) *uint64 { return &r.CR2 }},
	{"cr3", "CR3", func(r *Regs) *uint64 { return &r.CR3 }},
	{"cr4", "CR4", func(r *Regs) *uint64 { return &r.CR4 }},
	{"fsb", "", func(r *Regs) *uint64 { return &r.FSBase }},
	{"gsb", "", func(r *Regs) *uint64 { return &r.GSBase }},
	{"gss", "", func(r *Regs) *uint64 { return &r.GSShadow }},
}

// sreg is one selector of a dump.
type sreg struct {
	name string
	at   func(*Regs) *uint16
}

var sregs = []sreg{
	{"cs", func(r *Regs) *uint16 { return &r.CS }},
	{"ss", func(r *Regs) *uint16 { return &r.SS }},
	{"ds", func(r *Regs) *uint16 { return &r.DS }},
	{"es", func(r *Regs) *uint16 { return &r.ES }},
	{"fs", func(r *Regs) *uint16 { return &r.FS }},
	{"gs", func(r *Regs) *uint16 { return &r.GS }},
}

var (
	reRIP    = regexp.MustCompile(`^RIP:    ([0-9a-f]{4}):\[<([0-9a-f]{16})>\]$`)
	reRFLAGS = regexp.MustCompile(`^RFLAGS: ([0-9a-f]{16})   EM: ([01])   CONTEXT: pv guest \(d\d+v\d+\)$`)
	reGPRs   = regexp.MustCompile(`^(?:[a-z0-9]{2,3}: {1,2}[0-9a-f]{16}(?:   |$))+$`)
	reGPR    = regexp.MustCompile(`([a-z0-9]{2,3}): {1,2}([0-9a-f]{16})`)
	reSregs  = regexp.MustCompile(`^(?:[a-z]s: [0-9a-f]{4}(?:   |$)){6}$`)
	reSreg   = regexp.MustCompile(`([a-z]s): ([0-9a-f]{4})`)
)

// parseRegsLine reads one line of Xen's register dump
// (xen/arch/x86/x86_64/traps.c:_show_registers); false if s is none.
func parseRegsLine(o *Outcome, s string) bool {
	regs := func() *Regs {
		if o.Regs == nil {
			o.Regs = &Regs{}
		}
		return o.Regs
	}
	if m := reRIP.FindStringSubmatch(s); m != nil {
		regs().CS, regs().RIP = uint16(hex(m[1])), hex(m[2])
		return true
	}
	if m := reRFLAGS.FindStringSubmatch(s); m != nil {
		regs().RFLAGS, regs().EM = hex(m[1]), m[2] == "1"
		return true
	}
	if reGPRs.MatchString(s) {
		for _, m := range reGPR.FindAllStringSubmatch(s, -1) {
			for _, g := range gprs {
				if g.xen == m[1] {
					*g.at(regs()) = hex(m[2])
				}
			}
		}
		return true
	}
	if reSregs.MatchString(s) {
		for _, m := range reSreg.FindAllStringSubmatch(s, -1) {
			for _, g := range sregs {
				if g.name == m[1] {
					*g.at(regs()) = uint16(hex(m[2]))
				}
			}
		}
		return true
	}
	return false
}

var (
	reQemuReg   = regexp.MustCompile(`\b(R[A-Z0-9]{1,2}|CR[0234]) *=([0-9a-f]{8,16})\b`)
	reQemuReg32 = regexp.MustCompile(`\bE(AX|BX|CX|DX|SI|DI|BP|SP|IP|FL)=`)
	reQemuSreg  = regexp.MustCompile(`(?m)^([CSDEFG]S) =([0-9a-f]{4}) ([0-9a-f]{8,16}) `)
)

// parseQemuRegs reads QEMU's `info registers` of a vCPU in long mode
// (target/i386/cpu-dump.c). In 32-bit mode QEMU writes EAX for RAX.
func parseQemuRegs(dump string) *Regs {
	r := &Regs{}
	dump = reQemuReg32.ReplaceAllString(dump, "R$1=")
	for _, m := range reQemuReg.FindAllStringSubmatch(dump, -1) {
		for _, g := range gprs {
			if g.qemu == m[1] {
				*g.at(r) = hex(m[2])
			}
		}
	}
	for _, m := range reQemuSreg.FindAllStringSubmatch(dump, -1) {
		for _, g := range sregs {
			if g.name == strings.ToLower(m[1]) {
				*g.at(r) = uint16(hex(m[2]))
			}
		}
		switch m[1] {
		case "FS":
			r.FSBase = hex(m[3])
		case "GS":
			r.GSBase = hex(m[3])
		}
	}
	return r
}
