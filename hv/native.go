package hv

import (
	"fmt"

	"pvlab/entry"
	"pvlab/hv/cpu"
	"pvlab/hv/dev"
	"pvlab/hv/image"
	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// nativeTSCHz is the time-stamp counter's frequency: one tick a nanosecond.
const nativeTSCHz = 1_000_000_000

// native is the bare machine: processors, devices, no hypervisor.
type native struct {
	m       *Machine
	dev     *dev.Devices
	deliver entry.Native
	state   nativeState
	end     *Result // a device ended the run
}

// nativeState is what the platform itself remembers.
type nativeState struct {
	waitSIPI [MaxVCPUs]bool // after INIT, until the start-up IPI
	nmi      [MaxVCPUs]bool
	intr     [MaxVCPUs]bool // the local APIC has something to deliver
}

type nativeSaved struct {
	state nativeState
	dev   dev.State
}

func (m *Machine) buildNative() error {
	if err := m.img.CanNative(); err != nil {
		return err
	}
	var err error
	if m.mem, err = mem.New(m.cfg.Memory); err != nil {
		return err
	}
	m.mem.TrackTables = m.cfg.DropTLB
	n := &native{m: m}
	m.plat = n
	for v := range m.cfg.VCPUs {
		m.cpus = append(m.cpus, m.newCPU(nil))
		n.state.waitSIPI[v] = v != 0
	}
	n.deliver.Probes = m.probes
	n.deliver.WithoutRF = m.cfg.AsReference
	n.dev, err = dev.New(dev.Config{
		CPUs: m.cfg.VCPUs, MemBytes: m.cfg.Memory, TSCHz: nativeTSCHz, Now: m.Now, Log: m.log,
		Epoch: wallclock,
		CPUID: func(v int, leaf, sub uint32) (a, b, c, d uint32) {
			return m.cpus[v].CPUID(leaf, sub)
		},
		Signals: n.signals(),
	})
	if err != nil {
		return err
	}
	for v, c := range m.cpus {
		c.Bus = n.dev.Bus(v)
		c.MMIOLo, c.MMIOHi = n.window(v)
	}
	start, err := image.BuildPVH(m.mem, m.img, image.NativeOptions{
		Cmdline: m.cfg.Cmdline, Initrd: m.cfg.Initrd, CPUs: m.cfg.VCPUs,
	})
	if err != nil {
		return err
	}
	startPVH(m.cpus[0], start)
	return nil
}

// wallclock is the date at virtual time 0: 2012-11-27 00:00 UTC. It is a
// constant so that runs repeat.
const wallclock = 1353974400

// startPVH puts the boot processor into the state of a PVH entry
// (P/arch-x86/hvm/start_info.h): 32-bit protected mode, paging off, flat
// segments, EBX = start info.
func startPVH(c *cpu.CPU, s image.NativeStart) {
	c.CR0 = x86.CR0PE | x86.CR0ET
	c.SetFlags(x86.FlagOne)
	c.SetFlat32(x86.CS, 0x08, 0)
	for _, seg := range []int{x86.DS, x86.ES, x86.SS, x86.FS, x86.GS} {
		c.SetFlat32(seg, 0x10, 0)
	}
	c.R = [32]uint64{x86.RBX: s.StartInfo}
	c.RIP = s.Entry
	c.StateChanged()
	c.FlushTLB()
}

// window is the physical page of the local APIC when it lies inside the arena.
func (n *native) window(v int) (lo, hi uint64) {
	if pa, ok := n.dev.APIC(v).Registers(); ok && pa < n.m.mem.Size() {
		return pa, pa + mem.PageSize
	}
	return 0, 0
}

func (n *native) signals() dev.Signals {
	m := n.m
	return dev.Signals{
		Interrupt: func(v int, deliverable bool) {
			n.state.intr[v] = deliverable
			n.attend(v)
		},
		NMI: func(v int) { n.state.nmi[v] = true; n.attend(v) },
		Init: func(v int) {
			m.cpus[v].Init()
			n.state.waitSIPI[v], n.state.nmi[v] = true, false
			m.cpus[v].Attn |= cpu.AttnStop
		},
		Startup: func(v int, vector uint8) {
			if n.state.waitSIPI[v] {
				n.state.waitSIPI[v] = false
				m.cpus[v].StartupIPI(vector)
			}
		},
		TPR:   func(v int, class uint8) { m.cpus[v].CR8 = uint64(class) },
		Moved: func(v int) { m.cpus[v].MMIOLo, m.cpus[v].MMIOHi = n.window(v); m.cpus[v].FlushTLB() },
		Timer: func() { m.cpus[m.sched.current].Attn |= cpu.AttnStop },
		Output: func(b byte) {
			if _, err := m.cfg.Console.Write([]byte{b}); err != nil {
				m.log.Warn().Err(err).Msg("console")
			}
		},
		PowerOff: func(why string) { n.stop(Result{End: EndPowerOff}, why) },
		Reset:    func(why string) { n.stop(Result{End: EndReboot}, why) },
		Unmodelled: func(what string) {
			if m.cfg.Tolerant {
				m.note(what)
				return
			}
			n.stop(Result{End: EndUnmodelled, Unmodelled: fmt.Errorf("device: %s", what)}, what)
		},
	}
}

// stop ends the run at the next boundary.
func (n *native) stop(r Result, why string) {
	if n.end == nil {
		n.end = &r
	}
	n.m.cpus[n.m.sched.current].Attn |= cpu.AttnStop
	n.m.log.Debug().Str("by", why).Stringer("end", r.End).Msg("device ends the run")
}

// attend tells a processor what waits for it.
func (n *native) attend(v int) {
	c := n.m.cpus[v]
	c.Attn &^= cpu.AttnInterrupt | cpu.AttnNMI
	if n.state.intr[v] {
		c.Attn |= cpu.AttnInterrupt
	}
	if n.state.nmi[v] {
		c.Attn |= cpu.AttnNMI
	}
}

func (n *native) ready(v int) bool {
	if n.state.waitSIPI[v] {
		return false
	}
	c := n.m.cpus[v]
	return !c.Halted || n.wakes(v)
}

// switched: natively every vCPU has its own processor.
func (n *native) switched(int, int) {}

// wakes reports whether something ends a HLT.
func (n *native) wakes(v int) bool {
	c := n.m.cpus[v]
	return n.state.nmi[v] && !c.NMIBlocked || n.state.intr[v] && c.Flags()&x86.FlagIF != 0
}

func (n *native) enter(v int) outcome {
	c := n.m.cpus[v]
	c.Attn &^= cpu.AttnStop
	n.attend(v)
	c.Halted = false
	return outcome{}
}

func (n *native) exit(v int, ex *cpu.Exit) outcome {
	if n.end != nil {
		return outcome{end: n.end}
	}
	c := n.m.cpus[v]
	switch ex.Kind {
	case cpu.ExitBudget, cpu.ExitStop:
		return outcome{yield: n.state.waitSIPI[v]}
	case cpu.ExitHalt:
		return outcome{yield: !n.wakes(v)}
	case cpu.ExitFault:
		return n.event(v, entry.Event{Kind: entry.Exception, Vector: ex.Fault.Vector, Fault: ex.Fault})
	case cpu.ExitSoftInt:
		kind := entry.Software
		if ex.Soft == cpu.SoftICEBP {
			kind = entry.Privileged
		}
		return n.event(v, entry.Event{Kind: kind, Vector: ex.Vector, Next: ex.Next})
	case cpu.ExitNMI:
		n.state.nmi[v] = false
		n.attend(v)
		c.NMIBlocked = true
		return n.event(v, entry.Event{Kind: entry.NMI, Vector: x86.VectorNMI})
	case cpu.ExitInterrupt:
		vec, ok := n.dev.APIC(v).Pending()
		if !ok {
			n.state.intr[v] = false
			n.attend(v)
			return outcome{}
		}
		n.dev.APIC(v).Accept(vec)
		return n.event(v, entry.Event{Kind: entry.Interrupt, Vector: vec})
	case cpu.ExitShutdown:
		return n.triple(v, nil)
	}
	return ended(Result{End: EndUnmodelled, Unmodelled: fmt.Errorf("cpu exit %v on the native platform", ex.Kind)})
}

// event delivers through the IDT.
func (n *native) event(v int, ev entry.Event) outcome {
	r := n.deliver.Deliver(n.m.cpus[v], ev)
	if r.Unmodelled != nil {
		return ended(Result{End: EndUnmodelled, Unmodelled: r.Unmodelled})
	}
	if r.Triple {
		return n.triple(v, r.Chain)
	}
	return outcome{}
}

func (n *native) triple(v int, chain []x86.Fault) outcome {
	t := &TripleFault{State: n.m.cpus[v].State}
	for i, f := range chain {
		if i == 0 {
			t.First, t.Code = int(f.Vector), f.Code
		}
		t.Chain = append(t.Chain, f.String())
	}
	return ended(Result{End: EndKilled, Triple: t})
}

func (n *native) deadline() (uint64, bool) { return n.dev.NextEvent() }

func (n *native) until() uint64 {
	if t, ok := n.dev.NextEvent(); ok {
		return t
	}
	return ^uint64(0)
}

func (n *native) advance(now uint64) { n.dev.Advance(now) }
func (n *native) typed(b []byte) int { return n.dev.PushInput(b) }
func (n *native) listens() bool      { return n.dev.Listens() }

func (n *native) save() any { return &nativeSaved{n.state, n.dev.Save()} }

func (n *native) load(s any) {
	saved := s.(*nativeSaved)
	n.end = nil
	if err := n.dev.Load(saved.dev); err != nil {
		panic(err) // a snapshot of another machine
	}
	n.state = saved.state
	for v, c := range n.m.cpus {
		c.MMIOLo, c.MMIOHi = n.window(v)
		n.attend(v)
	}
}
