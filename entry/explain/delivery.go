package explain

import (
	"golang.org/x/arch/x86/x86asm"

	"pvlab/entry"
	"pvlab/hv/x86"
)

// Delivery is one delivered frame and what is known about its handler.
type Delivery struct {
	Number int         `json:"number"` // from 1
	Step   uint64      `json:"step"`   // retired instructions when it was delivered
	Frame  entry.Frame `json:"frame"`
	// Before has the registers of the interrupted code: rip, rsp, rflags, cs
	// and ss (and rcx, r11 under Xen) are those of the frame.
	Before Regs `json:"-"`
	// At is the instruction during which it was delivered; Faulted is true if
	// that instruction did not complete.
	At      uint64 `json:"at"`
	Name    string `json:"name,omitempty"` // its mnemonic
	Faulted bool   `json:"faulted"`
	// Parent is the innermost frame whose handler was running, 0 for none.
	Parent   int        `json:"parent,omitempty"`
	Returned int        `json:"returned,omitempty"` // number of the return that consumed it rightly
	Removed  []Removal  `json:"removed,omitempty"`
	Stack    []Consumed `json:"-"` // words at the interrupted stack pointer, if in kernel mode
	// Raised is the vector the processor raised, -1 when unknown: not
	// Frame.Vector where delivering that one failed. GatePresent tells whether
	// its gate is usable; both only natively.
	Raised      int  `json:"raised"`
	GatePresent bool `json:"-"`
	// Pointer is where the base register of the instruction's memory operand
	// came from, if the instruction faulted and has one.
	Pointer    Origin `json:"-"`
	PointerReg string `json:"-"`
	stackSet   uint64 // last instruction that loaded rsp, 0 if not seen
	index      int    // of the instruction after which it came, in the trail
	saved      [16]Origin
}

// Removal is one word of a frame that the stack pointer moved past.
type Removal struct {
	Slot string `json:"slot"`
	At   uint64 `json:"at"` // the instruction
	Name string `json:"name"`

	index int // of the instruction in the trail
}

// WildJump is a RET that took its target from a frame's slot.
type WildJump struct {
	Step   uint64 `json:"step"`
	At     uint64 `json:"at"`
	From   uint64 `json:"from"` // address of the word
	Origin Origin `json:"origin"`
}

// Delivered takes note of a frame that was delivered since Before.
func (t *Tracker) Delivered(f *entry.Frame) {
	if len(t.frames) >= maxFrames {
		t.lost++
		return
	}
	d := &Delivery{Number: len(t.frames) + 1, Step: t.step.Number, Frame: f.Clone(), At: t.step.RIP, Name: t.pending.name}
	d.Before = t.step.Regs
	d.Raised, d.GatePresent, d.stackSet = t.raised, t.gate, t.writer[x86.RSP]
	t.takeFrame(d)
	if len(t.delivered) == 0 {
		// A trap's RIP lies behind the instruction; a fault's is at it, and an
		// INT n that is refused faults as well.
		d.Faulted = f.Kind != "softint" && d.Before.RIP == t.step.RIP && f.Kind == "exception"
		if d.Faulted && t.pending.ret != nil && t.pending.ret.Hypercall {
			d.Faulted = false
		}
	}
	if d.Faulted {
		d.Pointer, d.PointerReg = t.pointer()
	}
	d.index = t.trail.n
	if d.Number <= keptStacks && !f.FromUser {
		d.Stack = t.consume(d.Before.RSP(), make([]string, stackWords))
	}
	t.frames = append(t.frames, d)
	t.delivered = append(t.delivered, d.Number)
}

// takeFrame puts the words of the frame over the registers of the interrupted
// code.
func (t *Tracker) takeFrame(d *Delivery) {
	for _, s := range d.Frame.Slots {
		switch s.Name {
		case "rip":
			d.Before.RIP = s.Value
		case "cs":
			d.Before.CS = uint16(s.Value)
		case "rflags":
			d.Before.RFLAGS = s.Value
		case "rsp":
			d.Before.R[x86.RSP] = s.Value
		case "ss":
			d.Before.SS = uint16(s.Value)
		case "rcx":
			d.Before.R[x86.RCX] = s.Value
		case "r11":
			d.Before.R[x86.R11] = s.Value
		}
	}
}

// enter starts the handler of a delivered frame: slots and registers get
// their origins.
func (t *Tracker) enter(d *Delivery, r *Regs) {
	f := &d.Frame
	if !f.FromUser {
		d.Parent = t.innermost()
	}
	t.dropOverwritten(f)
	t.open = append(t.open, d.Number)
	for _, s := range f.Slots {
		t.mem.put(s.Addr, s.Value, Origin{Kind: Slot, Frame: d.Number, Name: s.Name})
	}
	d.saved = t.regs
	if n := len(t.delivered); n > 0 && d.Number == t.delivered[n-1] {
		for i := range r.R {
			if i != x86.RSP && (t.platform == Native || i != x86.RCX && i != x86.R11) {
				d.Before.R[i] = r.R[i]
			}
		}
	}
	for i := range t.regs {
		t.regs[i] = Origin{Kind: Live, Frame: d.Number, Name: x86.RegNames[i]}
		if i != x86.RSP || f.FromUser {
			t.writer[i] = 0
		}
	}
	t.regs[x86.RSP] = Origin{}
	if t.platform == Xen {
		for _, i := range [...]int{x86.RCX, x86.R11} {
			t.regs[i] = Origin{Kind: Scratch, Frame: d.Number, Name: x86.RegNames[i]}
		}
	}
	if d.Parent != 0 && f.Kind == "exception" {
		t.faults = append(t.faults, d.Number)
	}
}

// dropOverwritten closes the open frames that the new one destroys: it lies on
// one of the words a return needs. Those below may well have been taken off.
func (t *Tracker) dropOverwritten(f *entry.Frame) {
	lo, hi := f.At, f.At+8*uint64(len(f.Slots))
	keep := t.open[:0]
	for _, n := range t.open {
		g := &t.frames[n-1].Frame
		rip, ok := g.Slot("rip")
		if end := g.At + 8*uint64(len(g.Slots)); ok && rip.Addr < hi && lo < end {
			continue
		}
		keep = append(keep, n)
	}
	t.open = keep
}

func (t *Tracker) innermost() int {
	if n := len(t.open); n > 0 {
		return t.open[n-1]
	}
	return 0
}

// pointer finds the base register of the running instruction's memory operand.
func (t *Tracker) pointer() (o Origin, reg string) {
	in, ok := t.decode(&t.step)
	if !ok {
		return Origin{}, ""
	}
	for _, a := range in.Args {
		if m, is := a.(x86asm.Mem); is {
			if n, _, ok := regOf(m.Base); ok && n != x86.RSP {
				return t.regs[n], x86.RegNames[n]
			}
		}
	}
	return Origin{}, ""
}
