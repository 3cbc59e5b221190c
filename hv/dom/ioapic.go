package dom

import (
	"fmt"

	"pvlab/hypercall/abi"
)

// IOAPIC is the I/O APIC as PHYSDEVOP_apic_read shows it and apic_write and
// setup_gsi change it: the low word of each redirection entry, and the vector
// that Xen has chosen for each interrupt (X/io_apic.c).
type IOAPIC struct {
	Low    [gsis]uint32
	High   [gsis]uint8           // the processors that an entry sends to, of the first 8
	Vector [gsis + vectors]uint8 // 0 = none yet; there are no more than vectors
	Dest   [gsis]uint8           // the processors that have a line's vector
	Set    [gsis]bool            // by setup_gsi
	Last   uint8                 // vector given out last
	Offset uint8
	All    uint8 // all processors
}

const (
	ioapicBase    = 0xfec00000
	ioapicVersion = 0x170020
	ioapicEntries = 0x10    // first register of the redirection entries
	ioapicTarget  = 24      // the processors in the high word of an entry
	pinOfTimer    = 2       // the firmware's interrupt source override
	delivery      = 7 << 8  // delivery mode
	lowestPrio    = 1 << 8  // which Xen uses for all
	logicalDest   = 1 << 11 // so does this
	activeLow     = 1 << 13
	levelTrigger  = 1 << 15
	pinMasked     = 1 << 16
	readOnly      = 1<<12 | 1<<14 // delivery status, remote IRR
)

// newIOAPIC is what Xen and the firmware of the judged machine leave, with
// this many processors: the lines were set up when there was one, but for
// Xen's serial port.
func newIOAPIC(cpus int) (a IOAPIC) {
	legacy := [16]uint8{0xf0, 0x30, 0, 0x38, 0xf1, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x88, 0x90, 0x98}
	copy(a.Vector[:], legacy[:])
	for pin := range a.Low {
		switch {
		case pin == 0 || pin >= len(legacy):
			a.Low[pin] = pinMasked
		case pin == pinOfTimer:
			a.Low[pin] = logicalDest | lowestPrio | uint32(legacy[irqTimer])
		default:
			a.Low[pin] = logicalDest | lowestPrio | uint32(legacy[pin])
		}
		if pin != 0 && pin < len(legacy) {
			a.High[pin], a.Dest[pin] = 1, 1
		}
	}
	a.Dest[pinOfTimer] = 0 // line 2 has no vector
	a.All = uint8(1<<min(cpus, 8) - 1)
	a.High[irqSerial], a.Dest[irqSerial] = a.All, a.All
	for _, pin := range [...]int{5, 9, 10, 11} {
		a.Low[pin] |= levelTrigger | pinMasked
	}
	a.Last = 0x98
	return a
}

// newIRQ makes an interrupt for an MSI, 0 when there is none left
// (X/irq.c:create_irq).
func (a *IOAPIC) newIRQ(n int) int {
	for irq := gsis; irq < min(n, len(a.Vector)); irq++ {
		if a.Vector[irq] == 0 {
			if a.Vector[irq] = a.nextVector(); a.Vector[irq] != 0 {
				return irq
			}
			return 0
		}
	}
	return 0
}

// nextVector chooses a vector for an interrupt (X/irq.c:_assign_irq_vector).
func (a *IOAPIC) nextVector() uint8 {
	const (
		first, last  = 0x20, 0xef
		legacyEnd    = 0x2f
		int80, hcall = 0x80, 0x82
	)
	v, off := int(a.Last), int(a.Offset)
next:
	for {
		if v += 8; v > last {
			off = (off + 1) % 8
			v = first + off
		}
		if v == int(a.Last) {
			return 0
		}
		if v <= legacyEnd || v == int80 || v == hcall {
			continue
		}
		for _, used := range a.Vector {
			if int(used) == v {
				continue next
			}
		}
		a.Last, a.Offset = uint8(v), uint8(off)
		return uint8(v)
	}
}

// route makes an entry for the line, masked.
func (a *IOAPIC) route(irq int, level, low bool) {
	if a.Vector[irq] == 0 {
		a.Vector[irq], a.Dest[irq] = a.nextVector(), a.All
	}
	a.High[irq] = a.Dest[irq]
	e := pinMasked | logicalDest | lowestPrio | uint32(a.Vector[irq])
	if level {
		e |= levelTrigger
	}
	if low {
		e |= activeLow
	}
	a.Low[irq] = e
}

// startup and shutdown are what binding and unbinding an interrupt do to its
// pin: an edge stays open.
func (a *IOAPIC) startup(irq int) {
	if a.Vector[irq] != 0 {
		a.High[irq] = 1 // vCPU 0's
		a.Low[irq] &^= pinMasked
	}
}

// level reports whether an interrupt is handled as a level.
func (a *IOAPIC) level(irq int) bool { return a.Vector[irq] != 0 && a.Low[irq]&levelTrigger != 0 }

func (a *IOAPIC) shutdown(irq int) {
	if a.Low[irq]&levelTrigger != 0 {
		a.Low[irq] |= pinMasked
	}
}

// ApicRead is PHYSDEVOP_apic_read; the I/O APIC takes the low byte of the
// register's number.
func (d *Domain) ApicRead(base uint64, reg uint32) (uint32, abi.Errno) {
	if base != ioapicBase {
		return 0, abi.EINVAL
	}
	a, n := &d.IRQ.Pins, reg&0xff
	pin := int(n-ioapicEntries) / 2
	switch {
	case n == 1:
		return ioapicVersion, 0
	case n < ioapicEntries || pin >= gsis:
		return 0, 0
	case n&1 == 0:
		return a.Low[pin], 0
	}
	return uint32(a.High[pin]) << ioapicTarget, 0
}

// ApicWrite is PHYSDEVOP_apic_write: the low word of an entry, whose vector is
// the number of the PIRQ that the interrupt shall be (X/io_apic.c:
// ioapic_guest_write). There is nothing behind pin 23: ok is false for what
// makes Xen itself crash.
func (d *Domain) ApicWrite(base uint64, reg, val uint32) (err abi.Errno, ok bool) {
	if base != ioapicBase {
		return abi.EINVAL, true
	}
	if reg < ioapicEntries || reg&1 != 0 {
		return 0, true
	}
	pin := (reg - ioapicEntries) / 2
	if val&delivery > lowestPrio {
		d.Print("ERROR: Attempt to write weird IOAPIC destination mode!")
		d.Print(fmt.Sprintf("       APIC=0/%d, lo-reg=%x", pin, val))
		return abi.EINVAL, true
	}
	if pin >= gsis {
		return 0, false
	}
	a, irq := &d.IRQ.Pins, int(pin)
	if pin == pinOfTimer {
		irq = irqTimer
	}
	pirq := int32(-1)
	if val&pinMasked == 0 {
		if pirq = int32(val & 0xff); pirq >= int32(d.NrPIRQs()) {
			return abi.EINVAL, true
		}
	}
	if d.IRQ.Bound[irq] || inUseBy(irq) != "" {
		return 0, true // and nothing happens
	}
	if a.Vector[irq] == 0 {
		a.Vector[irq], a.Dest[irq] = a.nextVector(), a.All
		d.Print(fmt.Sprintf("allocated vector %02x for irq %d", a.Vector[irq], irq))
	}
	if pirq >= 0 {
		if err := d.mapIRQ(pirq, irq); err != 0 {
			return err, true
		}
	}
	e := val&^(readOnly|delivery|pinMasked|0xff) | logicalDest | lowestPrio | uint32(a.Vector[irq])
	if e&levelTrigger != 0 {
		e |= pinMasked
	}
	a.Low[pin], a.High[pin] = e, a.Dest[irq]
	return 0, true
}
