package explain

import (
	"golang.org/x/arch/x86/x86asm"

	"pvlab/entry"
	"pvlab/hv/x86"
)

// Bounds of what a Tracker keeps; what goes beyond is counted, not kept.
const (
	maxFrames  = 1 << 13
	maxReturns = 1 << 13
	maxRemoved = 64 // slots taken off, remembered for each frame
	keptStacks = 64 // frames and returns of which the stack is remembered
	stackWords = 12
)

// Tracker follows the origin of every word through a run. Use: Before, then
// let the guest execute one instruction while passing every delivered frame
// to Delivered, then After.
type Tracker struct {
	decoded  map[uint64]*decodedInst // by RIP
	platform Platform
	read     Reader
	regs     [16]Origin
	writer   [16]uint64 // last instruction that wrote the register
	mem      words
	frames   []*Delivery
	open     []int // numbers of the frames not yet returned from, outermost first
	returns  []*Return
	faults   []int // numbers of the frames delivered while another was open, in kernel mode
	jumps    []*WildJump
	trail    trail
	lost     int // frames and returns beyond the bounds

	pending   effect
	step      Step
	code      [15]byte // behind step.Code
	active    bool
	delivered []int // frames delivered during this step
	raised    int   // vector of this step, -1 for none
	gate      bool
}

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

// NewTracker makes a tracker that knows nothing yet. read must see memory as
// the guest's kernel does.
func NewTracker(p Platform, read Reader) *Tracker {
	t := &Tracker{platform: p, read: read, mem: newWords(read), decoded: map[uint64]*decodedInst{}}
	for i := range t.regs {
		t.regs[i] = Origin{}
	}
	return t
}

// Before takes note of the instruction about to execute. A call without After
// in between replaces the former one.
func (t *Tracker) Before(s *Step) {
	if t.active {
		t.trail.n-- // the former one did not execute
	}
	t.step = *s
	t.step.Code = append(t.code[:0], s.Code...)
	t.delivered = t.delivered[:0]
	t.raised = -1
	t.active = true
	t.trail.add(&t.step)
	t.pending = t.effectOf(&t.step)
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

// Raised takes note, before Delivered, that the running instruction raised a
// vector, and whether a native IDT has a present gate for it.
func (t *Tracker) Raised(vector int, gate bool) { t.raised, t.gate = vector, gate }

// After takes note of what the instruction has done. r are the registers now.
func (t *Tracker) After(r *Regs) {
	if !t.active {
		return
	}
	t.active = false
	e, s := &t.pending, &t.step
	faulted := len(t.delivered) > 0 && t.frames[t.delivered[0]-1].Faulted
	if e.ret != nil {
		e.ret.Faulted = faulted
		t.returned(e.ret, r)
	}
	if !faulted {
		t.apply(r)
	}
	for _, n := range t.delivered {
		t.enter(t.frames[n-1], r)
	}
	if len(t.delivered) == 0 && e.ret == nil {
		t.passed(s, r.RSP())
	}
}

// apply carries origins from sources to destinations.
func (t *Tracker) apply(r *Regs) {
	e, s := &t.pending, &t.step
	var moved [16]bool
	for _, m := range e.regs[:e.nregs] {
		moved[m.reg] = true
		if m.reg != x86.RSP || !m.change {
			t.writer[m.reg] = s.RIP
		}
		if !m.change {
			t.regs[m.reg] = m.origin
		} else if r.R[m.reg] != s.R[m.reg] {
			t.regs[m.reg] = t.regs[m.reg].changed(s.RIP)
		}
	}
	for _, m := range e.mems[:e.nmems] {
		if m.touch {
			t.mem.touch(m.lin, m.size, s.RIP)
		} else {
			t.mem.set(m.lin, m.origin)
		}
	}
	if e.decoded && len(t.delivered) == 0 {
		t.repeated(r)
	}
	if e.ret != nil {
		return // registers were dealt with there
	}
	// Whatever else changed a register made a new value. When a frame was
	// delivered as well, rsp and (under Xen) rcx and r11 are the entry's.
	for i := range r.R {
		entryOwn := len(t.delivered) > 0 && (i == x86.RSP || i == x86.RCX || i == x86.R11)
		if r.R[i] != s.R[i] && !moved[i] && !entryOwn {
			t.regs[i] = Origin{Kind: Computed, Maker: s.RIP}
			if i != x86.RSP { // pushes and pops do not choose the stack
				t.writer[i] = s.RIP
			}
		}
	}
	if e.isJump && t.wild(e.jump) && len(t.jumps) < maxReturns {
		t.jumps = append(t.jumps, &WildJump{s.Number, s.RIP, e.jumpAt, e.jump})
	}
}

// wild: a return address may come from anywhere but a frame; the slot of RIP
// is where some kernels return to by RET on purpose.
func (t *Tracker) wild(o Origin) bool { return o.Kind == Slot && o.Name != "rip" }

// repeated follows REP MOVS and REP STOS for as far as they got.
func (t *Tracker) repeated(r *Regs) {
	s := &t.step
	in, ok := t.decode(s)
	if !ok || !repeats(in) {
		return
	}
	switch in.Op {
	case x86asm.MOVSQ, x86asm.MOVSD, x86asm.MOVSW, x86asm.MOVSB, x86asm.STOSQ, x86asm.STOSD, x86asm.STOSW, x86asm.STOSB:
	default:
		return
	}
	from, to, n := s.R[x86.RSI], s.R[x86.RDI], r.R[x86.RDI]-s.R[x86.RDI]
	if int64(n) < 0 {
		n = -n
		from, to = from-n+8, to-n+8
	}
	const most = 1 << 16 // bytes one step can move (a piece of a REP)
	if n == 0 || n > most {
		return
	}
	if in.Op == x86asm.MOVSQ {
		for i := uint64(0); i < n; i += 8 {
			t.mem.set(to+i, t.mem.get(from+i).stored(s.RIP))
		}
		return
	}
	t.mem.touch(to, n, s.RIP)
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

// passed notes the slots that the stack pointer has left behind.
func (t *Tracker) passed(s *Step, now uint64) {
	const most = 4096 // more is a change of stacks
	if now <= s.RSP() || now-s.RSP() > most {
		return
	}
	for a := s.RSP(); a < now; a += 8 {
		o := t.mem.get(a)
		if o.Kind != Slot {
			continue
		}
		d := t.frames[o.Frame-1]
		if _, home := d.Frame.SlotAt(a); home && len(d.Removed) < maxRemoved { // not a saved copy
			d.Removed = append(d.Removed, Removal{o.Name, s.RIP, t.pending.name, t.trail.n - 1})
		}
	}
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
