package dev

// The local APIC timer (SDM vol. 3, "APIC Timer"). Its input clock is QEMU's:
// 1 GHz, so that one cycle is one nanosecond.

// divider is the divide configuration register's value: bits 0, 1 and 3 hold
// the exponent less one, and all ones mean 1.
func (a *APIC) divider() uint64 {
	n := a.Divide&3 | a.Divide>>1&4
	return 1 << ((n + 1) & 7)
}

func (a *APIC) startTimer(initial uint32) {
	a.TimerInitial, a.TimerCount = initial, initial
	a.TimerOn = initial != 0
	a.TimerBase = a.d.now
}

// setDivide changes the pace and keeps the count.
func (a *APIC) setDivide(v uint32) {
	a.TimerCount = a.timerCurrent()
	a.TimerBase = a.d.now
	a.Divide = v & 0xb
}

func (a *APIC) timerCurrent() uint32 {
	if !a.TimerOn {
		return 0
	}
	gone := (a.d.now - a.TimerBase) / a.divider()
	if gone >= uint64(a.TimerCount) {
		return 0
	}
	return a.TimerCount - uint32(gone)
}

// timerDue is when the count reaches zero.
func (a *APIC) timerDue() uint64 {
	return after(a.TimerBase, uint64(a.TimerCount)*a.divider())
}

// timerNext is when the timer raises its interrupt; one that waits already in
// IRR would not be raised again.
func (a *APIC) timerNext() uint64 {
	e := a.LVT[lvtTimer]
	if !a.TimerOn || e&lvtMasked != 0 || !a.news(uint8(e)) {
		return never
	}
	return a.timerDue()
}

// advanceTimer ends a count that has come to zero. Periods that have gone by
// unseen are one interrupt: IRR has one bit.
func (a *APIC) advanceTimer() {
	if !a.TimerOn {
		return
	}
	due := a.timerDue()
	if a.d.now < due {
		return
	}
	if a.LVT[lvtTimer]&lvtPeriodic != 0 {
		period := uint64(a.TimerInitial) * a.divider()
		a.TimerBase = due + (a.d.now-due)/period*period
		a.TimerCount = a.TimerInitial
	} else {
		a.TimerOn = false
	}
	a.fire(lvtTimer)
}
