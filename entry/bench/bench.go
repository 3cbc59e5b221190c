// Package bench measures: it runs the loads of the guest image `perf` on the
// model and, beside it in the same run, on the peer, which is real Xen or plain
// QEMU, both under QEMU's TCG. The guest does a number of rounds between two
// marks on its console, and the clock is the host's, so that the virtual time of
// neither machine matters.
package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// memMiB is the guest's memory on either side.
const memMiB = 256

// Options of a measurement.
type Options struct {
	Names    []string // of loads; none means all that the platform has
	Platform hv.Platform
	Peer     *judge.Judge  // nil: the model alone
	Runs     int           // how often each side is measured, alternating; at least 1
	Span     time.Duration // how long a load should run on each side
	Clock    Clock
}

// Side is what was measured of one load on one side.
type Side struct {
	Rounds  uint64    // between the marks
	Seconds []float64 // of each run
	Sum     string    // what the load computed
	// Insns is how many instructions a round retires; 0 where nobody counts.
	Insns float64
}

// PerSecond is rounds a second, the median of the runs.
func (s *Side) PerSecond() float64 {
	if len(s.Seconds) == 0 {
		return 0
	}
	t := slices.Clone(s.Seconds)
	slices.Sort(t)
	mid := t[len(t)/2]
	if len(t)%2 == 0 {
		mid = (mid + t[len(t)/2-1]) / 2
	}
	return float64(s.Rounds) / mid
}

// Row is one load.
type Row struct {
	Load
	Model, Peer Side
}

// Ratio is how many times as fast as the peer the model is; 0 without a peer.
func (r *Row) Ratio() float64 {
	if p := r.Peer.PerSecond(); p != 0 {
		return r.Model.PerSecond() / p
	}
	return 0
}

// Differs reports that model and peer computed different things.
func (r *Row) Differs() bool { return r.Peer.Sum != "" && r.Peer.Sum != r.Model.Sum }

// Report is a whole measurement.
type Report struct {
	Platform hv.Platform
	Rows     []Row
	Command  []string // of the peer; its last run's image file is gone by now
}

// GeoMean is the geometric mean of the ratios of the rows of one kind; 0
// without a peer.
func (r *Report) GeoMean(k Kind) float64 {
	sum, n := 0.0, 0
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Kind == k && row.Ratio() > 0 {
			sum += math.Log(row.Ratio())
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Exp(sum / float64(n))
}

// machine is one side.
type machine interface {
	// run has the guest do what cmdline says and gives each line of it to m.
	run(ctx context.Context, cmdline string, m *marks) error
}

// Run measures. First each side does a few rounds of each load, from which it
// is told how many fill the span; then the sides take turns.
func Run(ctx context.Context, o Options) (*Report, error) {
	elf, err := guest.Image(guest.Perf)
	if err != nil {
		return nil, err
	}
	img, err := image.Load("builtin:"+guest.Perf, elf, memMiB<<20)
	if err != nil {
		return nil, err
	}
	loads, err := choose(o.Names, o.Platform)
	if err != nil {
		return nil, err
	}
	r := &Report{Platform: o.Platform, Rows: make([]Row, len(loads))}
	for i, l := range loads {
		r.Rows[i].Load = l
	}
	model := &model{img: img, platform: o.Platform}
	if err := r.calibrate(ctx, model, o.Span, modelSide); err != nil {
		return nil, err
	}
	var peer *peer
	if o.Peer != nil {
		peer = newPeer(o, elf)
		if err := r.calibrate(ctx, peer, o.Span, peerSide); err != nil {
			return nil, err
		}
	}
	for range max(1, o.Runs) {
		if err := r.measure(ctx, model, modelSide, o.Clock); err != nil {
			return nil, err
		}
		if peer == nil {
			continue
		}
		if err := r.measure(ctx, peer, peerSide, o.Clock); err != nil {
			return nil, err
		}
		r.Command = peer.command
	}
	return r, nil
}

func modelSide(r *Row) *Side { return &r.Model }
func peerSide(r *Row) *Side  { return &r.Peer }

// calibrateTime is enough for a good guess.
const calibrateTime = 20 * time.Millisecond

// calibrate sets each row's rounds on one side.
func (r *Report) calibrate(ctx context.Context, m machine, span time.Duration, side func(*Row) *Side) error {
	for i := range r.Rows {
		row := &r.Rows[i]
		s := side(row)
		s.Rounds = row.first
	}
	// A machine that translates is slow at first: a second guess from more rounds.
	for _, target := range []time.Duration{calibrateTime, span} {
		if err := r.measure(ctx, m, side, Wall); err != nil {
			return err
		}
		for i := range r.Rows {
			s := side(&r.Rows[i])
			s.Rounds = guess(s.Rounds, s.Seconds[0], target.Seconds())
			s.Seconds = nil
		}
	}
	return nil
}

// guess is how many rounds take want seconds when so many took some. A mark is
// good to a millisecond or so: less proves nothing, and no guess is bold.
func guess(rounds uint64, took, want float64) uint64 {
	const leastTime, mostGrowth = 0.0005, 100
	f := min(want/max(took, leastTime), mostGrowth)
	return max(1, uint64(float64(rounds)*f))
}

// measure runs all loads once on one side.
func (r *Report) measure(ctx context.Context, m machine, side func(*Row) *Side, clock Clock) error {
	cmdline := "run="
	for i := range r.Rows {
		if i > 0 {
			cmdline += ","
		}
		cmdline += fmt.Sprintf("%s:%d", r.Rows[i].Name, side(&r.Rows[i]).Rounds)
	}
	ms := marks{clock: clock}
	if err := m.run(ctx, cmdline, &ms); err != nil {
		return err
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		got, ok := ms.of(row.Name)
		if !ok {
			return fmt.Errorf("bench: the guest did not come to the end of %q; its last line: %q", row.Name, ms.last)
		}
		s := side(row)
		s.Seconds = append(s.Seconds, got.time.Seconds())
		s.Sum = got.sum
		s.Insns = float64(got.insns) / float64(s.Rounds)
	}
	return nil
}
