package cell

import (
	"strings"

	"pvlab/entry/judge"
)

// Verdict is what became of the guest.
type Verdict uint8

// Verdicts.
const (
	Unclear  Verdict = iota // the run does not tell
	Survives                // every register, flag and stack word intact
	Corrupt                 // it goes on with something changed
	Panics                  // the kernel's own handler gave up: the guest crashed by itself
	Killed                  // Xen destroyed the domain; natively a triple fault
	Hangs                   // it makes no progress
)

var verdictNames = [...]string{"unclear", "survives", "corrupt", "panics", "killed", "hangs"}

func (v Verdict) String() string { return verdictNames[v] }

// Dies reports whether the guest did not live on.
func (v Verdict) Dies() bool { return v >= Panics }

// Judge reads the verdict of a cell off an outcome, the model's or a real one.
// corrupt names what changed ("rcx", "flags", ...) when the verdict is Corrupt.
func Judge(o *judge.Outcome) (v Verdict, corrupt []string) {
	switch o.End {
	case judge.EndKilled, judge.EndTripleFault:
		return Killed, nil
	case judge.EndCrash:
		return Panics, nil
	case judge.EndHang, judge.EndBlocked:
		return Hangs, nil
	case judge.EndPoweroff:
	default:
		return Unclear, nil
	}
	for _, line := range o.Transcript {
		rest, ok := strings.CutPrefix(line, "survived ")
		if !ok {
			continue
		}
		if list, ok := strings.CutPrefix(rest, "corrupt="); ok {
			return Corrupt, strings.Split(strings.TrimSpace(list), ",")
		}
		if strings.TrimSpace(rest) == "intact" {
			return Survives, nil
		}
	}
	return Unclear, nil
}
