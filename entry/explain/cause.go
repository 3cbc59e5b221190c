package explain

import (
	"strings"
)

// Cause is the first thing that went wrong.
type Cause struct {
	// Kind is one of the names in kinds.go.
	Kind string `json:"kind"`
	Rule string `json:"rule,omitempty"`
	Step uint64 `json:"step"`
	At   Word   `json:"at"` // the instruction
	// Frame is the frame that was not treated rightly, 0 for none.
	Frame int `json:"frame,omitempty"`
	// Return is the return that shows it, 0 for none.
	Return int `json:"return,omitempty"`
	// Verdict is the sentence, Fix what to change, Other what the other
	// platform would have done.
	Verdict string `json:"verdict"`
	Fix     string `json:"fix,omitempty"`
	Other   string `json:"other,omitempty"`
	// Fatal is false if the guest can live on with it, corrupted.
	Fatal bool `json:"fatal"`
}

// diagnosis works on a finished run.
type diagnosis struct {
	t   *Tracker
	end *Ending
	sym *Symbols
}

// diagnose finds the cause, nil if nothing went wrong. Candidates are the
// wrong returns, jumps through a frame's slot, instructions a PV kernel may
// not execute, and the kill itself; the earliest counts. Faults that a handler
// may raise for good reasons count only if there is nothing else.
func (d *diagnosis) diagnose() *Cause {
	if c := d.plain(); c != nil {
		return c
	}
	if c := d.ofRecursion(); c != nil {
		return c
	}
	if c := d.ofEnding(); c != nil {
		return c
	}
	if c := d.ofLost(); c != nil {
		return c
	}
	return d.ofFault()
}

// plain finds the earliest of the mistakes that are mistakes whatever comes
// after them.
func (d *diagnosis) plain() *Cause {
	var best *Cause
	take := func(c *Cause) {
		if c != nil && (best == nil || c.Step < best.Step) {
			best = c
		}
	}
	for _, r := range d.t.returns {
		if c := d.ofReturn(r); c != nil {
			take(c)
			break // returns are in order
		}
	}
	for _, j := range d.t.jumps {
		take(d.ofJump(j))
		break
	}
	for _, n := range d.t.faults {
		if c := d.ofForbidden(d.t.frames[n-1]); c != nil {
			take(c)
			break
		}
	}
	if d.t.platform == Native {
		for _, f := range d.t.frames {
			if c := d.ofMissingGate(f); c != nil {
				take(c)
				break
			}
		}
	}
	return best
}

// ofRecursion: the stack was used up by a handler that faults again and
// again; its first fault is the cause, the full stack a consequence.
func (d *diagnosis) ofRecursion() *Cause {
	n := len(d.t.frames)
	if n < 3 || d.end.Rule != "CRASH-03" && d.end.How != "triple-fault" && d.end.How != "step-limit" {
		return nil
	}
	last := d.t.frames[n-1]
	first := last
	rounds := 1
	for f := last; f.Parent != 0; {
		f = d.t.frames[f.Parent-1]
		if !sameFault(f, last) {
			continue
		}
		first = f
		rounds++
	}
	if rounds < 3 {
		return nil
	}
	return d.faultCause(first, rounds)
}

// sameFault: the same vector at the same instruction.
func sameFault(a, b *Delivery) bool {
	x, okx := a.Frame.Slot("rip")
	y, oky := b.Frame.Slot("rip")
	return okx && oky && a.Frame.Vector == b.Frame.Vector && x.Value == y.Value && !a.Frame.FromUser && !b.Frame.FromUser
}

// ofFault: the guest died while a handler's own fault was not yet returned
// from, and nothing better is known.
func (d *diagnosis) ofFault() *Cause {
	if !d.end.died() {
		return nil
	}
	for _, n := range d.t.faults {
		if f := d.t.frames[n-1]; f.Returned == 0 && f.Faulted {
			return d.faultCause(f, 1)
		}
	}
	return nil
}

// ofLost: a return was right in all its words, but did not give back all
// registers.
func (d *diagnosis) ofLost() *Cause {
	for _, r := range d.t.returns {
		if r.Verdict == Right && len(r.Lost) > 0 {
			return d.lostCause(r)
		}
	}
	return nil
}

// ofJump: RET took its target from a slot of a frame.
func (d *diagnosis) ofJump(j *WildJump) *Cause {
	return d.cause("wild-ret", j.Step, j.At, j.Origin.Frame, map[string]string{
		"where": d.sym.text(j.At), "what": j.Origin.words(d.sym.text)})
}

// privileged instructions of a native stub, and the rule each breaks.
var privileged = map[string]string{
	"swapgs": "PRIV-04", "hlt": "PRIV-03", "cli": "PRIV-02", "sti": "PRIV-02",
	"lgdt": "PRIV-05", "lidt": "PRIV-05", "lldt": "PRIV-05", "ltr": "PRIV-05", "invlpg": "PRIV-05",
	"sysret": "IRET-11", "sysexit": "IRET-11",
}

// ofForbidden: under Xen a handler executed an instruction that is not
// emulated, and did not come back from the #GP.
func (d *diagnosis) ofForbidden(f *Delivery) *Cause {
	const gp = 13
	rule := privileged[f.Name]
	if d.t.platform != Xen || rule == "" || f.Frame.Vector != gp || !f.Faulted || f.Returned != 0 {
		return nil
	}
	kind := "forbidden"
	if f.Name == "swapgs" {
		kind = "swapgs"
	}
	c := d.cause(kind, f.Step, f.At, f.Parent, map[string]string{"insn": f.Name, "where": d.sym.text(f.At)})
	c.Rule = rule
	return c
}

// ofMissingGate: natively, the processor raised a vector whose gate is not
// present, and so delivered another one: #NP, or a double fault where that
// may not follow the first (SDM vol. 3, "Conditions for Generating a Double
// Fault").
func (d *diagnosis) ofMissingGate(f *Delivery) *Cause {
	if f.Raised < 0 || f.Raised == f.Frame.Vector || f.GatePresent || f.Returned != 0 {
		return nil
	}
	return d.cause("no-gate", f.Step, f.At, f.Number, map[string]string{
		"vector": vectorWords(f.Raised), "got": vectorWords(f.Frame.Vector)})
}

// fill puts values into a sentence with {name} in it.
func fill(s string, v map[string]string) string {
	pairs := make([]string, 0, 2*len(v))
	for k, x := range v {
		pairs = append(pairs, "{"+k+"}", x)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}
