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
	Vector [irqs]uint8 // 0 = none yet
	Set    [gsis]bool  // by setup_gsi
	Last   uint8       // vector given out last
	Offset uint8
}

const (
	ioapicBase    = 0xfec00000
	ioapicVersion = 0x170020
	ioapicEntries = 0x10    // first register of the redirection entries
	ioapicTarget  = 1 << 24 // high word of an entry in use: CPU 0
	pinOfTimer    = 2       // the firmware's interrupt source override
	delivery      = 7 << 8  // delivery mode
	lowestPrio    = 1 << 8  // which Xen uses for all
	logicalDest   = 1 << 11 // so does this
	activeLow     = 1 << 13
	levelTrigger  = 1 << 15
	pinMasked     = 1 << 16
	readOnly      = 1<<12 | 1<<14 // delivery status, remote IRR
)

// newIOAPIC is what Xen and the firmware of the judged machine leave.
func newIOAPIC() (a IOAPIC) {
	vectors := [16]uint8{0xf0, 0x30, 0, 0x38, 0xf1, 0x40, 0x48, 0x50, 0x58, 0x60, 0x68, 0x70, 0x78, 0x88, 0x90, 0x98}
	copy(a.Vector[:], vectors[:])
	for pin := range a.Low {
		switch {
		case pin == 0 || pin >= len(vectors):
			a.Low[pin] = pinMasked
		case pin == pinOfTimer:
			a.Low[pin] = logicalDest | lowestPrio | uint32(vectors[irqTimer])
		default:
			a.Low[pin] = logicalDest | lowestPrio | uint32(vectors[pin])
		}
	}
	for _, pin := range [...]int{5, 9, 10, 11} {
		a.Low[pin] |= levelTrigger | pinMasked
	}
	a.Last = 0x98
	return a
}

// newIRQ makes an interrupt for an MSI, 0 when there is none left
// (X/irq.c:create_irq).
func (a *IOAPIC) newIRQ() int {
	for irq := gsis; irq < irqs; irq++ {
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
		a.Vector[irq] = a.nextVector()
	}
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
		a.Low[irq] &^= pinMasked
	}
}

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
	switch pin := int(n-ioapicEntries) / 2; {
	case n == 1:
		return ioapicVersion, 0
	case n < ioapicEntries || pin >= gsis:
		return 0, 0
	case n&1 == 0:
		return a.Low[pin], 0
	case a.Low[pin] != pinMasked:
		return ioapicTarget, 0
	}
	return 0, 0
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
		if pirq = int32(val & 0xff); pirq >= irqs {
			return abi.EINVAL, true
		}
	}
	if d.IRQ.Bound[irq] || inUseBy(irq) != "" {
		return 0, true // and nothing happens
	}
	if a.Vector[irq] == 0 {
		a.Vector[irq] = a.nextVector()
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
	a.Low[pin] = e
	return 0, true
}
