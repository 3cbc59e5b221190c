package dom

import (
	"fmt"
	"math/bits"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Physical interrupts as dom0 of the judged machine meets them: a PC whose
// I/O APIC has 24 pins, none of which ever rises, because no device of the
// machine is dom0's. What can be seen of them is who has which.

const (
	gsis     = 24  // I/O APIC pins, numbered like their interrupts
	vectors  = 208 // that Xen gives to interrupts, on each processor
	domUMSI  = 32  // PIRQs of a domU beyond the GSIs
	maxPIRQs = gsis + 8*vectors
)

// nrIRQs is how many interrupts the machine may have, those of MSIs included
// (X/io_apic.c:init_ioapic_mappings).
func (d *Domain) nrIRQs() int { return max(d.PCPUs*vectors, 8*gsis) }

// IRQs that Xen itself uses.
const (
	irqTimer   = 0
	irqCascade = 2
	irqSerial  = 4
)

// pirqAllocated is the IRQ of a PIRQ that get_free_pirq gave out.
const pirqAllocated = -1

// PIRQ is a physical interrupt as the domain knows it.
type PIRQ struct {
	Known bool // Xen keeps a structure for it
	// IRQ is the interrupt it stands for, 0 none, pirqAllocated; negative
	// when it was unmapped while its port is still bound.
	IRQ  int16
	Port uint32 // 0 = not bound
}

// Interrupts is the state of all PIRQs, and of the machine's IRQs behind them.
type Interrupts struct {
	PIRQ   [maxPIRQs]PIRQ
	OfIRQ  [gsis]int16 // PIRQ that an IRQ has, 0 none; negative as in PIRQ.IRQ
	Denied [gsis]bool  // an unmapped IRQ is no longer the domain's
	Bound  [gsis]bool  // the domain handles it
	Unmask bool        // pirq_eoi_gmfn_v1: an EOI unmasks the port
	Pins   IOAPIC
}

// NrPIRQs is how many the domain may have (X/io_apic.c:arch_hwdom_irqs).
func (d *Domain) NrPIRQs() uint32 {
	if d.Privileged {
		return uint32(min(gsis+bits.Len(uint(d.PCPUs))*vectors, d.nrIRQs(), maxPIRQs))
	}
	return gsis + domUMSI
}

// mayUse reports whether IRQ irq is the domain's to use
// (XI/iocap.h:irq_access_permitted).
func (d *Domain) mayUse(irq int) bool {
	return d.Privileged && irq > 0 && irq < gsis && !d.IRQ.Denied[irq]
}

// inUseBy names the user in Xen of an IRQ.
func inUseBy(irq int) string {
	switch irq {
	case irqTimer:
		return "timer"
	case irqCascade:
		return "cascade"
	case irqSerial:
		return "ns16550"
	}
	return ""
}

// BindPIRQ opens a channel for a PIRQ (C/event_channel.c:evtchn_bind_pirq).
func (d *Domain) BindPIRQ(pirq uint32) (port uint32, err abi.Errno) {
	if pirq >= d.NrPIRQs() {
		return 0, abi.EINVAL
	}
	p := &d.IRQ.PIRQ[pirq]
	irq := int(p.IRQ)
	if !d.mayUse(irq) {
		return 0, abi.EPERM
	}
	if p.Port != 0 {
		return 0, abi.EEXIST
	}
	if port, err = d.FreePort(); err != 0 {
		return 0, err
	}
	if user := inUseBy(irq); user != "" {
		d.Print(fmt.Sprintf("Cannot bind IRQ%d to dom%d. In use by '%s'.", pirq, d.ID, user))
		return 0, abi.EBUSY
	}
	d.IRQ.Bound[irq] = true
	d.IRQ.Pins.startup(irq)
	d.showEOI(pirq, d.IRQ.Pins.level(irq))
	d.Open(port, Port{State: abi.EvtchnStatPIRQ, Peer: pirq})
	p.Port = port
	return port, 0
}

// showEOI tells in the page of pirq_eoi_gmfn, if there is one, whether a PIRQ
// needs an EOI: one bit each (X/irq.c:set_pirq_eoi, clear_pirq_eoi).
func (d *Domain) showEOI(pirq uint32, needs bool) {
	if d.PIRQEOIMap == 0 {
		return
	}
	pa, bit := d.PIRQEOIMap<<mem.PageShift+uint64(pirq/32)*4, uint32(1)<<(pirq%32)
	w := d.read32(pa) &^ bit
	if needs {
		w |= bit
	}
	d.write32(pa, w)
}

// unbindPIRQ is the end of a PIRQ's channel.
func (d *Domain) unbindPIRQ(pirq uint32) {
	p := &d.IRQ.PIRQ[pirq]
	p.Port = 0
	if p.IRQ < 0 { // unmapped before
		d.IRQ.OfIRQ[-p.IRQ] = 0
		*p = PIRQ{}
		return
	}
	d.stopIRQ(int(p.IRQ))
}

// CrashesXen reports whether closing an open port makes Xen 4.17 itself crash:
// its PIRQ was unmapped while bound, and then mapped again
// (X/irq.c:__pirq_guest_unbind, pirq_guest_unbind).
func (d *Domain) CrashesXen(p *Port) bool {
	if p.State != abi.EvtchnStatPIRQ {
		return false
	}
	irq := d.IRQ.PIRQ[p.Peer].IRQ
	return irq == 0 || irq > 0 && !d.IRQ.Bound[irq]
}

func (d *Domain) stopIRQ(irq int) {
	d.IRQ.Bound[irq] = false
	d.IRQ.Pins.shutdown(irq)
}

// EOI is PHYSDEVOP_eoi.
func (d *Domain) EOI(pirq uint32) abi.Errno {
	if pirq >= d.NrPIRQs() || !d.IRQ.PIRQ[pirq].Known {
		return abi.EINVAL
	}
	if p := d.IRQ.PIRQ[pirq].Port; d.IRQ.Unmask && p != 0 {
		d.Unmask(uint64(p))
	}
	return 0
}

// FreePIRQ finds a PIRQ that stands for nothing (X/irq.c:get_free_pirq).
func (d *Domain) FreePIRQ(gsi bool) (pirq int32, err abi.Errno) {
	free := func(i int) bool {
		if d.IRQ.PIRQ[i].IRQ != 0 {
			return false
		}
		d.IRQ.PIRQ[i].Known = true
		return true
	}
	for i := 16; gsi && i < gsis; i++ {
		if free(i) {
			return int32(i), 0
		}
	}
	for i := int(d.NrPIRQs()) - 1; i >= gsis; i-- {
		if free(i) {
			return int32(i), 0
		}
	}
	return 0, abi.ENOSPC
}

// AllocPIRQ is PHYSDEVOP_get_free_pirq.
func (d *Domain) AllocPIRQ(gsi bool) (pirq int32, err abi.Errno) {
	if pirq, err = d.FreePIRQ(gsi); err == 0 {
		d.IRQ.PIRQ[pirq].IRQ = pirqAllocated
	}
	return pirq, err
}

// MapGSI makes a PIRQ (negative: a free one) stand for an interrupt line
// (X/irq.c:allocate_and_map_gsi_pirq). It is for dom0.
func (d *Domain) MapGSI(gsi, pirq int32) (int32, abi.Errno) {
	if gsi < 0 || gsi >= gsis {
		return 0, abi.EINVAL
	}
	irq := int(gsi)
	if i := int(d.IRQ.PIRQ[gsi].IRQ); i > 0 {
		irq = i // a number of a PIRQ that is mapped means its interrupt
	}
	cur := int32(d.IRQ.OfIRQ[irq])
	switch {
	case pirq < 0 && cur < 0:
		return 0, abi.EBUSY
	case pirq < 0 && cur > 0:
		pirq = cur
	case pirq < 0:
		var err abi.Errno
		if pirq, err = d.FreePIRQ(true); err != 0 {
			return 0, err
		}
	case cur != 0 && pirq != cur:
		return 0, abi.EEXIST
	}
	return pirq, d.mapIRQ(pirq, irq)
}

// mapIRQ is X/irq.c:map_domain_pirq for a line.
func (d *Domain) mapIRQ(pirq int32, irq int) abi.Errno {
	if !d.mayUse(irq) {
		return abi.EPERM
	}
	if pirq < 0 || uint32(pirq) >= d.NrPIRQs() {
		return abi.EINVAL
	}
	p := &d.IRQ.PIRQ[pirq]
	if old := d.IRQ.OfIRQ[irq]; p.IRQ > 0 && int(p.IRQ) != irq || old != 0 && int32(old) != pirq {
		return 0 // mapped otherwise, and stays so
	}
	p.Known, p.IRQ = true, int16(irq)
	d.IRQ.OfIRQ[irq] = int16(pirq)
	return 0
}

// MapMSI answers a request for message-signalled interrupts: no device of the
// machine can send them, but what Xen asks before it finds that out is asked
// here too (X/irq.c:allocate_and_map_msi_pirq). Index is an interrupt, -1 for
// a new one; n is the number of vectors, multi whether several may be asked
// for.
func (d *Domain) MapMSI(index, pirq, n int32, multi bool) abi.Errno {
	irq, created := int(index), multi || index == -1
	if created {
		irq = d.IRQ.Pins.newIRQ(d.nrIRQs())
	}
	if irq < gsis || irq >= d.nrIRQs() {
		return abi.EINVAL
	}
	err := d.mapMSI(irq, pirq, n, multi)
	if err != 0 && created {
		d.IRQ.Pins.Vector[irq] = 0
	}
	return err
}

func (d *Domain) mapMSI(irq int, pirq, n int32, multi bool) (err abi.Errno) {
	if pirq < 0 {
		const maxMSI = 32
		switch {
		case !multi:
		case n <= 0 || n > maxMSI:
			return abi.EDOM
		case n != 1:
			return abi.EOPNOTSUPP // no interrupt remapping
		}
		if pirq, err = d.FreePIRQ(false); err != 0 {
			return err
		}
	}
	switch {
	case irq >= len(d.IRQ.Pins.Vector) || d.IRQ.Pins.Vector[irq] == 0:
		return abi.EPERM // nobody has been given that interrupt
	case uint32(pirq) >= d.NrPIRQs():
		return abi.EINVAL
	case d.IRQ.PIRQ[pirq].IRQ > 0:
		return 0 // mapped otherwise, and stays so; Xen loses the new interrupt
	}
	if p := &d.IRQ.PIRQ[pirq]; p.IRQ == 0 && p.Port == 0 {
		p.Known = false
	}
	return abi.ENODEV
}

// UnmapPIRQ takes a PIRQ's interrupt away for good (X/irq.c:
// unmap_domain_pirq).
func (d *Domain) UnmapPIRQ(pirq int32) abi.Errno {
	if pirq < 0 || uint32(pirq) >= d.NrPIRQs() || d.IRQ.PIRQ[pirq].IRQ <= 0 {
		return abi.EINVAL
	}
	p := &d.IRQ.PIRQ[pirq]
	irq := p.IRQ
	if d.IRQ.Bound[irq] {
		d.stopIRQ(int(irq))
		p.IRQ, d.IRQ.OfIRQ[irq] = -irq, int16(-pirq)
	} else {
		*p, d.IRQ.OfIRQ[irq] = PIRQ{Port: p.Port, Known: p.Port != 0}, 0
	}
	d.IRQ.Denied[irq] = true
	return 0
}

// SetupGSI is PHYSDEVOP_setup_gsi: a line is set up once
// (X/mpparse.c:mp_register_gsi).
func (d *Domain) SetupGSI(gsi uint32, level, low bool) abi.Errno {
	if gsi >= gsis {
		return abi.EINVAL
	}
	if !d.Privileged {
		return abi.EPERM
	}
	pins, irq := &d.IRQ.Pins, int(gsi)
	runs := d.IRQ.Bound[irq] || irq == irqTimer || irq == irqSerial
	if runs && pins.Vector[irq] != 0 || pins.Set[irq] {
		return abi.EEXIST
	}
	pins.Set[irq] = true
	pins.route(irq, level, low)
	return 0
}
