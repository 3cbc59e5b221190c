package explain

import (
	"pvlab/entry"
	"pvlab/hv"
	"pvlab/hv/cpu"
)

// following drives a Tracker along the second run of one vCPU.
type following struct {
	r     *Recorder
	t     *Tracker
	v     int // the vCPU
	end   *Ending
	steps uint64 // machine's steps before the running instruction
	rets  int    // returns and faults already looked at for a cause
	flts  int
	code  [15]byte
}

func newFollowing(r *Recorder, p Platform, v int, end *Ending) *following {
	c := r.m.CPU(v)
	return &following{r: r, t: NewTracker(p, readerOf(r.m.Memory(), c)), v: v, end: end}
}

// frame takes a delivered frame. One that comes before the instruction of
// this step (an interrupt) makes the handler's first instruction the one that
// executes.
func (f *following) frame(fr *entry.Frame) {
	if fr.VCPU != f.v {
		return
	}
	f.t.Delivered(fr)
	if f.r.m.Steps() != f.steps {
		return
	}
	regs := regsOf(f.r.m.CPU(f.v))
	f.t.After(&regs)
	f.before()
}

func (f *following) before() {
	c := f.r.m.CPU(f.v)
	s := Step{Regs: regsOf(c), Number: f.r.m.Steps(), Kernel: f.r.kernel[f.v]}
	if f.t.platform == Native {
		s.Kernel = c.CPL == 0
	}
	s.Code = f.code[:f.t.read(s.RIP, f.code[:])]
	f.t.Before(&s)
}

// run follows until the run's end, at most most instructions, or until
// nothing more can be learnt: the cause is known, or the first frame was
// returned from and the guest got to its own end.
func (f *following) run(end, most uint64) error {
	m, c := f.r.m, f.r.m.CPU(f.v)
	m.OnExit(f.raised)
	defer m.OnExit(nil)
	stop := m.Steps() + most
	calm := false
	skipFrom := uint64(0)
	for m.Steps() < min(end, stop) {
		f.steps = m.Steps()
		retired := c.Retired
		f.before()
		res, err := m.Step()
		if err != nil {
			return err
		}
		if c.Retired != retired {
			regs := regsOf(c)
			f.t.After(&regs)
		}
		if !calm && f.doomed() {
			// Follow a little more, skip to shortly before the end, and follow
			// that: the kill itself is part of the explanation.
			calm = true
			skipFrom = m.Steps() + afterDoom
		}
		if skipFrom != 0 && m.Steps() >= skipFrom {
			skipFrom = 0
			if at := min(end, stop); m.Steps()+beforeEnd < at {
				if res, err := m.Run(at - beforeEnd - m.Steps()); err != nil || res.End != hv.EndRunning {
					return err
				}
			}
		}
		if !calm && f.settled() {
			calm = true
			stop = min(stop, m.Steps()+afterCause)
		}
		if res.End != hv.EndRunning {
			break
		}
		if m.Steps() == f.steps {
			break // nothing executes any more
		}
	}
	return nil
}

// raised takes what the processor raised, before it is delivered.
func (f *following) raised(v int, ex *cpu.Exit) {
	if v != f.v || f.t.platform != Native {
		return
	}
	vector := 0
	switch ex.Kind {
	case cpu.ExitFault:
		vector = int(ex.Fault.Vector)
	case cpu.ExitSoftInt:
		vector = int(ex.Vector)
	default:
		return
	}
	// Byte 5 of a 16-byte gate has the present bit (SDM vol. 3, "IDT
	// Descriptors"; figure "64-Bit IDT Gate Descriptors").
	idt := f.r.m.CPU(f.v).IDTR
	var b [1]byte
	at := uint64(vector)*16 + 5
	present := at <= uint64(idt.Limit) && f.t.read(idt.Base+at, b[:]) == 1 && b[0]&0x80 != 0
	f.t.Raised(vector, present)
}

// doomed reports whether the run is a death whose cause has been seen: what
// comes in between is recursion, of which only the frames are told.
func (f *following) doomed() bool {
	if f.end.How != "killed" && f.end.How != "triple-fault" {
		return false
	}
	d := diagnosis{t: f.t, end: f.end, sym: &Symbols{}}
	for ; f.rets < len(f.t.returns); f.rets++ {
		if c := d.ofReturn(f.t.returns[f.rets]); c != nil && c.Fatal {
			return true
		}
	}
	return false
}

// settled reports whether the rest of the run cannot change the explanation.
func (f *following) settled() bool {
	if f.end.How == "killed" || f.end.How == "triple-fault" {
		return false // the end itself is part of it
	}
	d := diagnosis{t: f.t, end: f.end, sym: &Symbols{}}
	found := false
	for ; f.rets < len(f.t.returns); f.rets++ {
		c := d.ofReturn(f.t.returns[f.rets])
		found = found || c != nil && c.Fatal
	}
	for ; f.flts < len(f.t.faults); f.flts++ {
		found = found || d.ofForbidden(f.t.frames[f.t.faults[f.flts]-1]) != nil
	}
	return found || !f.end.died() && len(f.t.frames) > 0 && f.t.frames[0].Returned != 0
}
