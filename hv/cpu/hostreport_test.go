package cpu

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

const coverageFile = "../../docs/cpu-coverage.md"

const coverageIntro = `# What of the processor is compared with real ones

Every form of the instruction table of golang.org/x/arch (x86/x86.csv) that a user process can run is executed
on the model and on the host's processor, single-stepped under ptrace, from the same random and directed states: 64-bit, 32-bit and
16-bit code, flat segments and segments with limits, any prefixes, operands across pages and at their ends,
faults (#DE, #UD, #GP, #SS, #PF, #AC, #MF, #XM) and the trap of TF after each. Registers, defined flags,
x87 and SSE state, memory, fault, its address and RIP must be equal.

- ` + "`go test ./hv/cpu -run HostCPU`" + ` runs a seeded 300,000 cases; ` + "`-hostcases N -hostseed S`" + ` more, ` + "`-hostform TEXT`" + ` some.
- ` + "`go test ./hv/cpu -run Objdump`" + ` compares the lengths of all instructions of the C library, of a shell and in random bytes
  with binutils; ` + "`-objdumpfiles vmlinux`" + ` takes more.
- System instructions and paging: ` + "`go test ./entry -run Ring0`" + `, thousands of cases on plain QEMU.

The longest run was 11,929,596 cases (seeds 201 and 202, on the host below). Two of them differed: one in the order of two
faults of FSTP m80 across a segment's limit, since then mended; one was MOVNTSD by stray prefixes, which that host has and the
model does not.

Written by ` + "`go test ./hv/cpu -run HostCPU -hostcases N -coverage`" + `; a test checks the lists of forms.
`

// TestCoverageDocument: docs/cpu-coverage.md lists the forms as they are.
func TestCoverageDocument(t *testing.T) {
	want := formSections(t, isaForms(t))
	b, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(b), want) {
		t.Errorf("docs/cpu-coverage.md is stale: on an amd64 machine, go test ./hv/cpu -run HostCPU -coverage")
	}
}

// formSections lists which forms are exercised, and the others by reason.
func formSections(t *testing.T, forms []*isaForm) string {
	model := newModelCPU(t, AMD)
	run, reasons := map[string]bool{}, map[string]map[string]bool{}
	mnemonics, counts := map[string]map[string]bool{}, map[string]int{}
	for _, f := range forms {
		why := f.excluded()
		if why == "" && f.notModelled(model) {
			why = "not modelled: stops the run by name"
		}
		if why != "" {
			if reasons[why] == nil {
				reasons[why] = map[string]bool{}
			}
			reasons[why][f.name()] = true
			counts[why]++
			continue
		}
		feature := f.feature
		if feature == "" {
			feature = "base"
			if f.opcode[0] >= 0xd8 && f.opcode[0] <= 0xdf || f.opcode[0] == 0x9b {
				feature = "x87"
			}
		}
		run[feature] = true
		if mnemonics[feature] == nil {
			mnemonics[feature] = map[string]bool{}
		}
		mnemonics[feature][f.name()] = true
		counts[feature]++
		counts["all"]++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Exercised: %d of %d forms\n\n| feature | forms | mnemonics |\n| --- | ---: | --- |\n", counts["all"], len(forms))
	for _, feature := range sortedNames(run) {
		fmt.Fprintf(&b, "| %s | %d | %s |\n", feature, counts[feature], strings.Join(sortedNames(mnemonics[feature]), " "))
	}
	fmt.Fprintf(&b, "\n## Not exercised, and why\n\n| forms | why | mnemonics |\n| ---: | --- | --- |\n")
	whys := map[string]bool{}
	for why := range reasons {
		whys[why] = true
	}
	for _, why := range sortedNames(whys) {
		names := sortedNames(reasons[why])
		if len(names) > 60 {
			names = append(names[:20], "...")
		}
		fmt.Fprintf(&b, "| %d | %s | %s |\n", counts[why], why, strings.Join(names, " "))
	}
	return b.String()
}

// notModelled reports a form that decodes to a gap.
func (f *isaForm) notModelled(m *modelCPU) bool {
	m.mode = Mode32
	if f.in64 {
		m.mode = Mode64
	}
	g := &randomCase{rng: rand.New(rand.NewPCG(1, 1)), mode: m.mode, u: setupOf(m.mode), c: m.CPU}
	for range 5 {
		code := g.encode(f)
		var in Inst
		if m.decode(code[:min(len(code), maxInst)], codeVA, &in) && in.Op/8 == pseudoX87 {
			return true
		}
	}
	return false
}
