package dev

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (m *machine) ioread(reg uint32) uint32 {
	m.d.Bus(0).WritePhys(ioapicBase, 4, uint64(reg))
	return uint32(m.d.Bus(0).ReadPhys(ioapicBase+ioWindow, 4))
}

func (m *machine) iowrite(reg, v uint32) {
	m.d.Bus(0).WritePhys(ioapicBase, 4, uint64(reg))
	m.d.Bus(0).WritePhys(ioapicBase+ioWindow, 4, uint64(v))
}

// route programs a pin's redirection entry.
func (m *machine) route(pin, high, low uint32) {
	m.iowrite(0x11+2*pin, high)
	m.iowrite(0x10+2*pin, low)
	m.take()
}

func TestIOAPICEdge(t *testing.T) {
	tests := []struct {
		name      string
		high, low uint32
		want      []string
	}{
		{"physical destination", 1 << 24, 0x41, []string{"interrupt 1 true"}},
		{"logical destination", 3 << 24, 0x841, []string{"interrupt 0 true", "interrupt 1 true"}},
		{"lowest priority", 3 << 24, 0x941, []string{"interrupt 0 true"}},
		{"NMI", 1 << 24, 0x400, []string{"nmi 1"}},
		{"INIT", 1 << 24, 0x500, []string{"init 1"}},
		{"masked", 0, 0x10041, nil},
		{"SMI", 0, 0x200, []string{"unmodelled: I/O APIC pin 5: delivery mode 2"}},
		{"ExtINT", 0, 0x700, []string{"unmodelled: I/O APIC pin 5: delivery mode 7"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 2})
			m.quietPIC()
			for cpu := range 2 {
				m.enable(cpu)
				m.awrite(cpu, regLDR, 1<<(24+cpu))
			}
			m.route(5, test.high, test.low)
			m.d.setLine(5, true)
			m.d.setLine(5, false)
			if diff := cmp.Diff(test.want, m.take()); diff != "" {
				t.Errorf("signals (-want +got):\n%s", diff)
			}
		})
	}
}

// A masked pin forgets edges but sees levels when it is unmasked.
func TestIOAPICMask(t *testing.T) {
	for _, test := range []struct {
		name string
		low  uint32
		want bool
	}{
		{"edge", 0x41, false},
		{"level", redirLevel | 0x41, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.quietPIC()
			m.enable(0)
			m.route(5, 0, test.low|redirMasked)
			m.d.setLine(5, true)
			m.route(5, 0, test.low)
			if _, ok := m.d.APIC(0).Pending(); ok != test.want {
				t.Errorf("pending after unmasking: %v, want %v", ok, test.want)
			}
		})
	}
}

// A level-triggered interrupt comes once, until its EOI; then again if the
// line is still active.
func TestIOAPICLevel(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.quietPIC()
	m.enable(0)
	m.route(9, 0, redirLevel|0x61)
	a := m.d.APIC(0)
	m.d.setLine(9, true)
	a.Accept(0x61)
	if e := m.ioread(0x10 + 2*9); e&redirRemoteIRR == 0 {
		t.Error("remote IRR is clear in service")
	}
	if m.aread(0, regTMR+3)>>1&1 == 0 {
		t.Error("TMR is clear for a level interrupt")
	}
	m.awrite(0, regEOI, 0)
	if v, ok := a.Pending(); !ok || v != 0x61 {
		t.Fatalf("line active after EOI: pending %#x %v", v, ok)
	}
	a.Accept(0x61)
	m.d.setLine(9, false)
	m.awrite(0, regEOI, 0)
	if v, ok := a.Pending(); ok {
		t.Errorf("line inactive after EOI: pending %#x", v)
	}
	if e := m.ioread(0x10 + 2*9); e&redirRemoteIRR != 0 {
		t.Error("remote IRR is set after EOI")
	}
	// The EOI register does the same without a local APIC's broadcast.
	m.d.setLine(9, true)
	a.Accept(0x61)
	m.d.setLine(9, false)
	m.d.Bus(0).WritePhys(ioapicBase+ioEOI, 4, 0x61)
	if e := m.ioread(0x10 + 2*9); e&redirRemoteIRR != 0 {
		t.Error("remote IRR is set after a write to the EOI register")
	}
}
