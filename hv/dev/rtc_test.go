package dev

import "testing"

func (m *machine) cmosRead(i uint8) uint8 {
	m.out(0x70, i)
	return m.in(0x71)
}

func (m *machine) cmosWrite(i, v uint8) {
	m.out(0x70, i)
	m.out(0x71, v)
}

// epoch2012 is Tuesday 2012-11-27 13:14:15 UTC.
const epoch2012 = 1354022055

func TestRTCDate(t *testing.T) {
	registers := []uint8{rtcSeconds, rtcMinutes, rtcHours, rtcWeekday, rtcDay, rtcMonth, rtcYear, rtcCentury}
	tests := []struct {
		name string
		b    uint8
		ns   uint64
		want [8]uint8
	}{
		{"BCD, 24 hours", rtc24Hours, 0, [8]uint8{0x15, 0x14, 0x13, 3, 0x27, 0x11, 0x12, 0x20}},
		{"binary", rtc24Hours | rtcBinary, 0, [8]uint8{15, 14, 13, 3, 27, 11, 12, 20}},
		{"12 hours", 0, 0, [8]uint8{0x15, 0x14, 0x81, 3, 0x27, 0x11, 0x12, 0x20}},
		{"a second later", rtc24Hours, nsPerSecond, [8]uint8{0x16, 0x14, 0x13, 3, 0x27, 0x11, 0x12, 0x20}},
		{"a week later", rtc24Hours, 7 * 86400 * nsPerSecond, [8]uint8{0x15, 0x14, 0x13, 3, 0x04, 0x12, 0x12, 0x20}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1, Epoch: epoch2012})
			m.cmosWrite(rtcB, test.b)
			m.at(test.ns)
			var got [8]uint8
			for i, r := range registers {
				got[i] = m.cmosRead(r)
			}
			if got != test.want {
				t.Errorf("%x, want %x", got, test.want)
			}
		})
	}
}

// The date is set while the clock stands, and goes on from there.
func TestRTCSet(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1, Epoch: epoch2012})
	m.cmosWrite(rtcB, rtcSet|rtc24Hours)
	m.at(100 * nsPerSecond)
	if got := m.cmosRead(rtcSeconds); got != 0x15 {
		t.Errorf("seconds %#x, though the clock stands", got)
	}
	for _, w := range [][2]uint8{{rtcDay, 0x31}, {rtcMonth, 0x12}, {rtcYear, 0x99}, {rtcCentury, 0x19},
		{rtcHours, 0x23}, {rtcMinutes, 0x59}, {rtcSeconds, 0x58}} {
		m.cmosWrite(w[0], w[1])
	}
	m.cmosWrite(rtcB, rtc24Hours)
	m.at(102 * nsPerSecond)
	for _, w := range [][2]uint8{{rtcDay, 0x01}, {rtcMonth, 0x01}, {rtcYear, 0x00}, {rtcCentury, 0x20},
		{rtcHours, 0x00}, {rtcMinutes, 0x00}, {rtcSeconds, 0x00}} {
		if got := m.cmosRead(w[0]); got != w[1] {
			t.Errorf("register %#x is %#x, want %#x", w[0], got, w[1])
		}
	}
}

func TestRTCStatus(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.at(nsPerSecond - rtcUpdateTime - 1)
	if m.cmosRead(rtcA)&rtcUpdating != 0 {
		t.Error("update in progress too early")
	}
	m.at(nsPerSecond - 1)
	if m.cmosRead(rtcA)&rtcUpdating == 0 {
		t.Error("no update in progress before the second ends")
	}
	if m.cmosRead(rtcC) != 0 {
		t.Error("register C before the second ended")
	}
	m.at(nsPerSecond)
	if got := m.cmosRead(rtcC); got != rtcUpdated {
		t.Errorf("register C %#x, want %#x", got, rtcUpdated)
	}
	if got := m.cmosRead(rtcC); got != 0 {
		t.Errorf("register C %#x: reading it did not clear it", got)
	}
	m.cmosWrite(0x40, 0x5a)
	if got := m.cmosRead(0x40); got != 0x5a {
		t.Errorf("memory byte %#x", got)
	}
}

func TestCMOSMemorySize(t *testing.T) {
	const mib = 1 << 20
	tests := []struct {
		mem                uint64
		base, ext, low, hi uint32 // KiB below 640 KiB, KiB from 1 MiB, 64 KiB from 16 MiB, 64 KiB from 4 GiB
	}{
		{8 * mib, 640, 7 << 10, 0, 0},
		{128 * mib, 640, 0xffff, 112 * 16, 0},
		{3 << 30, 640, 0xffff, (3<<30 - 16*mib) >> 16, 0},
		{6 << 30, 640, 0xffff, (3<<30 - 16*mib) >> 16, 3 << 14},
	}
	for _, test := range tests {
		m := newMachine(t, Config{CPUs: 3, MemBytes: test.mem})
		word := func(i uint8) uint32 { return uint32(m.cmosRead(i)) | uint32(m.cmosRead(i+1))<<8 }
		if got := word(0x15); got != test.base {
			t.Errorf("%d MiB: base memory %d", test.mem/mib, got)
		}
		if got := word(0x30); got != test.ext || word(0x17) != test.ext {
			t.Errorf("%d MiB: extended memory %#x, want %#x", test.mem/mib, got, test.ext)
		}
		if got := word(0x34); got != test.low {
			t.Errorf("%d MiB: above 16 MiB %#x, want %#x", test.mem/mib, got, test.low)
		}
		if got := word(0x5b) | uint32(m.cmosRead(0x5d))<<16; got != test.hi {
			t.Errorf("%d MiB: above 4 GiB %#x, want %#x", test.mem/mib, got, test.hi)
		}
		if got := m.cmosRead(0x5f); got != 2 {
			t.Errorf("CPUs less one: %d", got)
		}
	}
}
