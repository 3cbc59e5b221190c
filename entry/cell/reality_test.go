package cell

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
)

var update = flag.Bool("update", false, "rewrite testdata/reality.txt from real Xen and plain QEMU")

const realityFile = "testdata/reality.txt"

// line is what the file keeps of a cell: its fate, what was corrupted, and
// how it died.
func line(c Cell, o *judge.Outcome) string {
	v, corrupt := Judge(o)
	s := fmt.Sprintf("%s %s", c, v)
	if len(corrupt) > 0 {
		s += " " + strings.Join(corrupt, ",")
	}
	if v.Dies() {
		s += ": " + o.Summary()
	}
	return s
}

// TestReality holds every cell on the model against what real Xen 4.17 and
// plain QEMU did with it when testdata/reality.txt was recorded
// (`go test ./entry/cell -run TestReality -update`, which needs both). So the
// verdicts are checked where neither is installed; `pvlab conform` compares
// everything else, on the spot.
func TestReality(t *testing.T) {
	if *update {
		record(t)
	}
	b, err := os.ReadFile(realityFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		name, _, _ := strings.Cut(l, " ")
		want[name] = l
	}
	img, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	cells := All()
	if len(cells) != len(want) {
		t.Errorf("%d cells, %s has %d: record it again", len(cells), realityFile, len(want))
	}
	for _, c := range cells {
		r, err := c.RunImage(img, Options{AsReference: true})
		if err != nil {
			t.Fatal(err)
		}
		r.Machine.Close()
		if got := line(c, &r.Outcome); got != want[c.String()] {
			t.Errorf("model: %s\nreal:  %s", got, want[c.String()])
		}
		if !judge.PlannedTrapSeen(r.Outcome) {
			t.Errorf("%s: the planned trap was not seen at the planned RIP", c)
		}
	}
}

func record(t *testing.T) {
	judge.Require(t, "xen", "qemu")
	j, err := judge.Open()
	if err != nil {
		t.Fatal(err)
	}
	elf, err := guest.Image(Image)
	if err != nil {
		t.Fatal(err)
	}
	cells := All()
	runs := make([]judge.Run, len(cells))
	for i, c := range cells {
		runs[i] = c.RealRun(elf)
	}
	var out strings.Builder
	j.RunAll(context.Background(), runs, func(i int, r judge.Result) {
		if r.Err != nil {
			t.Fatalf("%s: %v", cells[i], r.Err)
		}
		fmt.Fprintln(&out, line(cells[i], &r.Outcome))
	})
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(realityFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestConformSample compares one cell of each variant and platform with the
// references, in everything docs/conformance.md names. `pvlab conform` does
// all cells.
func TestConformSample(t *testing.T) {
	if testing.Short() {
		t.Skip("boots 36 guests in QEMU; -short leaves that to pvlab conform")
	}
	judge.Require(t, "xen", "qemu")
	j, err := judge.Open()
	if err != nil {
		t.Fatal(err)
	}
	quirks, err := j.Probe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var cells []Cell
	for i, v := range guest.Variants() {
		for k, p := range Platforms {
			cells = append(cells, Cell{v.Name, Vectors[(i+k)%len(Vectors)].Name, Origins[i/2%2], p})
		}
	}
	err = Conform(context.Background(), j, quirks, cells, func(c *Comparison) {
		if c.Err != nil {
			t.Errorf("%s: %v", c.Cell, c.Err)
			return
		}
		switch c.Judgement.Verdict {
		case judge.Agree:
		case judge.NotComparable:
			t.Logf("%s: not comparable: %v", c.Cell, c.Quirks)
		default:
			t.Errorf("%s: %s: %v", c.Cell, c.Judgement.Verdict, c.Differences)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryDeathHasACause: whatever does not survive is explained by a rule,
// and what survives intact is accused of nothing.
func TestEveryDeathHasACause(t *testing.T) {
	// The rule that each variant breaks where it does not survive, by
	// platform. Native frames have no rule of Xen's to break: there the stub
	// takes off words that are not there, which is FRAME-01 seen from the
	// other side, or the platform's own reason.
	rules := map[string]map[hv.Platform][]string{
		"native":       {hv.Xen: {"FRAME-01"}},
		"retq16":       {hv.Native: {"FRAME-01"}},
		"poppop":       {hv.Native: {"FRAME-01"}},
		"adjtwice":     {hv.Xen: {"FRAME-01"}, hv.Native: {"FRAME-01"}},
		"bareiretq":    {hv.Xen: {"IRET-09", "IRET-08"}, hv.Native: {"FRAME-01"}},
		"bareiretq3":   {hv.Xen: {"IRET-08"}, hv.Native: {"FRAME-01"}},
		"noerrcode":    {hv.Xen: {"FRAME-18"}, hv.Native: {"FRAME-01", "FRAME-18"}},
		"extradrop":    {hv.Xen: {"FRAME-01"}, hv.Native: {"FRAME-01"}},
		"pushpop":      {hv.Native: {"FRAME-01"}},
		"twocalls":     {hv.Native: {"FRAME-01"}},
		"chain":        {hv.Native: {"FRAME-01"}},
		"chainnopush":  {hv.Xen: {"FRAME-01"}, hv.Native: {"FRAME-01"}},
		"chainswapped": {hv.Xen: {"FRAME-01"}, hv.Native: {""}}, // it swaps the processor's own words
		"swapgs":       {hv.Xen: {"PRIV-04"}, hv.Native: {"FRAME-01"}},
		"badstack":     {hv.Xen: {"FRAME-14"}, hv.Native: {""}},
		"unregistered": {hv.Xen: {"FRAME-16"}, hv.Native: {""}},
		"vgcf":         {hv.Xen: {"IRET-05"}},
	}
	img, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range All() {
		x, verdict, err := Explain(c, img, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if verdict == Survives {
			continue
		}
		if x.Cause == nil {
			t.Errorf("%s %s without a cause", c, verdict)
			continue
		}
		ok := false
		for _, r := range rules[c.Variant][c.Platform] {
			ok = ok || r == x.Cause.Rule
		}
		if !ok {
			t.Errorf("%s: rule %q (%s), want one of %q", c, x.Cause.Rule, x.Cause.Verdict, rules[c.Variant][c.Platform])
		}
	}
}
