package hv

import (
	"fmt"

	"github.com/rs/zerolog"

	"pvlab/hv/cpu"
	"pvlab/hv/image"
	"pvlab/hv/mem"
	"pvlab/hv/probe"
)

// Machine is one guest with everything it runs on. Its methods may be used
// from one goroutine at a time, except where they say "safe from any".
type Machine struct {
	cfg    Config
	img    *image.Image
	mem    *mem.Memory
	cpus   []*cpu.CPU
	plat   platform
	clock  Clock
	sched  scheduler
	ctl    control
	input  inputLog
	asking *question // the input source is waiting; not part of a snapshot
	probes *probe.Set
	log    zerolog.Logger
	unsure []string
	warned int // how many of unsure have been logged, in this run or one before a Restore
	onExit func(v int, ex *cpu.Exit)
	final  *Result // set once the guest has ended
}

// platform is what differs between bare metal and Xen. All slow path: it is
// asked between slices and at exits.
type platform interface {
	// exit reacts to the CPU exit of vCPU v.
	exit(v int, ex *cpu.Exit) outcome
	// ready says whether vCPU v has something to run; enter prepares it to
	// run, delivering what is due.
	ready(v int) bool
	enter(v int) outcome
	// switched tells that vCPU v got the processor that prev had.
	switched(prev, v int)
	// deadline is the virtual time of the next timer; advance fires those due.
	deadline() (ns uint64, ok bool)
	// until is how far a slice may run that begins now, after advance and
	// enter: to the deadline, or to a timer that will fire unheard.
	until() uint64
	advance(now uint64)
	// typed hands over console input and says how many bytes had room.
	typed(b []byte) int
	// listens reports whether console input could wake a vCPU.
	listens() bool
	save() any
	load(any)
}

// outcome is what the machine should do after the platform reacted.
type outcome struct {
	yield bool    // end this vCPU's slice
	end   *Result // the guest is over
}

func ended(r Result) outcome { return outcome{end: &r} }

// New builds a machine and places the guest in it, ready to run its first
// instruction. The error names the file and field when the image does not fit.
func New(img *image.Image, cfg Config) (*Machine, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	m := &Machine{cfg: cfg, img: img, log: cfg.Log, probes: &probe.Set{}}
	m.ctl.init()
	m.clock.Ratio = cfg.NanosPerKiloStep
	m.sched.seed(cfg.Seed)
	var err error
	if cfg.Platform == Native {
		err = m.buildNative()
	} else {
		err = m.buildXen()
	}
	if err != nil {
		if m.mem != nil {
			m.mem.Close()
		}
		return nil, err
	}
	m.log.Info().Stringer("platform", cfg.Platform).Int("vcpus", cfg.VCPUs).
		Uint64("memory", cfg.Memory).Str("entry", hex(m.cpus[0].RIP)).Msg("guest placed")
	return m, nil
}

// hex writes an address for the log.
func hex(v uint64) string { return fmt.Sprintf("%#x", v) }

// apicBaseBSP is IA32_APIC_BASE.BSP: the boot processor's.
const apicBaseBSP = 1 << 8

func (m *Machine) newCPU(bus cpu.Bus) *cpu.CPU {
	v := cpu.Intel
	if m.cfg.CPU == "amd" {
		v = cpu.AMD
	}
	c := cpu.New(m.mem, bus, v)
	if m.cfg.CPU == "intel-2012" {
		c.SetModel(cpu.Model2012)
	}
	c.KeepTLB = !m.cfg.DropTLB
	id := len(m.cpus)
	c.Policy.APICID, c.Policy.CPUs = uint32(id), uint32(m.cfg.VCPUs)
	c.SeedRandom(m.cfg.Seed<<8 | uint64(id))
	if id == 0 {
		c.APICBase |= apicBaseBSP
	}
	return c
}

// Config returns how the machine was built, defaults filled in.
func (m *Machine) Config() Config { return m.cfg }

// Image is the guest's image.
func (m *Machine) Image() *image.Image { return m.img }

// Memory is the machine's memory.
func (m *Machine) Memory() *mem.Memory { return m.mem }

// CPU returns vCPU v's processor.
func (m *Machine) CPU(v int) *cpu.CPU { return m.cpus[v] }

// VCPUs is the number of vCPUs.
func (m *Machine) VCPUs() int { return len(m.cpus) }

// Current is the vCPU that ran last or runs now.
func (m *Machine) Current() int { return m.sched.current }

// Probes are the machine's observation points.
func (m *Machine) Probes() *probe.Set { return m.probes }

// OnExit asks for every exit of a processor (exceptions and what the platform
// takes over) before the platform sees it; nil ends it. One at a time.
func (m *Machine) OnExit(f func(v int, ex *cpu.Exit)) { m.onExit = f }

// Steps is the number of retired instructions of all vCPUs.
func (m *Machine) Steps() uint64 { return m.now().Steps }

// Now is the virtual time in nanoseconds.
func (m *Machine) Now() uint64 {
	k := m.now()
	return k.Now()
}

// now is the clock including the running slice.
func (m *Machine) now() Clock {
	k := m.clock
	if m.sched.running {
		k.Steps += m.cpus[m.sched.current].Retired - m.sched.began
	}
	return k
}

// note records something a tolerant run goes on without.
func (m *Machine) note(what string) {
	for _, s := range m.unsure {
		if s == what {
			return
		}
	}
	if len(m.unsure) < 1000 {
		m.unsure = append(m.unsure, what)
		if len(m.unsure) > m.warned {
			m.warned = len(m.unsure)
			m.log.Warn().Str("needed", what).Msg("not modelled, going on")
		}
	}
}
