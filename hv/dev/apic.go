package dev

// Local APIC: SDM vol. 3, chapter "Advanced Programmable Interrupt Controller".

// Register numbers: MMIO offset / 16, and x2APIC MSR number - 800h.
const (
	regID           = 0x02
	regVersion      = 0x03
	regTPR          = 0x08
	regAPR          = 0x09
	regPPR          = 0x0a
	regEOI          = 0x0b
	regRRD          = 0x0c
	regLDR          = 0x0d
	regDFR          = 0x0e
	regSVR          = 0x0f
	regISR          = 0x10 // eight registers each
	regTMR          = 0x18
	regIRR          = 0x20
	regESR          = 0x28
	regICR          = 0x30
	regICRHigh      = 0x31
	regLVT          = 0x32 // six registers
	regTimerInitial = 0x38
	regTimerCurrent = 0x39
	regDivide       = 0x3e
	regSelfIPI      = 0x3f // x2APIC only
)

// Indices of the local vector table.
const (
	lvtTimer = iota
	lvtThermal
	lvtPerf
	lvtLINT0
	lvtLINT1
	lvtError
	lvtCount
)

const (
	lvtMasked   = 1 << 16
	lvtPeriodic = 1 << 17
	lvtRemote   = 1 << 14
	lvtLevel    = 1 << 15

	svrEnable = 1 << 8

	// apicVersion: integrated APIC, six LVT entries (bits 16-23 hold the
	// highest index), no EOI broadcast suppression.
	apicVersion = 0x14 | (lvtCount-1)<<16

	baseBSP    = 1 << 8
	baseX2APIC = 1 << 10
	baseEnable = 1 << 11
	// APICDefaultBase is where the registers are after reset.
	APICDefaultBase = 0xfee00000
)

// Bits of the error status register.
const (
	esrSendVector    = 1 << 5
	esrReceiveVector = 1 << 6
	esrRegister      = 1 << 7
)

// lvtWritable are the bits of each entry that software sets; the others are
// reserved or read-only.
var lvtWritable = [lvtCount]uint32{
	lvtTimer:   0x000300ff, // vector, mask, periodic; no TSC-deadline mode
	lvtThermal: 0x000107ff,
	lvtPerf:    0x000107ff,
	lvtLINT0:   0x0001a7ff, // in addition polarity and trigger mode
	lvtLINT1:   0x0001a7ff,
	lvtError:   0x000100ff,
}

// APICState is one local APIC. Bit n of ISR, TMR and IRR is vector n, 32 to a
// word as the registers have them.
type APICState struct {
	Base          uint64 // IA32_APIC_BASE
	ID            uint32
	TPR           uint8
	LDR, DFR, SVR uint32
	ISR, TMR, IRR [8]uint32
	ESR           uint32 // as read
	Errors        uint32 // collected since ESR was last written
	ICR           uint64
	LVT           [lvtCount]uint32
	LINT0         bool // level of the pin: the 8259 pair's INT

	TimerInitial uint32
	Divide       uint32 // divide configuration register
	// The timer's count was TimerCount at TimerBase (ns) and runs down by one
	// each divided cycle while TimerOn.
	TimerOn    bool
	TimerCount uint32
	TimerBase  uint64

	// TSCOffset is what WRMSR to the time-stamp counter added to it.
	TSCOffset uint64
}

// APIC is one processor's local APIC.
type APIC struct {
	d   *Devices
	cpu int
	APICState
	deliverable bool // as last told by Signals.Interrupt
}

// powerOn sets the state after a reset of the machine.
func (a *APIC) powerOn() {
	a.APICState = APICState{Base: APICDefaultBase | baseEnable, ID: uint32(a.cpu)}
	if a.cpu == 0 {
		a.Base |= baseBSP
	}
	a.init()
}

// init sets the state after an INIT: all but the base and the ID ("Local APIC
// State After It Receives an INIT-Reset").
func (a *APIC) init() {
	a.APICState = APICState{Base: a.Base, ID: a.ID, LINT0: a.LINT0, TSCOffset: a.TSCOffset,
		DFR: 0xffffffff, SVR: 0xff}
	for i := range a.LVT {
		a.LVT[i] = lvtMasked
	}
}

// Enabled reports whether IA32_APIC_BASE enables the APIC.
func (a *APIC) Enabled() bool { return a.Base&baseEnable != 0 }

// Registers returns where the memory-mapped registers are (one page); false
// when there are none, because the APIC is off or in x2APIC mode.
func (a *APIC) Registers() (pa uint64, ok bool) {
	return a.Base &^ 0xfff, a.Enabled() && !a.x2()
}

func (a *APIC) x2() bool        { return a.Base&baseX2APIC != 0 }
func (a *APIC) swEnabled() bool { return a.SVR&svrEnable != 0 }

// readMMIO reads the register at an offset of the page. Only aligned 32-bit
// reads are defined; as on QEMU others read as zero.
func (a *APIC) readMMIO(offset uint64, size int) uint64 {
	if size != 4 || offset&15 != 0 {
		a.d.cfg.Log.Debug().Int("cpu", a.cpu).Uint64("offset", offset).Int("size", size).
			Msg("undefined read of local APIC registers")
		return 0
	}
	r := uint32(offset >> 4)
	if r == regSelfIPI {
		a.error(esrRegister)
		return 0
	}
	v, ok := a.read(r)
	if !ok {
		a.error(esrRegister)
	}
	return uint64(uint32(v))
}

func (a *APIC) writeMMIO(offset uint64, size int, v uint64) {
	if size != 4 || offset&15 != 0 {
		a.d.cfg.Log.Debug().Int("cpu", a.cpu).Uint64("offset", offset).Int("size", size).
			Msg("undefined write of local APIC registers")
		return
	}
	r := uint32(offset >> 4)
	switch r {
	case regID:
		a.ID = uint32(v) >> 24
	case regLDR:
		a.LDR = uint32(v) & 0xff000000
	case regDFR:
		a.DFR = uint32(v) | 0x0fffffff
	case regICR:
		a.ICR = a.ICR&^0xffffffff | v&0xccfff
		a.sendICR()
	case regICRHigh:
		a.ICR = a.ICR&0xffffffff | v&0xff000000<<32
	case regSelfIPI:
		a.error(esrRegister)
	default:
		if !a.write(r, uint32(v)) {
			a.error(esrRegister)
		}
	}
}

// read returns a register in either form; false for one that cannot be read.
func (a *APIC) read(r uint32) (uint64, bool) {
	switch {
	case r == regID && !a.x2():
		return uint64(a.ID) << 24, true
	case r == regID:
		return uint64(a.ID), true
	case r == regVersion:
		return apicVersion, true
	case r == regTPR:
		return uint64(a.TPR), true
	case r == regPPR:
		return uint64(a.ppr()), true
	case r == regLDR && a.x2(): // "Logical x2APIC ID"
		return uint64(a.ID>>4<<16 | 1<<(a.ID&15)), true
	case r == regLDR:
		return uint64(a.LDR), true
	case r == regDFR:
		return uint64(a.DFR), true
	case r == regSVR:
		return uint64(a.SVR), true
	case r >= regISR && r < regTMR:
		return uint64(a.ISR[r-regISR]), true
	case r >= regTMR && r < regIRR:
		return uint64(a.TMR[r-regTMR]), true
	case r >= regIRR && r < regESR:
		return uint64(a.IRR[r-regIRR]), true
	case r == regESR:
		return uint64(a.ESR), true
	case r == regICR:
		return a.ICR, true
	case r == regICRHigh:
		return a.ICR >> 32, true
	case r >= regLVT && r < regLVT+lvtCount:
		return uint64(a.LVT[r-regLVT]), true
	case r == regTimerInitial:
		return uint64(a.TimerInitial), true
	case r == regTimerCurrent:
		return uint64(a.timerCurrent()), true
	case r == regDivide:
		return uint64(a.Divide), true
	case (r == regAPR || r == regRRD || r == regEOI) && !a.x2(): // of no use since the P6 bus
		return 0, true
	}
	return 0, false
}

// write sets a register whose two forms agree; false for one that cannot be
// written.
func (a *APIC) write(r uint32, v uint32) bool {
	switch {
	case r == regTPR:
		a.TPR = uint8(v)
		a.d.cfg.Signals.TPR(a.cpu, a.TPR>>4)
	case r == regEOI:
		a.eoi()
	case r == regSVR:
		a.SVR = v & 0x1ff
		if !a.swEnabled() {
			for i := range a.LVT {
				a.LVT[i] |= lvtMasked
			}
		}
	case r == regESR:
		a.ESR, a.Errors = a.Errors, 0
	case r >= regLVT && r < regLVT+lvtCount:
		a.writeLVT(int(r-regLVT), v)
	case r == regTimerInitial:
		a.startTimer(v)
	case r == regDivide:
		a.setDivide(v)
	default:
		return false
	}
	a.update()
	return true
}

func (a *APIC) writeLVT(i int, v uint32) {
	v &= lvtWritable[i]
	if !a.swEnabled() {
		v |= lvtMasked
	}
	a.LVT[i] = v | a.LVT[i]&lvtRemote
	if i == lvtLINT0 {
		if v&lvtLevel == 0 {
			a.LVT[i] &^= lvtRemote
		}
		a.serveLINT0(false)
	}
}

// error records a cause for the error status register and raises the error
// interrupt.
func (a *APIC) error(cause uint32) {
	if a.Errors&cause != 0 {
		return
	}
	a.Errors |= cause
	a.fire(lvtError)
}
