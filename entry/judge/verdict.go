package judge

import "fmt"

// Verdict is what one comparison came to.
type Verdict int

const (
	// Agree: equal in everything that mask.txt leaves.
	Agree Verdict = iota
	// Disagree: a defect of the model until shown otherwise.
	Disagree
	// NotComparable: they differ, and the reference run came past a fault of
	// QEMU that is known and present.
	NotComparable
	// NotSeen: one of the two never raised the planned trap, so that the
	// comparison says nothing about it.
	NotSeen
)

func (v Verdict) String() string {
	switch v {
	case Agree:
		return "agree"
	case Disagree:
		return "disagree"
	case NotComparable:
		return "not comparable"
	case NotSeen:
		return "planned trap not seen"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// Judgement is one comparison.
type Judgement struct {
	Verdict     Verdict
	Differences []Difference
	Quirks      []Quirk // those behind NotComparable
}

// Weigh compares and decides. planned tells that the run is a cell, in which
// both must have raised the trap they announced.
func Weigh(model, real Outcome, quirks Quirks, planned bool) Judgement {
	j := Judgement{Differences: Compare(model, real)}
	switch {
	case planned && !(PlannedTrapSeen(model) && PlannedTrapSeen(real)):
		j.Verdict = NotSeen
	case len(j.Differences) == 0:
		j.Verdict = Agree
	default:
		j.Verdict = Disagree
		if j.Quirks = quirks.Touched(real); len(j.Quirks) > 0 {
			j.Verdict = NotComparable
		}
	}
	return j
}
