package ruledemo

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pvlab/entry/judge"
)

func TestListLine(t *testing.T) {
	for _, c := range []struct {
		line string
		want Demo
		bad  bool
		ok   bool
	}{
		{"FRAME-01 fact", Demo{ID: "FRAME-01", Kind: "fact", VCPUs: 1}, false, true},
		{"FRAME-02 breakable bad", Demo{ID: "FRAME-02", Kind: "breakable", VCPUs: 1}, true, true},
		{"CRASH-06 breakable bad vcpus=2", Demo{ID: "CRASH-06", Kind: "breakable", VCPUs: 2}, true, true},
		{"EVT-14 fact vcpus=2", Demo{ID: "EVT-14", Kind: "fact", VCPUs: 2}, false, true},
		{"EVT-14 fact vcpus=0", Demo{}, false, false},
		{"EVT-14 fact sometimes", Demo{}, false, false},
		{"rules: running as a Xen PV guest", Demo{}, false, false},
		{"", Demo{}, false, false},
	} {
		got, bad, ok := listed(c.line)
		if !c.ok {
			got, bad = Demo{}, false
		}
		if diff := cmp.Diff(c.want, got); diff != "" || bad != c.bad || ok != c.ok {
			t.Errorf("%q: bad %v, listed %v, (-want +got)\n%s", c.line, bad, ok, diff)
		}
	}
}

// TestEnds runs demos that do not end by powering off.
func TestEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("boots machines")
	}
	want := map[string]struct {
		end    judge.End
		reason int
		crash  string
	}{
		"EVT-09":       {end: judge.EndReboot}, // the code that was latched first
		"EVT-15":       {end: judge.EndPoweroff},
		"CRASH-01:bad": {end: judge.EndKilled, crash: "CRASH-01"},
		"CRASH-02:bad": {end: judge.EndKilled, crash: "CRASH-02"},
		"CRASH-03:bad": {end: judge.EndKilled, crash: "CRASH-03"},
		"CRASH-04:bad": {end: judge.EndKilled, crash: "CRASH-04"},
		"CRASH-05:bad": {end: judge.EndKilled, crash: "CRASH-05"},
		"CRASH-06:bad": {end: judge.EndKilled, crash: "CRASH-06"},
		"CRASH-12:bad": {end: judge.EndShutdownOther, reason: 4}, // every vCPU waits
	}
	_, img, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := List(img)
	if err != nil {
		t.Fatal(err)
	}
	var demos []Demo
	for _, d := range all {
		if _, in := want[d.String()]; in {
			demos = append(demos, d)
		}
	}
	if len(demos) != len(want) {
		t.Errorf("%d of %d demos are listed", len(demos), len(want))
	}
	err = Verify(context.Background(), nil, judge.Quirks{}, demos, func(r *Result) {
		w := want[r.Demo.String()]
		if r.Err != nil || r.Model.End != w.end || r.Model.Reason != w.reason || r.Model.Crash != w.crash {
			t.Errorf("%s: %s, error %v", r.Demo, r.Model.Summary(), r.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
