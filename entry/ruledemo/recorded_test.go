package ruledemo

import (
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"pvlab/entry/judge"
)

var record = flag.String("record", "", "record from real Xen and plain QEMU: `all`, missing, or areas and rules with commas between")

// TestRecordings: each demo on the model does what real Xen (for the native
// ones, plain QEMU) was recorded to do, and nothing else is recorded.
func TestRecordings(t *testing.T) {
	demos := listDemos(t)
	if *record != "" {
		recordThem(t, demos)
		t.Skip("recorded; run the test again without -record: the recordings are compiled in")
	}
	if testing.Short() {
		t.Skip("boots a machine for each demo")
	}
	err := Verify(context.Background(), nil, judge.Quirks{}, demos, func(r *Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Demo, r.Err)
		}
		for _, d := range r.Differences {
			t.Errorf("%s: %s", r.Demo, d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, d := range demos {
		listed[d.String()] = true
	}
	files, err := recordings.ReadDir("recorded")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		_, names := recordedAll(strings.TrimSuffix(f.Name(), ".txt"))
		for _, n := range names {
			if !listed[n] {
				t.Errorf("%s has %s, which the image does not", f.Name(), n)
			}
		}
	}
}

func listDemos(t *testing.T) []Demo {
	t.Helper()
	_, img, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	demos, err := List(img)
	if err != nil {
		t.Fatal(err)
	}
	return demos
}

// recordThem runs the demos that -record asks for on the reference, and writes
// the files of their areas again.
func recordThem(t *testing.T, demos []Demo) {
	judge.Require(t, "xen", "qemu")
	j, err := judge.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	quirks, err := j.Probe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	old := map[string][]string{}
	asked := strings.Split(*record, ",")
	var todo []Demo
	for _, d := range demos {
		byName, _ := recordedAll(area(d.ID))
		lines, have := byName[d.String()]
		old[d.String()] = lines
		if *record == "all" || *record == "missing" && !have ||
			slices.Contains(asked, area(d.ID)) || slices.Contains(asked, d.ID) {
			todo = append(todo, d)
		}
	}
	if len(todo) == 0 {
		t.Fatalf("-record %s: no such demo", *record)
	}
	err = Verify(ctx, j, quirks, todo, func(r *Result) {
		if r.Real.End == judge.EndUnknown {
			t.Errorf("%s: %v", r.Demo, r.Err)
			return
		}
		lines := recording(&r.Real)
		if r.Verdict == judge.NotComparable {
			var ids []string
			for _, q := range r.Quirks {
				ids = append(ids, string(q.ID))
			}
			lines = []string{incomparable + strings.Join(ids, ", ")}
		}
		old[r.Demo.String()] = lines
		t.Logf("%s: %s, model: %s", r.Demo, r.Real.Summary(), r.Verdict)
	})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, d := range demos {
		if lines := old[d.String()]; lines != nil {
			files[area(d.ID)] += section + d.String() + "\n" + strings.Join(lines, "\n") + "\n"
		}
	}
	for a, text := range files {
		if err := os.WriteFile("recorded/"+a+".txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecordingText: what a recording says of a death, and that addresses stay
// out of it.
func TestRecordingText(t *testing.T) {
	o := judge.Outcome{
		Platform: judge.Xen, End: judge.EndKilled, Crash: "CRASH-02", Vector: 14, HasCode: true, Code: 2,
		Regs: &judge.Regs{RIP: 0xffffffff80101234, EM: true},
		Walks: []judge.Walk{{Addr: 0xffffffff80139ff8, Entries: []judge.WalkEntry{
			{Level: 4, Index: 511, Entry: 0x5ea067}, {Level: 3, Index: 511, Entry: 1<<63 | 0x54b067}, {Level: 2}}}},
		Stack:      []uint64{0xe02b, 0xffffffff80101234, 0xffffffff80000077, 0x400162, 5, 6, 7, 8, 9},
		Transcript: []string{"FRAME-14: no stack below ffffffff8015aff8"},
	}
	want := []string{
		"killed CRASH-02 vec 14 code 0002",
		"walk L4 067 L3 067 nx L2 000",
		"stack e02b <image> ffffffff80000077 <image> 5 6 7 8",
		"| FRAME-14: no stack below <image>",
	}
	if got := recording(&o); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	byName, names := parseRecordings("== A-01\nx\n== A-01:bad\ny\nz\n")
	if !slices.Equal(names, []string{"A-01", "A-01:bad"}) || !slices.Equal(byName["A-01:bad"], []string{"y", "z"}) {
		t.Errorf("parsed %q, %q", names, byName)
	}
}
