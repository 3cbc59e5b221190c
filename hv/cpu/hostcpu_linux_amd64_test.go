package cpu

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pvlab/hv/x86"
)

var (
	hostCases = flag.Int("hostcases", 300000, "TestHostCPU: cases in total")
	hostSeed  = flag.Uint64("hostseed", 1, "TestHostCPU: seed")
	coverage  = flag.Bool("coverage", false, "TestHostCPU: write docs/cpu-coverage.md")
	hostForm  = flag.String("hostform", "", "TestHostCPU: only forms whose text contains this")
)

// TestHostCPU executes every form of golang.org/x/arch's instruction table on
// the model and on the host's processor, from the same random state, and
// compares registers, defined flags, x87 and SSE state, memory, fault and RIP.
func TestHostCPU(t *testing.T) {
	forms := isaForms(t)
	total := hostTally{cases: map[*isaForm]int{}, outcomes: map[string]int{}, undefined: map[string]*flagTally{}}
	for _, part := range []struct {
		u     *setup
		share int // percent
	}{{&setup64, 55}, {&setup32, 25}, {&setup32segs, 10}, {&setup16, 10}} {
		t.Run(part.u.name, func(t *testing.T) {
			n := *hostCases * part.share / 100
			if testing.Short() {
				n /= 10
			}
			h := newHostRun(t, part.u, &total)
			if list := h.judged(t, forms); len(list) > 0 {
				h.run(t, list, n)
			}
		})
	}
	total.report(t, forms)
}

// hostTally is what a run did.
type hostTally struct {
	cases       map[*isaForm]int
	outcomes    map[string]int
	undefined   map[string]*flagTally // by mnemonic
	differences int
}

// flagTally counts for each flag that the manuals leave undefined how often
// it was compared and how often it differed.
type flagTally struct{ cases, apart [64]int }

// hostRun is one mode's comparison.
type hostRun struct {
	real  *realCPU
	model *modelCPU
	u     *setup
	g     *randomCase
	tally *hostTally
}

func newHostRun(t *testing.T, u *setup, tally *hostTally) *hostRun {
	h := &hostRun{real: newRealCPU(t), model: newModelCPU(t, hostVendor()), u: u, tally: tally}
	if u.segs[x86.DS].Sel == ldt[2].Sel {
		if err := h.real.makeLDT(); err != nil {
			t.Skip(err)
		}
	}
	h.model.CR4 |= x86.CR4OSFXSR | x86.CR4OSXMMEXCPT | x86.CR4OSXSAVE | x86.CR4FSGSBASE
	h.g = &randomCase{rng: rand.New(rand.NewPCG(*hostSeed, uint64(u.mode)<<8|uint64(u.segs[x86.DS].Sel))), mode: u.mode, u: u, c: h.model.CPU}
	return h
}

// judged are the forms to run in this mode.
func (h *hostRun) judged(t *testing.T, forms []*isaForm) (list []*isaForm) {
	lacking := map[string]int{}
	for _, f := range forms {
		if f.excluded() != "" || !strings.Contains(f.text, *hostForm) {
			continue
		}
		if h.u.mode == Mode64 && !f.in64 || h.u.mode != Mode64 && !f.in32 {
			continue
		}
		if need := f.hostFlag(); need != "" && !h.real.flags[need] {
			lacking[need]++
			continue
		}
		list = append(list, f)
	}
	if len(lacking) > 0 {
		t.Logf("the host lacks: %v (feature: forms)", lacking)
	}
	return list
}

func (h *hostRun) run(t *testing.T, forms []*isaForm, cases int) {
	bad := map[string]int{}
	missing := map[string]bool{}
	for n := range cases {
		if n%64 == 0 {
			h.fill()
		}
		f := forms[n%len(forms)]
		code := h.g.encode(f)
		var in Inst
		h.model.mode = h.u.mode
		if !h.model.decode(code[:min(len(code), maxInst)], h.u.rip, &in) {
			continue
		}
		r := &table.rows[in.Op/8]
		if in.Op/8 == pseudoX87 {
			missing[f.name()] = true
			continue
		}
		if h.real.flags["sse4a"] && in.Op == pseudoUD*8 && strings.HasPrefix(f.name(), "MOVNTP") && bytes.ContainsAny(code[:in.Len], "\xf2\xf3") {
			continue // MOVNTSS, MOVNTSD
		}
		if touchesKernel[r.name] {
			continue // a stray prefix made it something else
		}
		diff, out := h.one(f, r, &in, code)
		h.tally.cases[f]++
		h.tally.outcomes[out.what]++
		if diff != "" {
			h.tally.differences++
			if bad[f.text]++; bad[f.text] <= 2 {
				t.Errorf("case %d: %v as %s % x\n%s", n, f, r.name, code[:max(int(in.Len), 1)], diff)
			}
			if len(bad) > 30 {
				t.Fatal("too many kinds of difference")
			}
		}
	}
	for name, n := range bad {
		t.Logf("%s: %d differences", name, n)
	}
	if len(missing) > 0 {
		t.Logf("not modelled: %v", sortedKeys(missing))
	}
}

// touchesKernel are rows whose outcome is the host kernel's doing.
var touchesKernel = map[string]bool{"INT": true, "INT3": true, "INT1": true, "INTO": true, "SYSCALL": true, "SYSENTER": true,
	"RDTSC": true, "RDTSCP": true, "RDPMC": true, "CPUID": true, "XGETBV": true, "RDPID": true, "XSAVE": true, "XSAVEC": true,
	"XSAVEOPT": true, "XRSTOR": true, "RDRAND": true, "RDSEED": true}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fill puts fresh operands into the data pages of both.
func (h *hostRun) fill() {
	b := h.real.mem[0x1000:]
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], h.g.operand())
	}
	h.model.Mem.Write(modelCodePA+0x1000, b)
}

// one runs one case on both and describes any difference.
func (h *hostRun) one(f *isaForm, r *row, in *Inst, code []byte) (string, outcome) {
	start := h.g.state(r, code)
	if strings.HasPrefix(r.name, "MASKMOV") {
		start.R[x86.RDI] = h.g.place()
	}
	withFX := f.usesFX()
	var fx fxState
	if withFX {
		fx = h.g.fx()
		if strings.Contains(r.name, "ISTR") || strings.Contains(r.name, "ESTR") {
			h.g.strings(&fx, &start)
		}
		binary.LittleEndian.PutUint32(fx[fxMask:], mxcsrMask)
		h.model.FX = fx
		if err := h.real.setFX(&fx); err != nil {
			return err.Error(), outcome{}
		}
	}
	copy(h.real.mem, code)
	h.model.Mem.Write(modelCodePA, code)
	h.model.load(&start, h.u)
	at := uint64(0)
	if in.Flags&FlagMem != 0 {
		at = h.model.ea(in)
	}
	switch r.name {
	case "FXRSTOR":
		h.newMXCSR(at + fxMXCSR)
	case "LDMXCSR":
		h.newMXCSR(at)
	}
	got, want := start, start
	wantOut, err := h.execute(r, in, code, &want)
	if err != nil {
		return err.Error(), wantOut
	}
	gotOut, err := h.model.run(&got, 64)
	if err != nil {
		return err.Error(), wantOut
	}
	switch gotOut.what { // Linux gives these the same signal
	case "#BR":
		gotOut.what = "#GP"
	case "#MF", "#XM":
		gotOut.what = "#FP"
	}
	h.allow(r, in, at, want.R[x86.RSP], &gotOut, &wantOut)
	var d strings.Builder
	if gotOut != wantOut {
		fmt.Fprintf(&d, "  outcome: model %v, real %v\n", gotOut, wantOut)
	}
	h.compareRegs(&d, f, r, in, &start, &got, &want)
	h.compareMemory(&d)
	if f.feature == "FSGSBASE" {
		h.compareBases(&d)
	}
	if withFX {
		var after fxState
		if err := h.real.getFX(&after); err != nil {
			return err.Error(), wantOut
		}
		if strings.HasPrefix(r.name, "RCP") || strings.HasPrefix(r.name, "RSQRT") {
			alike((*fxState)(&h.model.FX), &after)
		}
		d.WriteString(compareFX((*fxState)(&h.model.FX), &after, &fx))
	}
	if d.Len() == 0 {
		return "", wantOut
	}
	if n := shiftCount(r, in, &start); (r.name == "SHLD" || r.name == "SHRD") && n > 8*uint(in.Size) {
		return "", wantOut // the result is undefined
	}
	return fmt.Sprintf("  start %#x rip %#x flags %#x fs %#x gs %#x\n  inst %+v\n%s", start.R, start.RIP, start.Flags, start.FSBase, start.GSBase, *in, d.String()), wantOut
}

// newMXCSR makes the value at an address one that MXCSR mostly takes. AMD's
// MISALIGNSSE bit the model does not have.
func (h *hostRun) newMXCSR(at uint64) {
	if at -= dataVA; at >= sharedBytes-0x1000-4 {
		return
	}
	b := h.real.mem[0x1000+at:][:4]
	v := binary.LittleEndian.Uint32(b) &^ 0x20000
	if h.g.chance(80) {
		v &= mxcsrMask
	}
	binary.LittleEndian.PutUint32(b, v)
	h.model.Mem.Write(modelCodePA+0x1000+at, b)
}

// allow makes equal what may differ from processor to processor. at is the
// operand's address, sp the stack pointer afterwards.
func (h *hostRun) allow(r *row, in *Inst, at, sp uint64, got, want *outcome) {
	word := func(at uint64) []byte {
		if at -= dataVA; at <= dataBytes-4 {
			return h.real.mem[0x1000+at:][:4]
		}
		return make([]byte, 4)
	}
	switch r.name {
	case "FXSAVE", "FXRSTOR":
		// MXCSR_MASK says what the processor has: AMD's MISALIGNSSE.
		if r.name == "FXSAVE" && want.what == "" {
			binary.LittleEndian.PutUint32(word(at+fxMask), mxcsrMask)
		}
		if got.what == "#PF" && want.what == "#PF" && (want.addr-at)&in.addrMask() < fxSize {
			got.addr = want.addr // any byte of the page may be the one named
		}
	case "PUSHF":
		// Linux does not let a tracer change ID.
		if want.what == "" && in.Size != 2 {
			if h.u.mode != Mode64 && h.u.segs[x86.SS].Attr&x86.AttrDB == 0 {
				sp &= 0xffff
			}
			sp += h.u.segs[x86.SS].Base
			binary.LittleEndian.PutUint32(word(sp), binary.LittleEndian.Uint32(word(sp))&^x86.FlagID)
		}
	}
}

// execute runs the case on the host: a single step, or a whole repetition.
func (h *hostRun) execute(r *row, in *Inst, code []byte, s *cpuState) (outcome, error) {
	if h.g.isString(r) && in.Flags&(FlagRep|FlagRepne) != 0 && s.Flags&x86.FlagCF != 0 {
		end := s.RIP + uint64(in.Len)
		code[in.Len] = 0xcc
		h.real.mem[in.Len] = 0xcc
		h.model.Mem.Write(modelCodePA, code)
		return h.real.runTo(s, h.u, end)
	}
	h.model.SetFlags(h.model.Flags() | x86.FlagTF)
	return h.real.step(s, h.u)
}

func (h *hostRun) compareRegs(d *strings.Builder, f *isaForm, r *row, in *Inst, start, got, want *cpuState) {
	for i := range got.R {
		if got.R[i] != want.R[i] {
			fmt.Fprintf(d, "  %s: model %#x, real %#x\n", x86.RegNames[i], got.R[i], want.R[i])
		}
	}
	if got.RIP != want.RIP {
		fmt.Fprintf(d, "  rip: model %#x, real %#x\n", got.RIP, want.RIP)
	}
	undefined := undefinedFlags(r.name, shiftCount(r, in, start), 8*uint(in.Size))
	if (got.Flags^want.Flags)&^undefined != 0 {
		fmt.Fprintf(d, "  flags: model %#x, real %#x, undefined %#x\n", got.Flags, want.Flags, undefined)
	}
	if undefined != 0 {
		n := h.tally.undefined[r.name]
		if n == nil {
			n = new(flagTally)
			h.tally.undefined[r.name] = n
		}
		for i := range n.cases {
			if undefined>>i&1 != 0 {
				n.cases[i]++
				n.apart[i] += int((got.Flags ^ want.Flags) >> i & 1)
			}
		}
	}
}

func (h *hostRun) compareMemory(d *strings.Builder) {
	for at := uint64(0x1000); at < sharedBytes; at += 0x1000 {
		want, got := h.real.mem[at:at+0x1000], h.model.Mem.Frame((modelCodePA+at)>>12)
		if bytes.Equal(got, want) {
			continue
		}
		for i := 0; i < 0x1000; i += 8 {
			if a, b := binary.LittleEndian.Uint64(got[i:]), binary.LittleEndian.Uint64(want[i:]); a != b {
				fmt.Fprintf(d, "  [%#x]: model %#x, real %#x\n", dataVA+at-0x1000+uint64(i), a, b)
			}
		}
		h.model.Mem.Write(modelCodePA+at, want)
	}
}

func (h *hostRun) compareBases(d *strings.Builder) {
	var v syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(h.real.pid, &v); err != nil {
		fmt.Fprintln(d, err)
	}
	if a, b := h.model.Seg[x86.FS].Base, h.model.Seg[x86.GS].Base; a != v.Fs_base || b != v.Gs_base {
		fmt.Fprintf(d, "  bases: model %#x %#x, real %#x %#x\n", a, b, v.Fs_base, v.Gs_base)
	}
}

func (n *hostTally) report(t *testing.T, forms []*isaForm) {
	run, cases, never := 0, 0, []string{}
	for _, f := range forms {
		if c := n.cases[f]; c > 0 {
			run++
			cases += c
		} else if f.excluded() == "" {
			never = append(never, f.String())
		}
	}
	t.Logf("%d of %d forms, %d cases, %d differences; outcomes %v", run, len(forms), cases, n.differences, n.outcomes)
	if *hostForm == "" && len(never) > 0 {
		t.Logf("%d forms never run: %s", len(never), strings.Join(never, "; "))
	}
	table := n.undefinedTable()
	t.Logf("undefined flags, differing of cases:\n%s", table)
	if *coverage && !t.Failed() {
		text := coverageIntro + fmt.Sprintf("\n## Last long run\n\nHost: %s. Seed %d, %d cases, %d forms, %d differences. Outcomes: %v.\n"+
			"\nFlags the manuals leave undefined differ between processors and never fail a run. Differing of cases, on this host:\n\n%s",
			hostModel(), *hostSeed, cases, run, n.differences, n.outcomes, table)
		if err := os.WriteFile(coverageFile, []byte(text+formSections(t, forms)), 0o666); err != nil {
			t.Error(err)
		}
	}
}

// undefinedTable is a Markdown table.
func (n *hostTally) undefinedTable() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| after | CF | PF | AF | ZF | SF | OF |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, name := range sortedKeys(n.undefined) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, i := range []int{0, 2, 4, 6, 7, 11} {
			if u := n.undefined[name]; u.cases[i] > 0 {
				fmt.Fprintf(&b, " %d/%d |", u.apart[i], u.cases[i])
			} else {
				fmt.Fprintf(&b, " |")
			}
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

// hostModel is the processor's family, model and stepping.
func hostModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	var parts []string
	for _, key := range []string{"model name", "cpu family", "model", "stepping"} {
		for _, l := range strings.Split(string(b), "\n") {
			if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == key {
				parts = append(parts, key+" "+strings.TrimSpace(v))
				break
			}
		}
	}
	return strings.TrimPrefix(strings.Join(parts, ", "), "model name ")
}
