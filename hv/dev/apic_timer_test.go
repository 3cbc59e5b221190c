package dev

import "testing"

// fires returns the times (ns) up to end at which the timer's vector comes
// in, with each interrupt taken and ended at once.
func fires(m *machine, vector uint8, end uint64) (times []uint64) {
	a := m.d.APIC(0)
	for {
		at, ok := m.d.NextEvent()
		if !ok || at > end || len(times) > 100 {
			return times
		}
		m.at(at)
		if v, ok := a.Pending(); ok && v == vector {
			times = append(times, at)
			a.Accept(v)
			m.awrite(0, regEOI, 0)
		}
	}
}

func TestAPICTimer(t *testing.T) {
	const start = 1000
	tests := []struct {
		name    string
		divide  uint32 // register value
		lvt     uint32
		initial uint32
		want    []uint64 // ns after start, to 1000
	}{
		{"one-shot, divided by 1", 0xb, 0x40, 100, []uint64{100}},
		{"divided by 2", 0x0, 0x40, 100, []uint64{200}},
		{"divided by 4", 0x1, 0x40, 100, []uint64{400}},
		{"divided by 8", 0x2, 0x40, 100, []uint64{800}},
		{"divided by 16", 0x3, 0x40, 10, []uint64{160}},
		{"divided by 32", 0x8, 0x40, 10, []uint64{320}},
		{"divided by 64", 0x9, 0x40, 10, []uint64{640}},
		{"divided by 128", 0xa, 0x40, 5, []uint64{640}},
		{"periodic", 0xb, 0x20040, 300, []uint64{300, 600, 900}},
		{"masked", 0xb, 0x10040, 100, nil},
		{"stopped by a count of 0", 0xb, 0x20040, 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.quietPIC()
			m.enable(0)
			m.at(start)
			m.awrite(0, regDivide, test.divide)
			m.awrite(0, regLVT, test.lvt)
			m.awrite(0, regTimerInitial, test.initial)
			got := fires(m, 0x40, start+1000)
			if len(got) != len(test.want) {
				t.Fatalf("fires at %v, want %v after %d", got, test.want, start)
			}
			for i := range got {
				if got[i] != start+test.want[i] {
					t.Errorf("fires at %v, want %v after %d", got, test.want, start)
				}
			}
		})
	}
}

func TestAPICTimerCount(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.quietPIC()
	m.enable(0)
	count := func(ns uint64, want uint32) {
		t.Helper()
		m.at(ns)
		if got := m.aread(0, regTimerCurrent); got != want {
			t.Errorf("count at %d ns: %d, want %d", ns, got, want)
		}
	}
	m.awrite(0, regLVT, 0x40)
	m.awrite(0, regDivide, 0xb)
	m.awrite(0, regTimerInitial, 1000)
	count(0, 1000)
	count(300, 700)
	// The pace changes, the count goes on.
	m.awrite(0, regDivide, 0x0)
	count(300, 700)
	count(302, 699)
	// It ends at 300+1400 and stays at zero in one-shot mode, also when masked.
	m.awrite(0, regLVT, lvtMasked|0x40)
	count(1699, 1)
	count(1700, 0)
	count(5000, 0)
	// Periodic mode: many periods gone by at once.
	m.awrite(0, regLVT, lvtPeriodic|0x40)
	m.awrite(0, regTimerInitial, 100)
	count(5000+200*12345+2, 99)
}

// A timer that nobody can notice has no event: else a machine that sleeps for
// good would never be seen to.
func TestEventsEnd(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.enable(0) // the firmware's 18 Hz tick reaches the CPU no more
	if at, ok := m.d.NextEvent(); ok {
		t.Fatalf("event at %d though LINT0 is masked", at)
	}
	m.awrite(0, regDivide, 0xb)
	m.awrite(0, regLVT, lvtPeriodic|0x40)
	m.awrite(0, regTimerInitial, 50)
	for n := 0; ; n++ {
		at, ok := m.d.NextEvent()
		if !ok {
			if n != 1 {
				t.Errorf("%d events, want 1", n)
			}
			break
		}
		if n > 10 {
			t.Fatal("events without end, though the first interrupt waits still")
		}
		m.at(at)
	}
	m.d.APIC(0).Accept(0x40)
	if at, ok := m.d.NextEvent(); !ok || at != 100 {
		t.Errorf("after it was taken: next event %d %v, want 100", at, ok)
	}
}

// The machine is told when an access makes an event earlier.
func TestTimerSignal(t *testing.T) {
	told := 0
	now := uint64(0)
	d, err := New(Config{CPUs: 1, TSCHz: 1, Now: func() uint64 { return now }, Signals: Signals{Timer: func() { told++ }}})
	if err != nil {
		t.Fatal(err)
	}
	d.NextEvent()
	b := d.Bus(0)
	write := func(reg, v uint64) { b.WritePhys(APICDefaultBase+reg<<4, 4, v) }
	write(regDivide, 0xb)
	write(regLVT, 0x40)
	if told != 0 {
		t.Errorf("told %d times of no new event", told)
	}
	write(regTimerInitial, 1000)
	if told != 1 {
		t.Errorf("told %d times after the timer was armed, want 1", told)
	}
	write(regTimerInitial, 2000)
	if told != 1 {
		t.Errorf("told %d times after the timer was armed for later, want 1", told)
	}
}
