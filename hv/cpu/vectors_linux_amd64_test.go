package cpu

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pvlab/hv/x86"
)

var recordVectors = flag.Bool("recordvectors", false, "write testdata/vectors/recorded*.txt from this machine's AMD processor")

// realRun runs a vector's instruction on the host: steps until it is over.
func (r *realCPU) realRun(v *vector, data []byte) (end cpuState, o outcome, after []byte, err error) {
	copy(r.mem, v.code)
	clear(r.mem[len(v.code) : len(v.code)+15])
	copy(r.mem[0x1000:], data)
	end = v.start
	for range 64 {
		if o, err = r.step(&end, setupOf(v.mode)); err != nil || o.what != "" || end.RIP != v.start.RIP {
			break
		}
	}
	return end, o, slices.Clone(r.mem[0x1000:]), err
}

// TestVectorsOnRealCPU runs the same vectors on the host's processor. Corners
// where AMD and Intel differ are AMD's, so an Intel host is not asked.
func TestVectorsOnRealCPU(t *testing.T) {
	if hostVendor() != AMD {
		t.Skip("the vectors are AMD's; TestAgainstRealCPU covers other processors")
	}
	real := map[Mode]*realCPU{Mode64: newRealCPU(t), Mode32: newRealCPU(t)}
	data := vectorData()
	eachVector(t, func(t *testing.T, where string, v *vector) {
		r := real[v.mode]
		if f := needsFeature(v.name); f != "" && !r.flags[f] {
			return
		}
		end, o, after, err := r.realRun(v, data)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		if v.fault.what == "#BR" && o.what == "#GP" {
			o.what = "#BR" // Linux gives both the same signal
		}
		if d := v.compare(end, o, after); d != "" {
			t.Errorf("%s: %s\n%s", where, v, d)
		}
	})
}

// TestRecordVectors writes one vector for each operation number (row, operand
// size, register or memory) and one fault for each row, as this processor
// executes them.
func TestRecordVectors(t *testing.T) {
	if !*recordVectors {
		t.Skip("writes testdata; ask with -recordvectors")
	}
	if hostVendor() != AMD {
		t.Fatal("vectors are recorded on an AMD processor")
	}
	for _, mode := range []Mode{Mode64, Mode32} {
		real := newRealCPU(t)
		model := newModelCPU(t, AMD)
		g := &randomCase{rng: rand.New(rand.NewPCG(5, uint64(mode))), mode: mode, u: setupOf(mode), c: model.CPU}
		var b strings.Builder
		fmt.Fprintf(&b, "# Recorded from an AMD processor by: go test ./hv/cpu -run RecordVectors -recordvectors\n")
		for _, r := range ordinaryRows(real, mode) {
			if mode == Mode32 && r.modes == 0 && r.size != size64 && r.size != sizeBr {
				continue // the same as in 64-bit code
			}
			seen := map[string]bool{}
			for range 400 {
				v := vector{name: r.name, mode: mode}
				code := g.bytes(r)
				v.start = g.state(r, code)
				model.mode = mode
				var in Inst
				if !model.decode(code[:min(len(code), maxInst)], codeVA, &in) {
					continue
				}
				v.code = code[:in.Len]
				if shiftCount(r, &in, &v.start) > 16 && in.Size == 2 && (r.name == "SHLD" || r.name == "SHRD") {
					continue // the result is undefined
				}
				if key := fmt.Sprint(in.Op); !seen[key] || !seen["fault"] {
					real.record(t, &v, r, &in)
					if v.fault.what != "" {
						key = "fault"
					}
					if !seen[key] && !(r.name == "BOUND" && key == "fault") {
						seen[key] = true
						fmt.Fprintln(&b, v.String())
					}
				}
			}
		}
		name := fmt.Sprintf("testdata/vectors/recorded%d.txt", mode.Bits())
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// record fills in what the host does and zeroes the registers that do not
// matter.
func (r *realCPU) record(t *testing.T, v *vector, row *row, in *Inst) {
	data := vectorData()
	run := func(s cpuState) (cpuState, outcome, []byte) {
		w := *v
		w.start = s
		end, o, after, err := r.realRun(&w, data)
		if err != nil {
			t.Fatal(err)
		}
		return end, o, after
	}
	end, o, after := run(v.start)
	clearIf := func(s cpuState) {
		e2, o2, a2 := run(s)
		same := o2 == o && bytes.Equal(a2, after) && e2.RIP == end.RIP && e2.Flags^s.Flags == end.Flags^v.start.Flags
		for i := range s.R {
			same = same && (e2.R[i] == end.R[i] || s.R[i] != v.start.R[i] && e2.R[i] == s.R[i] && end.R[i] == v.start.R[i])
		}
		if same {
			v.start, end = s, e2
		}
	}
	for i := range v.start.R {
		if v.start.R[i] != 0 {
			s := v.start
			s.R[i] = 0
			clearIf(s)
		}
	}
	s := v.start
	s.FSBase, s.GSBase = 0, 0
	clearIf(s)
	v.end, v.fault, v.mem = end, o, changes(data, after)
	if o.what == "" {
		v.undef = undefinedFlags(row.name, shiftCount(row, in, &v.start), 8*uint(in.Size))
	}
	v.end.Flags &^= v.undef &^ x86.FlagDF
	v.end.Flags |= v.start.Flags & v.undef
}
