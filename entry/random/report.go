package random

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pvlab/entry/judge"
)

// Sequence is the guest's summary of one job.
type Sequence struct {
	Number   uint64
	Ops, OK  int    // operations done, and those that succeeded
	Hash     string // of its log
	Lines    []Line // if the batch was verbose
	Complete bool   // its summary was printed
}

// Line is the log of one operation, or of the end of the sequence.
type Line struct {
	Op    int // number in the sequence, -1 for the end
	Text  string
	State []string
}

// Count is how often a result was seen.
type Count struct {
	Call   string // "mmuext_op pin_l1"
	Result string // "0", "value", "-EINVAL", or an exception: "#PF/14"
	N      uint64
}

// Report is what one boot told.
type Report struct {
	// Sequences are those that began, in order of the jobs; the last one may not
	// be complete.
	Sequences []Sequence
	Tally     []Count
	Outcome   judge.Outcome
	// Answers are the hypercalls' own, of the model only.
	Answers map[Answer]uint64
	// Broken is an invariant that did not hold after the last sequence, or what
	// the model lacks.
	Broken error
}

// read takes the guest's lines apart.
func (r *Report) read(lines []string) error {
	var current Sequence
	for _, l := range lines {
		f := strings.Fields(l)
		switch {
		case strings.HasPrefix(l, "    "):
			if n := len(current.Lines); n > 0 {
				current.Lines[n-1].State = append(current.Lines[n-1].State, strings.TrimSpace(l))
			}
		case strings.HasPrefix(l, "end:"):
			current.Lines = append(current.Lines, Line{Op: -1, Text: l})
		case len(f) == 8 && f[0] == "sequence":
			var ops, ok int
			if _, err := fmt.Sscanf(l, "sequence %d ops %d ok %d hash %s", &current.Number, &ops, &ok, &current.Hash); err != nil {
				return fmt.Errorf("random: %q: %w", l, err)
			}
			current.Ops, current.OK, current.Complete = ops, ok, true
			r.Sequences = append(r.Sequences, current)
			current = Sequence{}
		case len(f) >= 4 && f[0] == "tally":
			n, err := strconv.ParseUint(f[len(f)-1], 10, 64)
			if err != nil {
				return fmt.Errorf("random: %q: %w", l, err)
			}
			r.Tally = append(r.Tally, Count{strings.Join(f[1:len(f)-2], " "), f[len(f)-2], n})
		default:
			at, text, found := strings.Cut(l, " ")
			sequence, op, dot := strings.Cut(at, ".")
			n, err1 := strconv.ParseUint(sequence, 10, 64)
			i, err2 := strconv.Atoi(op)
			if !found || !dot || err1 != nil || err2 != nil {
				continue // a panic's own lines, seen in the outcome
			}
			current.Number = n
			current.Lines = append(current.Lines, Line{Op: i, Text: text})
		}
	}
	if len(current.Lines) > 0 {
		r.Sequences = append(r.Sequences, current)
	}
	return nil
}

// complete is how many sequences came to their end.
func (r *Report) complete() int {
	n := 0
	for _, s := range r.Sequences {
		if s.Complete {
			n++
		}
	}
	return n
}

// ended reports whether the guest went through all its jobs.
func (r *Report) ended() bool {
	return r.Broken == nil && r.Outcome.End == judge.EndPoweroff
}

// resetPrefix begins the guest's line about what it could not put back before a
// sequence.
const resetPrefix = "reset:"

func (r *Report) resetFailed() bool {
	return slices.ContainsFunc(r.Outcome.Transcript, func(l string) bool { return strings.HasPrefix(l, resetPrefix) })
}

// end tells in words how a boot ended.
func (r *Report) end() string {
	if r.Broken != nil {
		return r.Broken.Error()
	}
	s := r.Outcome.Summary()
	for _, l := range r.Outcome.Transcript {
		if strings.HasPrefix(l, "PANIC:") || strings.HasPrefix(l, "random:") || strings.HasPrefix(l, resetPrefix) {
			s += "; " + l
		}
	}
	return s
}
