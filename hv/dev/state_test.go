package dev

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pvlab/hv/x86"
)

// action is something a guest or the outside does to the devices.
type action struct {
	Kind       int
	Port       uint16
	Size       int
	Addr       uint64
	Value      uint64
	CPU        int
	Nanosecond uint64
}

// interesting ports are drawn more often than others.
var interesting = []uint16{0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x40, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0xb2,
	0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x600, 0x602, 0x604, 0xcf8, 0xcfc}

func drawAction(t *rapid.T) action {
	a := action{
		Kind:       rapid.IntRange(0, 8).Draw(t, "kind"),
		Size:       rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "size"),
		Value:      rapid.Uint64().Draw(t, "value"),
		CPU:        rapid.IntRange(0, 1).Draw(t, "cpu"),
		Nanosecond: rapid.Uint64Range(0, 100_000_000).Draw(t, "ns"),
	}
	if rapid.Bool().Draw(t, "known") {
		a.Port = rapid.SampledFrom(interesting).Draw(t, "port")
	} else {
		a.Port = rapid.Uint16().Draw(t, "any port")
	}
	a.Addr = rapid.SampledFrom([]uint64{APICDefaultBase, ioapicBase, 0xfed00000}).Draw(t, "base") +
		rapid.Uint64Range(0, 0x40).Draw(t, "register")*16
	return a
}

// do performs the action and returns what can be seen of it.
func (m *machine) do(a action) (seen uint64) {
	b := m.d.Bus(a.CPU)
	switch a.Kind {
	case 0, 1:
		b.Out(a.Port, a.Size, uint32(a.Value))
	case 2:
		return uint64(b.In(a.Port, a.Size))
	case 3, 4:
		b.WritePhys(a.Addr, 4, a.Value)
	case 5:
		return b.ReadPhys(a.Addr, 4)
	case 6:
		m.at(m.now + a.Nanosecond)
		at, _ := m.d.NextEvent()
		return at
	case 7:
		return uint64(m.d.PushInput([]byte{byte(a.Value), byte(a.Value >> 8)}))
	case 8:
		if a.Value&1 != 0 {
			b.WriteMSR(x86.MSRX2APICFirst+uint32(a.Addr>>4&0x3f), a.Value>>8)
		}
		if v, ok := m.d.APIC(a.CPU).Pending(); ok {
			m.d.APIC(a.CPU).Accept(v)
			return uint64(v)
		}
	}
	return 0
}

// Whatever a guest does, devices do not panic, events lie in the future, and
// a machine restored from a snapshot goes on as the one it was taken from.
func TestSnapshotGoesOnAlike(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, Config{CPUs: 2, MemBytes: 64 << 20, X2APIC: true})
		for _, a := range rapid.SliceOfN(rapid.Custom(drawAction), 0, 40).Draw(rt, "before") {
			m.do(a)
		}
		saved, now := m.d.Save(), m.now
		after := rapid.SliceOfN(rapid.Custom(drawAction), 1, 40).Draw(rt, "after")
		run := func() (seen []uint64, end State) {
			for _, a := range after {
				seen = append(seen, m.do(a))
				if at, ok := m.d.NextEvent(); ok && at <= m.now {
					rt.Fatalf("event at %d, now is %d", at, m.now)
				}
			}
			return seen, m.d.Save()
		}
		seen1, end1 := run()
		m.now = now
		if err := m.d.Load(saved); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(saved, m.d.Save()); diff != "" {
			rt.Fatalf("state after Load (-saved +loaded):\n%s", diff)
		}
		seen2, end2 := run()
		if diff := cmp.Diff(seen1, seen2); diff != "" {
			rt.Fatalf("readings (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(end1, end2); diff != "" {
			rt.Fatalf("state at the end (-first +second):\n%s", diff)
		}
	})
}

// A machine that only waits comes to an end of its events, unless somebody
// takes the interrupts.
func TestWaitingEnds(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, Config{CPUs: 2, X2APIC: true})
		for _, a := range rapid.SliceOfN(rapid.Custom(drawAction), 0, 40).Draw(rt, "before") {
			m.do(a)
		}
		for n := 0; ; n++ {
			at, ok := m.d.NextEvent()
			if !ok {
				return
			}
			if n > 50 {
				rt.Fatalf("still events at %d after %d of them", at, n)
			}
			m.take()
			m.at(at)
			for _, l := range m.take() {
				if len(l) > 3 && l[:3] == "nmi" { // these always wake
					return
				}
			}
		}
	})
}

// Load tells again what the machine must know, and refuses another machine's
// state.
func TestLoad(t *testing.T) {
	m := newMachine(t, Config{CPUs: 2})
	m.quietPIC()
	m.enable(1)
	m.awrite(1, regICR, 0x44041)
	s := m.d.Save()
	m.d.APIC(1).Accept(0x41)
	m.take()
	if err := m.d.Load(s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"interrupt 0 false", "interrupt 1 true"}, m.take()); diff != "" {
		t.Errorf("signals (-want +got):\n%s", diff)
	}
	other := newMachine(t, Config{CPUs: 1})
	if err := other.d.Load(s); err == nil {
		t.Error("the state of two CPUs was loaded into a machine with one")
	}
}
