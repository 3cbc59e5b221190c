package explain_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pvlab/entry"
	"pvlab/entry/explain"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// The bench guest's cells (guest/src/bench/variants) are the mistakes of real
// stubs, run on the machine as a user would run his own.

type benchCell struct {
	name     string // "variant:vector:origin"
	platform hv.Platform
}

func (c benchCell) String() string { return c.name + ":" + c.platform.String() }

// explainCell runs one cell and explains it. survived is the guest's own
// verdict on its registers: "intact", "corrupt=...", or "" if it did not live.
func explainCell(t *testing.T, img *image.Image, c benchCell, sym ...*explain.Symbols) (x *explain.Explanation, survived string) {
	t.Helper()
	var out strings.Builder
	m, err := hv.New(img, hv.Config{Platform: c.platform, Dom0: c.platform == hv.Xen, Memory: 256 << 20, Cmdline: "cell=" + c.name, Console: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r := explain.Attach(m)
	defer r.Close()
	res, err := m.Run(5_000_000)
	if err != nil {
		t.Fatal(err)
	}
	var o explain.Options
	for _, s := range sym {
		o.Symbols = s
	}
	planned := uint64(0)
	for l := range strings.Lines(out.String()) {
		l = strings.TrimSpace(l)
		if _, rest, ok := strings.Cut(l, " rip="); ok && strings.HasPrefix(l, "plan ") {
			if _, err := fmt.Sscanf(rest, "%x", &planned); err != nil {
				t.Fatalf("plan line %q: %v", l, err)
			}
		}
		if strings.HasPrefix(l, "PANIC") {
			o.How = "crash"
		}
		if rest, ok := strings.CutPrefix(l, "survived "); ok {
			survived = rest
		}
	}
	o.Focus = func(f *entry.Frame) bool { s, ok := f.Slot("rip"); return ok && s.Value == planned }
	if x, err = r.Explain(res, o); err != nil {
		t.Fatal(err)
	}
	return x, survived
}

func benchImage(t *testing.T) *image.Image {
	t.Helper()
	elf, err := guest.Image("bench")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Load("bench", elf, 256<<20)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestBenchVerdicts: what each variant does wrong by its own description is
// what the explanation says, at the line of its source where it happens.
func TestBenchVerdicts(t *testing.T) {
	img := benchImage(t)
	tests := []struct {
		cell benchCell
		rule string
		want []string // parts of the verdict
	}{
		{benchCell{"native:pf:kernel", hv.Xen}, "FRAME-01", []string{"iretq at ", "native.S:", "took RIP from the slot that holds r11", "the two words Xen adds were not removed"}},
		{benchCell{"native:bp:user", hv.Xen}, "FRAME-01", []string{"took RIP from the slot that holds rcx", "were not removed"}},
		{benchCell{"native:gp:kernel", hv.Xen}, "FRAME-01", []string{"the slot that holds r11", "were not removed"}},
		{benchCell{"adjtwice:db:kernel", hv.Xen}, "FRAME-01", []string{"HYPERVISOR_iret at ", "the slot that holds rflags", "removed twice", "adjtwice.S:7"}},
		{benchCell{"adjtwice:bp:user", hv.Xen}, "FRAME-01", []string{"removed twice", "adjtwice.S:7"}},
		{benchCell{"bareiretq:bp:kernel", hv.Xen}, "IRET-09", []string{"bareiretq.S:11", "0xe030"}},
		{benchCell{"bareiretq:gp:kernel", hv.Xen}, "IRET-09", []string{"bareiretq.S:11", "0xe030"}},
		{benchCell{"bareiretq3:pf:user", hv.Xen}, "IRET-08", []string{"bareiretq3.S:12"}},
		{benchCell{"noerrcode:pf:kernel", hv.Xen}, "FRAME-18", []string{"the slot that holds error"}},
		{benchCell{"extradrop:bp:user", hv.Xen}, "FRAME-01", []string{"the slot that holds cs", "one word too many"}},
		{benchCell{"chainnopush:pf:kernel", hv.Xen}, "FRAME-01", []string{"removed by chainnopush_xen_pf", "once more by kernel_xen_14"}},
		{benchCell{"chainnopush:gp:user", hv.Xen}, "FRAME-01", []string{"removed by chainnopush_xen_gp", "once more by kernel_xen_13"}},
		{benchCell{"chainswapped:db:user", hv.Xen}, "FRAME-01", []string{"wrong order"}},
		{benchCell{"swapgs:pf:user", hv.Xen}, "PRIV-04", []string{"swapgs at ", "swapgs.S:9"}},
		{benchCell{"badstack:pf:kernel", hv.Xen}, "FRAME-14", []string{"its word ss", "loaded at ", "kernel_trigger_pf"}},
		{benchCell{"badstack:db:user", hv.Xen}, "FRAME-14", []string{"stack_switch"}},
		{benchCell{"unregistered:pf:user", hv.Xen}, "FRAME-16", []string{"#PF (vector 14)"}},
		{benchCell{"vgcf:bp:kernel", hv.Xen}, "IRET-05", []string{"vgcf.S:10", "VGCF_in_syscall"}},
		{benchCell{"poppop:bp:kernel", hv.Native}, "FRAME-01", []string{"iretq at ", "poppop.S:11", "the slot that holds rflags", "on bare metal they are part of the frame"}},
		{benchCell{"chain:pf:kernel", hv.Native}, "FRAME-01", []string{"rcx and r11 came back with words of the frame"}},
		{benchCell{"unregistered:gp:kernel", hv.Native}, "", []string{"#GP (vector 13) has no present gate", "#DF"}},
		{benchCell{"unregistered:bp:user", hv.Native}, "", []string{"#BP (vector 3) has no present gate", "#NP"}},
		{benchCell{"badstack:bp:kernel", hv.Native}, "", []string{"the frame of #BP (vector 3) could not be pushed", "kernel_trigger_bp"}},
	}
	for _, tc := range tests {
		t.Run(tc.cell.String(), func(t *testing.T) {
			x, _ := explainCell(t, img, tc.cell)
			if x.Cause == nil {
				t.Fatalf("no cause; ending: %+v", x.Ending)
			}
			if x.Cause.Rule != tc.rule {
				t.Errorf("rule %s, want %s: %s", x.Cause.Rule, tc.rule, x.Cause.Verdict)
			}
			for _, w := range tc.want {
				if !strings.Contains(x.Cause.Verdict, w) {
					t.Errorf("verdict %q does not say %q", x.Cause.Verdict, w)
				}
			}
			for l := range strings.Lines(x.Text()) {
				if l = strings.TrimSuffix(l, "\n"); len(l) > 100 && !strings.Contains(l, "(XEN)") {
					t.Errorf("%d columns: %q", len(l), l)
				}
			}
			if _, err := json.Marshal(x); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBenchAgrees runs every cell: what the explanation says of the registers
// is what the guest found by comparing them itself, every death has a cause,
// and a guest that lived on intact has none.
func TestBenchAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("runs every cell of the bench guest")
	}
	img := benchImage(t)
	for _, p := range []hv.Platform{hv.Native, hv.Xen} {
		for _, v := range guest.Variants() {
			for _, vector := range []string{"pf", "bp", "db", "gp"} {
				for _, origin := range []string{"kernel", "user"} {
					c := benchCell{v.Name + ":" + vector + ":" + origin, p}
					x, survived := explainCell(t, img, c)
					list, corrupt := strings.CutPrefix(survived, "corrupt=")
					switch {
					case survived == "":
						if x.Cause == nil || !x.Cause.Fatal {
							t.Errorf("%v died, cause %+v", c, x.Cause)
						}
					case corrupt:
						want := make(map[string]bool)
						for _, r := range strings.Split(list, ",") {
							want[r] = true
						}
						for _, l := range x.Lost {
							if !want[l.Reg] {
								t.Errorf("%v: %s is called lost, the guest found only %s", c, l.Reg, list)
							}
							delete(want, l.Reg)
						}
						if len(want) > 0 {
							t.Errorf("%v: the guest lost %s, the explanation has only %v", c, list, x.Lost)
						}
					case x.Cause != nil:
						t.Errorf("%v lives on intact, but: %s", c, x.Cause.Verdict)
					}
				}
			}
		}
	}
}

// The author's suspects of 2012 are harmless, and the explanation says so.
func TestBenchSuspects(t *testing.T) {
	img := benchImage(t)
	for name, want := range map[string]string{
		"pushpop:pf:kernel":  "push %rax; pop %rax",
		"twocalls:pf:kernel": "callq empty_function; retq",
	} {
		x, survived := explainCell(t, img, benchCell{name, hv.Xen})
		if x.Cause != nil || survived != "intact" {
			t.Errorf("%s: cause %+v, the guest says %q", name, x.Cause, survived)
		}
		if got := strings.Join(x.Harmless, "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: harmless %q, want %q", name, got, want)
		}
	}
}

// A recursion into the stack's end leaves a page-table walk on Xen's console;
// it is named as the misleading symptom it is.
func TestBenchMisleadingSymptom(t *testing.T) {
	img := benchImage(t)
	x, _ := explainCell(t, img, benchCell{"native:gp:kernel", hv.Xen})
	if x.Ending.Rule != "CRASH-03" || !strings.Contains(x.Misleading, "page-table walk") {
		t.Errorf("ending %s, misleading %q", x.Ending.Rule, x.Misleading)
	}
	if s := strings.Join(x.Consequences, "\n"); !strings.Contains(s, "deeper in the stack (CRASH-15)") {
		t.Errorf("the recursion is not told: %s", s)
	}
	// The same run gives the same words.
	if again, _ := explainCell(t, img, benchCell{"native:gp:kernel", hv.Xen}); again.Text() != x.Text() {
		t.Error("two explanations of one run differ")
	}
	x, _ = explainCell(t, img, benchCell{"badstack:pf:kernel", hv.Xen})
	if x.Misleading != "" {
		t.Errorf("the walk of a missing stack is called misleading: %s", x.Misleading)
	}
}
