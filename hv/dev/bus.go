package dev

import (
	"pvlab/hv/cpu"
	"pvlab/hv/x86"
)

// Bus is what lies beyond memory as one processor sees it.
type Bus struct {
	d    *Devices
	apic *APIC
}

var _ cpu.Bus = (*Bus)(nil)

// portRange is a row of the port table: who answers from first to last.
type portRange struct {
	first, last uint16
	// wide devices get an access of 2 or 4 bytes as one; others see one byte
	// after the other, as a bus controller splits it for an 8-bit ISA device.
	wide bool
	in   func(d *Devices, port uint16, size int) uint32
	out  func(d *Devices, port uint16, size int, v uint32)
}

func picIn(d *Devices, p uint16, n int) uint32      { return d.pic.in(p, n) }
func picOut(d *Devices, p uint16, n int, v uint32)  { d.pic.out(p, n, v) }
func pitIn(d *Devices, p uint16, n int) uint32      { return d.pit.in(p, n) }
func pitOut(d *Devices, p uint16, n int, v uint32)  { d.pit.out(p, n, v) }
func kbcIn(d *Devices, p uint16, n int) uint32      { return d.kbc.in(p, n) }
func kbcOut(d *Devices, p uint16, n int, v uint32)  { d.kbc.out(p, n, v) }
func rtcIn(d *Devices, p uint16, n int) uint32      { return d.rtc.in(p, n) }
func rtcOut(d *Devices, p uint16, n int, v uint32)  { d.rtc.out(p, n, v) }
func uartIn(d *Devices, p uint16, n int) uint32     { return d.uart.in(p, n) }
func uartOut(d *Devices, p uint16, n int, v uint32) { d.uart.out(p, n, v) }
func miscIn(d *Devices, p uint16, n int) uint32     { return d.pm.inPort(p, n) }
func miscOut(d *Devices, p uint16, n int, v uint32) { d.pm.outPort(p, n, v) }
func pciIn(d *Devices, p uint16, n int) uint32      { return d.pci.in(p, n) }
func pciOut(d *Devices, p uint16, n int, v uint32)  { d.pci.out(p, n, v) }

// post is port 80h, where firmware shows how far it came: nobody looks.
func postIn(*Devices, uint16, int) uint32   { return 0xff }
func postOut(*Devices, uint16, int, uint32) {}

// ports is sorted. Where ranges overlap, the narrower access wins (CF9h is a
// byte inside the PCI address register's dword).
var ports = [...]portRange{
	{0x20, 0x21, false, picIn, picOut},
	{0x40, 0x43, false, pitIn, pitOut},
	{0x60, 0x60, false, kbcIn, kbcOut},
	{0x61, 0x61, false, pitIn, pitOut},
	{0x64, 0x64, false, kbcIn, kbcOut},
	{0x70, 0x71, false, rtcIn, rtcOut},
	{0x80, 0x80, false, postIn, postOut},
	{portPort92, portPort92, false, miscIn, miscOut},
	{0xa0, 0xa1, false, picIn, picOut},
	{portAPMControl, portAPMStatus, false, miscIn, miscOut},
	{uartBase, uartBase + 7, false, uartIn, uartOut},
	{0x4d0, 0x4d1, false, picIn, picOut},
	{portPCIAddress, portPCIAddress + 3, true, pciIn, pciOut},
	{portPCIData, portPCIData + 3, true, pciIn, pciOut},
}

// reset9 is the byte at CF9h.
var reset9 = portRange{portReset, portReset, false, miscIn, miscOut}

// pmPorts is the power management block, wherever PMBASE puts it.
var pmPorts = portRange{0, 0xffff, true,
	func(d *Devices, p uint16, n int) uint32 { return d.pm.in(p, n) },
	func(d *Devices, p uint16, n int, v uint32) { d.pm.out(p, n, v) }}

// find returns who answers at port, or nil.
func (d *Devices) find(port uint16, size int) *portRange {
	if port == portReset && size == 1 {
		return &reset9
	}
	lo, hi := 0, len(ports)
	for lo < hi {
		if m := (lo + hi) / 2; ports[m].last < port {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo < len(ports) && ports[lo].first <= port {
		return &ports[lo]
	}
	if d.pm.decodes(port) {
		return &pmPorts
	}
	return nil
}

// ones is what an open bus reads as.
func ones(size int) uint64 { return ^uint64(0) >> (64 - 8*uint(size)) }

// In reads a port.
func (b *Bus) In(port uint16, size int) uint32 {
	b.d.sync()
	return b.in(port, size) & uint32(ones(size))
}

func (b *Bus) in(port uint16, size int) uint32 {
	r := b.d.find(port, size)
	if size > 1 && (r == nil || !r.wide || uint32(port)+uint32(size) > uint32(r.last)+1) {
		v := b.in(port, size/2) & uint32(ones(size/2))
		return v | b.in(port+uint16(size/2), size/2)<<(4*size)
	}
	if r == nil {
		b.d.quiet.port(b.d, port, "read of a port where nothing is")
		return 0xff
	}
	return r.in(b.d, port, size)
}

// Out writes a port.
func (b *Bus) Out(port uint16, size int, v uint32) {
	b.d.sync()
	b.out(port, size, v&uint32(ones(size)))
	b.d.announce()
}

func (b *Bus) out(port uint16, size int, v uint32) {
	r := b.d.find(port, size)
	if size > 1 && (r == nil || !r.wide || uint32(port)+uint32(size) > uint32(r.last)+1) {
		b.out(port, size/2, v&uint32(ones(size/2)))
		b.out(port+uint16(size/2), size/2, v>>(4*size))
		return
	}
	if r == nil {
		b.d.quiet.port(b.d, port, "write to a port where nothing is")
		return
	}
	r.out(b.d, port, size, v)
}

// ReadPhys reads device memory.
func (b *Bus) ReadPhys(pa uint64, size int) uint64 {
	b.d.sync()
	if base, ok := b.apic.Registers(); ok && pa-base < 0x1000 {
		return b.apic.readMMIO(pa-base, size)
	}
	if pa-ioapicBase < 0x1000 {
		return uint64(b.d.ioapic.read((pa - ioapicBase) & 0xff))
	}
	b.d.quiet.phys(b.d, pa, "read of a physical address where nothing is")
	return ones(size)
}

// WritePhys writes device memory.
func (b *Bus) WritePhys(pa uint64, size int, v uint64) {
	b.d.sync()
	switch base, ok := b.apic.Registers(); {
	case ok && pa-base < 0x1000:
		b.apic.writeMMIO(pa-base, size, v)
	case pa-ioapicBase < 0x1000:
		b.d.ioapic.write((pa-ioapicBase)&0xff, uint32(v))
	default:
		b.d.quiet.phys(b.d, pa, "write to a physical address where nothing is")
	}
	b.d.announce()
}

// ReadMSR serves the APIC's registers and the time-stamp counter; false means
// #GP(0).
func (b *Bus) ReadMSR(n uint32) (uint64, bool) {
	b.d.sync()
	switch {
	case n == x86.MSRTSC:
		return b.tsc(), true
	case n == x86.MSRAPICBase:
		return b.apic.Base, true
	case n >= x86.MSRX2APICFirst && n <= x86.MSRX2APICLast:
		return b.apic.readMSR(n - x86.MSRX2APICFirst)
	}
	return 0, false
}

// WriteMSR is ReadMSR's counterpart.
func (b *Bus) WriteMSR(n uint32, v uint64) bool {
	b.d.sync()
	defer b.d.announce()
	switch {
	case n == x86.MSRTSC:
		b.apic.TSCOffset += v - b.tsc()
		return true
	case n == x86.MSRAPICBase:
		return b.apic.writeBase(v)
	case n >= x86.MSRX2APICFirst && n <= x86.MSRX2APICLast:
		return b.apic.writeMSR(n-x86.MSRX2APICFirst, v)
	}
	return false
}

// SetTPR sets the task priority as MOV to CR8 does; class is 0 to 15.
func (b *Bus) SetTPR(class uint8) {
	b.apic.SetTPR(class)
	b.d.announce()
}

// CPUID answers a leaf.
func (b *Bus) CPUID(leaf, sub uint32) (eax, ebx, ecx, edx uint32) {
	if b.d.cfg.CPUID == nil {
		return 0, 0, 0, 0
	}
	return b.d.cfg.CPUID(b.apic.cpu, leaf, sub)
}

// TSC is the time-stamp counter of this CPU.
func (b *Bus) TSC() uint64 {
	b.d.sync()
	return b.tsc()
}

func (b *Bus) tsc() uint64 { return ticksAt(b.d.now, b.d.cfg.TSCHz) + b.apic.TSCOffset }
