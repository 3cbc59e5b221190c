package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// TestEveryLoadOnTheModel: each load comes to its end on each platform, is
// counted, and tells what it computed; the guest's own list is ours.
func TestEveryLoadOnTheModel(t *testing.T) {
	for _, p := range []hv.Platform{hv.Xen, hv.Native} {
		t.Run(p.String(), func(t *testing.T) {
			r, err := Run(t.Context(), Options{Platform: p, Runs: 2, Span: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for i := range r.Rows {
				row := &r.Rows[i]
				names = append(names, row.Name)
				s := &row.Model
				if len(s.Seconds) != 2 || s.Rounds == 0 || s.PerSecond() <= 0 || s.Insns < 1 || s.Sum == "" {
					t.Errorf("%s: %+v", row.Name, *s)
				}
				if row.Ratio() != 0 || row.Differs() {
					t.Errorf("%s: compared with nobody: %v", row.Name, row.Ratio())
				}
			}
			if guestHas := listed(t, p); !slices.Equal(names, guestHas) {
				t.Errorf("measured %q, the guest has %q", names, guestHas)
			}
		})
	}
}

// listed asks the guest which loads it has, in our order.
func listed(t *testing.T, p hv.Platform) []string {
	t.Helper()
	elf, err := guest.Image(guest.Perf)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Load("perf", elf, memMiB<<20)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	m, err := hv.New(img, hv.Config{Platform: p, Dom0: true, Cmdline: "list", Console: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Run(1 << 30); err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "perf: load "); ok {
			has[name] = true
		}
	}
	var names []string
	for _, l := range Loads() {
		if has[l.Name] {
			names = append(names, l.Name)
			delete(has, l.Name)
		}
	}
	for name := range has {
		t.Errorf("the guest's load %s is not in the table", name)
	}
	return names
}

// TestPeerComputesTheSame: real Xen, and plain QEMU, run the same loads and
// come to the same sums; the peer is the one that was promised.
func TestPeerComputesTheSame(t *testing.T) {
	for _, c := range []struct {
		platform hv.Platform
		needs    []string
		promise  string
	}{
		{hv.Xen, []string{"xen", "qemu"}, " xpti=no spec-ctrl=no"},
		{hv.Native, []string{"qemu"}, "-cpu max"},
	} {
		t.Run(c.platform.String(), func(t *testing.T) {
			judge.Require(t, c.needs...)
			j, err := judge.Open()
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(t.Context(), Options{Platform: c.platform, Peer: j, Runs: 1, Span: 2 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if command := strings.Join(r.Command, " "); !strings.Contains(command, c.promise) || !strings.Contains(command, "-accel tcg") {
				t.Errorf("the peer is %s", command)
			}
			for i := range r.Rows {
				row := &r.Rows[i]
				if row.Peer.Sum == "" || row.Differs() {
					t.Errorf("%s: the model computed %q, the peer %q", row.Name, row.Model.Sum, row.Peer.Sum)
				}
				if row.Ratio() <= 0 {
					t.Errorf("%s: ratio %v", row.Name, row.Ratio())
				}
			}
			if g := r.GeoMean(Compute); g <= 0 {
				t.Errorf("geometric mean %v", g)
			}
		})
	}
}

func TestNoSuchLoad(t *testing.T) {
	for _, c := range []struct {
		name     string
		platform hv.Platform
	}{{"nosuch", hv.Xen}, {"hypercall", hv.Native}} {
		var unknown *UnknownLoad
		_, err := Run(t.Context(), Options{Names: []string{c.name}, Platform: c.platform, Span: time.Millisecond})
		if !errors.As(err, &unknown) || unknown.Name != c.name {
			t.Errorf("%s on %s: %v", c.name, c.platform, err)
		}
	}
}

func TestRunIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Names: []string{"loop"}, Span: time.Minute}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestFigures(t *testing.T) {
	row := func(kind Kind, model, peer []float64) Row {
		return Row{Load: Load{Kind: kind}, Model: Side{Rounds: 100, Seconds: model}, Peer: Side{Rounds: 200, Seconds: peer}}
	}
	odd := row(Compute, []float64{9, 1, 2}, []float64{4})
	if got := odd.Model.PerSecond(); got != 50 {
		t.Errorf("the median of three: %v a second, want 50", got)
	}
	if got := odd.Ratio(); got != 1 {
		t.Errorf("100 rounds in 2 s against 200 in 4 s: ratio %v", got)
	}
	even := row(Compute, []float64{1, 3}, []float64{1})
	if got := even.Model.PerSecond(); got != 50 {
		t.Errorf("the median of two: %v a second, want 50", got)
	}
	alone := row(Hypervisor, []float64{1}, nil)
	r := Report{Rows: []Row{odd, even, alone}}
	if got := r.GeoMean(Compute); math.Abs(got-0.5) > 1e-9 { // of 1 and 1/4
		t.Errorf("geometric mean %v, want 0.5", got)
	}
	if got := r.GeoMean(Hypervisor); got != 0 {
		t.Errorf("a mean of no ratios: %v", got)
	}
}

func TestGuess(t *testing.T) {
	for _, c := range []struct {
		rounds     uint64
		took, want float64
		guess      uint64
	}{
		{1000, 0.1, 0.25, 2500},
		{1000, 0.5, 0.25, 500},
		{10, 0, 0.25, 1000}, // too short to tell: no more than a hundred times as many
		{1, 100, 0.001, 1},  // at least one
		{10, 0.005, 0.02, 40},
	} {
		if got := guess(c.rounds, c.took, c.want); got != c.guess {
			t.Errorf("%d rounds in %v s, for %v s: %d, want %d", c.rounds, c.took, c.want, got, c.guess)
		}
	}
}

// TestMarks: only an end that belongs to the last begin counts.
func TestMarks(t *testing.T) {
	var m marks
	for i, line := range []string{
		"perf: running as a Xen PV guest", "perf: begin loop 10", "perf: end chase 10 00ff",
		"perf: begin sort 20", "(XEN) something", "perf: end sort 20 00ab", "perf: end sort 20 00cd", "perf: begin copy 1",
	} {
		m.line(line, 0, uint64(i))
	}
	if s, ok := m.of("sort"); !ok || s.sum != "00ab" || s.insns != 2 {
		t.Errorf("sort: %v, %+v", ok, s)
	}
	for _, name := range []string{"loop", "chase", "copy"} {
		if s, ok := m.of(name); ok {
			t.Errorf("%s did not come to its end, yet %+v", name, s)
		}
	}
}
