package dev

import "testing"

// setUpPIC programs both 8259As as a PC's kernel does: vectors 20h and 28h,
// all inputs open, no pending request.
func setUpPIC(m *machine, icw4 uint8) {
	for _, w := range []struct {
		port uint16
		v    uint8
	}{
		{0x20, 0x11}, {0x21, 0x20}, {0x21, 0x04}, {0x21, icw4},
		{0xa0, 0x11}, {0xa1, 0x28}, {0xa1, 0x02}, {0xa1, 0x01},
		{0x21, 0x00}, {0xa1, 0x00},
	} {
		m.out(w.port, w.v)
	}
}

func TestPIC(t *testing.T) {
	type step struct {
		do   string // "raise N", "lower N", "edge N", "port P=V", "take"
		port uint16
		v    uint8
		want int // vector on offer afterwards, -1 for none; for take: the one taken
	}
	edge := func(n uint8, want int) step { return step{"edge", 0, n, want} }
	raise := func(n uint8, want int) step { return step{"raise", 0, n, want} }
	lower := func(n uint8, want int) step { return step{"lower", 0, n, want} }
	write := func(p uint16, v uint8, want int) step { return step{"port", p, v, want} }
	take := func(want int) step { return step{"take", 0, 0, want} }
	const none = -1
	const eoi = 0x20
	tests := []struct {
		name  string
		icw4  uint8
		steps []step
	}{
		{"lower number first", 1, []step{edge(5, 0x25), edge(3, 0x23), take(0x23), write(0x20, eoi, 0x25), take(0x25)}},
		{"a request of lower priority waits for the EOI", 1, []step{edge(3, 0x23), take(0x23), edge(4, none), edge(1, 0x21), take(0x21),
			write(0x20, eoi, none), write(0x20, eoi, 0x24)}},
		{"slave by the cascade", 1, []step{edge(9, 0x29), take(0x29), edge(12, none), write(0xa0, eoi, none), write(0x20, eoi, 0x2c)}},
		{"the slave comes before the master's input 3", 1, []step{edge(3, 0x23), edge(15, 0x2f), take(0x2f), edge(1, 0x21)}},
		{"without special nesting a slave waits for the slave", 1, []step{edge(12, 0x2c), take(0x2c), edge(8, none)}},
		{"with special nesting it does not", 0x11, []step{edge(12, 0x2c), take(0x2c), edge(8, 0x28), take(0x28)}},
		{"mask", 1, []step{write(0x21, 1<<4, none), edge(4, none), write(0x21, 0, 0x24)}},
		{"an edge counts once while the line stays high", 1, []step{raise(4, 0x24), take(0x24), write(0x20, eoi, none), lower(4, none), raise(4, 0x24)}},
		{"an edge stays requested when the line falls", 1, []step{edge(4, 0x24), take(0x24)}},
		{"a level asks again", 1, []step{write(0x4d0, 0xff, none), raise(5, 0x25), take(0x25), write(0x20, eoi, 0x25), lower(5, none)}},
		{"a slave's level that goes early leaves its spurious input 7", 1, []step{write(0x4d1, 0x0c, none), raise(10, 0x2a), lower(10, 0x2f)}},
		{"inputs 0 to 2 cannot be levels", 1, []step{write(0x4d0, 0x07, none), raise(1, 0x21), lower(1, 0x21)}},
		{"spurious when nothing is left", 1, []step{take(0x27), edge(1, 0x21)}},
		{"automatic EOI", 3, []step{edge(3, 0x23), take(0x23), edge(4, 0x24)}},
		{"specific EOI", 1, []step{edge(4, 0x24), take(0x24), edge(1, 0x21), take(0x21), write(0x20, 0x60|4, none), write(0x20, 0x60|1, none), edge(5, 0x25)}},
		{"rotation: the one served becomes the lowest", 1, []step{edge(3, 0x23), take(0x23), write(0x20, 0xa0, none), edge(3, 0x23), edge(5, 0x25)}},
		{"set priority: 2 the lowest", 1, []step{write(0x20, 0xc0|2, none), edge(1, 0x21), edge(3, 0x23), take(0x23)}},
		{"special mask lets lower priorities through", 1, []step{edge(3, 0x23), take(0x23), edge(6, none), write(0x21, 1<<3, none), write(0x20, 0x68, 0x26)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.out(0x43, 0x30) // counter 0 keeps quiet
			setUpPIC(m, test.icw4)
			for i, s := range test.steps {
				switch s.do {
				case "raise", "edge":
					m.d.setLine(s.v, true)
					if s.do == "edge" {
						m.d.setLine(s.v, false)
					}
				case "lower":
					m.d.setLine(s.v, false)
				case "port":
					m.out(s.port, s.v)
				case "take":
					if v := m.d.pic.acknowledge(); int(v) != s.want {
						t.Fatalf("step %d: took %#x, want %#x", i, v, s.want)
					}
					continue
				}
				got := none
				if v, ok := m.d.APIC(0).Pending(); ok {
					got = int(v)
				}
				if got != s.want {
					t.Fatalf("step %d (%s %#x): %#x on offer, want %#x", i, s.do, s.v, got, s.want)
				}
			}
		})
	}
}

// Before it is initialised a controller asks for nothing.
func TestPICDuringInitialisation(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	setUpPIC(m, 1)
	m.out(0x20, 0x11)
	m.d.setLine(4, true)
	if v, ok := m.d.APIC(0).Pending(); ok {
		t.Errorf("%#x on offer between ICW1 and ICW4", v)
	}
}

func TestPICWiring(t *testing.T) {
	tests := []struct {
		name string
		do   func(m *machine)
		cpu  int
		ok   bool
	}{
		{"as the firmware leaves it: ExtINT on CPU 0", func(*machine) {}, 0, true},
		{"not on CPU 1", func(*machine) {}, 1, false},
		{"LINT0 masked", func(m *machine) { m.awrite(0, regLVT+lvtLINT0, lvtMasked) }, 0, false},
		{"APIC disabled by software: LINT0 is masked", func(m *machine) { m.awrite(0, regSVR, 0xff) }, 0, false},
		{"APIC off: the pin is INTR", func(m *machine) { m.d.Bus(0).WriteMSR(0x1b, APICDefaultBase) }, 0, true},
		{"task priority does not hold ExtINT", func(m *machine) { m.awrite(0, regTPR, 0xf0) }, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 2})
			m.out(0x43, 0x30)
			setUpPIC(m, 1)
			test.do(m)
			m.d.setLine(4, true)
			v, ok := m.d.APIC(test.cpu).Pending()
			if ok != test.ok || ok && v != 0x24 {
				t.Fatalf("%#x %v, want 0x24 %v", v, ok, test.ok)
			}
			if ok {
				m.d.APIC(test.cpu).Accept(v)
				if m.d.pic.master.ISR != 1<<4 {
					t.Errorf("8259 ISR %#x after the acknowledge", m.d.pic.master.ISR)
				}
			}
		})
	}
}

// LINT0 in fixed mode delivers the entry's vector.
func TestLINT0Fixed(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.out(0x43, 0x30)
	setUpPIC(m, 1)
	m.enable(0)
	m.awrite(0, regLVT+lvtLINT0, lvtLevel|0x55)
	m.d.setLine(4, true)
	a := m.d.APIC(0)
	if v, ok := a.Pending(); !ok || v != 0x55 {
		t.Fatalf("pending %#x %v", v, ok)
	}
	a.Accept(0x55)
	if m.aread(0, regLVT+lvtLINT0)&lvtRemote == 0 {
		t.Error("remote IRR is clear while the level interrupt is in service")
	}
	m.awrite(0, regEOI, 0)
	if v, ok := a.Pending(); !ok || v != 0x55 {
		t.Errorf("the level is still there: pending %#x %v", v, ok)
	}
}
