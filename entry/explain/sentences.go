package explain

import (
	"fmt"
	"strings"

	"pvlab/hv/x86"
)

// cause makes a Cause of a kind, with its sentences filled in.
func (d *diagnosis) cause(name string, step, at uint64, frame int, v map[string]string) *Cause {
	k := kinds[name]
	for _, optional := range []string{"changed", "pointer", "writer"} {
		if _, ok := v[optional]; !ok {
			v[optional] = ""
		}
	}
	v["otherplatform"] = "bare metal"
	if d.t.platform == Native {
		v["otherplatform"] = "Xen"
	}
	c := &Cause{Kind: name, Rule: k.rule, Step: step, At: Word(at), Frame: frame, Fatal: k.fatal,
		Verdict: fill(k.verdict, v), Fix: fill(k.fix, v), Other: fill(k.other, v)}
	return c
}

// vectorWords writes a vector as "#PF (vector 14)".
func vectorWords(v int) string {
	if v < 0 || v > 255 {
		return "an event"
	}
	if v < 32 {
		return fmt.Sprintf("%s (vector %d)", x86.VectorName(uint8(v)), v)
	}
	return fmt.Sprintf("vector %d", v)
}

// how names the return, and where is the instruction that led to it: for a
// hypercall the jump into the page, which says more than the page itself.
func (d *diagnosis) how(r *Return) (how, where string) {
	if !r.Hypercall {
		return "iretq", d.sym.text(r.At)
	}
	list, _ := d.t.trail.between(r.index-8, r.index)
	for i := len(list) - 1; i >= 0; i-- {
		const slot = 32 // bytes of one entry of the hypercall page
		if e := &list[i]; e.RIP/slot != r.At/slot {
			return "HYPERVISOR_iret", d.sym.text(e.RIP)
		}
	}
	return "HYPERVISOR_iret", d.sym.text(r.At)
}

// what tells where a consumed word came from.
func (d *diagnosis) what(c Consumed) string {
	if c.Origin.Kind == Unknown && c.Home != "" {
		return "the place of the slot " + c.Home
	}
	return c.Origin.words(d.sym.text)
}

// returnValues are the names every sentence about a return may use.
func (d *diagnosis) returnValues(r *Return) map[string]string {
	v := make(map[string]string)
	v["how"], v["where"] = d.how(r)
	rip, _ := r.Word("rip")
	cs, _ := r.Word("cs")
	flags, _ := r.Word("flags")
	v["what"], v["flags"] = d.what(rip), d.what(flags)
	v["lead"] = fill("{how} at {where} took RIP from {what}", v)
	v["cs"] = fmt.Sprintf("%#x", cs.Value&0xffff)
	v["csnorpl"] = fmt.Sprintf("%#x", cs.Value&0xfffc)
	v["n"] = fmt.Sprint(max(r.Offset, -r.Offset))
	if r.Frame != 0 {
		f := &d.t.frames[r.Frame-1].Frame
		v["vector"] = vectorWords(f.Vector)
		v["first"] = "rip"
		if _, ok := f.Slot("error"); ok {
			v["first"] = "the error code"
		}
	}
	return v
}

// ofReturn judges one return; nil if there is nothing wrong with it.
func (d *diagnosis) ofReturn(r *Return) *Cause {
	switch r.Verdict {
	case Wrong:
		return d.ofWrongReturn(r)
	case Right:
		return d.ofRightReturn(r)
	}
	return nil
}

func (d *diagnosis) returnCause(name string, r *Return, v map[string]string) *Cause {
	c := d.cause(name, r.Step, r.At, r.Frame, v)
	c.Return = r.Number
	return c
}

// ofWrongReturn names the mistake by how far the words lie beside the frame.
func (d *diagnosis) ofWrongReturn(r *Return) *Cause {
	v := d.returnValues(r)
	xen := d.t.platform == Xen
	if flags, ok := r.Word("flags"); ok {
		switch {
		case flags.Origin.IsSlot(r.Frame, "rip"):
			return d.returnCause("no-flags-word", r, v)
		case flags.Origin.Kind == ReturnAddress:
			return d.returnCause("called-iret", r, v)
		}
	}
	code := false
	if r.Frame != 0 {
		_, code = d.t.frames[r.Frame-1].Frame.Slot("error")
	}
	switch off := r.Offset; {
	case !r.Known || off == 0:
		return d.ofMixed(r, v)
	case off == -1 && code:
		return d.returnCause("code-left", r, v)
	case off == -2 && xen:
		return d.returnCause("not-removed", r, v)
	case off == -3 && xen && code:
		return d.returnCause("not-removed-nor-code", r, v)
	case off == -1:
		return d.returnCause("one-left", r, v)
	case off < 0:
		return d.returnCause("too-few", r, v)
	case off == 1:
		return d.returnCause("one-too-many", r, v)
	case off == 2 && !xen:
		return d.returnCause("xen-form", r, v)
	case off == 2:
		return d.returnCause(d.twice(d.t.frames[r.Frame-1], v), r, v)
	}
	return d.returnCause("too-many", r, v)
}

// twice finds the second removal of two words: the one that took the first
// word above r11, and whether another function did it. It names the kind.
func (d *diagnosis) twice(f *Delivery, v map[string]string) string {
	var first, again uint64
	for _, m := range f.Removed {
		switch {
		case m.Slot == "rcx":
			if first == 0 {
				first = m.At
			}
		case m.Slot != "r11" && again == 0:
			again = m.At
		}
	}
	if again == 0 || first == 0 {
		return "too-many"
	}
	v["again"] = d.sym.text(again)
	v["firstfn"], v["againfn"] = d.sym.function(first), d.sym.function(again)
	if v["firstfn"] != v["againfn"] && v["firstfn"] != "" && v["againfn"] != "" {
		return "chained"
	}
	return "twice"
}

// ofMixed names the first word that is not from its own slot.
func (d *diagnosis) ofMixed(r *Return, v map[string]string) *Cause {
	v["role"] = "some words"
	for _, c := range r.Words[max(0, len(r.Words)-5):] {
		if c.Origin.Kind == Slot && c.Origin.Name != c.Role || c.Origin.Kind != Slot && c.Home != c.Role {
			v["role"], v["what"] = c.Role, d.what(c)
			if c.Origin.Kind == Slot && c.Origin.Stored != 0 {
				v["what"] += ", put there by " + d.sym.text(c.Origin.Stored)
			}
			break
		}
	}
	return d.returnCause("mixed", r, v)
}

// ofRightReturn: the words are right, the way back may still be wrong.
func (d *diagnosis) ofRightReturn(r *Return) *Cause {
	name := d.wrongDoor(r)
	if name == "" && r.Faulted {
		name = "refused"
	}
	if name == "" {
		return nil
	}
	v := d.returnValues(r)
	v["fault"] = d.faultDuring(r)
	var changed []string
	for _, c := range r.Words {
		if c.Origin.Changed != 0 || c.Origin.Kind != Slot && c.Home == c.Role {
			changed = append(changed, c.Role)
		}
	}
	if len(changed) > 0 {
		v["changed"] = "; the handler had changed " + strings.Join(changed, ", ")
	}
	return d.returnCause(name, r, v)
}

// wrongDoor names the kind of a return that takes the right words by a way
// that is not right for them, "" if it is.
func (d *diagnosis) wrongDoor(r *Return) string {
	f := d.t.frames[r.Frame-1]
	cs, _ := r.Word("cs")
	user := cs.Value&3 == 3
	switch {
	case d.t.platform == Xen && !r.Hypercall && !user:
		return "bare-iretq"
	case d.t.platform == Xen && !r.Hypercall && f.Frame.FromUser:
		return "bare-iretq-user"
	case !r.Hypercall:
		return ""
	}
	const inSyscall = 0x100 // VGCF_in_syscall
	flags, _ := r.Word("flags")
	rflags, _ := r.Word("rflags")
	kept := flags.Value&inSyscall != 0
	switch {
	case kept && f.Frame.Kind != "syscall" && rflags.Value&x86.FlagTF != 0 && d.end.How == "step-limit":
		return "vgcf-step"
	case kept && len(r.Lost) > 0:
		return "vgcf"
	case user && !f.Frame.FromUser && f.Frame.Kind != "syscall":
		return "rpl3"
	}
	return ""
}

// faultDuring is the exception that the return itself raised.
func (d *diagnosis) faultDuring(r *Return) string {
	for _, f := range d.t.frames {
		if f.Step == r.Step && f.At == r.At {
			return vectorWords(f.Frame.Vector)
		}
	}
	return "a fault"
}
