package cpu

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"pvlab/hv/x86"
)

var (
	realCases = flag.Int("realcases", 30000, "random instructions to compare with the host's CPU, in each mode")
	realSeed  = flag.Uint64("realseed", 1, "seed of the random instructions")
)

// TestAgainstRealCPU runs random instructions of every row of the ordinary
// integer families on the model and on the host's processor, from the same
// random state, and compares registers, flags, memory and faults.
func TestAgainstRealCPU(t *testing.T) {
	for _, u := range []*setup{&setup64, &setup32, &setup32segs, &setup16} {
		t.Run(u.name, func(t *testing.T) { compareWithReal(t, u) })
	}
}

// ordinaryRows are the rows that user code may run without asking the kernel.
func ordinaryRows(r *realCPU, mode Mode) (rows []*row) {
	for _, fam := range [][]row{movRows(), condRows(), aluRows(), unaryRows(), exchangeRows(), mulRows(), shiftRows(),
		bitRows(), bmiRows(), bcdRows(), stackRows(), flowRows(), flagRows(), stringRows(), hintRows()} {
		for i := range fam {
			f := needsFeature(fam[i].name)
			switch fam[i].name {
			case "PUSHF", "POPF":
				continue // the tracer's TF shows
			}
			if meet(fam[i].modes, modeSel(1)<<mode) && (f == "" || r.flags[f]) {
				rows = append(rows, &fam[i])
			}
		}
	}
	return rows
}

func hostVendor() Vendor {
	b, _ := os.ReadFile("/proc/cpuinfo")
	if bytes.Contains(b, []byte("AuthenticAMD")) {
		return AMD
	}
	return Intel
}

func compareWithReal(t *testing.T, u *setup) {
	mode := u.mode
	real := newRealCPU(t)
	if u.segs[x86.DS].Sel == ldt[2].Sel {
		if err := real.makeLDT(); err != nil {
			t.Skip(err)
		}
	}
	model := newModelCPU(t, hostVendor())
	rows := ordinaryRows(real, mode)
	g := &randomCase{rng: rand.New(rand.NewPCG(*realSeed, uint64(mode))), mode: mode, u: u, c: model.CPU}
	bad, outcomes := map[string]int{}, map[string]int{}
	for n := range *realCases {
		if n%64 == 0 {
			g.fillData(real.mem[0x1000:])
			model.Mem.Write(modelCodePA+0x1000, real.mem[0x1000:])
		}
		r := rows[n%len(rows)]
		code := g.bytes(r)
		start := g.state(r, code)
		diff, out := compareOne(real, model, u, r, code, start)
		outcomes[out.what]++
		if diff != "" {
			bad[r.name]++
			if bad[r.name] <= 3 {
				t.Errorf("case %d: %s % x\n%s", n, r.name, code, diff)
			}
			if len(bad) > 20 {
				t.Fatal("too many kinds of difference")
			}
		}
	}
	for name, n := range bad {
		t.Logf("%s: %d differences", name, n)
	}
	t.Logf("outcomes: %v", outcomes)
	if outcomes[""] < *realCases/2 {
		t.Errorf("only %d of %d instructions ended without a fault", outcomes[""], *realCases)
	}
}

// compareOne runs one case on both, describes any difference, and returns the
// real outcome.
func compareOne(real *realCPU, model *modelCPU, u *setup, r *row, code []byte, start cpuState) (diff string, wantOut outcome) {
	copy(real.mem, code)
	model.Mem.Write(modelCodePA, code)
	before := append([]byte(nil), real.mem[0x1000:]...)
	var in Inst
	model.load(&start, u)
	model.decode(code[:min(len(code), 15)], start.RIP, &in)

	got, want := start, start
	var gotOut outcome
	var err error
	if (&randomCase{}).isString(r) && in.Flags&(FlagRep|FlagRepne) != 0 && start.Flags&x86.FlagCF != 0 && in.Op >= numPseudo*8 {
		// A whole repetition, without single-stepping.
		end := start.RIP + uint64(in.Len)
		real.mem[in.Len], code[in.Len] = 0xcc, 0xcc
		model.Mem.Write(modelCodePA, code)
		wantOut, err = real.runTo(&want, u, end)
	} else {
		model.SetFlags(model.Flags() | x86.FlagTF)
		wantOut, err = real.step(&want, u)
	}
	if err != nil {
		return err.Error(), wantOut
	}
	if gotOut, err = model.run(&got, 64); err != nil {
		return err.Error(), wantOut
	}
	switch gotOut.what { // Linux gives these the same signal
	case "#BR":
		gotOut.what = "#GP"
	case "#MF", "#XM":
		gotOut.what = "#FP"
	}
	gotMem := model.Mem.Frame(modelCodePA>>12 + 1)[:0:0]
	for i := uint64(1); i < sharedBytes>>12; i++ {
		gotMem = append(gotMem, model.Mem.Frame(modelCodePA>>12+i)...)
	}
	var d strings.Builder
	if gotOut != wantOut {
		fmt.Fprintf(&d, "  outcome: model %v, real %v\n", gotOut, wantOut)
	}
	for i := range got.R {
		if got.R[i] != want.R[i] {
			fmt.Fprintf(&d, "  %s: model %#x, real %#x\n", x86.RegNames[i], got.R[i], want.R[i])
		}
	}
	if got.RIP != want.RIP {
		fmt.Fprintf(&d, "  rip: model %#x, real %#x\n", got.RIP, want.RIP)
	}
	count := shiftCount(r, &in, &start)
	if u := undefinedFlags(r.name, count, 8*uint(in.Size)); (got.Flags^want.Flags)&^u != 0 {
		fmt.Fprintf(&d, "  flags: model %#x, real %#x, undefined %#x\n", got.Flags, want.Flags, u)
	}
	if !bytes.Equal(gotMem, real.mem[0x1000:]) {
		for i := 0; i < len(gotMem); i += 8 {
			a, b := binary.LittleEndian.Uint64(gotMem[i:]), binary.LittleEndian.Uint64(real.mem[0x1000+i:])
			if a != b {
				fmt.Fprintf(&d, "  [%#x]: model %#x, real %#x, before %#x\n", dataVA+i, a, b, binary.LittleEndian.Uint64(before[i:]))
			}
		}
		model.Mem.Write(modelCodePA+0x1000, real.mem[0x1000:])
	}
	if d.Len() == 0 || (r.name == "SHLD" || r.name == "SHRD") && count > 8*uint(in.Size) {
		return "", wantOut
	}
	return fmt.Sprintf("  start %#x rip %#x flags %#x fs %#x gs %#x\n  inst %+v\n%s", start.R, start.RIP, start.Flags, start.FSBase, start.GSBase, in, d.String()), wantOut
}

// shiftCount is the masked count of a shift or rotate.
func shiftCount(r *row, in *Inst, s *cpuState) uint {
	n := uint64(1)
	switch {
	case r.form&formImm8U != 0:
		n = uint64(in.Imm)
	case r.m == map1 && (r.op == 0xd2 || r.op == 0xd3) || r.m == map0F && (r.op == 0xa5 || r.op == 0xad):
		n = s.R[x86.RCX]
	}
	if in.Size == 8 {
		return uint(n & 63)
	}
	return uint(n & 31)
}
