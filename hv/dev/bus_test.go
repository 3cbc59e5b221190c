package dev

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPortTableIsSorted(t *testing.T) {
	for i := range ports {
		if ports[i].first > ports[i].last || i > 0 && ports[i-1].last >= ports[i].first {
			t.Errorf("row %d, %#x-%#x, is out of order", i, ports[i].first, ports[i].last)
		}
	}
}

// An access wider than the device is several; where nothing is, the bus reads
// as ones.
func TestAccessSizes(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	b := m.d.Bus(0)
	tests := []struct {
		name string
		port uint16
		size int
		want uint32
	}{
		{"nothing, byte", 0x300, 1, 0xff},
		{"nothing, word", 0x300, 2, 0xffff},
		{"nothing, dword", 0x300, 4, 0xffffffff},
		{"fw_cfg is absent", 0x510, 4, 0xffffffff},
		{"two 8259 registers", 0x20, 2, 0xb810},
		{"device and nothing", 0x92, 2, 0xff02},
		{"nothing and device", 0x91, 2, 0x02ff},
		{"four serial registers", 0x3fc, 4, 0x00b06008},
		{"last port and round", 0xffff, 2, 0xffff},
		{"PM event block as one", 0x600, 4, 0x00000001},
		{"PM control", 0x604, 2, 0},
		{"one byte of PM control", 0x605, 1, 0},
		{"PM timer", 0x608, 4, 0},
		{"reset control inside the PCI address", 0xcf9, 1, 0},
	}
	for _, test := range tests {
		if got := b.In(test.port, test.size); got != test.want {
			t.Errorf("%s: %#x, want %#x", test.name, got, test.want)
		}
	}
	if got := b.ReadPhys(0xfed00000, 8); got != ^uint64(0) {
		t.Errorf("HPET reads %#x", got)
	}
	if got := b.ReadPhys(0xfed00000, 2); got != 0xffff {
		t.Errorf("two bytes of nothing: %#x", got)
	}
}

func TestTSC(t *testing.T) {
	m := newMachine(t, Config{CPUs: 2, TSCHz: 2_500_000_000})
	m.now = 1000
	if got := m.d.Bus(0).TSC(); got != 2500 {
		t.Errorf("TSC %d after 1000 ns, want 2500", got)
	}
	if !m.d.Bus(0).WriteMSR(0x10, 1_000_000) {
		t.Fatal("write refused")
	}
	m.now = 2000
	if got := m.d.Bus(0).TSC(); got != 1_002_500 {
		t.Errorf("TSC %d 1000 ns after it was set to 1000000", got)
	}
	if got := m.d.Bus(1).TSC(); got != 5000 {
		t.Errorf("TSC of the other CPU %d, want 5000", got)
	}
}

// What ends or stops a machine.
func TestSystemSignals(t *testing.T) {
	type write struct {
		port uint16
		size int
		v    uint32
	}
	tests := []struct {
		name   string
		writes []write
		want   []string
	}{
		{"soft off", []write{{0x604, 2, 0x2000}}, []string{"poweroff: ACPI PM1a control: soft off (S5)"}},
		{"soft off by the high byte", []write{{0x605, 1, 0x20}}, []string{"poweroff: ACPI PM1a control: soft off (S5)"}},
		{"sleep type without enable", []write{{0x604, 2, 0x0400}}, nil},
		{"suspend to disk", []write{{0x604, 2, 0x2800}}, []string{"poweroff: ACPI PM1a control: suspend to disk (S4)"}},
		{"suspend to memory", []write{{0x604, 2, 0x2400}}, []string{"unmodelled: ACPI PM1a control: sleep type 1"}},
		{"after moving the block", []write{{0xcf8, 4, 0x80000b40}, {0xcfc, 4, 0x801}, {0x604, 2, 0x2000}, {0x804, 2, 0x2000}},
			[]string{"poweroff: ACPI PM1a control: soft off (S5)"}},
		{"block switched off", []write{{0xcf8, 4, 0x80000b80}, {0xcfc, 1, 0}, {0x604, 2, 0x2000}}, nil},
		{"keyboard controller pulse", []write{{0x64, 1, 0xfe}}, []string{"reset: keyboard controller (port 64h)"}},
		{"keyboard controller pulse of nothing", []write{{0x64, 1, 0xff}}, nil},
		{"keyboard controller output port", []write{{0x64, 1, 0xd1}, {0x60, 1, 0xfe}}, []string{"reset: keyboard controller (port 64h)"}},
		{"A20 off", []write{{0x64, 1, 0xd1}, {0x60, 1, 0xdd}}, []string{"unmodelled: keyboard controller: turning the A20 line off"}},
		{"reset control register", []write{{0xcf9, 1, 2}, {0xcf9, 1, 6}}, []string{"reset: reset control register (port CF9h)"}},
		{"the PCI address is not the reset control register", []write{{0xcf8, 4, 0x80000600}}, nil},
		{"port 92h", []write{{0x92, 1, 3}}, []string{"reset: port 92h"}},
		{"SMI", []write{{0xb2, 1, 0x10}}, []string{"unmodelled: system management interrupt (port B2h, value 0x10)"}},
		{"RTC alarm", []write{{0x70, 1, rtcB}, {0x71, 1, 0x22}}, []string{"unmodelled: interrupts of the real-time clock (register B = 0x22)"}},
		{"PCI register", []write{{0xcf8, 4, 0x80000060}, {0xcfc, 1, 0}}, []string{"unmodelled: PCI configuration write to 00:00.0 register 0x60"}},
		{"port 80h", []write{{0x80, 1, 0x55}}, nil},
		{"where nothing is", []write{{0x300, 4, 0}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			for _, w := range test.writes {
				m.d.Bus(0).Out(w.port, w.size, w.v)
			}
			if diff := cmp.Diff(test.want, m.take()); diff != "" {
				t.Errorf("signals (-want +got):\n%s", diff)
			}
		})
	}
}

// The ACPI timer counts at 3.579545 MHz, and its bit 23 raises the SCI.
func TestPMTimer(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	setUpPIC(m, 1)
	m.out(0x43, 0x30)
	b := m.d.Bus(0)
	m.at(nsPerSecond)
	if got := b.In(0x608, 4); got != 3579545 {
		t.Errorf("timer %d after a second", got)
	}
	b.Out(0x600, 2, 1) // clear
	b.Out(0x602, 2, 1) // enable
	if at, ok := m.d.NextEvent(); ok {
		t.Errorf("event at %d before ACPI is on", at)
	}
	b.Out(0xb2, 1, acpiEnable)
	at, ok := m.d.NextEvent()
	if want := uint64((1<<23*nsPerSecond + pmTimerHz - 1) / pmTimerHz); !ok || at != want {
		t.Fatalf("event at %d %v, want %d", at, ok, want)
	}
	m.at(at)
	if v, ok := m.d.APIC(0).Pending(); !ok || v != 0x29 {
		t.Errorf("SCI: %#x %v", v, ok)
	}
	if got := b.In(0x600, 2); got != 1 {
		t.Errorf("status %#x", got)
	}
}

func TestNewRefuses(t *testing.T) {
	now := func() uint64 { return 0 }
	for _, cfg := range []Config{
		{CPUs: 0, TSCHz: 1, Now: now},
		{CPUs: 256, TSCHz: 1, Now: now},
		{CPUs: 1, Now: now},
		{CPUs: 1, TSCHz: 1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("New(%d CPUs, %d Hz, clock %v) gives no error", cfg.CPUs, cfg.TSCHz, cfg.Now != nil)
		}
	}
}

// A machine without signals works all the same.
func TestNoSignals(t *testing.T) {
	d, err := New(Config{CPUs: 2, TSCHz: 1, Now: func() uint64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	for port := range 65536 {
		d.Bus(1).Out(uint16(port), 1, 0xff)
	}
	if !slices.Contains([]uint32{0x00, 0xff}, d.Bus(0).In(0x3ff, 1)) {
		t.Error("scratch register is lost")
	}
}
