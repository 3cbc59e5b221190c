package explain

import (
	"fmt"
	"strings"

	"pvlab/hv/disasm"
)

// Bounds of the path that is shown.
const (
	pathHead = 14 // instructions after the entry
	pathTail = 26 // instructions before the cause
)

// path lists the stub's own instructions from the delivery of the frame to
// the cause; what the C handler and its callees did is counted, not listed.
func (d *diagnosis) path(c *Cause) []PathStep {
	f := d.focus(c)
	if f == nil {
		return nil
	}
	from, to := f.index, d.t.trail.n
	switch {
	case c.Return != 0:
		to = d.t.returns[c.Return-1].index
	case c.Frame != 0 && f.Step == c.Step && f.Parent != 0:
		// The frame is that of the fault: show the handler that raised it.
		to, from = f.index, d.t.frames[f.Parent-1].index
	case f.Step == c.Step:
		return nil // nothing of a handler ran
	default:
		for _, g := range d.t.frames {
			if g.Step == c.Step && g.Number > f.Number {
				to = g.index
				break
			}
		}
	}
	list, missing := d.t.trail.between(from, to)
	if len(list) == 0 {
		return nil
	}
	own := d.stubFunctions(f, list)
	var out []PathStep
	skipped := missing
	for i := range list {
		e := &list[i]
		if !own(e) && i != len(list)-1 {
			skipped++
			continue
		}
		text, n := disasm.Inst(e.Code(), 64, e.RIP, d.names())
		if n == 0 {
			text = fmt.Sprintf("%s % x", text, e.Code())
		}
		out = append(out, PathStep{Place: d.sym.At(e.RIP), Text: text, Note: d.note(f, to-len(list)+i, c.Return != 0 && i == len(list)-1), Skipped: skipped})
		skipped = 0
	}
	if n := len(out); n > pathHead+pathTail {
		cut := out[pathHead : n-pathTail]
		left := len(cut)
		for _, p := range cut {
			left += p.Skipped
		}
		tail := out[n-pathTail:]
		tail[0].Skipped += left
		out = append(out[:pathHead:pathHead], tail...)
	}
	return out
}

// stubFunctions tells the stub's own instructions from those of the handlers
// it calls: the functions of the entry point, of every removal, of the frame's
// returns, and the last ones before the cause. Without symbols it goes by
// distance from the entry point.
func (d *diagnosis) stubFunctions(f *Delivery, list []Executed) func(*Executed) bool {
	fns := make(map[string]bool)
	note := func(a uint64) {
		if n := d.sym.function(a); n != "" {
			fns[n] = true
		}
	}
	note(f.Frame.Handler)
	note(list[0].RIP)
	for _, m := range f.Removed {
		note(m.At)
	}
	for i := max(0, len(list)-6); i < len(list); i++ {
		note(list[i].RIP)
	}
	const near = 1 << 10 // bytes
	return func(e *Executed) bool {
		if n := d.sym.function(e.RIP); n != "" {
			return fns[n]
		}
		return e.RIP-f.Frame.Handler < near
	}
}

// note says what the instruction with that index in the trail did to the frame.
func (d *diagnosis) note(f *Delivery, index int, last bool) string {
	if last {
		return "here"
	}
	var off []string
	for _, m := range f.Removed {
		if m.index == index {
			off = append(off, m.Slot)
		}
	}
	if off == nil {
		return ""
	}
	return "takes off " + strings.Join(off, ", ")
}
