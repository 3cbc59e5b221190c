package ruledemo

import (
	"context"
	"fmt"
	"strings"

	"pvlab/entry/cell"
	"pvlab/entry/judge"
	"pvlab/hv"
	"pvlab/hv/image"
)

// Result is one demo on the model, and what it was compared with.
type Result struct {
	Demo  Demo
	Model judge.Outcome
	Real  judge.Outcome // the zero value when compared with a recording
	judge.Judgement
	// Err says why there is no judgement.
	Err error
}

// Observed are the demo's own lines: what it saw of the rule.
func (r *Result) Observed() (lines []string) {
	for _, l := range r.Model.Transcript {
		if rest, ok := strings.CutPrefix(l, r.Demo.ID+": "); ok {
			lines = append(lines, rest)
		}
	}
	return lines
}

// Verify runs the demos in order and calls each with every result. With a
// judge the reference runs them, too; without, the recordings stand for it.
func Verify(ctx context.Context, j *judge.Judge, quirks judge.Quirks, demos []Demo, each func(*Result)) error {
	elf, img, err := Load()
	if err != nil {
		return err
	}
	if j == nil {
		for _, d := range demos {
			r := &Result{Demo: d}
			if r.Model, r.Err = run(img, d); r.Err == nil {
				r.Judgement, r.Err = againstRecording(d, &r.Model)
			}
			each(r)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	}
	j.RunAll(ctx, realRuns(elf, demos), func(i int, real judge.Result) {
		r := &Result{Demo: demos[i], Real: real.Outcome}
		r.Model, r.Err = run(img, demos[i])
		if r.Err == nil {
			r.Err = real.Err
		}
		if r.Err == nil {
			r.Judgement = judge.Weigh(r.Model, r.Real, quirks, false)
		}
		each(r)
	})
	return ctx.Err()
}

// run runs the demo on the model.
func run(img *image.Image, d Demo) (judge.Outcome, error) {
	b, err := cell.Boot(img, d.config(), cell.Options{AsReference: true})
	if err != nil {
		return judge.Outcome{}, err
	}
	defer b.Machine.Close()
	if b.Result.Unmodelled != nil {
		return b.Outcome, fmt.Errorf("not modelled: %w", b.Result.Unmodelled)
	}
	return b.Outcome, nil
}

// realRuns is how the judge runs the demos.
func realRuns(elf []byte, demos []Demo) []judge.Run {
	runs := make([]judge.Run, len(demos))
	for i, d := range demos {
		runs[i] = judge.Run{Platform: judge.Xen, Image: elf, Cmdline: d.Cmdline(), MemMiB: cell.Memory >> 20, VCPUs: d.VCPUs, PCPUs: d.PCPUs}
		if d.Platform == hv.Native {
			runs[i].Platform = judge.Native
		}
	}
	return runs
}
