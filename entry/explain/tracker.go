package explain

import (
	"golang.org/x/arch/x86/x86asm"

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
