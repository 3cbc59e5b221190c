package dev

import (
	"strings"
	"testing"
)

func TestUARTSends(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	for _, b := range []byte("hello\n") {
		if m.in(0x3fd)&lsrTHRE == 0 {
			t.Fatal("transmitter is not empty")
		}
		m.out(0x3f8, b)
	}
	// Neither the divisor nor what goes round in loopback is sent.
	m.out(0x3fb, lcrDLAB)
	m.out(0x3f8, 'x')
	m.out(0x3fb, 3)
	m.out(0x3fc, mcrLoop)
	m.out(0x3f8, 'y')
	if got := string(m.sent); got != "hello\n" {
		t.Errorf("sent %q", got)
	}
}

func TestUARTReceives(t *testing.T) {
	for _, test := range []struct {
		name string
		fcr  uint8
	}{
		{"one register", 0},
		{"FIFO", fcrEnable},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			m.out(0x3fa, test.fcr)
			want := strings.Repeat("abcdefghij", 10)
			if n := m.d.PushInput([]byte(want)); n != len(want) {
				t.Fatalf("took %d bytes", n)
			}
			var got []byte
			for range 1000 {
				s := m.in(0x3fd)
				if s&lsrOverrun != 0 {
					t.Fatal("overrun, though nobody sends faster than is read")
				}
				if s&lsrReady == 0 {
					break
				}
				got = append(got, m.in(0x3f8))
			}
			if string(got) != want {
				t.Errorf("received %q", got)
			}
		})
	}
}

// Input is bounded; what was not taken can be pushed again.
func TestUARTInputBound(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	total := 0
	for range 10 {
		total += m.d.PushInput(make([]byte, 20000))
	}
	if total > inputMax+fifoSize || total < inputMax {
		t.Errorf("took %d bytes, want about %d", total, inputMax)
	}
}

// The receiver interrupts at the FIFO's trigger level, or when bytes have
// waited four characters' time.
func TestUARTReceiveInterrupt(t *testing.T) {
	tests := []struct {
		name  string
		fcr   uint8
		bytes int
		after uint64 // ns
		want  uint8  // IIR bits 0-3
	}{
		{"one register", 0, 1, 0, iirReceive},
		{"level 1", 0x01, 1, 0, iirReceive},
		{"level 4, below", 0x41, 3, 0, iirNone},
		{"level 4", 0x41, 4, 0, iirReceive},
		{"level 8", 0x81, 8, 0, iirReceive},
		{"level 14, below", 0xc1, 13, 0, iirNone},
		{"level 14", 0xc1, 14, 0, iirReceive},
		// 8N1 at 115200: 10 bits, 40 bits for four characters are 347222 ns.
		{"timeout not yet", 0xc1, 1, 347_221, iirNone},
		{"timeout", 0xc1, 1, 347_223, iirTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1})
			setUpPIC(m, 1)
			m.out(0x43, 0x30)
			m.out(0x3fb, 0x83)
			m.out(0x3f8, 1)
			m.out(0x3f9, 0)
			m.out(0x3fb, 0x03)
			m.out(0x3fa, test.fcr)
			m.out(0x3f9, ierReceive)
			if !m.d.Listens() {
				t.Error("does not listen")
			}
			m.d.PushInput(make([]byte, test.bytes))
			m.at(test.after)
			v, ok := m.d.APIC(0).Pending()
			if want := test.want != iirNone; ok != want || ok && v != 0x24 {
				t.Errorf("interrupt %#x %v, want %v", v, ok, want)
			}
			if got := m.in(0x3fa) & 0xf; got != test.want {
				t.Errorf("IIR %#x, want %#x", got, test.want)
			}
			for range test.bytes {
				m.in(0x3f8)
			}
			if got := m.in(0x3fa) & 0xf; got != iirNone {
				t.Errorf("IIR %#x after all was read", got)
			}
		})
	}
}

func TestUARTInterruptWiring(t *testing.T) {
	tests := []struct {
		name    string
		mcr     uint8
		ier     uint8
		picMask uint8
		want    bool
	}{
		{"connected", mcrOut2, ierReceive, 0, true},
		{"OUT2 off", 3, ierReceive, 0, false},
		{"not enabled", mcrOut2, ierSend, 0, false},
		{"masked in the 8259", mcrOut2, ierReceive, 1 << 4, false},
	}
	for _, test := range tests {
		m := newMachine(t, Config{CPUs: 1})
		setUpPIC(m, 1)
		m.out(0x21, test.picMask)
		m.out(0x3fc, test.mcr)
		m.out(0x3f9, test.ier)
		for m.in(0x3fa) != iirNone { // the transmitter's
		}
		m.out(0x20, 0x20)
		if v, ok := m.d.APIC(0).Pending(); ok {
			m.d.APIC(0).Accept(v)
			m.out(0x20, 0x20)
		}
		if got := m.d.Listens(); got != test.want {
			t.Errorf("%s: listens %v, want %v", test.name, got, test.want)
		}
		m.d.PushInput([]byte{'x'})
		if _, ok := m.d.APIC(0).Pending(); ok != test.want {
			t.Errorf("%s: interrupt %v, want %v", test.name, ok, test.want)
		}
	}
}

// Loopback: what is sent comes back; more than fits is an overrun.
func TestUARTOverrun(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.out(0x3fa, fcrEnable)
	m.out(0x3fc, mcrLoop)
	for i := range 17 {
		m.out(0x3f8, uint8(i))
	}
	if s := m.in(0x3fd); s&lsrOverrun == 0 {
		t.Errorf("LSR %#x after 17 bytes, want overrun", s)
	}
	if s := m.in(0x3fd); s&lsrOverrun != 0 {
		t.Errorf("LSR %#x: reading it did not clear overrun", s)
	}
	for i := range 16 {
		if b := m.in(0x3f8); b != uint8(i) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
}

// Each byte sent gives an edge of its own, though nobody read IIR.
func TestUARTSendInterrupts(t *testing.T) {
	m := newMachine(t, Config{CPUs: 1})
	m.out(0x43, 0x30)
	setUpPIC(m, 1)
	m.out(0x3f9, ierSend)
	for i := range 3 {
		v, ok := m.d.APIC(0).Pending()
		if !ok || v != 0x24 {
			t.Fatalf("before byte %d: %#x %v", i, v, ok)
		}
		m.d.APIC(0).Accept(v)
		m.out(0x20, 0x20)
		m.out(0x3f8, 'x')
	}
}
