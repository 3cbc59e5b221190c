package random

import (
	"context"
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pvlab/entry/judge"
	"pvlab/hypercall/abi"
)

// How many sequences TestModel runs: many for statement coverage,
//
//	go test ./entry/random -run TestModel -sequences 2000 \
//	    -coverpkg=pvlab/hypercall/...,pvlab/pagetable/...
var sequences = flag.Int("sequences", 60, "sequences of TestModel")

func model(t *testing.T) *Model {
	t.Helper()
	_, img, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Model{Image: img}
}

// TestModel: the guest comes through all sequences, no invariant of page types
// and references breaks, and the right and the hostile operations are mixed.
func TestModel(t *testing.T) {
	p := Plan{Seed: 3, Sequences: *sequences, Ops: 200, PerBoot: 500, Most: 1}
	s, err := p.Run(context.Background(), model(t), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.Differences {
		t.Errorf("sequence %d: %s", d.Sequence, d.What)
	}
	share := float64(s.OK) / float64(s.Ops)
	if s.Ops != uint64(*sequences*200) || share < 0.4 || share > 0.8 {
		t.Errorf("%d operations, %.2f of them succeeded", s.Ops, share)
	}
	for _, a := range s.Unlisted() {
		t.Errorf("%s: not what the table of errnos has", a)
	}
	t.Logf("%d operations, %.1f%% succeeded, %d results", s.Ops, 100*share, len(s.Tally))
}

// TestRealXen compares a few sequences with real Xen.
func TestRealXen(t *testing.T) {
	judge.Require(t, "xen")
	elf, img, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := judge.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, real := &Model{Image: img}, &Real{Judge: j, ELF: elf}
	p := Plan{Seed: 4, Sequences: 20, Ops: 200, PerBoot: 20, Most: 3}
	s, err := p.Run(t.Context(), m, real, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.Differences {
		short, err := p.Shrink(t.Context(), d.Sequence, m, real)
		t.Errorf("sequence %d: %s\n%s%v", d.Sequence, d.What, short, err)
	}
}

// hashes runs jobs and returns what is comparable of them.
func hashes(t *testing.T, m *Model, jobs []Job) (list []string) {
	t.Helper()
	r, err := m.Run(Batch{Seed: 5, Ops: 60, Jobs: jobs})
	if err != nil {
		t.Fatal(err)
	}
	if !r.ended() || r.complete() != len(jobs) {
		t.Fatalf("%d of %d jobs done: %s", r.complete(), len(jobs), r.end())
	}
	for _, s := range r.Sequences {
		list = append(list, s.Hash)
	}
	return list
}

// TestSequencesAreIndependent: a sequence logs the same whatever ran before
// it in the same boot; so it can be run alone.
func TestSequencesAreIndependent(t *testing.T) {
	m := model(t)
	together := hashes(t, m, Range(0, 12))
	var backwards []Job
	for i := 11; i >= 0; i-- {
		backwards = append(backwards, Job{Sequence: uint64(i)})
	}
	for i, h := range hashes(t, m, backwards) {
		if want := together[11-i]; h != want {
			t.Errorf("sequence %d: %s in reverse order, %s in order", 11-i, h, want)
		}
	}
	if alone := hashes(t, m, Range(7, 1)); alone[0] != together[7] {
		t.Errorf("sequence 7 alone: %s, among others %s", alone[0], together[7])
	}
}

// TestLeavingOut: operations left out are not run, and the others draw what they
// drew in the whole sequence.
func TestLeavingOut(t *testing.T) {
	m := model(t)
	whole, err := m.Run(Batch{Seed: 6, Ops: 40, Verbose: true, Jobs: Range(2, 1)})
	if err != nil {
		t.Fatal(err)
	}
	leave := map[int]bool{}
	for i := 20; i < 40; i++ {
		leave[i] = true
	}
	part, err := m.Run(Batch{Seed: 6, Ops: 40, Verbose: true, Jobs: []Job{{Sequence: 2, Leave: leave}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Sequences) != 1 || part.Sequences[0].Ops != 20 {
		t.Fatalf("left out 20 of 40: %+v", part.Sequences)
	}
	if diff := cmp.Diff(whole.Sequences[0].Lines[:20], part.Sequences[0].Lines[:20]); diff != "" {
		t.Errorf("the first 20 (-whole +part)\n%s", diff)
	}
}

func TestReport(t *testing.T) {
	var r Report
	err := r.read([]string{
		"4.0 touch: p1+8 read ok",
		"    p1: want 1",
		"4.7 mmu_update: = -EINVAL refused",
		"end: p0:w=y",
		"sequence 4 ops 2 ok 1 hash 0123456789abcdef",
		"5.0 touch: half a",
		"tally mmuext_op pin_l1 -EINVAL 17",
		"PANIC: no more",
	})
	want := Report{
		Sequences: []Sequence{
			{Number: 4, Ops: 2, OK: 1, Hash: "0123456789abcdef", Complete: true, Lines: []Line{
				{Op: 0, Text: "touch: p1+8 read ok", State: []string{"p1: want 1"}},
				{Op: 7, Text: "mmu_update: = -EINVAL refused"},
				{Op: -1, Text: "end: p0:w=y"},
			}},
			{Number: 5, Lines: []Line{{Op: 0, Text: "touch: half a"}}},
		},
		Tally: []Count{{"mmuext_op pin_l1", "-EINVAL", 17}},
	}
	if diff := cmp.Diff(want, r); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
	if r.complete() != 1 {
		t.Errorf("%d complete", r.complete())
	}
}

func TestBatch(t *testing.T) {
	b := Batch{Seed: 9, Ops: 4, Jobs: Range(10, 3), Verbose: true}
	if got := b.Cmdline(); got != "seed=9 ops=4 first=10 count=3 verbose=1" || b.Initrd() != nil {
		t.Errorf("%q and a list %q", got, b.Initrd())
	}
	b = Batch{Seed: 9, Ops: 4, Jobs: []Job{{Sequence: 2, Leave: map[int]bool{1: true, 2: true}}, {Sequence: 2}}, Family: "tables", Deaths: true}
	if got := b.Cmdline(); got != "seed=9 ops=4 deaths=1 family=tables" {
		t.Errorf("%q", got)
	}
	if got := string(b.Initrd()); got != "2 1001\n2 1111\n" {
		t.Errorf("list %q", got)
	}
}

// TestShrunkText: what both machines agree in is told once.
func TestShrunkText(t *testing.T) {
	s := Shrunk{Sequence: 3, Steps: []Step{{Op: 4, Here: "a", There: "a"}, {Op: 9, Here: "b = 0", There: "b = -EINVAL"},
		{Op: -1, Here: "end", There: "end"}}}
	text := s.String()
	for _, want := range []string{"sequence 3", "model: b = 0", "Xen:   b = -EINVAL"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "end") {
		t.Errorf("of the end only what differs is of interest:\n%s", text)
	}
}

// TestUnseen: what was seen is not told, what was not is, with the reason if it
// cannot be.
func TestUnseen(t *testing.T) {
	s := Summary{Answers: map[Answer]uint64{
		{"vcpu_op", "VCPUOP_up", 0}:                    1,
		{"vcpu_op", "VCPUOP_up", abi.ENOENT}:           1,
		{"vcpu_op", "VCPUOP_down", abi.ENOENT}:         1,
		{"vcpu_op", "VCPUOP_up", abi.EDOM}:             1,
		{"vcpu_op", "VCPUOP_is_up", abi.ENOENT}:        1,
		{"vcpu_op", "VCPUOP_is_up", 0}:                 1,
		{"domctl", "XEN_DOMCTL_audit_p2m", abi.ENOSYS}: 1,
		{"domctl", "XEN_DOMCTL_audit_p2m", abi.EACCES}: 1,
		{"domctl", "XEN_DOMCTL_audit_p2m", abi.ESRCH}:  1,
	}}
	lines := map[string]string{}
	for _, l := range strings.Split(s.Unseen(), "\n") {
		if f := strings.Fields(l); len(f) > 2 && (f[0] == "vcpu_op" || f[0] == "domctl") {
			lines[f[1]] = strings.Join(f[2:], " ")
		} else if len(f) > 1 && f[0] == "iret" {
			lines["iret"] = strings.Join(f[1:], " ")
		}
	}
	for op, want := range map[string]string{
		"VCPUOP_up": "-EINVAL", "VCPUOP_down": "success", "VCPUOP_is_up": "", "XEN_DOMCTL_audit_p2m": "",
		"XEN_DOMCTL_cacheflush": "-ESRCH -EACCES -ENOSYS", "iret": "success (does not return)",
	} {
		if lines[op] != want {
			t.Errorf("%s: %q, want %q", op, lines[op], want)
		}
	}
	if got, want := s.Unlisted(), []string{"vcpu_op VCPUOP_up -EDOM"}; !slices.Equal(got, want) {
		t.Errorf("unlisted %q, want %q", got, want)
	}
}
