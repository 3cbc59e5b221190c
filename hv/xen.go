package hv

import (
	"pvlab/hv/cpu"
	"pvlab/hv/dom"
	"pvlab/hv/image"
	"pvlab/hv/mem"
	"pvlab/hv/xenpv"
	"pvlab/hypercall/abi"
)

// xenTSCHz is the frequency of the time-stamp counter under Xen: one tick a
// nanosecond.
const xenTSCHz = 1_000_000_000

// xen is the platform of a PV domain.
type xen struct {
	m     *Machine
	guest *xenpv.Guest
	ring  uint64 // frame of a domU's console page, 0 for dom0
	// running is set once the guest's processors exist: before, Xen builds.
	running bool
}

type xenSaved struct {
	dom   dom.State
	vcpus []dom.VCPUState
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
		ID: 1, VCPUs: m.cfg.VCPUs, Pages: pages, Privileged: m.cfg.Dom0,
		Now: m.Now, TSCHz: xenTSCHz, WallclockSec: wallclock, Probes: m.probes,
		NewCPU: func(int) *cpu.CPU {
			c := m.newCPU(nil)
			c.Bus = &xenBus{m}
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
	x.ring = start.ConsoleMFN
	x.guest = xenpv.New(d, xenpv.Options{Tolerant: m.cfg.Tolerant, Unsure: m.note, ConsoleRing: x.ring})
	return nil
}

// Domain is the PV domain; nil on the native platform.
func (m *Machine) Domain() *dom.Domain {
	if x, ok := m.plat.(*xen); ok {
		return x.guest.Dom
	}
	return nil
}

func (x *xen) ready(v int) bool { return x.guest.Dom.VCPU[v].Runnable() }

func (x *xen) enter(v int) outcome {
	x.guest.Enter(v)
	return x.after(v)
}

func (x *xen) exit(v int, ex cpu.Exit) outcome {
	if ex.Kind == cpu.ExitBudget {
		return outcome{} // the end of a slice is not an entry into Xen
	}
	if err := x.guest.Exit(v, &ex); err != nil {
		return ended(Result{End: EndUnmodelled, Unmodelled: err})
	}
	return x.after(v)
}

// after looks whether the domain ended or the vCPU stopped.
func (x *xen) after(v int) outcome {
	d := x.guest.Dom
	if d.ShutDown {
		return ended(x.shutdown())
	}
	vc := d.VCPU[v]
	yield := !vc.Runnable() || vc.Yielded
	vc.Yielded = false
	return outcome{yield: yield}
}

// shutdown says how the domain ended.
func (x *xen) shutdown() Result {
	d := x.guest.Dom
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

func (x *xen) deadline() (uint64, bool) { return x.guest.Dom.Deadline() }

func (x *xen) advance(uint64) { x.guest.Dom.Advance() }

func (x *xen) typed(b []byte) { x.guest.Dom.Type(b, x.ring) }

// listens reports whether somebody in the guest waits for console input.
func (x *xen) listens() bool { return x.guest.Dom.Listens() }

func (x *xen) save() any {
	d := x.guest.Dom
	s := &xenSaved{dom: d.Save(), vcpus: make([]dom.VCPUState, len(d.VCPU))}
	for i, v := range d.VCPU {
		s.vcpus[i] = v.VCPUState
	}
	return s
}

func (x *xen) load(s any) {
	saved := s.(*xenSaved)
	x.guest.Dom.Load(saved.dom)
	for i, v := range x.guest.Dom.VCPU {
		v.VCPUState = saved.vcpus[i]
	}
}

// xenBus is what a PV guest's processor finds beyond memory: nothing. Its
// port and MSR instructions fault long before.
type xenBus struct{ m *Machine }

func (b *xenBus) In(uint16, int) uint32                    { return 0xffffffff }
func (b *xenBus) Out(uint16, int, uint32)                  {}
func (b *xenBus) ReadPhys(uint64, int) uint64              { return ^uint64(0) }
func (b *xenBus) WritePhys(uint64, int, uint64)            {}
func (b *xenBus) ReadMSR(uint32) (uint64, bool)            { return 0, false }
func (b *xenBus) WriteMSR(uint32, uint64) bool             { return false }
func (b *xenBus) TSC() uint64                              { return b.m.Now() }
func (b *xenBus) CPUID(uint32, uint32) (_, _, _, _ uint32) { return }
