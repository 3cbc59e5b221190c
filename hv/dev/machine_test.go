package dev

import (
	"fmt"
	"testing"
)

// machine is what devices need of a machine: a clock, and a record of what
// they signalled.
type machine struct {
	d    *Devices
	now  uint64
	log  []string // signals in order, as "nmi 1"
	sent []byte   // serial output
}

func (m *machine) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

// take returns the signals since the last call.
func (m *machine) take() []string {
	l := m.log
	m.log = nil
	return l
}

// at moves virtual time.
func (m *machine) at(ns uint64) {
	m.now = ns
	m.d.Advance(ns)
}

func newMachine(t testing.TB, cfg Config) *machine {
	t.Helper()
	m := &machine{}
	cfg.Now = func() uint64 { return m.now }
	if cfg.TSCHz == 0 {
		cfg.TSCHz = 1_000_000_000
	}
	cfg.Signals = Signals{
		Interrupt:  func(cpu int, ok bool) { m.note("interrupt %d %v", cpu, ok) },
		NMI:        func(cpu int) { m.note("nmi %d", cpu) },
		Init:       func(cpu int) { m.note("init %d", cpu) },
		Startup:    func(cpu int, v uint8) { m.note("startup %d %#x", cpu, v) },
		TPR:        func(cpu int, class uint8) { m.note("tpr %d %d", cpu, class) },
		Moved:      func(cpu int) { m.note("moved %d", cpu) },
		Output:     func(b byte) { m.sent = append(m.sent, b) },
		PowerOff:   func(why string) { m.note("poweroff: %s", why) },
		Reset:      func(why string) { m.note("reset: %s", why) },
		Unmodelled: func(what string) { m.note("unmodelled: %s", what) },
	}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.d = d
	m.take()
	return m
}

// apic helpers: access by register number, as CPU cpu.
func (m *machine) aread(cpu int, reg uint64) uint32 {
	return uint32(m.d.Bus(cpu).ReadPhys(APICDefaultBase+reg<<4, 4))
}

func (m *machine) awrite(cpu int, reg uint64, v uint32) {
	m.d.Bus(cpu).WritePhys(APICDefaultBase+reg<<4, 4, uint64(v))
}

func (m *machine) in(port uint16) uint8     { return uint8(m.d.Bus(0).In(port, 1)) }
func (m *machine) out(port uint16, v uint8) { m.d.Bus(0).Out(port, 1, uint32(v)) }

// quietPIC masks both 8259As, as a kernel that uses APICs does.
func (m *machine) quietPIC() {
	m.out(0x21, 0xff)
	m.out(0xa1, 0xff)
	m.take()
}
