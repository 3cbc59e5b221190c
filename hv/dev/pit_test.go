package dev

import "testing"

// tick is the virtual time at which the 8254 has counted n clocks.
func tick(n uint64) uint64 { return nsOfTick(n, pitHz) }

func (m *machine) counter(i uint16) uint16 {
	m.out(0x43, uint8(i)<<6)
	lo := m.in(0x40 + i)
	return uint16(m.in(0x40+i))<<8 | uint16(lo)
}

func TestPITCounts(t *testing.T) {
	tests := []struct {
		name  string
		mode  uint8
		count uint16
		at    uint64 // clocks
		want  uint16
		out   bool // port 61h bit 5
	}{
		{"mode 0 runs", 0, 1000, 1, 999, false},
		{"mode 0 ends", 0, 1000, 1000, 0, true},
		{"mode 0 goes on below zero", 0, 1000, 1001, 0xffff, true},
		{"count 0 is 65536", 0, 0, 1, 0xffff, false},
		{"mode 2 runs", 2, 1000, 1, 999, true},
		{"mode 2 is low for the last clock", 2, 1000, 999, 1, false},
		{"mode 2 reloads", 2, 1000, 1000, 1000, true},
		{"mode 3 counts by two", 3, 1000, 100, 800, true},
		{"mode 3, second half", 3, 1000, 500, 1000, false},
		{"mode 3 reloads", 3, 1000, 1000, 1000, true},
		{"mode 4 runs", 4, 1000, 10, 990, true},
		{"mode 4 strobes", 4, 1000, 1000, 0, false},
		{"mode 4 is over", 4, 1000, 1001, 0xffff, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.out(0x61, 1) // gate
			m.out(0x43, 0xb0|test.mode<<1)
			m.out(0x42, uint8(test.count))
			m.out(0x42, uint8(test.count>>8))
			m.at(tick(test.at))
			if got := m.counter(2); got != test.want {
				t.Errorf("count %d after %d clocks, want %d", got, test.at, test.want)
			}
			if got := m.in(0x61)>>5&1 != 0; got != test.out {
				t.Errorf("OUT is %v after %d clocks, want %v", got, test.at, test.out)
			}
		})
	}
}

func TestPITBCD(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.out(0x61, 1)
	m.out(0x43, 0xb1) // mode 0, BCD
	m.out(0x42, 0x00)
	m.out(0x42, 0x10) // 1000
	for _, test := range []struct {
		clocks uint64
		want   uint16
	}{{1, 0x0999}, {990, 0x0010}, {1000, 0}, {1001, 0x9999}, {11001, 0x9999}} {
		m.at(tick(test.clocks))
		if got := m.counter(2); got != test.want {
			t.Errorf("after %d clocks %04x, want %04x", test.clocks, got, test.want)
		}
	}
}

// The gate of counter 2 stops modes 0 and 4 and restarts modes 1, 2, 3 and 5.
func TestPITGate(t *testing.T) {
	tests := []struct {
		mode   uint8
		before uint16 // 100 clocks after the count was written, gate high
		low    uint16 // 50 clocks after it went low
		again  uint16 // 10 clocks after it went high again
	}{
		{0, 900, 900, 890},
		{1, 1000, 1000, 990}, // not triggered before
		{2, 900, 900, 990},
		{4, 900, 900, 890},
		{5, 1000, 1000, 990},
	}
	for _, test := range tests {
		m := newMachine(t, Config{CPUs: 1})
		m.out(0x61, 1)
		m.out(0x43, 0xb0|test.mode<<1)
		m.out(0x42, 1000&0xff)
		m.out(0x42, 1000>>8)
		m.at(tick(100))
		if got := m.counter(2); got != test.before {
			t.Errorf("mode %d: %d, want %d", test.mode, got, test.before)
		}
		m.out(0x61, 0)
		m.at(tick(150))
		if got := m.counter(2); got != test.low {
			t.Errorf("mode %d, gate low: %d, want %d", test.mode, got, test.low)
		}
		m.out(0x61, 1)
		m.at(tick(160) + 1)
		if got := m.counter(2); got != test.again {
			t.Errorf("mode %d, gate high again: %d, want %d", test.mode, got, test.again)
		}
	}
}

// Counter 0 interrupts at exact times.
func TestPITInterrupts(t *testing.T) {
	tests := []struct {
		name string
		mode uint8
		want []uint64 // clocks
	}{
		{"mode 0, once", 0, []uint64{5000}},
		{"mode 2, each period", 2, []uint64{5000, 10000, 15000}},
		{"mode 3, each period", 3, []uint64{5000, 10000, 15000}},
		{"mode 4, at the end of the strobe", 4, []uint64{5001}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			setUpPIC(m, 3) // automatic EOI
			m.out(0x43, 0x30|test.mode<<1)
			if v, ok := m.d.APIC(0).Pending(); ok {
				m.d.APIC(0).Accept(v) // OUT of modes other than 0 rises with the control word
			}
			m.out(0x40, 5000&0xff)
			m.out(0x40, 5000>>8)
			var got []uint64
			for len(got) < 10 {
				at, ok := m.d.NextEvent()
				if !ok || at > tick(15500) {
					break
				}
				m.at(at)
				if v, ok := m.d.APIC(0).Pending(); ok && v == 0x20 {
					m.d.APIC(0).Accept(v)
					got = append(got, at)
				}
			}
			if len(got) != len(test.want) {
				t.Fatalf("interrupts at %v", got)
			}
			for i, n := range test.want {
				if got[i] != tick(n) {
					t.Errorf("interrupt %d at %d ns, want %d", i, got[i], tick(n))
				}
			}
		})
	}
}

// The BIOS tick: 65536 clocks, 18.2 a second.
func TestPITDefaultRate(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	at, ok := m.d.NextEvent()
	if want := uint64(65536*nsPerSecond/1193182 + 1); !ok || at != want {
		t.Errorf("first tick at %d ns %v, want %d", at, ok, want)
	}
}
