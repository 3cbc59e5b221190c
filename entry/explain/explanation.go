package explain

import (
	"fmt"
	"strings"

	"pvlab/entry"
	"pvlab/hv/disasm"
	"pvlab/hv/x86"
)

// Explanation is what a finished run amounts to. It is plain data: print it
// as JSON, or call Text.
type Explanation struct {
	Platform Platform `json:"platform"`
	Ending   Ending   `json:"ending"`
	// Cause is nil when nothing went wrong.
	Cause     *Cause `json:"cause,omitempty"`
	RuleTitle string `json:"rule_title,omitempty"`
	// Misleading names a symptom that points elsewhere.
	Misleading   string      `json:"misleading,omitempty"`
	Chain        []FrameView `json:"chain"`
	Path         []PathStep  `json:"path,omitempty"`
	Drawing      *Drawing    `json:"drawing,omitempty"`
	Registers    []RegView   `json:"registers,omitempty"`
	Stack        []WordView  `json:"stack,omitempty"`
	Lost         []Lost      `json:"lost,omitempty"`
	Harmless     []string    `json:"harmless,omitempty"`
	Consequences []string    `json:"consequences,omitempty"`
	// Unsure lists what is not modelled and was met on the way: with it, all of
	// this might have come out differently.
	Unsure []string `json:"unsure,omitempty"`
	// Dropped counts frames and returns that were too many to follow.
	Dropped int `json:"dropped,omitempty"`
}

// FrameView is one delivered frame in the chain; equal ones in a row are
// counted.
type FrameView struct {
	Number   int    `json:"number"`
	Event    string `json:"event"` // "#PF (vector 14)"
	From     string `json:"from"`  // "kernel" or "user"
	At       Place  `json:"at"`    // interrupted instruction
	Stack    Word   `json:"stack"` // address of the frame
	Handler  Place  `json:"handler"`
	Returned bool   `json:"returned"`
	Times    int    `json:"times"`
	Last     Word   `json:"last,omitempty"` // address of the last one's frame
}

// PathStep is one instruction on the way to the cause. Skipped counts those
// left out before it.
type PathStep struct {
	Place   Place  `json:"place"`
	Text    string `json:"text"`
	Note    string `json:"note,omitempty"`
	Skipped int    `json:"skipped,omitempty"`
}

// RegView is a register at the cause.
type RegView struct {
	Name   string `json:"name"`
	Value  Word   `json:"value"`
	Symbol string `json:"symbol,omitempty"` // where the value points to, as "name+0x12"
}

// WordView is a word of the guest's stack at the cause.
type WordView struct {
	Addr   Word   `json:"addr"`
	Value  Word   `json:"value"`
	Origin string `json:"origin,omitempty"`
	Symbol string `json:"symbol,omitempty"` // where the value points to
}

// Explain derives the explanation of a finished run.
func Explain(t *Tracker, end *Ending, sym *Symbols) *Explanation {
	d := &diagnosis{t: t, end: end, sym: sym}
	x := &Explanation{Platform: t.platform, Ending: *end, Dropped: t.lost}
	x.Cause = d.diagnose()
	x.Chain = d.chain()
	if f := d.focus(x.Cause); f != nil {
		x.Harmless = d.harmless(f)
	}
	c := x.Cause
	if c == nil {
		return x
	}
	x.RuleTitle = RuleTitle(c.Rule)
	x.Misleading = d.misleading(c)
	x.Path = d.path(c)
	x.Drawing = d.drawing(c)
	x.Registers, x.Stack = d.state(c)
	if c.Return != 0 {
		for _, l := range t.returns[c.Return-1].Lost {
			l.Text = l.words(sym.text)
			x.Lost = append(x.Lost, l)
		}
	}
	x.Consequences = d.consequences(c)
	return x
}

// focus is the frame the explanation is about.
func (d *diagnosis) focus(c *Cause) *Delivery {
	switch {
	case c != nil && c.Frame != 0:
		return d.t.frames[c.Frame-1]
	case len(d.t.frames) > 0:
		return d.t.frames[0]
	}
	return nil
}

// eventWords names what was delivered: the vector, or the kind where the
// vector says nothing.
func eventWords(f *entry.Frame) string {
	if f.Kind != "exception" && f.Kind != "softint" && f.Kind != "interrupt" {
		return f.Kind
	}
	return vectorWords(f.Vector)
}

func (d *diagnosis) chain() []FrameView {
	var out []FrameView
	for _, f := range d.t.frames {
		rip, _ := f.Frame.Slot("rip")
		v := FrameView{Number: f.Number, Event: eventWords(&f.Frame), From: "kernel", At: d.sym.At(rip.Value),
			Stack: Word(f.Frame.At), Handler: d.sym.At(f.Frame.Handler), Returned: f.Returned != 0, Times: 1}
		if f.Frame.FromUser {
			v.From = "user"
		}
		if n := len(out); n > 0 {
			if o := &out[n-1]; o.Event == v.Event && o.At.Addr == v.At.Addr && o.From == v.From && o.Returned == v.Returned {
				o.Times++
				o.Last = v.Stack
				continue
			}
		}
		out = append(out, v)
	}
	return out
}

// misleading: what Xen prints names page tables, but they are not at fault.
func (d *diagnosis) misleading(c *Cause) string {
	addr, ok := d.end.walked()
	if !ok || c.Kind == "bad-stack" {
		return ""
	}
	if v, un := d.end.unhandled(); un && c.Kind == "no-handler" && v == x86.VectorPF {
		return ""
	}
	return fmt.Sprintf("Xen's last words are a page-table walk for %#x. The page tables are not at fault: "+
		"that address was only reached because of what is said above.", addr)
}

// state gives registers and stack at the cause: before the return, before the
// fault, or at the end.
func (d *diagnosis) state(c *Cause) (regs []RegView, stack []WordView) {
	r := d.end.Regs
	var words []Consumed
	if f := d.faultAt(c); c.Return != 0 {
		ret := d.t.returns[c.Return-1]
		r, words = ret.Regs, ret.Stack
	} else if f != nil {
		r, words = f.Before, f.Stack
	} else {
		words = d.t.consume(r.RSP(), make([]string, stackWords))
	}
	for i, n := range x86.RegNames {
		regs = append(regs, RegView{n, Word(r.R[i]), d.sym.name(r.R[i])})
	}
	regs = append(regs, RegView{"rip", Word(r.RIP), d.sym.name(r.RIP)}, RegView{Name: "rflags", Value: Word(r.RFLAGS)})
	for _, w := range words {
		if !w.Read {
			break
		}
		v := WordView{Addr: Word(w.Addr), Value: Word(w.Value), Symbol: d.sym.name(w.Value)}
		if w.Origin.Kind != Unknown {
			v.Origin = w.Origin.words(d.short)
		}
		stack = append(stack, v)
	}
	return regs, stack
}

// faultAt is the frame that the instruction at the cause raised, nil if none.
func (d *diagnosis) faultAt(c *Cause) *Delivery {
	for _, f := range d.t.frames {
		if f.Step == c.Step && Word(f.At) == c.At {
			return f
		}
	}
	return nil
}

// consequences are what followed from the cause.
func (d *diagnosis) consequences(c *Cause) []string {
	var out []string
	n, first := 0, (*Delivery)(nil)
	for _, f := range d.t.frames {
		if f.Step > c.Step || f.Step == c.Step && f.Number != c.Frame {
			if n++; first == nil {
				first = f
			}
		}
	}
	if first != nil {
		rip, _ := first.Frame.Slot("rip")
		out = append(out, fmt.Sprintf("%s at %s", eventWords(&first.Frame), d.sym.text(rip.Value)))
	}
	if n > 1 {
		last := d.t.frames[len(d.t.frames)-1]
		rip, _ := last.Frame.Slot("rip")
		s := fmt.Sprintf("%d more events, the last one %s at %s", n-1, eventWords(&last.Frame), d.sym.text(rip.Value))
		if down := int64(first.Frame.At - last.Frame.At); n > 3 && down > 0 && down%int64(n-1) == 0 {
			s += fmt.Sprintf(", each %d bytes deeper in the stack (CRASH-15)", down/int64(n-1))
		}
		out = append(out, s)
	}
	return append(out, d.end.words())
}

// harmless finds what the handler of f did to the stack before it took
// anything off the frame, and gave back: it is suspected easily, but changes
// nothing.
func (d *diagnosis) harmless(f *Delivery) []string {
	list, missing := d.t.trail.between(f.index, f.index+64)
	if missing > 0 {
		return nil
	}
	var out []string
	var group []string
	start := uint64(0)
	for i := range list {
		e := &list[i]
		if e.RSP > f.Frame.At || e.RSP+4096 < f.Frame.At {
			break
		}
		if e.RSP == f.Frame.At && len(group) > 1 {
			out = append(out, fmt.Sprintf("%s at %s: uses the stack below the frame and gives it back; no word of the frame is touched.",
				strings.Join(group, "; "), d.sym.text(start)))
			group = nil
		}
		if e.RSP == f.Frame.At {
			group, start = nil, e.RIP
		}
		text, _ := disasm.Inst(e.Code(), 64, e.RIP, d.names())
		group = append(group, text)
		if len(group) > 8 {
			break // a handler's own saves, not a detour
		}
	}
	return out
}

func (d *diagnosis) names() func(uint64) (string, uint64) {
	return func(a uint64) (string, uint64) {
		p := d.sym.At(a)
		return p.Symbol, uint64(p.Addr) - p.Offset
	}
}
