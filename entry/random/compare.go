package random

import (
	"context"
	"fmt"

	"pvlab/entry/judge"
)

// Plan is a comparison, or a run of the model alone.
type Plan struct {
	Seed      uint64
	First     uint64
	Sequences int
	Ops       int
	// PerBoot is how many sequences one boot runs.
	PerBoot int
	Deaths  bool
	Family  string
	// Most ends the run after that many differences.
	Most int
}

// Difference is a sequence that did not go the same way on both machines, or
// broke an invariant of the model.
type Difference struct {
	Sequence uint64
	What     string
}

// Summary is what a Plan came to.
type Summary struct {
	Sequences   int // that agree (or, without a reference, ran)
	Ops, OK     uint64
	Boots       int
	Tally       map[[2]string]uint64 // by call and result, on the model
	Answers     map[Answer]uint64    // how often the model gave each
	Differences []Difference
}

// Run goes through the plan. Without a reference (real nil) only the model runs.
// Each is called after every boot, with the differences it brought; an error
// ends the run.
func (p *Plan) Run(ctx context.Context, model *Model, real *Real, each func(*Summary, []Difference) error) (*Summary, error) {
	s := &Summary{Tally: map[[2]string]uint64{}, Answers: map[Answer]uint64{}}
	next, end := p.First, p.First+uint64(p.Sequences)
	for next < end && len(s.Differences) < p.Most {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		b := Batch{Seed: p.Seed, Ops: p.Ops, Deaths: p.Deaths, Family: p.Family,
			Jobs: Range(next, int(min(uint64(p.PerBoot), end-next)))}
		before := len(s.Differences)
		done, err := p.boot(ctx, s, b, model, real)
		if err != nil {
			return s, err
		}
		next += uint64(done)
		s.Differences = s.Differences[:min(len(s.Differences), p.Most)]
		if each == nil {
			continue
		}
		if err := each(s, s.Differences[before:]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// both runs a batch on the model and, at the same time, on the reference.
func both(ctx context.Context, b Batch, model *Model, real *Real) (here, there *Report, err error) {
	type result struct {
		r   *Report
		err error
	}
	answer := make(chan result, 1)
	if real != nil {
		go func() {
			r, err := real.Run(ctx, b)
			answer <- result{r, err}
		}()
	}
	here, err = model.Run(b)
	if real != nil {
		x := <-answer
		there = x.r
		if err == nil {
			err = x.err
		}
	}
	return here, there, err
}

// boot runs one batch and returns how many of its jobs are dealt with: all of
// them, or those up to the one that ended the boot early.
func (p *Plan) boot(ctx context.Context, s *Summary, b Batch, model *Model, real *Real) (int, error) {
	here, there, err := both(ctx, b, model, real)
	if err != nil {
		return 0, err
	}
	s.Boots++
	for _, c := range here.Tally {
		s.Tally[[2]string{c.Call, c.Result}] += c.N
	}
	for a, n := range here.Answers {
		s.Answers[a] += n
	}
	n := here.complete()
	if there != nil {
		n = min(n, there.complete())
	}
	for i := range n {
		q := &here.Sequences[i]
		s.Ops += uint64(q.Ops)
		s.OK += uint64(q.OK)
		if there != nil && !sameSequence(q, &there.Sequences[i]) {
			s.Differences = append(s.Differences, Difference{q.Number, "the logs differ"})
			continue
		}
		s.Sequences++
	}
	switch {
	case here.Broken != nil:
		at := b.Jobs[max(0, here.complete()-1)].Sequence
		if n == here.complete() && n > 0 && s.Sequences > 0 && there == nil {
			s.Sequences--
		}
		s.Differences = append(s.Differences, Difference{at, here.Broken.Error()})
		return max(1, here.complete()), nil
	case n == len(b.Jobs) && here.ended() && (there == nil || there.ended()):
		return n, nil
	}
	// The boot ended in the middle of job n, or before it, when what the one
	// before it left could not be undone.
	at := b.Jobs[min(n, len(b.Jobs)-1)].Sequence
	if n > 0 && here.resetFailed() {
		at = b.Jobs[n-1].Sequence
		n--
	}
	if what := endsDiffer(here, there); what != "" {
		s.Differences = append(s.Differences, Difference{at, what})
	} else {
		s.Sequences++
	}
	return n + 1, nil
}

func sameSequence(a, b *Sequence) bool {
	return a.Number == b.Number && a.Hash == b.Hash && a.Ops == b.Ops && a.Complete == b.Complete
}

// endsDiffer tells how the ends of two boots differ that ended in the same
// sequence, "" if they don't. An end that no guest should come to is told also
// when both came to it.
func endsDiffer(here, there *Report) string {
	if there == nil {
		if here.Outcome.End == judge.EndKilled {
			return "" // a death may be what the sequence is for
		}
		return "the model's run ended: " + here.end()
	}
	if here.complete() != there.complete() {
		return fmt.Sprintf("the model ended after %d sequences (%s), Xen after %d (%s)", here.complete(), here.end(),
			there.complete(), there.end())
	}
	if d := judge.Compare(here.Outcome, there.Outcome); here.Outcome.End == judge.EndKilled && there.Outcome.End == judge.EndKilled && len(d) == 0 {
		return ""
	} else if here.Outcome.End == judge.EndKilled && len(d) > 0 {
		return fmt.Sprintf("the deaths differ: %s", d[0])
	}
	return fmt.Sprintf("the model: %s; Xen: %s", here.end(), there.end())
}
