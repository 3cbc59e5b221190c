// Package ruledemo runs the demos of the rule book: the guest image `rules`
// shows each rule at work and prints what it observed. A demo is run on the
// model and, where it is installed, on the reference; the two must agree in
// everything the judge compares.
package ruledemo

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"pvlab/entry/cell"
	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// Image is the embedded guest with the demos.
const Image = "rules"

// Demo is one run of the image.
type Demo struct {
	ID  string // the rule
	Bad bool   // the form that breaks the rule
	// Kind is "breakable" (it has both forms) or "fact" (it is only observed).
	Kind  string
	VCPUs int // that the domain has to have
}

// String is "FRAME-05" or "FRAME-05:bad".
func (d Demo) String() string {
	if d.Bad {
		return d.ID + ":bad"
	}
	return d.ID
}

// Cmdline is the guest's command line.
func (d Demo) Cmdline() string { return "rule=" + d.String() }

// Load parses the image.
func Load() (elf []byte, img *image.Image, err error) {
	if elf, err = guest.Image(Image); err != nil {
		return nil, nil, err
	}
	img, err = image.Load("builtin:"+Image, elf, cell.Memory)
	return elf, img, err
}

func config(cmdline string, vcpus int) hv.Config {
	return hv.Config{Platform: hv.Xen, Dom0: true, Memory: cell.Memory, Cmdline: cmdline, VCPUs: vcpus}
}

// List asks the image which demos it has: lines "ID kind", with the words
// "bad" and "vcpus=N" behind it as they apply.
func List(img *image.Image) ([]Demo, error) {
	b, err := cell.Boot(img, config("list", 1), cell.Options{})
	if err != nil {
		return nil, err
	}
	defer b.Machine.Close()
	var demos []Demo
	for _, line := range b.Outcome.Transcript {
		if d, bad, ok := listed(line); ok {
			demos = append(demos, d)
			if bad {
				d.Bad = true
				demos = append(demos, d)
			}
		}
	}
	if len(demos) == 0 {
		return nil, fmt.Errorf("ruledemo: the image lists no demos; it ended: %s", b.Outcome.Summary())
	}
	return demos, nil
}

// listed reads one line of the list, and whether the demo has a bad form; false
// if the line is none.
func listed(line string) (d Demo, bad, ok bool) {
	f := strings.Fields(line)
	if len(f) < 2 || f[1] != "fact" && f[1] != "breakable" {
		return d, false, false
	}
	d = Demo{ID: f[0], Kind: f[1], VCPUs: 1}
	for _, w := range f[2:] {
		n, isCount := strings.CutPrefix(w, "vcpus=")
		switch {
		case w == "bad":
			bad = true
		case isCount:
			v, err := strconv.Atoi(n)
			if err != nil || v < 1 {
				return d, false, false
			}
			d.VCPUs = v
		default:
			return d, false, false
		}
	}
	return d, bad, true
}

// Result is one demo on the model, and beside it the reference's run when
// there was one.
type Result struct {
	Demo        Demo
	Model, Real judge.Outcome
	Compared    bool
	judge.Judgement
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
// judge the reference runs them, too; j nil means the model alone.
func Verify(ctx context.Context, j *judge.Judge, quirks judge.Quirks, demos []Demo, each func(*Result)) error {
	elf, img, err := Load()
	if err != nil {
		return err
	}
	model := func(r *Result) {
		b, err := cell.Boot(img, config(r.Demo.Cmdline(), r.Demo.VCPUs), cell.Options{AsReference: true})
		if err != nil {
			r.Err = err
			return
		}
		defer b.Machine.Close()
		r.Model = b.Outcome
		if b.Result.Unmodelled != nil {
			r.Err = b.Result.Unmodelled
		}
	}
	if j == nil {
		for _, d := range demos {
			r := &Result{Demo: d}
			model(r)
			each(r)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return nil
	}
	runs := make([]judge.Run, len(demos))
	for i, d := range demos {
		runs[i] = judge.Run{Platform: judge.Xen, Image: elf, Cmdline: d.Cmdline(), MemMiB: cell.Memory >> 20,
			VCPUs: d.VCPUs}
	}
	j.RunAll(ctx, runs, func(i int, real judge.Result) {
		r := &Result{Demo: demos[i]}
		model(r)
		if r.Err == nil {
			r.Err = real.Err
		}
		if r.Err == nil {
			r.Real, r.Compared = real.Outcome, true
			r.Judgement = judge.Weigh(r.Model, r.Real, quirks, false)
		}
		each(r)
	})
	return ctx.Err()
}
