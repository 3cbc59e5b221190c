package dev

// Intel 82093AA I/O APIC data sheet; version 20h with its EOI register as in
// the ICH series ("I/O Controller Hub", APIC registers).

const (
	ioapicBase = 0xfec00000
	ioapicPins = 24

	ioRegSelect = 0x00
	ioWindow    = 0x10
	ioEOI       = 0x40

	redirMasked    = 1 << 16
	redirLevel     = 1 << 15
	redirRemoteIRR = 1 << 14
	redirActiveLow = 1 << 13
	redirStatus    = 1 << 12
	redirLogical   = 1 << 11
	// redirWritable leaves out delivery status and remote IRR.
	redirWritable = 0xff<<56 | 0x1afff
)

// IOAPICState is the I/O APIC.
type IOAPICState struct {
	ID          uint8 // bits 24-27 of register 0
	Select      uint8
	Lines       uint32 // input levels, active high
	IRR         uint32 // edges accepted and not yet sent
	Redirection [ioapicPins]uint64
}

type ioapic struct {
	d *Devices
	IOAPICState
}

func (io *ioapic) reset() {
	io.IOAPICState = IOAPICState{}
	for i := range io.Redirection {
		io.Redirection[i] = redirMasked
	}
}

func (io *ioapic) setPin(pin uint8, level bool) {
	bit := uint32(1) << pin
	rising := level && io.Lines&bit == 0
	if level {
		io.Lines |= bit
	} else {
		io.Lines &^= bit
	}
	// An edge at a masked pin is lost (82093AA, "Interrupt Mask").
	if e := io.Redirection[pin]; rising && e&(redirLevel|redirMasked) == 0 {
		io.IRR |= bit
	}
	io.service(pin)
}

// service sends what pin has to send.
func (io *ioapic) service(pin uint8) {
	bit := uint32(1) << pin
	e := io.Redirection[pin]
	if e&redirMasked != 0 {
		return
	}
	if e&redirLevel != 0 {
		if io.Lines&bit == 0 || e&redirRemoteIRR != 0 {
			return
		}
	} else if io.IRR&bit == 0 {
		return
	}
	m := io.message(pin)
	switch m.mode {
	case modeFixed, modeLowest:
		if m.level {
			io.Redirection[pin] |= redirRemoteIRR
		}
	case modeNMI, modeINIT:
		m.level = false
	default:
		io.IRR &^= bit
		io.d.unmodelled("I/O APIC pin %d: delivery mode %d", pin, m.mode)
		return
	}
	io.IRR &^= bit
	io.d.send(m, nil)
}

// message is what pin sends.
func (io *ioapic) message(pin uint8) message {
	e := io.Redirection[pin]
	return message{
		dest:    uint32(e >> 56),
		logical: e&redirLogical != 0,
		mode:    uint8(e >> 8 & 7),
		vector:  uint8(e),
		level:   e&redirLevel != 0,
	}
}

// heard reports whether an edge at pin would change anything for a CPU.
func (io *ioapic) heard(pin uint8) bool {
	if io.Redirection[pin]&redirMasked != 0 {
		return false
	}
	m := io.message(pin)
	for i := range io.d.apics {
		a := &io.d.apics[i]
		if !a.addressed(m, nil) {
			continue
		}
		if m.mode != modeFixed && m.mode != modeLowest || a.news(m.vector) {
			return true
		}
	}
	return false
}

// eoi is the end of a level-triggered interrupt, broadcast by a local APIC.
func (io *ioapic) eoi(vector uint8) {
	for pin := range io.Redirection {
		e := &io.Redirection[pin]
		if *e&redirLevel != 0 && *e&redirRemoteIRR != 0 && uint8(*e) == vector {
			*e &^= redirRemoteIRR
			io.service(uint8(pin))
		}
	}
}

func (io *ioapic) read(offset uint64) uint32 {
	switch offset {
	case ioRegSelect:
		return uint32(io.Select)
	case ioWindow:
		switch s := io.Select; {
		case s == 0 || s == 2: // identification, arbitration
			return uint32(io.ID) << 24
		case s == 1:
			return (ioapicPins-1)<<16 | 0x20
		case s >= 0x10 && s < 0x10+2*ioapicPins:
			return uint32(io.Redirection[(s-0x10)/2] >> (32 * (s & 1)))
		}
	}
	return 0 // reserved registers
}

func (io *ioapic) write(offset uint64, v uint32) {
	switch offset {
	case ioRegSelect:
		io.Select = uint8(v)
	case ioEOI:
		io.eoi(uint8(v))
	case ioWindow:
		switch s := io.Select; {
		case s == 0:
			io.ID = uint8(v >> 24 & 0xf)
		case s >= 0x10 && s < 0x10+2*ioapicPins:
			io.redirect((s-0x10)/2, s&1, v)
		}
	}
}

// redirect writes one half of a redirection entry.
func (io *ioapic) redirect(pin, half uint8, v uint32) {
	e := io.Redirection[pin]
	w := e&^(0xffffffff<<(32*half)) | uint64(v)<<(32*half)
	e = e&^redirWritable | w&redirWritable
	if e&redirLevel == 0 {
		e &^= redirRemoteIRR
	} else {
		io.IRR &^= 1 << pin
	}
	io.Redirection[pin] = e
	io.service(pin)
}
