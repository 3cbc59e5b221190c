package dev

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// enable turns a local APIC on by software, with the pins masked.
func (m *machine) enable(cpu int) {
	m.awrite(cpu, regSVR, svrEnable|0xff)
	m.awrite(cpu, regLVT+lvtLINT0, lvtMasked)
	m.awrite(cpu, regLVT+lvtLINT1, lvtMasked)
	m.take()
}

func TestIPIDestinations(t *testing.T) {
	const flat, cluster = 0xffffffff, 0x0fffffff
	tests := []struct {
		name      string
		dfr       uint32
		ldr       [4]uint32 // logical ids, bits 24-31
		high, low uint32    // ICR, written by CPU 0
		want      []string
	}{
		{"physical", flat, [4]uint32{}, 2 << 24, 0x4000 | 0x41, []string{"interrupt 2 true"}},
		{"physical, nobody", flat, [4]uint32{}, 9 << 24, 0x4041, nil},
		{"physical broadcast", flat, [4]uint32{}, 0xff << 24, 0x4041,
			[]string{"interrupt 0 true", "interrupt 1 true", "interrupt 2 true", "interrupt 3 true"}},
		{"self", flat, [4]uint32{}, 0, 0x44041, []string{"interrupt 0 true"}},
		{"all", flat, [4]uint32{}, 0, 0x84041,
			[]string{"interrupt 0 true", "interrupt 1 true", "interrupt 2 true", "interrupt 3 true"}},
		{"others", flat, [4]uint32{}, 0, 0xc4041, []string{"interrupt 1 true", "interrupt 2 true", "interrupt 3 true"}},
		{"flat logical", flat, [4]uint32{1 << 24, 2 << 24, 4 << 24, 8 << 24}, 0xa << 24, 0x4841,
			[]string{"interrupt 1 true", "interrupt 3 true"}},
		{"cluster logical", cluster, [4]uint32{0x11 << 24, 0x12 << 24, 0x21 << 24, 0x22 << 24}, 0x23 << 24, 0x4841,
			[]string{"interrupt 2 true", "interrupt 3 true"}},
		{"lowest priority", flat, [4]uint32{1 << 24, 2 << 24, 4 << 24, 8 << 24}, 0xe << 24, 0x4941, []string{"interrupt 1 true"}},
		{"NMI", flat, [4]uint32{}, 3 << 24, 0x4400, []string{"nmi 3"}},
		{"INIT", flat, [4]uint32{}, 1 << 24, 0x4500, []string{"init 1"}},
		{"INIT, level assert", flat, [4]uint32{}, 1 << 24, 0xc500, []string{"init 1"}},
		{"INIT, level de-assert", flat, [4]uint32{}, 1 << 24, 0x8500, nil},
		{"start-up", flat, [4]uint32{}, 1 << 24, 0x4608, []string{"startup 1 0x8"}},
		{"start-up for all others", flat, [4]uint32{}, 0, 0xc4609, []string{"startup 1 0x9", "startup 2 0x9", "startup 3 0x9"}},
		{"SMI", flat, [4]uint32{}, 1 << 24, 0x4200, []string{"unmodelled: local APIC 0: IPI with delivery mode 2"}},
		{"vector below 16", flat, [4]uint32{}, 1 << 24, 0x400f, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 4})
			m.quietPIC()
			for cpu := range 4 {
				m.enable(cpu)
				m.awrite(cpu, regDFR, test.dfr)
				m.awrite(cpu, regLDR, test.ldr[cpu])
			}
			m.awrite(0, regICRHigh, test.high)
			m.awrite(0, regICR, test.low)
			if diff := cmp.Diff(test.want, m.take()); diff != "" {
				t.Errorf("signals (-want +got):\n%s", diff)
			}
		})
	}
}

// Lowest priority delivery goes to the CPU with the least important work.
func TestLowestPriority(t *testing.T) {
	m := newMachine(t, Config{CPUs: 3})
	m.quietPIC()
	for cpu, tpr := range []uint32{0x50, 0x30, 0x40} {
		m.enable(cpu)
		m.awrite(cpu, regTPR, tpr)
	}
	m.take()
	m.awrite(0, regICRHigh, 0xff<<24)
	m.awrite(0, regICR, 0x4161)
	if diff := cmp.Diff([]string{"interrupt 1 true"}, m.take()); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
}

// A software-disabled APIC takes no fixed interrupt, but INIT, NMI and SIPI.
func TestSoftwareDisabledAPIC(t *testing.T) {
	m := newMachine(t, Config{CPUs: 2})
	m.quietPIC()
	m.enable(0)
	m.awrite(0, regICRHigh, 1<<24)
	for _, icr := range []uint32{0x4041, 0x4400, 0x4500, 0x4601} {
		m.awrite(0, regICR, icr)
	}
	if diff := cmp.Diff([]string{"nmi 1", "init 1", "startup 1 0x1"}, m.take()); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
}

// An INIT resets the registers of the receiver, but neither ID nor base.
func TestInitResetsAPIC(t *testing.T) {
	m := newMachine(t, Config{CPUs: 2})
	m.enable(1)
	m.awrite(1, regTPR, 0x70)
	m.awrite(1, regLVT, 0x20055)
	m.awrite(1, regTimerInitial, 1000)
	m.awrite(0, regICRHigh, 1<<24)
	m.awrite(0, regICR, 0x4500)
	want := m.d.Save().APIC[1]
	want.TPR, want.SVR, want.DFR, want.LDR, want.TimerOn, want.TimerInitial, want.TimerCount = 0, 0xff, 0xffffffff, 0, false, 0, 0
	for i := range want.LVT {
		want.LVT[i] = lvtMasked
	}
	got := m.d.Save().APIC[1]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if got.ID != 1 || got.Base != APICDefaultBase|baseEnable {
		t.Errorf("ID %d, base %#x", got.ID, got.Base)
	}
}

func TestPriorities(t *testing.T) {
	type step struct {
		do   string // "ipi V", "tpr V", "cr8 V", "eoi", "accept V"
		v    uint32
		want uint8 // vector that Pending returns, 0 for none
		ppr  uint32
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"the higher vector first", []step{
			{"ipi", 0x41, 0x41, 0}, {"ipi", 0x51, 0x51, 0}, {"accept", 0x51, 0, 0x50},
			{"eoi", 0, 0x41, 0}, {"accept", 0x41, 0, 0x40}, {"eoi", 0, 0, 0},
		}},
		{"a higher class interrupts, the same class waits", []step{
			{"ipi", 0x41, 0x41, 0}, {"accept", 0x41, 0, 0x40}, {"ipi", 0x4f, 0, 0x40},
			{"ipi", 0x50, 0x50, 0x40}, {"accept", 0x50, 0, 0x50}, {"eoi", 0, 0, 0x40}, {"eoi", 0, 0x4f, 0},
		}},
		{"task priority", []step{
			{"tpr", 0x4f, 0, 0x4f}, {"ipi", 0x4f, 0, 0x4f}, {"ipi", 0x50, 0x50, 0x4f},
			{"tpr", 0x50, 0, 0x50}, {"tpr", 0x3f, 0x50, 0x3f},
		}},
		{"CR8 is the task priority's class", []step{
			{"ipi", 0x41, 0x41, 0}, {"cr8", 4, 0, 0x40}, {"cr8", 3, 0x41, 0x30}, {"cr8", 15, 0, 0xf0},
		}},
		{"one vector waits once, and once more while in service", []step{
			{"ipi", 0x41, 0x41, 0}, {"ipi", 0x41, 0x41, 0}, {"accept", 0x41, 0, 0x40}, {"ipi", 0x41, 0, 0x40},
			{"eoi", 0, 0x41, 0}, {"accept", 0x41, 0, 0x40}, {"eoi", 0, 0, 0}, {"eoi", 0, 0, 0},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.quietPIC()
			m.enable(0)
			a := m.d.APIC(0)
			told := false
			for i, s := range test.steps {
				switch s.do {
				case "ipi":
					m.awrite(0, regICR, 0x44000|s.v)
				case "tpr":
					m.awrite(0, regTPR, s.v)
				case "cr8":
					m.d.Bus(0).SetTPR(uint8(s.v))
				case "eoi":
					m.awrite(0, regEOI, 0)
				case "accept":
					a.Accept(uint8(s.v))
				}
				v, ok := a.Pending()
				if ok != (s.want != 0) || v*b2u(ok) != s.want {
					t.Errorf("step %d (%s %#x): pending %#x %v, want %#x", i, s.do, s.v, v, ok, s.want)
				}
				if ppr := m.aread(0, regPPR); ppr != s.ppr {
					t.Errorf("step %d (%s %#x): PPR %#x, want %#x", i, s.do, s.v, ppr, s.ppr)
				}
				for _, l := range m.take() {
					switch l {
					case "interrupt 0 true":
						told = true
					case "interrupt 0 false":
						told = false
					}
				}
				if told != ok {
					t.Errorf("step %d (%s %#x): the machine was told %v, pending is %v", i, s.do, s.v, told, ok)
				}
			}
		})
	}
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// The guest's own writes of the task priority are told, for CR8.
func TestTPRSignal(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.awrite(0, regTPR, 0x9c)
	if diff := cmp.Diff([]string{"tpr 0 9"}, m.take()); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
}

func TestAPICErrors(t *testing.T) {
	tests := []struct {
		name string
		do   func(m *machine)
		want uint32
	}{
		{"IPI with an illegal vector", func(m *machine) { m.awrite(0, regICR, 0x4400f) }, esrSendVector},
		{"read of a reserved register", func(m *machine) { m.aread(0, 0x3d) }, esrRegister},
		{"write of a read-only register", func(m *machine) { m.awrite(0, regPPR, 1) }, esrRegister},
		{"timer with an illegal vector", func(m *machine) {
			m.awrite(0, regLVT, 5)
			m.awrite(0, regDivide, 0xb)
			m.awrite(0, regTimerInitial, 10)
			m.at(10)
		}, esrReceiveVector},
		{"nothing", func(m *machine) { m.aread(0, regID) }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.quietPIC()
			m.enable(0)
			m.awrite(0, regLVT+lvtError, 0xe0)
			test.do(m)
			v, ok := m.d.APIC(0).Pending()
			if ok != (test.want != 0) || ok && v != 0xe0 {
				t.Errorf("error interrupt: %#x %v", v, ok)
			}
			if got := m.aread(0, regESR); got != 0 {
				t.Errorf("ESR before it is written: %#x", got)
			}
			m.awrite(0, regESR, 0)
			if got := m.aread(0, regESR); got != test.want {
				t.Errorf("ESR %#x, want %#x", got, test.want)
			}
			m.awrite(0, regESR, 0)
			if got := m.aread(0, regESR); got != 0 {
				t.Errorf("ESR after the second write: %#x", got)
			}
		})
	}
}
