package dev

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"pvlab/hv/x86"
)

func TestAPICBaseTransitions(t *testing.T) {
	const (
		off   = APICDefaultBase
		xapic = APICDefaultBase | baseEnable
		x2    = APICDefaultBase | baseEnable | baseX2APIC
		bad   = APICDefaultBase | baseX2APIC
	)
	tests := []struct {
		name string
		x2   bool // announced
		path []uint64
		ok   bool // whether the last write is accepted
	}{
		{"to x2APIC", true, []uint64{x2}, true},
		{"to x2APIC where there is none", false, []uint64{x2}, false},
		{"off", false, []uint64{off}, true},
		{"off and on", false, []uint64{off, xapic}, true},
		{"x2APIC without enable", true, []uint64{bad}, false},
		{"x2APIC back to xAPIC", true, []uint64{x2, xapic}, false},
		{"x2APIC to off", true, []uint64{x2, off}, true},
		{"off to x2APIC", true, []uint64{off, x2}, false},
		{"x2APIC by off back to xAPIC", true, []uint64{x2, off, xapic}, true},
		{"reserved bit", true, []uint64{xapic | 1}, false},
		{"elsewhere", false, []uint64{0x1234000 | baseEnable}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 1, X2APIC: test.x2})
			b := m.d.Bus(0)
			var ok bool
			for i, v := range test.path {
				if ok = b.WriteMSR(x86.MSRAPICBase, v); !ok && i < len(test.path)-1 {
					t.Fatalf("write %d refused", i)
				}
			}
			if ok != test.ok {
				t.Fatalf("last write accepted: %v, want %v", ok, test.ok)
			}
			if !ok {
				return
			}
			last := test.path[len(test.path)-1]
			if got, _ := b.ReadMSR(x86.MSRAPICBase); got != last|baseBSP {
				t.Errorf("base %#x, want %#x", got, last|baseBSP)
			}
			pa, mapped := m.d.APIC(0).Registers()
			if want := last&(baseEnable|baseX2APIC) == baseEnable; mapped != want || mapped && pa != last&^0xfff {
				t.Errorf("registers at %#x: %v, want %v", pa, mapped, want)
			}
			if got := uint32(b.ReadPhys(last&^0xfff|regVersion<<4, 4)); (got == apicVersion) != mapped {
				t.Errorf("version register reads %#x, mapped %v", got, mapped)
			}
		})
	}
}

func TestX2APICRegisters(t *testing.T) {
	tests := []struct {
		name    string
		reg     uint32
		write   uint64
		writeOK bool
		read    uint64
		readOK  bool
	}{
		{"ID is read-only", regID, 1, false, 1, true},
		{"version", regVersion, 0, false, apicVersion, true},
		{"TPR", regTPR, 0x35, true, 0x35, true},
		{"TPR, reserved bits", regTPR, 0x100, false, 0, true},
		{"PPR", regPPR, 0, false, 0, true},
		{"EOI is write-only", regEOI, 0, true, 0, false},
		{"EOI takes zero only", regEOI, 1, false, 0, false},
		{"LDR comes from the ID", regLDR, 0, false, 0x2, true},
		{"no DFR", regDFR, 0, false, 0, false},
		{"SVR", regSVR, 0x1fe, true, 0x1fe, true},
		{"SVR, reserved bits", regSVR, 0x21ff, false, 0xff, true},
		{"ISR", regISR, 0, false, 0, true},
		{"ESR takes zero only", regESR, 1, false, 0, true},
		{"ICR in one piece", regICR, 5<<32 | 0x4041, true, 5<<32 | 0x4041, true},
		{"ICR, reserved bits", regICR, 1 << 20, false, 0, true},
		{"no high half of ICR", regICRHigh, 0, false, 0, false},
		{"self IPI is write-only", regSelfIPI, 0x41, true, 0, false},
		{"self IPI, reserved bits", regSelfIPI, 0x141, false, 0, false},
		{"LVT timer", regLVT, 0x30040, true, 0x30040, true},
		{"LVT timer, TSC deadline", regLVT, 0x40040, false, 0x10000, true},
		{"divide", regDivide, 0xb, true, 0xb, true},
		{"divide, reserved bits", regDivide, 0x4, false, 0, true},
		{"no such register", 0x3d, 0, false, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, Config{CPUs: 2, X2APIC: true})
			b := m.d.Bus(1)
			if _, ok := b.ReadMSR(x86.MSRX2APICFirst + test.reg); ok {
				t.Error("readable in xAPIC mode")
			}
			if b.WriteMSR(x86.MSRX2APICFirst+test.reg, test.write) {
				t.Error("writable in xAPIC mode")
			}
			b.WriteMSR(x86.MSRAPICBase, APICDefaultBase|baseEnable|baseX2APIC)
			if ok := b.WriteMSR(x86.MSRX2APICFirst+test.reg, test.write); ok != test.writeOK {
				t.Errorf("write accepted: %v", ok)
			}
			v, ok := b.ReadMSR(x86.MSRX2APICFirst + test.reg)
			if ok != test.readOK || ok && v != test.read {
				t.Errorf("reads %#x %v, want %#x %v", v, ok, test.read, test.readOK)
			}
		})
	}
}

func TestX2APICMessages(t *testing.T) {
	m := newMachine(t, Config{CPUs: 20, X2APIC: true})
	for cpu := range 20 {
		b := m.d.Bus(cpu)
		b.WriteMSR(x86.MSRAPICBase, APICDefaultBase|baseEnable|baseX2APIC)
		b.WriteMSR(x86.MSRX2APICFirst+regSVR, 0x1ff)
	}
	m.quietPIC()
	send := func(cpu int, reg uint32, v uint64, want ...string) {
		t.Helper()
		m.d.Bus(cpu).WriteMSR(x86.MSRX2APICFirst+reg, v)
		if diff := cmp.Diff(want, m.take()); diff != "" {
			t.Errorf("register %#x = %#x (-want +got):\n%s", reg, v, diff)
		}
	}
	send(0, regICR, 18<<32|0x4041, "interrupt 18 true")
	send(0, regICR, (1<<16|0x3)<<32|0x4842, "interrupt 16 true", "interrupt 17 true") // cluster 1, bits 0 and 1
	send(5, regSelfIPI, 0x43, "interrupt 5 true")
	send(7, regSelfIPI, 0x03)
	send(0, regICR, 19<<32|0x4400, "nmi 19")
	if v, ok := m.d.APIC(18).Pending(); !ok || v != 0x41 {
		t.Errorf("CPU 18 has %#x %v", v, ok)
	}
}
