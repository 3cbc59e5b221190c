package dev

// Power management function of the PIIX4 (Intel 82371AB data sheet, "Power
// Management Register Descriptions"; the registers are ACPI's, "Fixed Hardware
// Registers"), and the two ports beside it that reset a PC.

const (
	pmTimerHz = 3579545
	sciIRQ    = 9

	// Offsets from PMBASE.
	pmStatus  = 0x0
	pmEnable  = 0x2
	pmControl = 0x4
	pmTimer   = 0x8
	pmSize    = 0x40

	pmEvents   = 1<<0 | 1<<5 | 1<<8 | 1<<10 // timer, global lock, power button, RTC
	pmTimerBit = 1 << 0
	pmSCI      = 1 << 0  // control: events are SCIs
	pmSleep    = 1 << 13 // control: SLP_EN
	// pmHalfPeriod: the timer's status is set when bit 23 changes.
	pmHalfPeriod = 1 << 23

	portAPMControl = 0xb2
	portAPMStatus  = 0xb3
	portPort92     = 0x92
	portReset      = 0xcf9
	// Values for the APM control port by which ACPI is turned on and off (FADT
	// fields ACPI_ENABLE and ACPI_DISABLE of this machine).
	acpiEnable  = 0xf1
	acpiDisable = 0xf0

	resetSystem = 1 << 1
	resetCPU    = 1 << 2
)

// PMState is the power management block.
type PMState struct {
	Base       uint16 // PMBASE
	On         bool   // PMREGMISC bit 0: the ports are decoded
	Status     uint16
	Enable     uint16
	Control    uint16
	Halves     uint64 // half periods of the timer that Status knows of
	APM        [2]uint8
	ResetValue uint8 // RCR, port CF9h
}

type pm struct {
	d *Devices
	PMState
}

func (p *pm) reset() { p.PMState = PMState{} }

func (p *pm) next() uint64 {
	if p.Enable&pmTimerBit == 0 || p.Control&pmSCI == 0 || p.Status&pmTimerBit != 0 {
		return never
	}
	return nsOfTick((p.Halves+1)*pmHalfPeriod, pmTimerHz)
}

func (p *pm) advance() {
	if h := ticksAt(p.d.now, pmTimerHz) / pmHalfPeriod; h != p.Halves {
		p.Halves = h
		p.Status |= pmTimerBit
		p.update()
	}
}

func (p *pm) update() {
	p.d.setLine(sciIRQ, p.Control&pmSCI != 0 && p.Status&p.Enable&pmEvents != 0)
}

// decodes reports whether port belongs to the block.
func (p *pm) decodes(port uint16) bool {
	off := port - p.Base
	return p.On && (off < pmControl+2 || off >= pmTimer && off < pmTimer+4)
}

func (p *pm) word(offset uint16) uint16 {
	switch offset &^ 1 {
	case pmStatus:
		return p.Status
	case pmEnable:
		return p.Enable
	case pmControl:
		return p.Control
	}
	t := ticksAt(p.d.now, pmTimerHz) & 0xffffff
	if offset&^1 == pmTimer {
		return uint16(t)
	}
	return uint16(t >> 16)
}

func (p *pm) in(port uint16, size int) (v uint32) {
	off := port - p.Base
	for i := size - 1; i >= 0; i-- {
		o := off + uint16(i)
		v = v<<8 | uint32(uint8(p.word(o)>>(8*(o&1))))
	}
	return v
}

func (p *pm) out(port uint16, size int, v uint32) {
	off := port - p.Base
	for size > 0 {
		w, n := uint16(v), 2
		switch {
		case off&1 != 0:
			w, n = p.lane(off)&0xff|uint16(v)<<8, 1
		case size == 1:
			w, n = p.lane(off)&0xff00|uint16(v)&0xff, 1
		}
		p.setWord(off&^1, w)
		off += uint16(n)
		v >>= 8 * n
		size -= n
	}
	p.update()
}

// lane is what the other byte of a register is written with when only one is:
// nothing for the status, whose bits are cleared by writing ones.
func (p *pm) lane(off uint16) uint16 {
	if off&^1 == pmStatus {
		return 0
	}
	return p.word(off)
}

func (p *pm) setWord(off, v uint16) {
	switch off {
	case pmStatus:
		p.Status &^= v
	case pmEnable:
		p.Enable = v & pmEvents
	case pmControl:
		p.Control = v &^ pmSleep
		if v&pmSleep != 0 {
			p.sleep(uint8(v >> 10 & 7))
		}
	}
}

// sleep enters the sleeping state of a type as QEMU's firmware numbers them: 0
// is S5, 1 is S3, 2 is S4.
func (p *pm) sleep(t uint8) {
	switch t {
	case 0:
		p.d.cfg.Signals.PowerOff("ACPI PM1a control: soft off (S5)")
	case 2:
		p.d.cfg.Signals.PowerOff("ACPI PM1a control: suspend to disk (S4)")
	default:
		p.d.unmodelled("ACPI PM1a control: sleep type %d", t)
	}
}

func (p *pm) inPort(port uint16, _ int) uint32 {
	switch port {
	case portPort92:
		return 1 << 1 // A20 is on
	case portReset:
		return uint32(p.ResetValue)
	}
	return uint32(p.APM[port&1])
}

func (p *pm) outPort(port uint16, _ int, value uint32) {
	v := uint8(value)
	switch port {
	case portPort92:
		if v&1 != 0 {
			p.d.cfg.Signals.Reset("port 92h")
		}
		if v&2 == 0 {
			p.d.unmodelled("port 92h: turning the A20 line off")
		}
	case portReset:
		if v&resetCPU != 0 {
			p.d.cfg.Signals.Reset("reset control register (port CF9h)")
		}
		p.ResetValue = v & resetSystem
	case portAPMStatus:
		p.APM[1] = v
	case portAPMControl:
		p.APM[0] = v
		switch v {
		case acpiEnable:
			p.Control |= pmSCI
		case acpiDisable:
			p.Control &^= pmSCI
		default:
			p.d.unmodelled("system management interrupt (port B2h, value %#x)", v)
		}
		p.update()
	}
}
