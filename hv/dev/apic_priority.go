package dev

import "math/bits"

// Acceptance, priorities and end of interrupt (SDM vol. 3, "Handling
// Interrupts").

// highest returns the highest vector whose bit is set.
func highest(r *[8]uint32) (vector uint8, ok bool) {
	for i := 7; i >= 0; i-- {
		if r[i] != 0 {
			return uint8(i*32 + 31 - bits.LeadingZeros32(r[i])), true
		}
	}
	return 0, false
}

func setBit(r *[8]uint32, v uint8)   { r[v>>5] |= 1 << (v & 31) }
func clearBit(r *[8]uint32, v uint8) { r[v>>5] &^= 1 << (v & 31) }
func hasBit(r *[8]uint32, v uint8) bool {
	return r[v>>5]>>(v&31)&1 != 0
}

// ppr is the processor priority: the higher class of TPR and the interrupt in
// service.
func (a *APIC) ppr() uint8 {
	served, _ := highest(&a.ISR)
	if a.TPR>>4 >= served>>4 {
		return a.TPR
	}
	return served & 0xf0
}

// accept takes a fixed interrupt into IRR.
func (a *APIC) accept(vector uint8, level bool) {
	if !a.Enabled() || !a.swEnabled() {
		return
	}
	if vector < 16 {
		a.error(esrReceiveVector)
		return
	}
	setBit(&a.IRR, vector)
	if level {
		setBit(&a.TMR, vector)
	} else {
		clearBit(&a.TMR, vector)
	}
	a.update()
}

// news reports whether accept(vector) would change anything.
func (a *APIC) news(vector uint8) bool {
	switch {
	case !a.Enabled() || !a.swEnabled():
		return false
	case vector < 16:
		return a.Errors&esrReceiveVector == 0
	}
	return !hasBit(&a.IRR, vector)
}

// own is the vector of IRR that the priorities let through.
func (a *APIC) own() (uint8, bool) {
	if !a.Enabled() || !a.swEnabled() {
		return 0, false
	}
	v, ok := highest(&a.IRR)
	return v, ok && v>>4 > a.ppr()>>4
}

// hearsPIC reports whether the 8259 pair's INT reaches the processor at all.
func (a *APIC) hearsPIC() bool {
	if !a.Enabled() {
		return a.cpu == 0 // the pin is INTR then
	}
	return a.LVT[lvtLINT0]&lvtMasked == 0
}

// external reports a request of the 8259 pair for this processor. The task
// priority does not hold it back ("ExtINT").
func (a *APIC) external() bool {
	if !a.LINT0 || !a.hearsPIC() {
		return false
	}
	return !a.Enabled() || a.LVT[lvtLINT0]>>8&7 == modeExtINT
}

// Pending returns the interrupt that the processor would get if it took one
// now.
func (a *APIC) Pending() (vector uint8, ok bool) {
	if v, ok := a.own(); ok {
		return v, true
	}
	if a.external() {
		return a.d.pic.vector(), true
	}
	return 0, false
}

// Accept tells that the processor has taken the interrupt that Pending
// returned: it is in service now.
func (a *APIC) Accept(vector uint8) {
	if v, ok := a.own(); ok && v == vector {
		clearBit(&a.IRR, v)
		setBit(&a.ISR, v)
		a.update()
		return
	}
	if a.external() {
		a.d.pic.acknowledge()
	}
}

// eoi ends the interrupt of the highest priority in service.
func (a *APIC) eoi() {
	v, ok := highest(&a.ISR)
	if !ok {
		return
	}
	clearBit(&a.ISR, v)
	if hasBit(&a.TMR, v) {
		a.d.ioapic.eoi(v)
		if l := &a.LVT[lvtLINT0]; *l&lvtRemote != 0 && uint8(*l) == v {
			*l &^= lvtRemote
			a.serveLINT0(false)
		}
	}
}

// SetTPR sets the task priority as MOV to CR8 does; class is 0 to 15.
func (a *APIC) SetTPR(class uint8) {
	a.TPR = class << 4
	a.update()
}

// update tells the machine when an interrupt has become or ceased to be
// deliverable.
func (a *APIC) update() {
	_, ok := a.Pending()
	if ok != a.deliverable {
		a.deliverable = ok
		a.d.cfg.Signals.Interrupt(a.cpu, ok)
	}
}

// fire raises an interrupt of the local vector table.
func (a *APIC) fire(i int) {
	e := a.LVT[i]
	if e&lvtMasked != 0 {
		return
	}
	mode := uint8(e >> 8 & 7)
	if i == lvtTimer || i == lvtError {
		mode = modeFixed // these entries have no mode
	}
	switch mode {
	case modeFixed:
		a.accept(uint8(e), e&lvtLevel != 0 && i == lvtLINT0)
	case modeNMI:
		a.d.cfg.Signals.NMI(a.cpu)
	case modeINIT:
		a.receiveInit()
	case modeExtINT: // a level that Pending looks at
	default:
		a.d.unmodelled("local APIC %d: LVT entry %d with delivery mode %d", a.ID, i, mode)
	}
}

// setLINT0 drives the pin that the 8259 pair is connected to.
func (a *APIC) setLINT0(level bool) {
	rising := level && !a.LINT0
	a.LINT0 = level
	a.serveLINT0(rising)
	a.update()
}

// serveLINT0 raises what LINT0 asks for in the modes other than ExtINT.
func (a *APIC) serveLINT0(rising bool) {
	e := &a.LVT[lvtLINT0]
	mode := *e >> 8 & 7
	if !a.Enabled() || *e&lvtMasked != 0 || mode == modeExtINT {
		return
	}
	if *e&lvtLevel == 0 || mode != modeFixed { // NMI and INIT are edges always
		if rising {
			a.fire(lvtLINT0)
		}
		return
	}
	if a.LINT0 && *e&lvtRemote == 0 {
		*e |= lvtRemote
		a.fire(lvtLINT0)
	}
}
