package dev

// The local APIC by MSRs (SDM vol. 3, "Extended XAPIC (x2APIC)").

// x2Reserved are the bits of a writable register whose setting is #GP(0);
// registers that are not listed cannot be written in x2APIC mode.
var x2Reserved = [...]struct {
	first, last uint32
	reserved    uint64
}{
	{regTPR, regTPR, ^uint64(0xff)},
	{regEOI, regEOI, ^uint64(0)},
	{regSVR, regSVR, ^uint64(0x1ff)},
	{regESR, regESR, ^uint64(0)},
	{regICR, regICR, ^uint64(0xffffffff_000ccfff)},
	{regLVT + lvtTimer, regLVT + lvtTimer, ^uint64(0x310ff)},
	{regLVT + lvtThermal, regLVT + lvtPerf, ^uint64(0x117ff)},
	{regLVT + lvtLINT0, regLVT + lvtLINT1, ^uint64(0x1f7ff)},
	{regLVT + lvtError, regLVT + lvtError, ^uint64(0x110ff)},
	{regTimerInitial, regTimerInitial, ^uint64(0xffffffff)},
	{regDivide, regDivide, ^uint64(0xb)},
	{regSelfIPI, regSelfIPI, ^uint64(0xff)},
}

func (a *APIC) readMSR(r uint32) (uint64, bool) {
	if !a.x2() || r == regDFR || r == regICRHigh || r == regSelfIPI {
		return 0, false
	}
	return a.read(r)
}

func (a *APIC) writeMSR(r uint32, v uint64) bool {
	if !a.x2() {
		return false
	}
	for _, w := range x2Reserved {
		if r < w.first || r > w.last {
			continue
		}
		if v&w.reserved != 0 {
			return false
		}
		switch r {
		case regICR:
			a.ICR = v &^ (1 << 12)
			a.sendICR()
			return true
		case regSelfIPI:
			if v < 16 {
				a.error(esrSendVector)
			} else {
				a.accept(uint8(v), false)
			}
			return true
		}
		return a.write(r, uint32(v))
	}
	return false
}

// writeBase writes IA32_APIC_BASE; false is #GP(0), and the width of physical
// addresses is the CPU's to check. The allowed transitions
// are those of "x2APIC State Transitions".
func (a *APIC) writeBase(v uint64) bool {
	const bits = baseBSP | baseX2APIC | baseEnable
	if v&0xfff&^bits != 0 {
		return false
	}
	on, x2 := v&baseEnable != 0, v&baseX2APIC != 0
	switch {
	case x2 && (!on || !a.d.cfg.X2APIC):
		return false
	case x2 && !a.Enabled(): // only by way of xAPIC mode
		return false
	case !x2 && on && a.x2(): // only by way of off
		return false
	}
	wasX2 := a.x2()
	a.Base = v&^baseBSP | a.Base&baseBSP
	switch {
	case !on:
		a.init()
	case x2 && !wasX2:
		a.ID = uint32(a.cpu)
		a.ICR &= 0xffffffff
	}
	a.update()
	a.d.cfg.Signals.Moved(a.cpu)
	return true
}
