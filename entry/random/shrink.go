package random

import (
	"context"
	"fmt"
	"sort"
)

// Step is one operation of a shrunk sequence.
type Step struct {
	Op          int // -1: what is tried on all pages at the end
	Here, There string
	// State holds what is in the tables after the step, where it differs.
	StateHere, StateThere []string
}

// Differs reports whether the two machines told different things.
func (s *Step) Differs() bool { return s.Here != s.There }

// Shrunk is a short form of a difference.
type Shrunk struct {
	Sequence uint64
	Steps    []Step
	EndHere  string
	EndThere string
	Boots    int
	Alone    bool // run by itself, the sequence does not differ
	whole    bool // to be printed with everything
}

// jobsPerBoot bounds the candidates tried in one boot.
const jobsPerBoot = 64

// Shrink looks for few operations of a sequence that still make the two machines
// differ, by leaving out ever smaller parts (delta debugging); many candidates run
// in one boot.
func (p *Plan) Shrink(ctx context.Context, sequence uint64, model *Model, real *Real) (*Shrunk, error) {
	s := &Shrunk{Sequence: sequence}
	kept := make([]int, p.Ops)
	for i := range kept {
		kept[i] = i
	}
	// What comes after the first line that differs has no part in it.
	here, there, err := both(ctx, p.batch(sequence, kept, true), model, real)
	if err != nil {
		return nil, err
	}
	s.Boots++
	if !differ(here, there) {
		s.Alone = true
		return s, nil
	}
	if at := firstDifference(here, there); at >= 0 && at+1 < len(kept) {
		kept = kept[:at+1]
	}
	for parts := 2; len(kept) > 1; {
		chunk := (len(kept) + parts - 1) / parts
		var tries [][]int
		for from := 0; from < len(kept); from += chunk {
			rest := append(append([]int{}, kept[:from]...), kept[min(from+chunk, len(kept)):]...)
			tries = append(tries, rest)
		}
		found, err := p.firstThatDiffers(ctx, sequence, tries, model, real, s)
		if err != nil {
			return nil, err
		}
		switch {
		case found >= 0:
			kept = tries[found]
			parts = max(parts-1, 2)
		case chunk == 1:
			parts = 0
		default:
			parts = min(parts*2, len(kept))
		}
		if parts == 0 {
			break
		}
	}
	return s, p.read(ctx, sequence, kept, model, real, s)
}

// differ reports whether two boots of the same jobs went differently, or the
// model's alone went wrong.
func differ(here, there *Report) bool {
	if here.Broken != nil || there == nil && !here.ended() {
		return true
	}
	if there == nil {
		return false
	}
	if !here.ended() || !there.ended() || here.complete() != there.complete() {
		return endsDiffer(here, there) != ""
	}
	for i := range here.Sequences {
		if !sameSequence(&here.Sequences[i], &there.Sequences[i]) {
			return true
		}
	}
	return false
}

func (p *Plan) batch(sequence uint64, kept []int, verbose bool) Batch {
	return Batch{Seed: p.Seed, Ops: p.Ops, Deaths: p.Deaths, Family: p.Family, Verbose: verbose,
		Jobs: []Job{p.job(sequence, kept)}}
}

func (p *Plan) job(sequence uint64, kept []int) Job {
	j := Job{Sequence: sequence, Leave: map[int]bool{}}
	for i := range p.Ops {
		j.Leave[i] = true
	}
	for _, i := range kept {
		delete(j.Leave, i)
	}
	return j
}

// firstDifference is the number of the operation after which the logs are no
// longer the same, -1 if that is the end or none.
func firstDifference(here, there *Report) int {
	if len(here.Sequences) == 0 || there == nil || len(there.Sequences) == 0 {
		return -1
	}
	a, b := here.Sequences[0].Lines, there.Sequences[0].Lines
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i].Text != b[i].Text {
			return a[i].Op
		}
	}
	if len(a) < len(b) && len(a) > 0 {
		return b[len(a)].Op
	}
	return -1
}

// firstThatDiffers runs the candidates, and returns the index of one that differs,
// -1 if none does.
func (p *Plan) firstThatDiffers(ctx context.Context, sequence uint64, tries [][]int, model *Model, real *Real, s *Shrunk) (int, error) {
	for from := 0; from < len(tries); {
		part := tries[from:min(from+jobsPerBoot, len(tries))]
		b := p.batch(sequence, nil, false)
		b.Jobs = nil
		for _, kept := range part {
			b.Jobs = append(b.Jobs, p.job(sequence, kept))
		}
		here, there, err := both(ctx, b, model, real)
		if err != nil {
			return -1, err
		}
		s.Boots++
		n := here.complete()
		if there != nil {
			n = min(n, there.complete())
			for i := range n {
				if !sameSequence(&here.Sequences[i], &there.Sequences[i]) {
					return from + i, nil
				}
			}
		}
		if here.Broken != nil {
			return from + max(0, here.complete()-1), nil
		}
		// A candidate has ended one of the two boots: the one that is not
		// complete, or the one before it when what it left could not be undone.
		if !here.ended() || there != nil && !there.ended() {
			if endsDiffer(here, there) != "" {
				at, err := p.whichEnds(ctx, sequence, part, n, model, real, s)
				if at >= 0 || err != nil {
					return from + max(at, 0), err
				}
			}
			from += n + 1
			continue
		}
		from += len(part)
	}
	return -1, nil
}

// Only runs a sequence with nothing but the operations kept, for reading.
func (p *Plan) Only(ctx context.Context, sequence uint64, kept []int, model *Model, real *Real) (*Shrunk, error) {
	s := &Shrunk{Sequence: sequence, whole: true}
	return s, p.read(ctx, sequence, kept, model, real, s)
}

// whichEnds finds out which of the candidates around n makes a boot end, each in
// a boot of its own; -1 if none does.
func (p *Plan) whichEnds(ctx context.Context, sequence uint64, part [][]int, n int, model *Model, real *Real, s *Shrunk) (int, error) {
	for i := max(0, n-1); i <= n && i < len(part); i++ {
		here, there, err := both(ctx, p.batch(sequence, part[i], false), model, real)
		if err != nil {
			return -1, err
		}
		s.Boots++
		if differ(here, there) {
			return i, nil
		}
	}
	return -1, nil
}

// read runs the shrunk sequence once more, with every line and the state.
func (p *Plan) read(ctx context.Context, sequence uint64, kept []int, model *Model, real *Real, s *Shrunk) error {
	b := p.batch(sequence, kept, true)
	b.State = true
	here, there, err := both(ctx, b, model, real)
	if err != nil {
		return err
	}
	s.Boots++
	s.EndHere = here.end()
	if there == nil { // what is not compared does not differ
		there, s.EndThere = here, s.EndHere
	} else {
		s.EndThere = there.end()
	}
	steps := map[int]*Step{}
	var order []int
	next := p.Ops // the lines of the end have no number of their own
	take := func(r *Report, set func(*Step, Line)) {
		end := next
		if len(r.Sequences) == 0 {
			return
		}
		for _, l := range r.Sequences[0].Lines {
			key := l.Op
			if key < 0 {
				key = end
				end++
			}
			if steps[key] == nil {
				steps[key] = &Step{Op: l.Op}
				order = append(order, key)
			}
			set(steps[key], l)
		}
	}
	take(here, func(s *Step, l Line) { s.Here, s.StateHere = l.Text, l.State })
	take(there, func(s *Step, l Line) { s.There, s.StateThere = l.Text, l.State })
	sort.Ints(order)
	for _, key := range order {
		st := steps[key]
		st.StateHere, st.StateThere = onlyDifferent(st.StateHere, st.StateThere)
		s.Steps = append(s.Steps, *st)
	}
	return nil
}

// onlyDifferent drops the lines that both have.
func onlyDifferent(a, b []string) (x, y []string) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	return x, y
}

// String is the sequence for people: one line an operation, and both machines' where
// they differ.
func (s *Shrunk) String() string {
	if s.Alone {
		return fmt.Sprintf("sequence %d does not differ when it runs alone: what went before it matters\n", s.Sequence)
	}
	text := fmt.Sprintf("sequence %d, %d operations:\n", s.Sequence, len(s.Steps))
	for _, st := range s.Steps {
		name := fmt.Sprint(st.Op)
		if st.Op < 0 {
			name = "end"
		}
		if st.Op < 0 && !st.Differs() && !s.whole {
			continue // of the end only what differs is of interest
		}
		if !st.Differs() {
			text += fmt.Sprintf("  %4s  %s\n", name, st.Here)
			continue
		}
		text += fmt.Sprintf("  %4s  model: %s\n        Xen:   %s\n", name, st.Here, st.There)
		for i := range st.StateHere {
			text += fmt.Sprintf("        model has %s\n        Xen has   %s\n", st.StateHere[i], st.StateThere[i])
		}
	}
	if s.EndHere != s.EndThere {
		text += fmt.Sprintf("  ended: model: %s; Xen: %s\n", s.EndHere, s.EndThere)
	}
	return text
}
