package explain

import (
	"golang.org/x/arch/x86/x86asm"

	"pvlab/hv/x86"
)

// Verdict on one return.
type ReturnVerdict uint8

// Verdicts of returns.
const (
	// Right: every word comes from the slot of the same name, or lies where
	// that slot is, of one open frame.
	Right ReturnVerdict = iota
	// Built: the words were put together by the guest and have nothing to do
	// with a frame (the first entry to user mode, a thread's start).
	Built
	// Wrong: some word comes from a slot of another name, or the words lie
	// beside an open frame.
	Wrong
)

func (v ReturnVerdict) String() string { return [...]string{"right", "built", "wrong"}[v] }

// MarshalText gives the verdict's name in JSON.
func (v ReturnVerdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Return is one attempt to return from a handler: IRETQ executed by the
// guest, or HYPERVISOR_iret.
type Return struct {
	Number    int           `json:"number"` // from 1
	Step      uint64        `json:"step"`
	At        uint64        `json:"at"`        // address of the instruction
	Hypercall bool          `json:"hypercall"` // HYPERVISOR_iret
	From      uint64        `json:"stack"`     // where the words are read
	Words     []Consumed    `json:"words"`     // in memory order
	Verdict   ReturnVerdict `json:"verdict"`
	Frame     int           `json:"frame,omitempty"` // the frame it returned from, or should have
	// Offset is how many 8-byte words above (+) or below (-) the frame's rip
	// slot the word taken as RIP lies; only with Known.
	Offset  int        `json:"offset"`
	Known   bool       `json:"known"`
	Faulted bool       `json:"faulted"` // the instruction raised an exception
	Lost    []Lost     `json:"lost,omitempty"`
	Regs    Regs       `json:"-"` // before the return
	Stack   []Consumed `json:"-"` // words at the stack pointer before it
	index   int        // of the instruction in the trail
}

// Consumed is one word that a return takes.
type Consumed struct {
	Role   string `json:"role"` // what it is taken as: "rip", "cs", ...
	Addr   uint64 `json:"addr"`
	Value  uint64 `json:"value"`
	Read   bool   `json:"readable"`
	Origin Origin `json:"origin"`
	// Home is the slot of the open frame that lies at Addr, "" for none.
	Home string `json:"home,omitempty"`
	home int    // and that frame's number
}

// Lost is a register that the interrupted code does not get back.
type Lost struct {
	Reg    string `json:"reg"`
	Want   Word   `json:"want"`
	Got    Word   `json:"got"`
	Origin Origin `json:"origin"`           // of what it gets
	Writer Word   `json:"writer,omitempty"` // last instruction that wrote it
	Why    string `json:"why,omitempty"`    // rule id when Xen's return did it
	Text   string `json:"text,omitempty"`   // as a sentence
}

// Word returns the word that is taken as role.
func (r *Return) Word(role string) (Consumed, bool) {
	for _, c := range r.Words {
		if c.Role == role {
			return c, true
		}
	}
	return Consumed{}, false
}

var (
	iretRoles      = []string{"rip", "cs", "rflags", "rsp", "ss"}
	hypercallRoles = []string{"rax", "r11", "rcx", "flags", "rip", "cs", "rflags", "rsp", "ss"} // IRET-01
)

// returnBy describes an IRET in 64-bit code, which always takes five words.
func (t *Tracker) returnBy(s *Step, in *x86asm.Inst) *Return {
	r := t.newReturn(s)
	if in.Op == x86asm.IRETQ {
		r.Words = t.consume(s.RSP(), iretRoles)
	}
	return r
}

func (t *Tracker) returnByHypercall(s *Step) *Return {
	r := t.newReturn(s)
	r.Hypercall, r.Words = true, t.consume(s.RSP(), hypercallRoles)
	return r
}

func (t *Tracker) newReturn(s *Step) *Return {
	r := &Return{Step: s.Number, At: s.RIP, From: s.RSP(), Regs: s.Regs, index: t.trail.n}
	if len(t.returns) < keptStacks {
		r.Stack = t.consume(s.RSP(), make([]string, stackWords))
	}
	return r
}

// consume looks at the words a return is about to take.
func (t *Tracker) consume(at uint64, roles []string) []Consumed {
	out := make([]Consumed, len(roles))
	for i, role := range roles {
		c := &out[i]
		c.Role, c.Addr = role, at+8*uint64(i)
		c.Value, c.Read = t.read.word(c.Addr)
		c.Origin = t.mem.get(c.Addr)
		for k := len(t.open) - 1; k >= 0 && c.Home == ""; k-- {
			if s, ok := t.frames[t.open[k]-1].Frame.SlotAt(c.Addr); ok {
				c.Home, c.home = s.Name, t.open[k]
			}
		}
	}
	return out
}

// returned judges a return. now are the registers after it, which are those
// of the target only if nothing was delivered.
func (t *Tracker) returned(r *Return, now *Regs) {
	if len(t.returns) >= maxReturns {
		t.lost++
		return
	}
	r.Number = len(t.returns) + 1
	t.returns = append(t.returns, r)
	t.judge(r)
	if r.Verdict != Right {
		return
	}
	d := t.frames[r.Frame-1]
	r.Lost = t.lostBy(r, d, now)
	if r.Faulted {
		return
	}
	d.Returned = r.Number
	for k, n := range t.open {
		if n == r.Frame {
			t.open = t.open[:k]
			break
		}
	}
	t.leave(r, d)
}

// judge compares the five words every return has with the open frames.
func (t *Tracker) judge(r *Return) {
	last := r.Words[max(0, len(r.Words)-5):]
	if len(last) < 5 {
		r.Verdict = Built // a 16- or 32-bit IRET: nothing known takes such a frame
		return
	}
	votes := make(map[int]int)
	any := false
	for _, c := range last {
		if c.Origin.Kind == Slot {
			any = true
			if c.Origin.Name == c.Role {
				votes[c.Origin.Frame]++
			}
			continue
		}
		if c.Home == c.Role {
			votes[c.home]++
		}
	}
	for k := len(t.open) - 1; k >= 0; k-- {
		if votes[t.open[k]] == len(last) {
			r.Verdict, r.Frame = Right, t.open[k]
			t.place(r, last[0].Addr)
			return
		}
	}
	// A frame that counts as overwritten is still good when all its words were
	// saved elsewhere before.
	if o := last[0].Origin; o.Kind == Slot && votes[o.Frame] == len(last) {
		r.Verdict, r.Frame = Right, o.Frame
		t.place(r, last[0].Addr)
		return
	}
	r.Frame = t.innermost()
	for k := len(t.open) - 1; k >= 0 && any; k-- {
		if o := last[0].Origin; o.Kind == Slot && o.Frame == t.open[k] {
			r.Frame = o.Frame
		}
	}
	if r.Frame != 0 {
		t.place(r, last[0].Addr)
	}
	if any || r.Known && r.Offset != 0 && last[0].Home != "" {
		r.Verdict = Wrong
		return
	}
	// Words that lie above the frame and were there before it: everything of
	// the frame was taken off.
	if r.Known && r.Offset > 0 && r.Offset <= 16 && last[0].Origin.Kind == Unknown && last[1].Origin.Kind == Unknown {
		r.Verdict = Wrong
		return
	}
	r.Verdict = Built
}

// place works out where the word taken as RIP lies in respect to the frame.
func (t *Tracker) place(r *Return, ripAddr uint64) {
	s, ok := t.frames[r.Frame-1].Frame.Slot("rip")
	d := int64(ripAddr-s.Addr) / 8
	if ok && d >= -64 && d <= 64 && (ripAddr-s.Addr)%8 == 0 {
		r.Offset, r.Known = int(d), true
	}
}

// leave gives the registers the origins they had when the frame came, as far
// as the handler has kept them.
func (t *Tracker) leave(r *Return, d *Delivery) {
	in := t.regs
	if r.Hypercall {
		for _, c := range r.Words[:3] {
			in[regIndex(c.Role)] = c.Origin
		}
	}
	for i := range in {
		o := in[i]
		own := o.Frame == d.Number && o.Name == x86.RegNames[i] && o.Changed == 0 && (o.Kind == Slot || o.Kind == Live)
		if own || i == x86.RSP {
			t.regs[i] = d.saved[i]
		} else {
			t.regs[i] = o
		}
	}
}

// lostBy compares what the interrupted code gets with what it had.
func (t *Tracker) lostBy(r *Return, d *Delivery, _ *Regs) (lost []Lost) {
	if d.Frame.Kind == "syscall" || d.Frame.Kind == "sysenter" {
		return nil // registers are how a system call answers
	}
	got, origin := r.Regs.R, t.regs
	const inSyscall = 0x100 // VGCF_in_syscall
	why := [16]string{}
	if r.Hypercall {
		for _, c := range r.Words[:3] {
			got[regIndex(c.Role)], origin[regIndex(c.Role)] = c.Value, c.Origin
		}
		if f, _ := r.Word("flags"); f.Value&inSyscall != 0 {
			rip, _ := r.Word("rip")
			fl, _ := r.Word("rflags")
			got[x86.RCX], got[x86.R11] = rip.Value, fl.Value|x86.FlagIF
			why[x86.RCX], why[x86.R11] = "IRET-05", "IRET-05"
		}
	}
	for i, n := range x86.RegNames {
		if i == x86.RSP || got[i] == d.Before.R[i] {
			continue
		}
		lost = append(lost, Lost{n, Word(d.Before.R[i]), Word(got[i]), origin[i], Word(t.writer[i]), why[i], ""})
	}
	// The handler may move RIP on and change TF and RF on purpose.
	const own = x86.FlagTF | x86.FlagRF
	for _, role := range []string{"cs", "rflags", "rsp", "ss"} {
		c, _ := r.Word(role)
		s, ok := d.Frame.Slot(role)
		want, is := s.Value, c.Value
		switch role {
		case "cs", "ss":
			want, is = want&0xfffc, is&0xfffc
		case "rflags":
			want, is = want&^own, is&^own
		}
		if ok && want != is {
			lost = append(lost, Lost{role, Word(s.Value), Word(c.Value), c.Origin, Word(c.Origin.Changed), "", ""})
		}
	}
	return lost
}
