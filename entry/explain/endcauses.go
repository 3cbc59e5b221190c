package explain

import (
	"fmt"
	"strings"

	"pvlab/hv/x86"
)

// ofEnding explains a kill in which no handler had anything to do with it.
func (d *diagnosis) ofEnding() *Cause {
	e := d.end
	last := &d.t.step
	v := map[string]string{"rsp": fmt.Sprintf("%#x", e.Regs.RSP())}
	switch e.Rule {
	case "CRASH-01":
		return d.cause("hole-stack", last.Number, last.RIP, 0, v)
	case "CRASH-02":
		n, ok := e.unhandled()
		if !ok {
			return d.cause("no-callback", last.Number, last.RIP, 0, v)
		}
		v["vector"] = vectorWords(n)
		return d.cause("no-handler", last.Number, last.RIP, 0, v)
	case "CRASH-03":
		v["slot"], v["addr"] = e.Slot, fmt.Sprintf("%#x", e.Addr)
		v["stack"] = d.stackWords()
		return d.cause("bad-stack", last.Number, last.RIP, 0, v)
	case "CRASH-04":
		return d.cause("iret-unreadable", last.Number, last.RIP, 0, v)
	case "CRASH-05":
		v["cs"] = "with RPL 3"
		frame := 0
		if n := len(d.t.returns); n > 0 {
			cs, _ := d.t.returns[n-1].Word("cs")
			v["cs"], frame = fmt.Sprintf("%#x", cs.Value&0xffff), d.t.returns[n-1].Frame
		}
		return d.cause("no-user-table", last.Number, last.RIP, frame, v)
	case "CRASH-09":
		return d.cause("l1tf", last.Number, last.RIP, 0, v)
	}
	if d.t.platform != Native {
		return nil
	}
	for _, f := range d.t.frames {
		if f.Frame.Vector == x86.VectorDF && f.Returned == 0 {
			v["vector"], v["stack"] = "the event at "+d.sym.text(f.At), d.stackWordsOf(f.Before.RSP(), f.Frame.FromUser, f.stackSet)
			if f.Raised >= 0 && f.Raised != x86.VectorDF {
				v["vector"] = vectorWords(f.Raised)
			}
			return d.cause("native-bad-stack", f.Step, f.At, f.Number, v)
		}
	}
	if e.How == "triple-fault" {
		if len(e.Faults) > 1 && strings.HasPrefix(e.Faults[1], "#PF") {
			v["vector"], v["stack"] = e.Faults[0], d.stackWords()
			return d.cause("native-bad-stack", last.Number, last.RIP, 0, v)
		}
		v["faults"] = strings.Join(e.Faults, ", ")
		return d.cause("triple", last.Number, last.RIP, 0, v)
	}
	return nil
}

// stackWords says whose stack it was that could not take the frame.
func (d *diagnosis) stackWords() string {
	return d.stackWordsOf(d.end.Regs.RSP(), !d.t.step.Kernel, d.t.writer[x86.RSP])
}

func (d *diagnosis) stackWordsOf(rsp uint64, fromUser bool, set uint64) string {
	if fromUser {
		if d.t.platform == Xen {
			return "the stack registered for traps from user mode (stack_switch) is not writable there"
		}
		return "the stack for traps from user mode (TSS.RSP0) is not writable there"
	}
	s := fmt.Sprintf("the kernel's stack pointer %#x does not point to writable memory", rsp)
	if set != 0 {
		s += ", loaded at " + d.sym.text(set)
	}
	return s
}

// faultCause explains a fault that a handler raised itself: by the words of
// the frame that its stub had taken off before, if those were too many, else
// by the instruction alone.
func (d *diagnosis) faultCause(f *Delivery, rounds int) *Cause {
	if c := d.ofRemovals(f); c != nil {
		return c
	}
	v := map[string]string{"name": f.Name, "where": d.sym.text(f.At), "vector": vectorWords(f.Frame.Vector), "rounds": fmt.Sprint(rounds)}
	name := "fault"
	switch {
	case f.Name == "":
		name, v["name"] = "fetch", "an instruction"
	case f.Pointer.Kind != Unknown:
		v["pointer"] = fmt.Sprintf(" (the address is in %s, which has %s)", f.PointerReg, f.Pointer.words(d.sym.text))
	}
	if rounds >= 3 {
		name = "recursion"
	}
	return d.cause(name, f.Step, f.At, f.Number, v)
}

// ofRemovals: no stub takes rip or anything above it off the frame before it
// returns. If one did, the handler worked on a frame that begins elsewhere.
func (d *diagnosis) ofRemovals(f *Delivery) *Cause {
	if f.Parent == 0 {
		return nil
	}
	p := d.t.frames[f.Parent-1]
	core := false
	off := make(map[string]bool)
	for _, m := range p.Removed {
		off[m.Slot] = true
		core = core || isCore(m.Slot)
	}
	if !core || p.Returned != 0 {
		return nil
	}
	n := len(off)
	if d.t.platform == Xen {
		n -= 2 // rcx and r11, rightly
	}
	v := map[string]string{"n": fmt.Sprint(n), "lead": fmt.Sprintf("%s at %s raised %s inside the handler, which took the words at its stack pointer for the frame",
		f.Name, d.sym.text(f.At), vectorWords(f.Frame.Vector))}
	kind := "too-many"
	switch {
	case n == 2 && d.t.platform == Native:
		kind = "xen-form"
	case n == 2:
		kind = d.twice(p, v)
	case n == 1:
		kind = "one-too-many"
	}
	return d.cause(kind, f.Step, f.At, p.Number, v)
}

// isCore reports whether a slot is one of the five words a return takes.
func isCore(slot string) bool {
	for _, r := range iretRoles {
		if r == slot {
			return true
		}
	}
	return false
}

// lostCause explains registers that a return did not give back.
func (d *diagnosis) lostCause(r *Return) *Cause {
	var scratch, slots []string
	for _, l := range r.Lost {
		switch l.Origin.Kind {
		case Scratch:
			scratch = append(scratch, l.Reg)
		case Slot:
			if len(l.Reg) > 0 && regIndex(l.Reg) >= 0 {
				slots = append(slots, l.Reg)
			}
		}
	}
	v := d.returnValues(r)
	switch {
	case len(scratch) > 0:
		v["regs"], v["them"] = strings.Join(scratch, " and "), "them"
		if len(scratch) == 1 {
			v["them"] = "it"
		}
		return d.returnCause("never-loaded", r, v)
	case len(slots) == 2 && lostFrom(r, "rcx", "r11") && lostFrom(r, "r11", "rcx"):
		return d.returnCause("swapped", r, v)
	case len(slots) > 0 && d.t.platform == Native:
		v["regs"] = strings.Join(slots, " and ")
		return d.returnCause("xen-form-registers", r, v)
	}
	l := r.Lost[0]
	v["reg"], v["got"], v["want"] = l.Reg, fmt.Sprintf("%#x", l.Got), fmt.Sprintf("%#x", l.Want)
	v["what"] = "it holds " + l.Origin.words(d.sym.text)
	if l.Writer != 0 && uint64(l.Writer) != l.Origin.Maker {
		v["writer"] = ", written last at " + d.sym.text(uint64(l.Writer))
	}
	return d.returnCause("clobbered", r, v)
}

func lostFrom(r *Return, reg, slot string) bool {
	for _, l := range r.Lost {
		if l.Reg == reg && l.Origin.Kind == Slot && l.Origin.Name == slot {
			return true
		}
	}
	return false
}

func regIndex(name string) int {
	for i, n := range x86.RegNames {
		if n == name {
			return i
		}
	}
	return -1
}
