package cpu

import (
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	osexec "os/exec" // exec is the table of operations
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The instruction forms that are compared with the host's processor come from
// outside: x86.csv of golang.org/x/arch, a table made from Intel's manual.

// isaForm is one line of that table.
type isaForm struct {
	text     string // "ADD r/m16, imm8"
	encoding string // "83 /2 ib"
	in32     bool   // valid in 32-bit code
	in64     bool
	feature  string
	tags     map[string]bool

	// from the encoding
	pfx       uint8 // 66, F2, F3, or 0
	rex, rexW bool
	vex       bool // bits of a VEX prefix with L = 0
	vexWIG    bool
	wait      bool // 9B comes first
	opcode    []byte
	plus      bool // the last opcode byte has a register in bits 0-2
	modrm     bool
	digit     int // ModRM.reg, or -1
}

func (f *isaForm) name() string {
	name, _, _ := strings.Cut(f.text, " ")
	return name
}

func (f *isaForm) String() string { return f.text + " (" + f.encoding + ")" }

// archModule is where the module golang.org/x/arch lies.
func archModule(t testing.TB) string {
	t.Helper()
	out, err := osexec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/arch").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("golang.org/x/arch is not at hand (go mod download): %v", err)
	}
	return dir
}

// isaForms reads the table.
func isaForms(t testing.TB) []*isaForm {
	t.Helper()
	f, err := os.Open(filepath.Join(archModule(t), "x86", "x86.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var forms []*isaForm
	for _, l := range lines {
		f := &isaForm{text: strings.Join(strings.Fields(l[0]), " "), encoding: l[1], in32: l[2] == "V", in64: l[3] == "V", feature: l[4],
			tags: map[string]bool{}, digit: -1}
		for _, tag := range strings.Split(l[5], ",") {
			f.tags[tag] = true
		}
		if err := f.parse(); err != nil {
			t.Fatalf("%v: %v", f, err)
		}
		forms = append(forms, f)
	}
	return forms
}

// parse takes the encoding apart.
func (f *isaForm) parse() error {
	immediate := false
	for i, s := range strings.Fields(f.encoding) {
		switch {
		case s == "+":
		case s == "REX":
			f.rex = true
		case s == "REX.W":
			f.rexW = true
		case strings.HasPrefix(s, "VEX"):
			f.parseVEX(s)
		case s == "/r" || s == "/is4":
			f.modrm = true
		case s[0] == '/':
			n, err := strconv.Atoi(s[1:])
			if err != nil {
				return err
			}
			f.modrm, f.digit = true, n
		case strings.Contains("ib iw id io cb cw cd cp cm", s):
			immediate = true
		case immediate: // a fixed immediate
		default:
			s, reg, plus := strings.Cut(s, "+")
			b, err := hex.DecodeString(s)
			if err != nil || len(b) != 1 || plus && !strings.Contains("i rb rw rd", reg) {
				return fmt.Errorf("encoding token %q", s)
			}
			switch {
			case i == 0 && b[0] == 0x9b && f.encoding != "9B":
				f.wait = true
			case len(f.opcode) == 0 && !f.vex && strings.Contains("66 F2 F3", s) && f.encoding != s:
				f.pfx = b[0]
			default:
				f.opcode = append(f.opcode, b[0])
				f.plus = plus
			}
		}
	}
	if len(f.opcode) == 0 {
		return fmt.Errorf("no opcode")
	}
	return nil
}

// parseVEX reads VEX.NDS.LZ.F2.0F38.W0; the escape bytes go to opcode.
func (f *isaForm) parseVEX(s string) {
	f.vex, f.vexWIG = true, true
	for _, p := range strings.Split(s, ".") {
		switch p {
		case "66":
			f.pfx = 0x66
		case "F2":
			f.pfx = 0xf2
		case "F3":
			f.pfx = 0xf3
		case "0F":
			f.opcode = []byte{0x0f}
		case "0F38":
			f.opcode = []byte{0x0f, 0x38}
		case "0F3A":
			f.opcode = []byte{0x0f, 0x3a}
		case "W0", "W1":
			f.rexW, f.vexWIG = p == "W1", false
		}
	}
	if len(f.opcode) == 0 {
		f.opcode = []byte{0x0f}
	}
}

// operandKinds says whether ModRM.rm may be memory and whether it may be a
// register.
func (f *isaForm) operandKinds() (memory, register bool) {
	if f.tags["modrm_regonly"] {
		return false, true
	}
	_, ops, _ := strings.Cut(f.text, " ")
	for _, o := range strings.Split(ops, ",") {
		switch o = strings.TrimSpace(o); {
		case strings.HasPrefix(o, "mm"), strings.HasPrefix(o, "moffs"):
			memory = memory || strings.Contains(o, "/m")
		case o == "mem", strings.HasPrefix(o, "m"):
			return true, false
		}
		if strings.Contains(o, "/m") {
			memory, register = true, true
		}
	}
	if f.tags["modrm_memonly"] {
		return true, false
	}
	return memory, register || !memory
}

// excluded says why no single step of a user process can judge the form; ""
// if one can.
func (f *isaForm) excluded() string {
	name := f.name()
	if f.vex && f.feature != "BMI1" && f.feature != "BMI2" {
		return "AVX, FMA, F16C: not announced by the model's CPUID, #UD there"
	}
	switch f.feature {
	case "RTM", "HLE or RTM":
		return "TSX: not announced by the model's CPUID, #UD there"
	case "HLE":
		return "a prefix: drawn together with other forms"
	case "INVPCID":
		return "INVPCID: not announced by the model's CPUID, #UD there"
	}
	if f.wait {
		return "two instructions: WAIT and the form without 9B, both in the list"
	}
	switch name {
	case "MOVNTSS", "MOVNTSD":
		return "SSE4a: not announced by the model's CPUID, #UD there"
	case "LOCK":
		return "a prefix: drawn together with other forms"
	case "XSAVES", "XSAVES64", "XRSTORS", "XRSTORS64":
		return "XSAVES: not announced by the model's CPUID, #UD there"
	case "INT", "ICEBP", "SYSCALL", "SYSENTER", "INTO":
		return "enters the host's kernel, which answers for itself: compared on QEMU (entry/ring0_test.go) and by hv/cpu's tests"
	case "LCALL", "LJMP", "LRET", "IRET", "IRETD", "IRETQ", "LAR", "LSL", "VERR", "VERW", "LDS", "LES", "LFS", "LGS", "LSS":
		return "reads descriptor tables, which are the host kernel's: compared on QEMU (entry/ring0_test.go)"
	case "MOV", "POP":
		if strings.Contains(f.text, " Sreg,") || name == "POP" && len(f.text) == len("POP FS") && f.text[5] == 'S' {
			return "reads descriptor tables, which are the host kernel's: compared on QEMU (entry/ring0_test.go)"
		}
		if strings.Contains(f.text, "TR0-TR7") {
			return "test registers: gone since the 486, #UD"
		}
	case "SGDT", "SIDT", "SLDT", "STR", "SMSW":
		return "shows the host kernel's tables, or the kernel answers (UMIP): compared on QEMU (entry/ring0_test.go)"
	case "CPUID", "RDTSC", "RDTSCP", "RDPMC", "XGETBV", "RDRAND":
		return "the answer is the machine's own: hv/cpu's tests"
	case "XSAVE", "XSAVE64", "XSAVEC", "XSAVEC64", "XSAVEOPT", "XSAVEOPT64", "XRSTOR", "XRSTOR64":
		return "the area follows the host's XCR0, which has more components: hv/cpu's tests"
	}
	return ""
}

// hostFlag is the /proc/cpuinfo flag a host needs to judge the form.
func (f *isaForm) hostFlag() string {
	switch f.feature {
	case "SSE4_1", "SSE4_2", "SSSE3", "AES", "RDRAND", "FSGSBASE", "BMI1", "BMI2":
		return strings.ToLower(f.feature)
	case "SSE3":
		return "pni"
	case "SHA":
		return "sha_ni"
	case "CLMUL":
		return "pclmulqdq"
	case "LZCNT":
		return "abm"
	}
	switch f.name() {
	case "TZCNT":
		return "bmi1"
	}
	return needsFeature(f.name())
}

// usesFX reports whether x87, MMX or SSE state matters.
func (f *isaForm) usesFX() bool {
	switch f.feature {
	case "MMX", "SSE", "SSE2", "SSE3", "SSSE3", "SSE4_1", "SSE4_2", "AES", "SHA", "CLMUL":
		return true
	}
	op := f.opcode
	return op[0] >= 0xd8 && op[0] <= 0xdf || op[0] == 0x9b || len(op) > 1 && op[0] == 0x0f && (op[1] == 0xae || op[1] == 0x77) ||
		f.pfx == 0x66 && len(op) > 1
}
