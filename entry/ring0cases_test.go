package entry_test

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Places and selectors of testdata/ring0/ring0.S.
const (
	areaCode     = 0x200000
	areaData     = 0x201000
	areaStack    = 0x203000
	areaKernel   = 0x203000 // supervisor only
	areaReadOnly = 0x204000
	areaAbsent   = 0x205000
	areaNX       = 0x206000
	areaReserved = 0x207000

	rsp = areaStack - 0x100

	fCF, fPF, fAF, fZF, fSF = 1 << 0, 1 << 2, 1 << 4, 1 << 6, 1 << 7
	fTF, fIF, fDF, fOF      = 1 << 8, 1 << 9, 1 << 10, 1 << 11
	fIOPL, fNT, fRF, fAC    = 3 << 12, 1 << 14, 1 << 16, 1 << 18
	fID                     = 1 << 21
)

var ring0Selectors = []uint64{0, 1, 2, 3, 0x08, 0x0b, 0x10, 0x13, 0x18, 0x20, 0x23, 0x28, 0x2b, 0x30, 0x33, 0x38, 0x3b,
	0x40, 0x48, 0x4b, 0x50, 0x53, 0x58, 0x5b, 0x60, 0x70, 0x80, 0x83, 0x90, 0x98, 0x9b, 0xa3, 0xa8, 0xb0, 0xb3, 0xb8,
	0xc3, 0xc8, 0xff8, 0x04, 0x07, 0x0c, 0x0f, 0x14, 0xffff}

// ring0Case is one run: code at areaCode until something else than a #DB
// happens (INT3 follows the code).
type ring0Case struct {
	name     string
	code     []byte
	cs, ss   uint64
	flags    uint64
	rsp      uint64
	regs     [6]uint64 // rax rbx rcx rdx rsi rdi
	cr0, cr4 uint64    // bits to toggle, bits to set
	dr7, dr0 uint64
	words    [5]uint64 // at rsp
	qemu     string    // why QEMU is wrong here; then not compared
}

// ringMode is where a case runs.
type ringMode struct {
	name   string
	cs, ss uint64
}

var (
	k64 = ringMode{"kernel", 0x08, 0x10}
	u64 = ringMode{"user", 0x33, 0x2b}
	k32 = ringMode{"kernel32", 0x18, 0x10}
	u32 = ringMode{"user32", 0x23, 0x2b}

	allModes = []ringMode{k64, u64, k32, u32}
)

func (c *ring0Case) assemble(b *strings.Builder) {
	code := append([]byte(nil), c.code...)
	for len(code) < 40 {
		code = append(code, 0xcc)
	}
	for i, x := range code {
		sep := ","
		if i == 0 {
			sep = "\t.byte "
		}
		fmt.Fprintf(b, "%s%d", sep, x)
	}
	fmt.Fprintf(b, "\n\t.quad %d,%d,%d,%d", c.cs, c.ss, c.flags|2, c.rsp)
	for _, r := range c.regs {
		fmt.Fprintf(b, ",%#x", r)
	}
	fmt.Fprintf(b, "\n\t.quad %d,%d,%d,%d", c.cr0, c.cr4, c.dr7, c.dr0)
	for _, w := range c.words {
		fmt.Fprintf(b, ",%#x", w)
	}
	b.WriteString("\n")
}

// ring0List collects cases.
type ring0List struct {
	cases  []ring0Case
	vendor string
}

// add appends a case that the options change.
func (l *ring0List) add(m ringMode, name, code string, opts ...func(*ring0Case)) {
	b, err := hex.DecodeString(strings.ReplaceAll(code, " ", ""))
	if err != nil || len(b) > 39 {
		panic(fmt.Sprintf("%s: code %q: %v", name, code, err))
	}
	c := ring0Case{
		name: m.name + ": " + name, code: b, cs: m.cs, ss: m.ss, rsp: rsp,
		regs: [6]uint64{0x1111, areaData, 3, 0x2222, areaData + 0x100, areaData + 0x200},
	}
	for _, o := range opts {
		o(&c)
	}
	l.cases = append(l.cases, c)
}

func (l *ring0List) everywhere(name, code string, opts ...func(*ring0Case)) {
	for _, m := range allModes {
		l.add(m, name, code, opts...)
	}
}

func rax(v uint64) func(*ring0Case)   { return func(c *ring0Case) { c.regs[0] = v } }
func rbx(v uint64) func(*ring0Case)   { return func(c *ring0Case) { c.regs[1] = v } }
func rcx(v uint64) func(*ring0Case)   { return func(c *ring0Case) { c.regs[2] = v } }
func rdx(v uint64) func(*ring0Case)   { return func(c *ring0Case) { c.regs[3] = v } }
func flags(v uint64) func(*ring0Case) { return func(c *ring0Case) { c.flags |= v } }
func cr0(v uint64) func(*ring0Case)   { return func(c *ring0Case) { c.cr0 = v } }
func cr4(v uint64) func(*ring0Case)   { return func(c *ring0Case) { c.cr4 = v } }
func stack(v uint64) func(*ring0Case) { return func(c *ring0Case) { c.rsp = v } }
func debugReg(dr7, dr0 uint64) func(*ring0Case) {
	return func(c *ring0Case) { c.dr7, c.dr0 = dr7, dr0 }
}

func words(w ...uint64) func(*ring0Case) { return func(c *ring0Case) { copy(c.words[:], w) } }

// words32 are 4-byte words.
func words32(w ...uint64) func(*ring0Case) {
	return func(c *ring0Case) {
		for i, x := range w {
			c.words[i/2] |= x << (32 * (i & 1))
		}
	}
}

// ring0Cases are all cases for a vendor.
func ring0Cases(vendor string) []ring0Case {
	l := &ring0List{vendor: vendor}
	l.segments()
	l.transfers()
	l.irets()
	l.memory()
	l.privileged()
	l.stepping()
	for i := range l.cases {
		c := &l.cases[i]
		for _, k := range qemuFaults {
			if (k.vendor == "" || k.vendor == vendor) && k.cases.MatchString(c.name) {
				c.qemu = k.why
			}
		}
	}
	return l.cases
}

// qemuFaults are the cases in which QEMU 7.2's TCG is not a processor, with
// the source that says so.
var qemuFaults = []struct {
	vendor string
	cases  *regexp.Regexp
	why    string
}{
	{"", regexp.MustCompile(`^kernel: mov 0x[123],%ss$`), "null SS needs RPL = CPL (SDM vol. 2, MOV); not checked"},
	{"", regexp.MustCompile(`^user32: (lds|limit of a|write through|through a null)`), "segment limits and types are not checked"},
	{"", regexp.MustCompile(`^kernel(32)?: .*(ljmp|lcall|lretq?|iretq, cs|iretl, cs) \*?0x90`), "code with L and D set is not refused (SDM vol. 3, 64-bit Mode Segment Descriptors)"},
	{"intel", regexp.MustCompile(`32: syscall$`), "SYSCALL outside 64-bit code is #UD on Intel (SDM vol. 2)"},
	{"amd", regexp.MustCompile(`32: sysenter$`), "SYSENTER in long mode is #UD on AMD (APM vol. 3), outside 64-bit code too"},
	{"", regexp.MustCompile(`: (step )?int1$`), "INT1 is not implemented"},
	{"", regexp.MustCompile(`^kernel: (lretq to user|iret[lq] to (32-bit )?user), ss 0x4b$|^kernel: iretq to kernel, ss 0xa8$`), "#NP for a stack segment that is not present, not #SS (APM vol. 3, IRET)"},
	{"", regexp.MustCompile(`^(user(32)?: (step )?int \$(6|13)|.*: int \$32)$`), "error code 16n+2 for a refused INT n"},
	{"intel", regexp.MustCompile(`sys(ret|exit)q to a non-canonical`), "SYSRET and SYSEXIT do not check RIP (SDM vol. 2)"},
	{"", regexp.MustCompile(`^(user|kernel): ((jump|ret) to a|fetch) non-canonical`), "near branches do not check the target (SDM vol. 2, JMP, RET)"},
	{"", regexp.MustCompile(`iretq to 0x\d+:0x800000000000$`), "IRET does not check RIP (SDM vol. 2, IRET)"},
	{"", regexp.MustCompile(`on (a )?non-canonical`), "#GP for a non-canonical stack, not #SS"},
	{"", regexp.MustCompile(`^user: iretq on a kernel page$`), "IRET at level 3 reads its stack as the kernel"},
	{"", regexp.MustCompile(`: (add|xchg|cmpxchg|lock btr) (kernel|absent|end of|unmapped)|: fetch (user|read-only|end of)|iretq to 0x8:0x203000$|^kernel: (add (user|read-only|NX) page|fetch kernel page), SMAP`),
		"read-modify-write faults as a read first (pages of zeros are ADD (%rax))"},
	{"", regexp.MustCompile(`reserved bit`), "error code without P beside RSVD (SDM vol. 3, Page-Fault Exceptions)"},
	{"", regexp.MustCompile(`alignment check`), "alignment checks are not implemented"},
	{"", regexp.MustCompile(`^kernel(32)?: (rdmsr|wrmsr)$`), "MSRs that do not exist read as zero"},
	{"", regexp.MustCompile(`^user(32)?: (xsetbv|mov to cr1)`), "privilege is checked before #UD"},
	{"", regexp.MustCompile(`breakpoint.* with TF`), "a breakpoint that meets a single-step trap is merged or lost"},
	{"", regexp.MustCompile(`: cr0 = |wrmsr 0xc.* = 0x8|wrgsbase, not can`), "reserved bits of CR0, LME under paging and canonical bases are not checked"},
	{"", regexp.MustCompile(`: (emms|ldmxcsr|stmxcsr|fwait|fxsave|xsave|xgetbv)`), "CR0.EM and TS, CR4.OSXSAVE and alignment are checked in part only"},
	{"", regexp.MustCompile(`: enter on NX page`), "ENTER does not probe the new stack pointer (SDM vol. 2, ENTER)"},
	{"", regexp.MustCompile(`^kernel: iretq to kernel, ss 0x[123]$`), "null SS needs the RPL of CS (SDM vol. 2, IRET)"},
}

func (l *ring0List) segments() {
	for _, sel := range ring0Selectors {
		for _, seg := range []struct{ name, code string }{
			{"es", "8e c0"}, {"ss", "8e d0"}, {"ds", "8e d8"}, {"fs", "8e e0"}, {"gs", "8e e8"}, {"cs", "8e c8"},
		} {
			l.everywhere(fmt.Sprintf("mov %#x,%%%s", sel, seg.name), seg.code, rax(sel))
		}
		l.everywhere(fmt.Sprintf("pop %#x to fs", sel), "0f a1", words(sel))
		for _, op := range []struct{ name, code string }{
			{"lar", "0f 02 d0"}, {"lsl", "0f 03 d0"}, {"verr", "0f 00 e0"}, {"verw", "0f 00 e8"},
		} {
			l.everywhere(fmt.Sprintf("%s of %#x", op.name, sel), op.code, rax(sel))
		}
		l.add(k64, fmt.Sprintf("lldt %#x", sel), "0f 00 d0", rax(sel))
		if sel&^3 != 0 { // QEMU takes a null TR and dies of it; a processor gives #GP(0)
			l.add(k64, fmt.Sprintf("ltr %#x", sel), "0f 00 d8", rax(sel))
		}
	}
	l.everywhere("mov %fs,%eax", "8c e0")
	l.everywhere("mov %fs,%ax", "66 8c e0")
	l.everywhere("mov %fs to memory", "8c 23 8b 13")
	l.everywhere("push %fs", "0f a0 5a")
	l.add(u32, "lds", "c5 03 8b 13", words())
	l.add(u32, "limit of a data segment", "8e e0 64 8b 15 fc 0f 00 00 64 8b 15 fd 0f 00 00", rax(0xc3))
	l.add(u32, "write through a code segment", "2e 89 03")
	l.add(u32, "through a null segment", "8e e0 64 8b 13", rax(0))
	l.add(u32, "arpl", "63 c8", rax(0x20), rcx(3))
	l.add(u32, "16-bit stack", "8e d0 50 5a", rax(0xa3))
}

func (l *ring0List) transfers() {
	for _, sel := range ring0Selectors {
		for _, m := range allModes {
			far := func(c *ring0Case) { c.words = [5]uint64{areaCode + 0x20 | sel<<32} }
			l.add(m, fmt.Sprintf("ljmp *%#x", sel), "ff 2c 24", far)
			l.add(m, fmt.Sprintf("lcall *%#x", sel), "ff 1c 24", far)
		}
		l.add(k64, fmt.Sprintf("lret %#x", sel), "cb", words32(areaCode+0x20, sel, rsp, 0x2b))
		l.add(u64, fmt.Sprintf("lretq %#x", sel), "48 cb", words(areaCode+0x20, sel, rsp, 0x2b))
		l.add(k64, fmt.Sprintf("lretq %#x with user stack", sel), "48 cb", words(areaCode+0x20, sel, rsp, 0x2b))
		l.add(k64, fmt.Sprintf("lretq to user, ss %#x", sel), "48 cb", words(areaCode+0x20, 0x33, rsp, sel))
		l.add(u32, fmt.Sprintf("lret %#x", sel), "cb", words32(areaCode+0x20, sel, rsp, 0x2b))
	}
	l.everywhere("syscall", "0f 05")
	l.everywhere("sysenter", "0f 34")
	l.everywhere("int3", "cc")
	l.everywhere("int1", "f1")
	l.everywhere("ud2", "0f 0b")
	l.everywhere("into, OF set", "ce", flags(fOF))
	l.everywhere("into, OF clear", "ce")
	for _, n := range []int{0, 3, 4, 6, 13, 32} {
		name, code := fmt.Sprintf("int $%d", n), fmt.Sprintf("cd %02x", n)
		l.everywhere(name, code)
	}
	l.add(k64, "sysretq", "48 0f 07", rcx(areaCode+0x20))
	l.add(k64, "sysret", "0f 07", rcx(areaCode+0x20))
	l.add(k64, "sysretq to a non-canonical rip", "48 0f 07", rcx(1<<47))
	l.add(u64, "sysretq", "48 0f 07", rcx(areaCode+0x20))
	l.add(k64, "sysexit", "0f 35", rcx(rsp), rdx(areaCode+0x20))
	l.add(k64, "sysexitq", "48 0f 35", rcx(rsp), rdx(areaCode+0x20))
	l.add(k64, "sysexitq to a non-canonical rip", "48 0f 35", rcx(rsp), rdx(1<<47))
	for _, m := range []ringMode{k64, u64} {
		l.add(m, "jump to a non-canonical address", "ff e0", rax(1<<47))
		l.add(m, "ret to a non-canonical address", "c3", words(1<<47))
	}
	l.everywhere("jump to an unmapped page", "ff e0", rax(areaAbsent))
	l.everywhere("jump to an NX page", "ff e0", rax(areaNX))
}

func (l *ring0List) irets() {
	const rip = areaCode + 0x20
	for _, sel := range ring0Selectors {
		l.add(k64, fmt.Sprintf("iretq, cs %#x, user stack", sel), "48 cf", words(rip, sel, 2, rsp, 0x2b))
		l.add(k64, fmt.Sprintf("iretq, cs %#x, kernel stack", sel), "48 cf", words(rip, sel, 2, rsp, 0x10))
		l.add(u64, fmt.Sprintf("iretq, cs %#x", sel), "48 cf", words(rip, sel, 2, rsp, 0x2b))
		l.add(k64, fmt.Sprintf("iretq to user, ss %#x", sel), "48 cf", words(rip, 0x33, 2, rsp, sel))
		l.add(k64, fmt.Sprintf("iretq to 32-bit user, ss %#x", sel), "48 cf", words(rip, 0x23, 2, rsp, sel))
		l.add(k64, fmt.Sprintf("iretq to kernel, ss %#x", sel), "48 cf", words(rip, 8, 2, rsp, sel))
		l.add(k64, fmt.Sprintf("iretl to user, ss %#x", sel), "cf", words32(rip, 0x33, 2, rsp, sel))
		l.add(k32, fmt.Sprintf("iretl, cs %#x", sel), "cf", words32(rip, sel, 2, rsp, 0x2b))
		l.add(u32, fmt.Sprintf("iretl, cs %#x", sel), "cf", words32(rip, sel, 2, rsp, 0x2b))
	}
	for _, m := range []struct {
		mode   ringMode
		cs, ss uint64
	}{{k64, 8, 0x10}, {k64, 0x33, 0x2b}, {u64, 0x33, 0x2b}} {
		for _, f := range []uint64{0, fCF | fPF | fAF | fZF | fSF | fOF, fDF, fIOPL, fNT, fAC, fID, fTF, fIF, fRF, fRF | fTF} {
			for _, old := range []uint64{0, fIOPL} {
				l.add(m.mode, fmt.Sprintf("iretq to %#x, flags %#x, iopl %d", m.cs, f, old>>12), "48 cf", flags(old), words(rip, m.cs, f, rsp, m.ss))
			}
		}
		for _, r := range []uint64{1 << 47, 1<<47 - 1, 0xffff800000000000, areaAbsent, areaKernel, areaNX} {
			l.add(m.mode, fmt.Sprintf("iretq to %#x:%#x", m.cs, r), "48 cf", words(r, m.cs, 2, rsp, m.ss))
		}
		for _, s := range []uint64{1 << 47, 0, 0xffffffffffffffff, 1} {
			l.add(m.mode, fmt.Sprintf("iretq to %#x, rsp %#x", m.cs, s), "48 cf", words(rip, m.cs, 2, s, m.ss))
		}
	}
	l.add(k64, "iretq with NT", "48 cf", flags(fNT), words(rip, 8, 2, rsp, 0x10))
	l.add(k64, "iretq off the end of the stack", "48 cf", stack(areaAbsent-16))
	l.add(k64, "iretq on a non-canonical stack", "48 cf", stack(1<<47))
	l.add(u64, "iretq on a kernel page", "48 cf", stack(areaKernel+0x100))
	l.add(k64, "iretw", "66 cf", func(c *ring0Case) { c.words[0] = 0x20 | 8<<16 | 2<<32; c.words[1] = 0x1234 | 0x10<<16 })
}

func (l *ring0List) memory() {
	for _, at := range []struct {
		name string
		va   uint64
	}{
		{"user page", areaData}, {"kernel page", areaKernel}, {"read-only page", areaReadOnly}, {"absent page", areaAbsent},
		{"NX page", areaNX}, {"reserved bit", areaReserved}, {"non-canonical", 1 << 47},
		{"end of a page before an absent one", areaAbsent - 4}, {"unmapped 1 GiB", 1 << 30}, {"unmapped 512 GiB", 1 << 39},
	} {
		for _, op := range []struct{ name, code string }{
			{"read", "48 8b 13"}, {"write", "48 89 13"}, {"add", "48 01 13"}, {"xchg", "48 87 13"}, {"cmpxchg", "48 0f b1 13"},
			{"fetch", "ff e3"}, {"push", "ff 33"}, {"pop", "8f 03"}, {"lock btr", "f0 0f ba 33 05"},
		} {
			for _, m := range []ringMode{k64, u64} {
				l.add(m, op.name+" "+at.name, op.code, rbx(at.va))
				if op.name == "write" || op.name == "add" {
					l.add(m, op.name+" "+at.name+", WP off", op.code, rbx(at.va), cr0(1<<16))
				}
			}
		}
		for _, op := range []struct{ name, code string }{{"movsq", "48 a5"}, {"rep movsb", "f3 a4"}, {"rep stosb", "f3 aa"}, {"cmpsb", "a6"}} {
			l.add(u64, op.name+" to "+at.name, op.code, rcx(8), func(c *ring0Case) { c.regs[5] = at.va })
			l.add(u64, op.name+" from "+at.name, op.code, rcx(8), func(c *ring0Case) { c.regs[4] = at.va })
		}
		for _, op := range []struct{ name, code string }{{"push", "50"}, {"pop", "58"}, {"call", "e8 05 00 00 00"}, {"ret", "c3"}, {"pushf", "9c"}, {"popf", "9d"}, {"enter", "c8 10 00 00"}, {"leave", "c9"}} {
			for _, m := range []ringMode{k64, u64} {
				l.add(m, op.name+" on "+at.name, op.code, stack(at.va+8))
			}
		}
	}
	// SMAP and SMEP, each with WP on and off; RFLAGS.AC lifts SMAP.
	for _, op := range []struct{ name, code string }{
		{"read", "48 8b 13"}, {"write", "48 89 13"}, {"add", "48 01 13"}, {"push", "ff 33"}, {"pop", "8f 03"}, {"fetch", "ff e3"},
		{"rep stosb", "f3 aa"},
	} {
		for _, at := range []struct {
			name string
			va   uint64
		}{{"user page", areaData}, {"kernel page", areaKernel}, {"read-only page", areaReadOnly}, {"NX page", areaNX}, {"absent page", areaAbsent}} {
			for _, p := range []struct {
				name string
				opts []func(*ring0Case)
			}{
				{"SMAP", []func(*ring0Case){cr4(1 << 21)}},
				{"SMAP, AC", []func(*ring0Case){cr4(1 << 21), flags(fAC)}},
				{"SMAP, WP off", []func(*ring0Case){cr4(1 << 21), cr0(1 << 16)}},
				{"SMAP, AC, WP off", []func(*ring0Case){cr4(1 << 21), flags(fAC), cr0(1 << 16)}},
				{"SMEP", []func(*ring0Case){cr4(1 << 20)}},
			} {
				opts := append([]func(*ring0Case){rbx(at.va), rcx(8), stack(areaKernel + 0x800),
					func(c *ring0Case) { c.regs[5] = at.va }}, p.opts...)
				l.add(k64, op.name+" "+at.name+", "+p.name, op.code, opts...)
				l.add(u64, op.name+" "+at.name+", "+p.name, op.code, append(opts, stack(rsp))...)
			}
		}
	}
	for _, op := range []struct{ name, code string }{{"mov", "8b 53 01"}, {"movb", "8a 53 01"}, {"push", "50"}, {"rep movsw", "66 f3 a5"}} {
		l.add(u64, "alignment check: "+op.name, op.code, cr0(1<<18), flags(fAC), stack(rsp+4), func(c *ring0Case) { c.regs[4]++ })
	}
}

func (l *ring0List) privileged() {
	const cr0Base, cr4Base = 0x80010033, 0x2a0
	for _, op := range []struct{ name, code string }{
		{"hlt", "f4"}, {"cli", "fa 9c 5a"}, {"sti", "fb 9c fa 5a"}, {"clts", "0f 06"}, {"invd", "0f 08"}, {"wbinvd", "0f 09"},
		{"invlpg", "0f 01 3b"}, {"lgdt", "0f 01 13"}, {"lidt", "0f 01 1b"}, {"lmsw", "0f 01 f0"}, {"mov cr0", "0f 20 c2"},
		{"mov to cr2", "0f 22 d0"}, {"mov dr0", "0f 21 c2"}, {"rdmsr", "0f 32"}, {"wrmsr", "0f 30"}, {"swapgs", "0f 01 f8"},
		{"in", "e4 80"}, {"out", "e6 80"}, {"insb", "6c"}, {"outsb", "6e"}, {"xsetbv", "0f 01 d1"}, {"sgdt", "0f 01 03"},
		{"smsw", "0f 01 e2"}, {"sldt", "0f 00 c2"}, {"str", "0f 00 ca"}, {"clac", "0f 01 ca"}, {"stac", "0f 01 cb 9c 5a"},
		{"cr8", "44 0f 20 c2"}, {"mov to cr1", "0f 22 c8"}, {"lock nop", "f0 90"}, {"pushf", "9c 5a"}, {"popf", "9d 9c 5a"},
	} {
		if op.name == "hlt" || op.name == "lgdt" || op.name == "lidt" { // the kernel would not survive
			l.add(u64, op.name, op.code)
			l.add(u32, op.name, op.code)
			continue
		}
		l.everywhere(op.name, op.code, rcx(0x1234567), rax(0), rdx(0), words(fIOPL|fIF|fTF|fDF|fNT))
		l.add(u64, op.name+", iopl 3", op.code, rcx(0x1234567), rax(0), rdx(0), flags(fIOPL), words(fIOPL|fIF|fDF))
		l.add(u64, op.name+", umip", op.code, rcx(0x1234567), rax(0), rdx(0), cr4(1<<11))
	}
	// QEMU does not refuse to clear PG, PE or PAE or to set reserved bits of CR4,
	// and does not live on.
	for _, v := range []uint64{cr0Base, cr0Base | 1<<32, cr0Base | 1<<29, cr0Base | 1<<30} {
		l.add(k64, fmt.Sprintf("cr0 = %#x", v), "0f 22 c0 0f 20 c2", rax(v))
	}
	for _, v := range []uint64{cr4Base, cr4Base | 1<<16, cr4Base | 1<<18} {
		l.add(k64, fmt.Sprintf("cr4 = %#x", v), "0f 22 e0 0f 20 e2", rax(v))
	}
	for _, m := range []struct {
		msr uint64
		v   uint64
	}{
		{0xc0000080, 0x901}, {0xc0000080, 0x801}, {0xc0000082, 1 << 47}, {0xc0000082, 1}, {0xc0000100, 1 << 47},
		{0xc0000101, 0xffff800000000000}, {0xc0000102, 1 << 47}, {0xc0000084, 0x700},
	} {
		l.add(k64, fmt.Sprintf("wrmsr %#x = %#x", m.msr, m.v), "0f 30 0f 32", rcx(m.msr), rax(m.v&0xffffffff), rdx(m.v>>32))
	}
	for _, m := range []ringMode{k64, u64, u32} {
		l.add(m, "rdfsbase, off", "f3 48 0f ae c0")
		l.add(m, "wrfsbase", "f3 48 0f ae d0", cr4(1<<16), rax(0x12345678))
		l.add(m, "wrgsbase, not canonical", "f3 48 0f ae d8", cr4(1<<16), rax(1<<47))
	}
	for _, c := range []struct {
		name string
		bits uint64
	}{{"", 0}, {", TS", 8}, {", EM", 4}, {", TS and EM", 12}} {
		for _, op := range []struct{ name, code string }{
			{"fninit", "db e3"}, {"fwait", "9b"}, {"fnstcw", "db e3 d9 3b 8b 13"}, {"fxsave", "0f ae 03"}, {"emms", "0f 77"},
			{"ldmxcsr", "0f ae 13"}, {"stmxcsr", "0f ae 1b 8b 13"}, {"xgetbv", "0f 01 d0"}, {"xsave", "0f ae 23"}, {"fnstsw", "db e3 df e0"},
		} {
			l.add(u64, op.name+c.name, op.code, cr0(c.bits))
		}
	}
	l.add(u64, "fxsave, not aligned", "0f ae 03", rbx(areaData+8))
	l.add(u64, "xgetbv with OSXSAVE", "0f 01 d0", cr4(1<<18), rcx(0))
	l.add(u64, "smap is not for user code", "8b 13", cr4(1<<21))
	l.add(k64, "mov to dr7", "0f 23 f8 0f 21 fa", rax(0x400))
	l.add(k64, "mov to dr7, upper half", "0f 23 f8", rax(1<<32))
	l.add(k64, "mov to dr4 with DE", "0f 23 e0", cr4(1<<3), rax(0))
	l.add(k64, "mov to dr4", "0f 23 e0 0f 21 e2", rax(0))
}

func (l *ring0List) stepping() {
	type op struct{ name, code string }
	for _, o := range []op{
		{"nop", "90 90"}, {"jump", "eb 02 90 90 90"}, {"call", "e8 02 00 00 00 90 90 90"}, {"popf clears", "9d 90 90"}, {"pushf", "9c 5a"},
		{"rep movsb", "f3 a4 90"}, {"rep movsb of none", "31 c9 f3 a4 90"}, {"repne scasb", "f2 ae 90"}, {"ud2", "0f 0b"},
		{"loop", "e2 fe 90"}, {"fault", "48 8b 04 25 00 50 20 00"}, {"xchg", "87 03 90"}, {"cpuid of one leaf", "b8 00 00 00 80 90"},
		{"int3", "90 cc"}, {"int $13", "90 cd 0d"}, {"int1", "f1 90"}, {"syscall", "90 0f 05"},
		{"enter", "c8 10 00 00 c9 90"}, {"mov fs", "8e e0 90"}, {"lea", "48 8d 04 1b 90"},
	} {
		for _, m := range []ringMode{k64, u64} {
			l.add(m, "step "+o.name, o.code, flags(fTF), rax(0))
		}
	}
	l.add(k64, "step mov ss", "8e d0 90 90", flags(fTF), rax(0x10))
	l.add(u64, "step mov ss", "8e d0 90 90", flags(fTF), rax(0x2b))
	l.add(u64, "step mov ss, int3", "8e d0 cc", flags(fTF), rax(0x2b))
	l.add(k64, "popf sets TF", "9d 90 90", words(fTF|2))
	l.add(u64, "popf sets TF", "9d 90 90", words(fTF|2))
	l.add(k64, "iretq sets TF", "48 cf", words(areaCode+0x10, 8, fTF, rsp, 0x10))
	l.add(k64, "iretq to user sets TF", "48 cf", words(areaCode+0x10, 0x33, fTF, rsp, 0x2b))
	l.add(k64, "sysretq sets TF", "48 0f 07", rcx(areaCode+0x20), func(c *ring0Case) {
		c.code = append([]byte{0x49, 0xc7, 0xc3, 0x02, 0x01, 0x00, 0x00}, c.code...) // mov $0x102,%r11
	})
	const local0, exec, write, access = 1, 0, 1 << 16, 3 << 16
	for _, m := range []ringMode{k64, u64} {
		l.add(m, "execution breakpoint", "90 90 90", debugReg(local0|exec, areaCode+1))
		l.add(m, "execution breakpoint, inside an instruction", "66 90 90", debugReg(local0|exec, areaCode+1))
		l.add(m, "execution breakpoint, jump", "eb 02 90 90 90", debugReg(local0|exec, areaCode+4))
		l.add(m, "execution breakpoint with TF", "90 90 90", debugReg(local0|exec, areaCode+1), flags(fTF))
		for i, size := range []string{"88 03", "66 89 03", "89 03", "48 89 03"} {
			l.add(m, fmt.Sprintf("write breakpoint, %d bytes", 1<<i), size+" 90", debugReg(local0|write, areaData))
			l.add(m, fmt.Sprintf("write breakpoint, %d bytes, with TF", 1<<i), size+" 90", debugReg(local0|write, areaData), flags(fTF))
		}
		l.add(m, "access breakpoint, read", "8b 13 90", debugReg(local0|access, areaData))
		l.add(m, "write breakpoint, read", "8b 13 90", debugReg(local0|write, areaData))
		l.add(m, "write breakpoint, push", "50 90", debugReg(local0|write, rsp-8))
		l.add(m, "write breakpoint, rep stosb", "f3 aa 90", debugReg(local0|write, areaData+0x201))
	}
}
