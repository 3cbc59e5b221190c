package ruledemo

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pvlab/entry/judge"
	"pvlab/hv"
)

func TestListLine(t *testing.T) {
	xen := []hv.Platform{hv.Xen}
	for _, c := range []struct {
		line      string
		want      Demo
		bad       bool
		platforms []hv.Platform
	}{
		{"FRAME-01 fact", Demo{ID: "FRAME-01", Kind: "fact", VCPUs: 1}, false, xen},
		{"FRAME-02 breakable bad", Demo{ID: "FRAME-02", Kind: "breakable", VCPUs: 1}, true, xen},
		{"CRASH-06 breakable bad vcpus=2", Demo{ID: "CRASH-06", Kind: "breakable", VCPUs: 2}, true, xen},
		{"EVT-14 fact vcpus=2", Demo{ID: "EVT-14", Kind: "fact", VCPUs: 2}, false, xen},
		{"NAT-05 breakable bad native", Demo{ID: "NAT-05", Kind: "breakable", VCPUs: 1}, true, []hv.Platform{hv.Native}},
		{"ABI-01 fact both", Demo{ID: "ABI-01", Kind: "fact", VCPUs: 1}, false, []hv.Platform{hv.Xen, hv.Native}},
		{"EVT-14 fact vcpus=0", Demo{}, false, nil},
		{"EVT-14 fact sometimes", Demo{}, false, nil},
		{"rules: running as a Xen PV guest", Demo{}, false, nil},
		{"", Demo{}, false, nil},
	} {
		got, ok := listed(c.line)
		if wanted := c.platforms != nil; ok != wanted {
			t.Errorf("%q: listed %v", c.line, ok)
		}
		if !ok {
			continue
		}
		if diff := cmp.Diff(c.want, got.Demo); diff != "" || got.bad != c.bad || !slices.Equal(got.platforms, c.platforms) {
			t.Errorf("%q: bad %v, on %v, (-want +got)\n%s", c.line, got.bad, got.platforms, diff)
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
	var demos []Demo
	for _, d := range listDemos(t) {
		if _, in := want[d.String()]; in {
			demos = append(demos, d)
		}
	}
	if len(demos) != len(want) {
		t.Errorf("%d of %d demos are listed", len(demos), len(want))
	}
	err := Verify(context.Background(), nil, judge.Quirks{}, demos, func(r *Result) {
		w := want[r.Demo.String()]
		if r.Model.End != w.end || r.Model.Reason != w.reason || r.Model.Crash != w.crash {
			t.Errorf("%s: %s", r.Demo, r.Model.Summary())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
