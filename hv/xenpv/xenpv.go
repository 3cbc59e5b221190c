// Package xenpv is Xen as a Machine sees it: it takes each exit of a vCPU's
// processor, has it handled (page-type fix-ups and emulation in hv/emul,
// hypercalls in hypercall, frames in entry), and brings the vCPU back to
// where the guest can run. It schedules nothing: the machine asks who is
// ready and when the next timer is due.
package xenpv

import (
	"fmt"

	"pvlab/entry"
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/emul"
	"pvlab/hv/x86"
	"pvlab/hypercall"
	"pvlab/pagetable"
)

// Action tells the machine what became of the vCPU.
type Action uint8

// Actions.
const (
	Resume  Action = iota // it can go on
	Yield                 // it can, but asked to let others run
	Blocked               // it waits for an event
	Down                  // it is offline
	Ended                 // the domain has shut down: Domain.ShutReason says how
)

func (a Action) String() string {
	return [...]string{"resume", "yield", "blocked", "down", "ended"}[a]
}

// Options of the hypervisor side.
type Options struct {
	// Tolerant answers what is not modelled with -ENOSYS (or the guest's own
	// fault) and reports it to Unsure; else it ends the run.
	Tolerant bool
	Unsure   func(what string)
	// L1TF guards the domain's page tables; nil does not.
	L1TF *L1TF
	// XPTI loads CR3 on each return to the guest, which drops its translations:
	// page-table isolation (MM-11).
	XPTI bool
	// FaultRF makes faults save RFLAGS with RF set, as processors do and QEMU
	// does not.
	FaultRF bool
}

// L1TF are the processor's figures for the guard (pagetable.L1TF).
type L1TF struct{ Mask, Safe uint64 }

// Platform is Xen with one domain.
type Platform struct {
	Dom  *dom.Domain
	opts Options
	vcpu []border
}

// border is one vCPU's way in and out of Xen.
type border struct {
	x *entry.Xen
	c *hypercall.Caller
	e emul.Emulator
}

// New makes the platform of a domain.
func New(d *dom.Domain, o Options) *Platform {
	p := &Platform{Dom: d, opts: o}
	t := hypercall.NewTable()
	for _, v := range d.VCPU {
		x := entry.NewXen(v)
		c := hypercall.NewCaller(x, t)
		c.Tolerant, c.Unsure = o.Tolerant, o.Unsure
		p.vcpu = append(p.vcpu, border{x: x, c: c})
	}
	if g := o.L1TF; g != nil {
		d.Rules.L1TF = &pagetable.L1TF{Mask: g.Mask, Safe: g.Safe, Crash: p.crashL1TF}
	}
	return p
}

// crashL1TF ends the domain for what the vCPU that Xen works for did.
func (p *Platform) crashL1TF(level pagetable.Type, e pagetable.Entry) {
	for i := range p.vcpu {
		if x := p.vcpu[i].x; x.V.Running() {
			x.CrashL1TF(int(level), e)
			return
		}
	}
	panic("xenpv: a page table changed while no vCPU was in Xen")
}

// Ready reports whether vCPU v can be run.
func (p *Platform) Ready(v int) bool { return p.Dom.VCPU[v].Runnable() }

// Enter prepares vCPU v to run: it is scheduled in and gets what is due.
func (p *Platform) Enter(v int) Action {
	b := &p.vcpu[v]
	cur := b.x.V
	cur.Enter()
	defer cur.Leave()
	switch {
	case cur.Fresh:
		b.x.Start()
	case cur.Switched:
		if !cur.Sysret { // it was interrupted, not in Xen by itself
			cur.Reload = true
		}
		b.x.ReloadSegments()
	}
	cur.Switched = false
	cur.SchedIn()
	if cur.Runnable() {
		b.x.Resume()
	}
	return p.action(cur)
}

// Switched takes vCPU prev's processor away for vCPU v: the segments of v are
// loaded when it enters (SEG-08; X/domain.c:context_switch).
func (p *Platform) Switched(prev, v int) {
	p.Dom.VCPU[prev].SchedOut()
	next := p.Dom.VCPU[v]
	next.Switched, next.Kicked = true, true
}

// HandleExit does everything Xen does about one exit of v's processor. The
// error is a *hypercall.Unmodelled or another named gap of the model.
func (p *Platform) HandleExit(v *dom.VCPU, ex *cpu.Exit) (Action, error) {
	b := &p.vcpu[v.ID]
	v.Enter()
	defer v.Leave()
	var err error
	switch ex.Kind {
	case cpu.ExitBudget, cpu.ExitStop, cpu.ExitInterrupt:
	case cpu.ExitFault:
		err = p.fault(b, ex.Fault)
	case cpu.ExitSoftInt:
		b.swallowDB()
		b.softInt(ex)
	case cpu.ExitSyscall:
		b.swallowDB()
		err = b.syscall(ex.Next)
	case cpu.ExitSysenter:
		b.swallowDB()
		b.x.Sysenter()
	default:
		err = fmt.Errorf("xenpv: exit %v of a PV vCPU at %#x", ex.Kind, v.CPU.RIP)
	}
	if err != nil {
		return Resume, err
	}
	if v.Runnable() {
		b.x.Resume()
	}
	if p.opts.XPTI {
		v.ReloadCR3()
	}
	return p.action(v), nil
}

// action sums up what state v is in.
func (p *Platform) action(v *dom.VCPU) Action {
	yielded := v.Yielded
	v.Yielded = false
	switch {
	case p.Dom.ShutDown:
		return Ended
	case v.Down:
		v.SchedOut()
		return Down
	case v.Blocked:
		v.SchedOut()
		return Blocked
	case yielded:
		return Yield
	}
	return Resume
}

// Deadline is the virtual time of the next timer, false when there is none;
// Advance fires those that are due at the present time.
func (p *Platform) Deadline() (ns uint64, ok bool) { return p.Dom.Deadline() }

// Advance fires due timers.
func (p *Platform) Advance() { p.Dom.Advance() }

// Type hands console input to the guest and says how many bytes had room.
func (p *Platform) Type(b []byte) int { return p.Dom.Type(b) }

// Listens reports whether console input could wake a vCPU.
func (p *Platform) Listens() bool { return p.Dom.Listens() }

// State is everything of Xen that a snapshot needs, beside memory and the
// processors' own states.
type State struct {
	Dom  dom.State
	VCPU []dom.VCPUState
}

// Save copies the state; Load puts it back.
func (p *Platform) Save() *State {
	s := &State{Dom: p.Dom.Save(), VCPU: make([]dom.VCPUState, len(p.Dom.VCPU))}
	for i, v := range p.Dom.VCPU {
		s.VCPU[i] = v.VCPUState
	}
	return s
}

// Load restores a saved state. The processors' states and the memory are the
// caller's to restore.
func (p *Platform) Load(s *State) {
	p.Dom.Load(s.Dom)
	for i, v := range p.Dom.VCPU {
		v.VCPUState = s.VCPU[i]
	}
}

// syscall is a SYSCALL instruction: from the guest's kernel in 64-bit code a
// hypercall, else a callback (HC-01, HC-08, HC-09).
func (b *border) syscall(next uint64) error {
	v := b.x.V
	c := v.CPU
	compat := c.Mode() != cpu.Mode64
	c.R[x86.RCX], c.R[x86.R11] = next, c.Flags()&^x86.FlagRF
	b.x.EnterSyscall(next, compat)
	if compat || !v.KernelMode {
		b.x.UserSyscall()
		return nil
	}
	return b.c.Do()
}
