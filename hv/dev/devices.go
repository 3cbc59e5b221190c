package dev

import (
	"errors"
	"fmt"

	"github.com/rs/zerolog"
)

// Signals are what devices want from the machine. Functions may be nil where
// the machine does not care; they are called from within Bus methods, Advance,
// Accept, PushInput and Load, and must not call back into the devices.
type Signals struct {
	// Interrupt says whether the CPU has an interrupt that its local APIC
	// would deliver now (see APIC.Pending); called when that changes.
	Interrupt func(cpu int, deliverable bool)
	// NMI asks for a non-maskable interrupt.
	NMI func(cpu int)
	// Init asks for an INIT: the CPU's own part of it; the local APIC has
	// already done its. Afterwards the CPU waits for Startup.
	Init func(cpu int)
	// Startup is a start-up IPI: a CPU that waits for one starts in real mode
	// at vector<<12; any other ignores it.
	Startup func(cpu int, vector uint8)
	// TPR says that the guest changed the task priority of the local APIC by
	// other means than CR8; class is what CR8 now reads.
	TPR func(cpu int, class uint8)
	// Moved says that the guest moved, enabled or disabled the memory-mapped
	// registers of a local APIC (see APIC.Registers).
	Moved func(cpu int)
	// Timer says that NextEvent may have moved to an earlier time.
	Timer func()
	// Output is a byte sent by the serial port.
	Output func(b byte)
	// PowerOff and Reset end the machine's run; why names the register used.
	PowerOff func(why string)
	Reset    func(why string)
	// Unmodelled names something the guest asked a device to do which the
	// model does not; the run must not go on as if it had been done.
	Unmodelled func(what string)
}

// Config is what the machine decides about its devices.
type Config struct {
	CPUs     int    // 1 to MaxCPUs
	MemBytes uint64 // guest memory, as the CMOS reports it
	TSCHz    uint64 // frequency of the time-stamp counter
	Epoch    int64  // seconds since 1970-01-01 UTC at virtual time 0, for the RTC
	X2APIC   bool   // the CPUs announce x2APIC
	// Now is the virtual time in nanoseconds. It must not run backwards.
	Now func() uint64
	// CPUID answers a leaf for a CPU; nil answers zeros.
	CPUID   func(cpu int, leaf, sub uint32) (a, b, c, d uint32)
	Signals Signals
	Log     zerolog.Logger
}

// MaxCPUs is what 8-bit APIC ids can tell apart; 255 is the broadcast.
const MaxCPUs = 255

// Devices is everything beyond the processors and memory of one machine.
type Devices struct {
	cfg Config
	now uint64 // time up to which all timers have been run
	// announced is the earliest event the machine has been told of.
	announced uint64
	apics     []APIC
	buses     []Bus
	pic       picPair
	ioapic    ioapic
	pit       pit
	rtc       rtc
	uart      uart
	kbc       kbc
	pm        pm
	pci       pci
	quiet     openBus
}

// New makes the devices in the state in which the firmware leaves them to a
// kernel.
func New(cfg Config) (*Devices, error) {
	switch {
	case cfg.CPUs < 1 || cfg.CPUs > MaxCPUs:
		return nil, fmt.Errorf("dev: %d CPUs: want 1 to %d", cfg.CPUs, MaxCPUs)
	case cfg.TSCHz == 0:
		return nil, errors.New("dev: TSCHz is 0")
	case cfg.Now == nil:
		return nil, errors.New("dev: Now is nil")
	}
	fill(&cfg.Signals)
	d := &Devices{cfg: cfg, now: cfg.Now(), announced: never, apics: make([]APIC, cfg.CPUs), buses: make([]Bus, cfg.CPUs)}
	for i := range d.apics {
		d.apics[i] = APIC{d: d, cpu: i}
		d.buses[i] = Bus{d: d, apic: &d.apics[i]}
	}
	d.pic.d, d.ioapic.d, d.pit.d, d.rtc.d = d, d, d, d
	d.uart.d, d.kbc.d, d.pm.d, d.pci.d = d, d, d, d
	d.reset()
	d.handOver()
	return d, nil
}

// reset is the machine's reset line: the power-on state of each device.
func (d *Devices) reset() {
	for i := range d.apics {
		d.apics[i].powerOn()
	}
	d.pic.reset()
	d.ioapic.reset()
	d.pit.reset()
	d.rtc.reset()
	d.uart.reset()
	d.kbc.reset()
	d.pm.reset()
	d.pci.reset()
}

// Bus returns what lies beyond memory as seen from one CPU.
func (d *Devices) Bus(cpu int) *Bus { return &d.buses[cpu] }

// APIC returns a CPU's local APIC.
func (d *Devices) APIC(cpu int) *APIC { return &d.apics[cpu] }

// PushInput hands bytes to the serial port's receiver and says how many of
// them it took; the rest did not fit into its queue.
func (d *Devices) PushInput(b []byte) int {
	d.sync()
	n := d.uart.push(b)
	d.announce()
	return n
}

// NextEvent is the earliest time at which a device does something by itself
// that a CPU could notice; false when no such time is set. A timer whose
// interrupt is masked, or waits already, has none, so that a machine that
// sleeps for good runs out of events. The machine asks
// before each slice: Signals.Timer only tells of times earlier than the last
// answer.
func (d *Devices) NextEvent() (ns uint64, ok bool) {
	d.announced = d.earliest()
	return d.announced, d.announced != never
}

func (d *Devices) earliest() uint64 {
	at := min(d.pit.next(), d.pm.next(), d.uart.next())
	for i := range d.apics {
		at = min(at, d.apics[i].timerNext())
	}
	return at
}

// announce tells the machine when an event is due earlier than it knows.
func (d *Devices) announce() {
	if at := d.earliest(); at < d.announced {
		d.announced = at
		d.cfg.Signals.Timer()
	}
}

// Advance runs all timers up to now.
func (d *Devices) Advance(now uint64) {
	if now < d.now {
		return
	}
	d.now = now
	d.pit.advance()
	d.pm.advance()
	d.uart.advance()
	for i := range d.apics {
		d.apics[i].advanceTimer()
	}
}

// sync brings the devices to the present, before a CPU looks at them.
func (d *Devices) sync() { d.Advance(d.cfg.Now()) }

// setLine drives an interrupt line of the ISA bus; both interrupt controllers
// are on it. The 8254's line 0 is pin 2 of the I/O APIC, as the MADT's
// interrupt source override says.
func (d *Devices) setLine(irq uint8, level bool) {
	d.pic.setLine(irq, level)
	pin := irq
	if irq == 0 {
		pin = 2
	}
	d.ioapic.setPin(pin, level)
}

// lineHeard reports whether an edge of an ISA interrupt line would change
// anything for a CPU: a request that is masked, or one that waits already,
// need not be timed.
func (d *Devices) lineHeard(irq uint8) bool {
	pin := irq
	if irq == 0 {
		pin = 2
	}
	if d.ioapic.heard(pin) {
		return true
	}
	if d.pic.masked(irq) || d.pic.requested(irq) {
		return false
	}
	for i := range d.apics {
		if d.apics[i].hearsPIC() {
			return true
		}
	}
	return false
}

// Listens reports whether a byte pushed now would raise an interrupt, so that
// input can wake a CPU.
func (d *Devices) Listens() bool { return d.uart.interruptsOnInput() && d.lineHeard(uartIRQ) }

func (d *Devices) unmodelled(format string, args ...any) {
	d.cfg.Signals.Unmodelled(fmt.Sprintf(format, args...))
}

// fill replaces missing signals by functions that do nothing.
func fill(s *Signals) {
	if s.Interrupt == nil {
		s.Interrupt = func(int, bool) {}
	}
	if s.NMI == nil {
		s.NMI = func(int) {}
	}
	if s.Init == nil {
		s.Init = func(int) {}
	}
	if s.Startup == nil {
		s.Startup = func(int, uint8) {}
	}
	if s.TPR == nil {
		s.TPR = func(int, uint8) {}
	}
	if s.Moved == nil {
		s.Moved = func(int) {}
	}
	if s.Timer == nil {
		s.Timer = func() {}
	}
	if s.Output == nil {
		s.Output = func(byte) {}
	}
	for _, f := range []*func(string){&s.PowerOff, &s.Reset, &s.Unmodelled} {
		if *f == nil {
			*f = func(string) {}
		}
	}
}
