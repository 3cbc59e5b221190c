package explain

import (
	"fmt"

	"pvlab/entry"
	"pvlab/hv"
	"pvlab/hv/cpu"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
	"pvlab/hv/x86"
	"pvlab/pagetable"
)

// Options of an explanation.
type Options struct {
	// Focus picks the first frame to follow; nil follows the last ones before
	// the end.
	Focus func(*entry.Frame) bool
	// How replaces the machine's word for the ending, where the caller knows
	// more ("crash" for a guest's own panic on bare metal).
	How string
	// Symbols names addresses before the image does, for code that was put into
	// it (a user's stub); nil for none.
	Symbols *Symbols
	// MaxSteps bounds how many instructions are followed, 0 for the default.
	MaxSteps uint64
}

// Defaults and bounds of a recording.
const (
	defaultFollow = 100_000 // instructions
	keptEvents    = 1 << 14 // frames remembered of the first run
	afterCause    = 2_000   // instructions followed once the cause is clear and the guest lives
	afterDoom     = 200     // instructions followed after the cause of a death
	beforeEnd     = 200     // and before its end
	lead          = 64      // instructions followed before the first frame
)

// Recorder watches a machine's first run, and runs it a second time to follow
// the data. Attach it before the first instruction.
type Recorder struct {
	m      *hv.Machine
	start  *hv.Snapshot
	events []event // ring
	n      int
	kernel []bool // by vCPU: in guest-kernel mode
	on     bool   // the second run: frames go to follow
	follow *following
	end    Ending
}

// event is a frame of the first run.
type event struct {
	step  uint64
	vcpu  int
	frame entry.Frame
}

// Attach begins to watch a machine that has not run yet.
func Attach(m *hv.Machine) *Recorder {
	r := &Recorder{m: m, kernel: make([]bool, m.VCPUs())}
	p := m.Probes()
	p.Frame = append(p.Frame, r.frame)
	p.Mode = append(p.Mode, func(e *probe.Mode) { r.kernel[e.VCPU] = e.Kernel })
	p.StoreFault = append(p.StoreFault, func(e *probe.StoreFault) { r.end.Slot, r.end.Addr = e.Slot, Word(e.Addr) })
	p.Death = append(p.Death, func(e *probe.Death) { r.end.Rule = e.Rule })
	p.Console = append(p.Console, func(l string) {
		if len(r.end.Console) < 200 {
			r.end.Console = append(r.end.Console, l)
		}
	})
	r.reset()
	r.start = m.Snapshot()
	return r
}

func (r *Recorder) reset() {
	for i := range r.kernel {
		r.kernel[i] = true // a domain starts in kernel mode (BOOT-04)
	}
	r.end = Ending{}
}

// frame is the probe of both runs.
func (r *Recorder) frame(f *entry.Frame) {
	if r.on {
		if r.follow != nil {
			r.follow.frame(f)
		}
		return
	}
	e := event{step: r.m.Steps(), vcpu: f.VCPU, frame: f.Clone()}
	if len(r.events) < keptEvents {
		r.events = append(r.events, e)
	} else {
		r.events[r.n%keptEvents] = e
	}
	r.n++
}

// first picks where to begin to follow.
func (r *Recorder) first(o *Options, end uint64) (step uint64, vcpu int) {
	vcpu = r.m.Current()
	step = end - min(end, lead)
	found := false
	for i := range r.events {
		// Oldest first, as the ring has them.
		e := &r.events[(r.n+i)%len(r.events)]
		if o.Focus != nil && o.Focus(&e.frame) {
			return e.step, e.vcpu
		}
		if !found && e.vcpu == vcpu && e.step+o.MaxSteps >= end {
			step, found = e.step, true
		}
	}
	return step, vcpu
}

// Explain runs the machine again from where Attach was called, follows the
// data from the first frame of interest on, and explains the ending. The run
// before it must have come to its end, or to the limit that res tells of. The
// machine is left where following ended.
func (r *Recorder) Explain(res hv.Result, o Options) (*Explanation, error) {
	if o.MaxSteps == 0 {
		o.MaxSteps = defaultFollow
	}
	platform := Native
	if r.m.Config().Platform == hv.Xen {
		platform = Xen
	}
	end := r.ending(res, platform, o.How)
	step, v := r.first(&o, res.Steps)

	r.m.Replay(r.start)
	r.reset()
	r.on = true
	defer func() { r.on = false }()
	from := step - min(step, lead)
	if from > 0 {
		if _, err := r.m.Run(from); err != nil {
			return nil, err
		}
	}
	f := newFollowing(r, platform, v, end)
	r.follow = f
	defer func() { r.follow = nil }()
	if err := f.run(res.Steps, o.MaxSteps); err != nil {
		return nil, fmt.Errorf("following the data: %w", err)
	}
	end.Regs = regsOf(r.m.CPU(v))
	img := r.m.Image()
	sym := &Symbols{Name: img.Symbol, Line: img.Line}
	if o.Symbols != nil {
		sym = o.Symbols.before(sym)
	}
	x := Explain(f.t, end, sym)
	x.Unsure = res.Unsure
	return x, nil
}

// Close frees what the recorder holds.
func (r *Recorder) Close() {
	if r.start != nil {
		r.m.Release(r.start)
		r.start = nil
	}
}

func (r *Recorder) ending(res hv.Result, p Platform, how string) *Ending {
	e := r.end
	e.Steps = res.Steps
	switch {
	case how != "":
		e.How = how
	case res.End == hv.EndKilled && p == Native:
		e.How = "triple-fault"
	case res.End == hv.EndRunning:
		e.How = "step-limit"
	default:
		e.How = res.End.String()
	}
	if res.Triple != nil {
		e.Faults = res.Triple.Chain
	}
	if p == Xen && res.End != hv.EndKilled {
		e.Console = nil // what Xen says at boot or at a power-off explains nothing
	}
	return &e
}

func regsOf(c *cpu.CPU) Regs {
	g := Regs{RIP: c.RIP, RFLAGS: c.Flags(), CS: c.Seg[x86.CS].Sel, SS: c.Seg[x86.SS].Sel,
		FSBase: c.Seg[x86.FS].Base, GSBase: c.Seg[x86.GS].Base}
	copy(g.R[:], c.R[:16])
	return g
}

// readerOf reads memory through the page table that the processor uses now,
// without touching accessed bits or TLB.
func readerOf(m *mem.Memory, c *cpu.CPU) Reader {
	return func(lin uint64, b []byte) (n int) {
		for n < len(b) {
			at := lin + uint64(n)
			pa, size := at, uint64(mem.PageSize)
			if c.CR0&x86.CR0PG != 0 {
				if !c.Long() || !x86.Canonical(at) {
					return n
				}
				w := pagetable.Translate(m, c.CR3, at, c.MaxPA, c.EFER&x86.EFERNXE != 0)
				if !w.Mapped {
					return n
				}
				pa = w.PA
			}
			k := min(len(b)-n, int(size-at&(size-1)))
			if !m.Contains(pa, uint64(k)) || !m.Read(pa, b[n:n+k]) {
				return n
			}
			n += k
		}
		return n
	}
}
