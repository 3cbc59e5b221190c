package dev

import (
	"fmt"
	"slices"
)

// State is everything that a snapshot keeps of the devices: plain values.
type State struct {
	Now    uint64 // virtual time (ns) up to which timers have been run
	APIC   []APICState
	Master PICState
	Slave  PICState
	IOAPIC IOAPICState
	PIT    PITState
	RTC    RTCState
	UART   UARTState
	KBC    KBCState
	PM     PMState
	PCI    PCIState
}

// Save copies the state of all devices.
func (d *Devices) Save() State {
	s := State{
		Now:    d.now,
		APIC:   make([]APICState, len(d.apics)),
		Master: d.pic.master.PICState,
		Slave:  d.pic.slave.PICState,
		IOAPIC: d.ioapic.IOAPICState,
		PIT:    d.pit.PITState,
		RTC:    d.rtc.RTCState,
		UART:   d.uart.UARTState,
		KBC:    d.kbc.KBCState,
		PM:     d.pm.PMState,
		PCI:    d.pci.PCIState,
	}
	for i := range d.apics {
		s.APIC[i] = d.apics[i].APICState
	}
	s.UART.Queue = slices.Clone(s.UART.Queue)
	return s
}

// Load puts a saved state back, and tells the machine by Signals.Interrupt
// which CPUs have an interrupt to take and by Signals.Timer that NextEvent is
// another. The machine's clock must say the state's time again. An error
// means that the state is of a machine with another number of CPUs; nothing
// was changed.
func (d *Devices) Load(s State) error {
	if len(s.APIC) != len(d.apics) {
		return fmt.Errorf("dev: state of %d CPUs for a machine with %d", len(s.APIC), len(d.apics))
	}
	d.now = s.Now
	d.pic.master.PICState = s.Master
	d.pic.slave.PICState = s.Slave
	d.ioapic.IOAPICState = s.IOAPIC
	d.pit.PITState = s.PIT
	d.rtc.RTCState = s.RTC
	d.uart.UARTState = s.UART
	d.uart.Queue = slices.Clone(s.UART.Queue)
	d.kbc.KBCState = s.KBC
	d.pm.PMState = s.PM
	d.pci.PCIState = s.PCI
	for i := range d.apics {
		a := &d.apics[i]
		a.APICState = s.APIC[i]
		_, a.deliverable = a.Pending()
		d.cfg.Signals.Interrupt(i, a.deliverable)
	}
	d.announced = never
	d.announce()
	return nil
}
