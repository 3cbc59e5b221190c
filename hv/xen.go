package hv

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/image"
	"pvlab/hv/mem"
	"pvlab/hv/xenpv"
	"pvlab/hv/xenstore"
	"pvlab/hypercall/abi"
)

// xenTSCHz is the frequency of the time-stamp counter under Xen: one tick a
// nanosecond.
const xenTSCHz = 1_000_000_000

// xen is the platform of a PV domain.
type xen struct {
	m  *Machine
	pv *xenpv.Platform
	// store is a domU's xenstore, nil for a domain 0, which would be its host.
	store *xenstore.Server
	// due is the time of the next timer as the running slice knows it; found
	// anew for each.
	due uint64
	// exits counts towards the next audit; not part of a snapshot.
	exits uint64
}

func (m *Machine) buildXen() error {
	if err := m.img.CanXen(); err != nil {
		return err
	}
	pages := m.cfg.Memory >> mem.PageShift
	var err error
	if m.mem, err = mem.New(dom.ArenaFrames(pages) << mem.PageShift); err != nil {
		return err
	}
	m.mem.TrackTables = m.cfg.DropTLB
	x := &xen{m: m}
	m.plat = x
	o := dom.Options{
		ID: 1, VCPUs: m.cfg.VCPUs, PCPUs: m.cfg.PCPUs, Pages: pages, Privileged: m.cfg.Dom0,
		ExtendedCR3: m.cfg.Dom0 && m.img.Xen.PAE == "yes",
		Now:         m.Now, TSCHz: xenTSCHz, WallclockSec: wallclock, Probes: m.probes, AsReference: m.cfg.AsReference, NoXPTI: m.cfg.NoXPTI,
		NewCPU: func(int) *cpu.CPU {
			c := m.newCPU(nil)
			c.Bus = &xenBus{m, c}
			m.cpus = append(m.cpus, c)
			return c
		},
		XenLine: func(line string) { m.cfg.Hypervisor("(XEN) " + line) },
		Console: func(b []byte) {
			if _, err := m.cfg.Console.Write(b); err != nil {
				m.log.Warn().Err(err).Msg("console")
			}
		},
	}
	if m.cfg.Dom0 {
		o.ID = 0
	}
	d, err := dom.New(m.mem, o)
	if err != nil {
		return err
	}
	opts := image.PVOptions{Cmdline: m.cfg.Cmdline, Initrd: m.cfg.Initrd, Dom0: m.cfg.Dom0,
		SharedInfoMFN: d.SharedInfoMFN(), HypercallPage: abi.FillHypercallPage}
	if !m.cfg.Dom0 {
		opts.StoreEvtchn, opts.ConsoleEvtchn = dom.StorePort, dom.ConsolePort
	}
	start, err := image.BuildPV(m.mem, d.P2M(), m.img, opts)
	if err != nil {
		return err
	}
	if err := d.AdoptTables(start.L4MFN); err != nil {
		return err
	}
	d.SetStart(start.RIP, start.RSP, start.RSI)
	if !m.cfg.Dom0 {
		if err := d.ShareRings(start.ConsoleMFN, start.StoreMFN); err != nil {
			return err
		}
		x.store = xenstore.Start(uint32(d.ID), xenstore.Guest{
			Name: domUName, UUID: domUUUID, VCPUs: m.cfg.VCPUs, MemoryKiB: m.cfg.Memory >> 10,
			StoreMFN: start.StoreMFN, StorePort: dom.StorePort, ConsoleMFN: start.ConsoleMFN, ConsolePort: dom.ConsolePort,
			Kernel: m.img.Name, Cmdline: m.cfg.Cmdline, Started: wallclock,
		}, m.Now)
		d.Store = x.store.Serve
	}
	x.pv = xenpv.New(d, xenpv.Options{Tolerant: m.cfg.Tolerant, Unsure: m.note, FaultRF: !m.cfg.AsReference,
		XPTI: !m.cfg.NoXPTI, L1TF: m.l1tf(d)})
	return nil
}

// What a domU finds about itself in its store.
const (
	domUName = "guest"
	domUUUID = "00000000-0000-4000-8000-000000000001"
)

// l1tf are the figures of the guard, if it is asked for: a processor of which
// more address bits are cached than it announces is safe from the announced
// ones on, another from three quarters of its space on (X/spec_ctrl.c:
// l1tf_calculations).
func (m *Machine) l1tf(d *dom.Domain) *xenpv.L1TF {
	if !m.cfg.L1TF {
		return nil
	}
	const cached = 46 // of a Skylake
	safe := uint64(3) << (cached - 2)
	if bits := d.Rules.MaxPA; bits < cached {
		safe = 1 << bits
	}
	return &xenpv.L1TF{Mask: (1<<cached - 1) &^ mem.PageMask, Safe: safe}
}

// Domain is the PV domain; nil on the native platform.
func (m *Machine) Domain() *dom.Domain {
	if x, ok := m.plat.(*xen); ok {
		return x.pv.Dom
	}
	return nil
}

// ready: a domain that a timer of Xen's has shut down is ready to be seen as
// ended, whatever its vCPUs wait for (CRASH-12).
func (x *xen) ready(v int) bool { return x.pv.Ready(v) || x.pv.Dom.ShutDown }

// enter lets what became pending while the vCPU was in the guest, or not
// running, reach it. Without that nothing is delivered: an upcall happens
// only on the way out of Xen (EVT-02).
func (x *xen) enter(v int) outcome {
	if x.pv.Dom.ShutDown {
		return ended(x.shutdown())
	}
	vc := x.pv.Dom.VCPU[v]
	if !vc.Kicked && !vc.Fresh {
		return outcome{}
	}
	vc.Kicked = false
	a := x.pv.Enter(v)
	x.due = x.pv.Dom.Due()
	return x.after(vc, a)
}

func (x *xen) switched(prev, v int) { x.pv.Switched(prev, v) }

func (x *xen) exit(v int, ex *cpu.Exit) outcome {
	if ex.Kind == cpu.ExitBudget {
		return outcome{} // the end of a slice is not an entry into Xen
	}
	vc := x.pv.Dom.VCPU[v]
	a, err := x.pv.HandleExit(vc, ex)
	if err != nil {
		return ended(Result{End: EndUnmodelled, Unmodelled: err})
	}
	vc.Kicked = false
	if x.m.cfg.Audit != 0 {
		x.audit()
	}
	return x.after(vc, a)
}

// audit stops the run where an invariant is broken: that is a defect, as a
// panic is, and ends as one.
func (x *xen) audit() {
	if x.exits++; x.exits < x.m.cfg.Audit {
		return
	}
	x.exits = 0
	if err := x.pv.Dom.Audit(); err != nil {
		panic(err)
	}
}

// Audit derives the invariants of Xen's page types and reference counts from
// scratch and compares them with what is kept (dom.Domain.Audit); natively
// there are none. To be called between two calls of Run. An error is a defect
// of pvlab.
func (m *Machine) Audit() error {
	if x, ok := m.plat.(*xen); ok {
		return x.pv.Dom.Audit()
	}
	return nil
}

// after does what became of the vCPU.
func (x *xen) after(vc *dom.VCPU, a xenpv.Action) outcome {
	switch a {
	case xenpv.Ended:
		return ended(x.shutdown())
	case xenpv.Blocked, xenpv.Down:
		vc.Kicked = true
		return outcome{yield: true}
	case xenpv.Yield:
		return outcome{yield: true}
	}
	return outcome{}
}

// shutdown says how the domain ended.
func (x *xen) shutdown() Result {
	d := x.pv.Dom
	r := Result{Reason: int(d.ShutReason)}
	switch {
	case d.Crashed:
		r.End = EndKilled
	case d.ShutReason == abi.ShutdownPoweroff:
		r.End = EndPowerOff
	case d.ShutReason == abi.ShutdownReboot:
		r.End = EndReboot
	case d.ShutReason == abi.ShutdownCrash:
		r.End = EndGuestCrash
	default:
		r.End = EndOther
	}
	return r
}

func (x *xen) deadline() (uint64, bool) { return x.pv.Deadline() }
func (x *xen) until() uint64            { return x.due }

func (x *xen) advance(now uint64) {
	if x.due = x.pv.Dom.Due(); now >= x.due {
		x.pv.Advance()
		x.due = x.pv.Dom.Due()
	}
}

func (x *xen) typed(b []byte) int { return x.pv.Type(b) }
func (x *xen) listens() bool      { return x.pv.Listens() }

// xenSaved is the platform's part of a snapshot.
type xenSaved struct {
	pv    *xenpv.State
	store *xenstore.State
}

func (x *xen) save() any {
	s := &xenSaved{pv: x.pv.Save()}
	if x.store != nil {
		s.store = x.store.Save()
	}
	return s
}

func (x *xen) load(s any) {
	saved := s.(*xenSaved)
	x.pv.Load(saved.pv)
	if x.store != nil {
		x.store.Load(saved.store)
	}
}

// xenBus is what a PV guest's processor finds beyond memory: nothing. Its
// port and MSR instructions fault long before.
type xenBus struct {
	m *Machine
	c *cpu.CPU
}

func (b *xenBus) In(uint16, int) uint32         { return 0xffffffff }
func (b *xenBus) Out(uint16, int, uint32)       {}
func (b *xenBus) ReadPhys(uint64, int) uint64   { return ^uint64(0) }
func (b *xenBus) WritePhys(uint64, int, uint64) {}
func (b *xenBus) ReadMSR(uint32) (uint64, bool) { return 0, false }
func (b *xenBus) WriteMSR(uint32, uint64) bool  { return false }
func (b *xenBus) TSC() uint64                   { return b.m.Now() }

// CPUID is the plain instruction: there is no CPUID faulting, so it answers as
// the processor does (PRIV-12).
func (b *xenBus) CPUID(leaf, sub uint32) (a, bx, cx, d uint32) { return b.c.Policy.Leaf(leaf, sub) }
