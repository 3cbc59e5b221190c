package cell

import (
	"context"
	"time"

	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
)

// Comparison is one cell on the model beside the same cell on the reference.
type Comparison struct {
	Cell        Cell
	Model, Real judge.Outcome
	Fate        Verdict  // what became of the guest on the reference
	Corrupt     []string // what changed, when the fate is Corrupt
	judge.Judgement
	// Err says why there is no comparison.
	Err error
	// ModelTime and RealTime are from the start of the run to its verdict.
	ModelTime, RealTime time.Duration
}

// RealRun is how the judge runs the cell.
func (c Cell) RealRun(elf []byte) judge.Run {
	p := judge.Xen
	if c.Platform == hv.Native {
		p = judge.Native
	}
	return judge.Run{Platform: p, Image: elf, Cmdline: c.Cmdline(), MemMiB: Memory >> 20}
}

// Conform runs the cells on model and reference and calls each with every
// comparison in order.
func Conform(ctx context.Context, j *judge.Judge, quirks judge.Quirks, cells []Cell, each func(*Comparison)) error {
	elf, err := guest.Image(Image)
	if err != nil {
		return err
	}
	img, err := Load(elf)
	if err != nil {
		return err
	}
	runs := make([]judge.Run, len(cells))
	for i, c := range cells {
		runs[i] = c.RealRun(elf)
	}
	j.RunAll(ctx, runs, func(i int, r judge.Result) {
		cmp := &Comparison{Cell: cells[i], Real: r.Outcome, Err: r.Err, RealTime: r.Took}
		defer func() { each(cmp) }()
		if cmp.Err != nil {
			return
		}
		start := time.Now()
		run, err := cells[i].RunImage(img, Options{AsReference: true})
		cmp.ModelTime = time.Since(start)
		if err != nil {
			cmp.Err = err
			return
		}
		run.Machine.Close()
		cmp.Model = run.Outcome
		cmp.Fate, cmp.Corrupt = Judge(&cmp.Real)
		cmp.Judgement = judge.Weigh(cmp.Model, cmp.Real, quirks, true)
	})
	return ctx.Err()
}
