package dev

import (
	"slices"
	"testing"
)

// joined makes one table of parts that are entries or lists of entries.
func joined(parts ...any) (ops []op) {
	for _, p := range parts {
		switch p := p.(type) {
		case op:
			ops = append(ops, p)
		case []op:
			ops = append(ops, p...)
		}
	}
	return ops
}

// silence masks the 8259s and ends what the firmware left requested.
func silence() []op {
	return []op{out(0x21, 0xff), out(0xa1, 0xff)}
}

// picInit programs both 8259As with vectors 20h and 28h, all masked.
func picInit() []op {
	return []op{
		out(0x20, 0x11), out(0x21, 0x20), out(0x21, 0x04), out(0x21, 0x01),
		out(0xa0, 0x11), out(0xa1, 0x28), out(0xa1, 0x02), out(0xa1, 0x01),
		out(0x21, 0xff), out(0xa1, 0xff),
	}
}

func TestAgainstQEMU(t *testing.T) {
	const (
		latched  = "the register is latched and cleared by a write (SDM, Error Status Register); on QEMU it collects"
		reserved = "reserved bits cannot be set (SDM, Local Vector Table); on QEMU they can"
		disabled = "a software-disabled APIC has all LVT mask bits set and keeps them so (SDM, Local APIC State After It Has Been Software Disabled); QEMU leaves them"
	)
	tests := []struct {
		name string
		ops  []op
	}{
		{"firmware state: interrupt controllers and timer", joined(
			in(0x20), in(0x21), in(0xa0), in(0xa1), in(0x4d0), in(0x4d1),
			out(0x20, 0x0b), out(0xa0, 0x0b), in(0x20), in(0xa0), out(0x20, 0x0a), out(0xa0, 0x0a),
			out(0x43, 0xe2), but(in(0x40), 0xb4, "OUT is high but for the last clock of mode 2 (8254 data sheet)"),
		)},
		{"firmware state: local APIC", apicState()},
		{"firmware state: I/O APIC", ioapicState()},
		{"firmware state: serial port", joined(
			in(0x3f9), in(0x3fa), in(0x3fb), in(0x3fc), in(0x3fd), in(0x3fe), in(0x3ff),
			out(0x3fb, 0x83), in(0x3f8), in(0x3f9),
		)},
		{"firmware state: the rest", joined(
			in(0x92), in(0x64), in(0x60), in(portReset), in(0x80), in(0xb2), in(0xb3),
			inN(0x600, 2), inN(0x602, 2), inN(0x604, 2),
			op{kind: opRDMSR, addr: 0x1b},
			inN(portPCIAddress, 4),
		)},
		{"firmware state: CMOS", cmosState()},
		{"PCI functions", pciState()},
		{"8259: priorities, nesting and the end of interrupts", joined(
			silence(), picInit(), window(),
			// The serial port raises line 4: transmitter empty.
			out(0x3fc, 0x08), out(0x21, 0xef), out(0x3f9, 0x02), in(0x20), window(),
			out(0x20, 0x0b), in(0x20), out(0x20, 0x0a), in(0x20),
			in(0x3fa),                                              // acknowledges it
			out(0x3f9, 0x00), out(0x3f9, 0x02), window(), in(0x20), // in service: no other
			out(0x20, 0x20), window(), // then it comes
			out(0x20, 0x64), out(0x20, 0x0b), in(0x20),
			out(0x3f9, 0x00),
		)},
		{"8259: poll, automatic EOI, rotation", joined(
			silence(), picInit(),
			out(0x21, 0xef), out(0x3f9, 0x02), out(0x20, 0x0c), in(0x20), // poll: 84h
			out(0x20, 0x0b), in(0x20), out(0x20, 0x20), in(0x20),
			out(0x20, 0x0c), in(0x20), // nothing
			out(0x3f9, 0x00),
		)},
		{"8254: modes 0, 2 and 3, and the latches", joined(
			silence(),
			out(0x61, 0x00), out(0x43, 0xb0), // mode 0
			out(0x43, 0xe8), but(in(0x42), 0x70, "null count from the control word to the count (8254, Read-Back Command); QEMU never sets it"),
			out(0x42, 0x34), out(0x42, 0x12), out(0x43, 0x80), in(0x42), in(0x42), // gate low: stands
			out(0x43, 0xe8), in(0x42),
			out(0x43, 0x90), out(0x42, 0x05), out(0x43, 0xe8), in(0x42), // low byte only
			out(0x43, 0xa0), out(0x42, 0x05), out(0x43, 0xe8), in(0x42), // high byte only
			out(0x43, 0xb6), out(0x42, 0x00), out(0x42, 0x10), out(0x43, 0xe8), in(0x42), // mode 3
			in(0x43),
		)},
		{"8254 wakes a halted CPU through 8259 and LINT0", joined(
			silence(), picInit(), out(0x43, 0x30), out(0x21, 0xfe), // mode 0: no edge yet
			out(0x40, 0xff), out(0x40, 0x10), halt(),
			out(0x20, 0x20), out(0x21, 0xff), window(),
			// A rate generator goes on.
			out(0x43, 0x34), out(0x40, 0x00), out(0x40, 0x10), out(0x21, 0xfe), out(0x20, 0x0a),
			halt(), out(0x20, 0x20), halt(), out(0x21, 0xff), out(0x20, 0x20),
		)},
		{"8254 through the I/O APIC's pin 2", joined(
			silence(), ioapicWrite(0x15, 0), ioapicWrite(0x14, 0x41), ioapicRead(0x14),
			out(0x43, 0x30), out(0x40, 0xff), out(0x40, 0x10), halt(),
			apicRead(regISR+2), apicRead(regPPR), apicWrite(regEOI, 0), apicRead(regISR+2),
			ioapicWrite(0x14, 0x10041), ioapicRead(0x14),
		)},
		{"I/O APIC: writable bits", joined(
			ioapicWrite(0x00, 0xffffffff), ioapicRead(0x00), ioapicRead(0x02),
			ioapicWrite(0x00, 0), ioapicWrite(0x01, 0), ioapicRead(0x01),
			ioapicWrite(0x3e, 0xffffffff), but(op{kind: opRead, size: 4, addr: ioapicBase + ioWindow}, 0x1afff, "reserved bits read as zero (82093AA, Redirection Table)"),
			op{kind: opRead, size: 4, addr: ioapicBase},
		)},
		{"local APIC: self IPIs by priority", joined(
			silence(),
			apicWrite(regICR, 0x40041), apicWrite(regICR, 0x40052), apicWrite(regICR, 0x40043),
			apicRead(regIRR+2), apicRead(regTMR+2), window(),
			apicRead(regISR+2), apicRead(regPPR), apicRead(regIRR+2),
			apicWrite(regEOI, 0), apicRead(regPPR), window(), apicRead(regISR+2),
			apicWrite(regEOI, 0), window(), apicWrite(regEOI, 0), window(), apicWrite(regEOI, 0),
			apicRead(regISR+2), apicRead(regIRR+2), apicRead(regPPR),
		)},
		{"local APIC: task priority holds back its class and below", joined(
			silence(),
			apicWrite(regTPR, 0x55), apicRead(regTPR), apicRead(regPPR),
			apicWrite(regICR, 0x4005f), window(), apicWrite(regICR, 0x40060), window(),
			apicRead(regPPR), apicWrite(regEOI, 0), window(),
			apicWrite(regTPR, 0x4f), window(), apicWrite(regEOI, 0), apicWrite(regTPR, 0),
		)},
		{"local APIC: logical and physical destinations", joined(
			silence(),
			apicWrite(regLDR, 0xffffffff), apicRead(regLDR), apicWrite(regDFR, 0), apicRead(regDFR),
			apicWrite(regDFR, 0xffffffff), apicWrite(regLDR, 0x02000000),
			apicWrite(regICRHigh, 0x02000000), apicWrite(regICR, 0x00871), window(), apicWrite(regEOI, 0),
			apicWrite(regICRHigh, 0x01000000), apicWrite(regICR, 0x00872), window(),
			apicWrite(regICRHigh, 0x00000000), apicWrite(regICR, 0x00073), window(), apicWrite(regEOI, 0),
			apicWrite(regICRHigh, 0x07000000), apicWrite(regICR, 0x00074), window(),
			apicWrite(regICRHigh, 0xff000000), apicWrite(regICR, 0x00075), window(), apicWrite(regEOI, 0),
			apicWrite(regDFR, 0x0fffffff), apicWrite(regLDR, 0x32000000), // cluster 3
			apicWrite(regICRHigh, 0x36000000), apicWrite(regICR, 0x00876), window(), apicWrite(regEOI, 0),
			apicWrite(regICRHigh, 0x26000000), apicWrite(regICR, 0x00877), window(),
			apicRead(regICR), apicRead(regICRHigh),
		)},
		{"local APIC: shorthands", joined(
			silence(), apicWrite(regICRHigh, 0), apicWrite(regICR, 0x80041), window(), // all: with itself
			apicWrite(regEOI, 0), apicWrite(regICR, 0xc0042), window(), // others: there are none
		)},
		{"local APIC timer", joined(
			silence(), apicWrite(regDivide, 0xffffffff), apicRead(regDivide), apicWrite(regDivide, 0xb),
			apicWrite(regLVT, 0x61), apicRead(regLVT), apicWrite(regTimerInitial, 200000), apicRead(regTimerInitial),
			halt(), apicRead(regTimerCurrent), apicRead(regISR+3), apicWrite(regEOI, 0), window(),
			apicWrite(regLVT, 0x20062), apicWrite(regTimerInitial, 300000), halt(), apicWrite(regEOI, 0),
			halt(), apicWrite(regEOI, 0), apicWrite(regTimerInitial, 0), apicRead(regTimerCurrent),
			apicWrite(regLVT, 0x10000),
		)},
		{"local APIC: software disable masks the LVT", joined(
			silence(), apicWrite(regSVR, 0xff), apicRead(regSVR),
			but(apicRead(regLVT+lvtLINT0), 0x18700, disabled), but(apicRead(regLVT+lvtLINT1), 0x18400, disabled), apicRead(regLVT),
			apicWrite(regLVT, 0x41), but(apicRead(regLVT), 0x10041, disabled),
			apicWrite(regSVR, 0x1ff), but(apicRead(regLVT), 0x10041, disabled), but(apicRead(regLVT+lvtLINT0), 0x18700, disabled),
		)},
		{"local APIC: writable bits of the LVT", joined(
			silence(),
			apicWrite(regLVT+lvtLINT0, 0xffffffff), but(apicRead(regLVT+lvtLINT0), 0x1a7ff, reserved),
			apicWrite(regLVT+lvtLINT1, 0xffffffff), but(apicRead(regLVT+lvtLINT1), 0x1a7ff, reserved),
			apicWrite(regLVT+lvtError, 0xffffffff), but(apicRead(regLVT+lvtError), 0x100ff, reserved),
			apicWrite(regLVT+lvtPerf, 0xffffffff), but(apicRead(regLVT+lvtPerf), 0x107ff, reserved),
			apicWrite(regLVT+lvtThermal, 0xffffffff), but(apicRead(regLVT+lvtThermal), 0x107ff, reserved),
		)},
		{"local APIC: error status", joined(
			silence(), apicWrite(regESR, 0), apicWrite(regESR, 0),
			apicRead(0x3d), but(apicRead(regESR), 0, latched), apicWrite(regESR, 0),
			apicRead(regESR), apicWrite(regESR, 0), but(apicRead(regESR), 0, latched),
		)},
		{"16550: registers", joined(
			silence(),
			out(0x3ff, 0xa5), in(0x3ff), out(0x3fb, 0x80), out(0x3f8, 0x12), out(0x3f9, 0x34), in(0x3f8), in(0x3f9),
			out(0x3fb, 0x03), in(0x3fb), in(0x3f9), out(0x3f9, 0xff), in(0x3f9), out(0x3f9, 0),
			out(0x3fa, 0xc7), in(0x3fa), out(0x3fa, 0x00), in(0x3fa), out(0x3fc, 0xff), in(0x3fc), out(0x3fc, 0x08), in(0x3fd),
		)},
		{"16550: loopback", joined(
			silence(), out(0x3fb, 0x03), out(0x3fa, 0x07), in(0x3fe),
			out(0x3fc, 0x1f), in(0x3fe), in(0x3fe), out(0x3fc, 0x12), but(in(0x3fe), 0x1e, "the inputs' changes are noted in loopback, too (PC16550D, Loopback Mode); not on QEMU"), in(0x3fe),
			out(0x3f8, 0x41), out(0x3f8, 0x42), in(0x3fd), in(0x3f8), in(0x3fd), in(0x3f8), in(0x3fd), in(0x3f8),
			out(0x3f9, 0x01), out(0x3f8, 0x43), in(0x3fa), in(0x3f8), in(0x3fa), out(0x3f9, 0), out(0x3fc, 0x08),
		)},
		{"16550: transmitter interrupt", joined(
			silence(), out(0x3fb, 0x03), out(0x3f9, 0x02), in(0x3fa), in(0x3fa), out(0x3f8, 0x58), in(0x3fa), in(0x3fa), out(0x3f9, 0),
		)},
		{"8042 without keyboard", joined(
			silence(), in(0x60), out(0x64, 0x20), in(0x64), out(0x64, 0xaa), in(0x64), in(0x60), in(0x64),
			out(0x64, 0xab), in(0x60), out(0x64, 0x60), out(0x60, 0x44), but(in(0x64), 0x14, "bit 3 tells a data write from a command; QEMU leaves it set"), out(0x64, 0x20), in(0x60),
		)},
		{"power management: writable bits", joined(
			outN(0x600, 2, 0xffff), inN(0x600, 2), outN(0x602, 2, 0x0001), inN(0x602, 2), outN(0x602, 2, 0),
			outN(0x604, 2, 0x1c00), inN(0x604, 2), outN(0x604, 2, 0), inN(0x604, 1),
			out(0xb2, 0xf1), inN(0x604, 2), out(0xb2, 0xf0), inN(0x604, 2),
			out(portReset, 0x02), in(portReset), out(portReset, 0), in(portReset),
		)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			compareWithQEMU(t, test.ops)
		})
	}
}

// apicState reads all registers that a kernel can read without an error.
func apicState() (ops []op) {
	for r := uint32(0); r < 0x40; r++ {
		switch {
		case slices.Contains([]uint32{regID, regVersion, regTPR, regPPR, regLDR, regDFR, regSVR, regICR,
			regICRHigh, regTimerInitial, regTimerCurrent, regDivide}, r),
			r >= regISR && r < regESR, r >= regLVT && r < regLVT+lvtCount:
			ops = append(ops, apicRead(r))
		}
	}
	return ops
}

func ioapicState() (ops []op) {
	for r := uint32(0); r < 0x40; r++ {
		ops = append(ops, ioapicRead(r)...)
	}
	return ops
}

// cmosState reads the bytes that the BIOS keeps; the date differs between runs.
func cmosState() (ops []op) {
	for i := uint32(rtcA); i < 0x80; i++ {
		if i == rtcCentury || i == rtcC {
			continue
		}
		ops = append(ops, out(0x70, i), in(0x71))
	}
	return ops
}

// pciState looks for functions on bus 0 and reads the registers of those the
// model has.
func pciState() (ops []op) {
	for f := uint32(0); f < 256; f++ {
		o := pciRead(f, 0)
		if f == 1<<3|1 {
			o[1] = but(o[1], 0xffffffff, "the IDE function is not modelled")
		}
		ops = append(ops, o...)
	}
	for _, r := range pciRegisters {
		ops = append(ops, pciRead(uint32(r.function), uint32(r.offset))...)
	}
	return append(ops, pciRead(1<<16, 0)...) // another bus
}
