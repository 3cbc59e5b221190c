package dev

import "math/bits"

// Intel 8259A, "Programmable Interrupt Controller" data sheet; ELCR from the
// 82371AB (PIIX4) data sheet. As in QEMU and KVM, and unlike the data sheet's
// IR7 default, an edge stays requested when the line falls before the
// acknowledge.

// PICState is one 8259A. Bit n of a mask is input n.
type PICState struct {
	IRR, ISR, IMR uint8
	Lines         uint8 // input levels
	ELCR          uint8 // 1 = level triggered
	Base          uint8 // vector of input 0 (ICW2)
	First         uint8 // input of highest priority (moved by rotation)
	Step          uint8 // initialisation word expected next: 2, 3 or 4; 0 when set up
	ICW4Follows   bool
	Single        bool // ICW1.SNGL: no ICW3
	ReadISR       bool // OCW3: command port reads ISR
	Poll          bool // OCW3: next read acknowledges
	SpecialMask   bool
	AutoEOI       bool
	RotateAEOI    bool
	NestFully     bool // ICW4.SFNM
	LevelAll      bool // ICW1.LTIM
}

// pic is one controller of the pair.
type pic struct {
	PICState
	cascade uint8 // inputs that have another 8259A behind them
	elcr    uint8 // writable ELCR bits
}

// picPair is the PC's master and slave; the slave's INT is the master's input 2.
type picPair struct {
	d             *Devices
	master, slave pic
}

const (
	picCascade = 2

	icw1        = 1 << 4 // command port: this is ICW1
	icw1ICW4    = 1 << 0
	icw1Single  = 1 << 1
	icw1Level   = 1 << 3
	icw4AutoEOI = 1 << 1
	icw4Nest    = 1 << 4
	ocw3        = 1 << 3 // command port: this is OCW3
	ocw3Poll    = 1 << 2
	picSpurious = 7
)

// level reports whether input n is level triggered.
func (p *pic) level(n uint8) bool { return p.LevelAll || p.ELCR>>n&1 != 0 }

// highest returns the set input with the highest priority.
func (p *pic) highest(set uint8) (n uint8, ok bool) {
	if set == 0 {
		return 0, false
	}
	r := bits.RotateLeft8(set, -int(p.First))
	return (uint8(bits.TrailingZeros8(r)) + p.First) & 7, true
}

// rank is the priority of input n: 0 is the highest.
func (p *pic) rank(n uint8) uint8 { return (n - p.First) & 7 }

// request returns the input for which INT is raised.
func (p *pic) request() (n uint8, ok bool) {
	if p.Step != 0 {
		return 0, false
	}
	n, ok = p.highest(p.IRR &^ p.IMR)
	if !ok {
		return 0, false
	}
	served := p.ISR
	if p.SpecialMask {
		served &^= p.IMR
	}
	if p.NestFully {
		served &^= p.cascade
	}
	if s, busy := p.highest(served); busy && p.rank(s) <= p.rank(n) {
		return 0, false
	}
	return n, true
}

// set drives input n.
func (p *pic) set(n uint8, level bool) {
	bit := uint8(1) << n
	was := p.Lines&bit != 0
	if level {
		p.Lines |= bit
	} else {
		p.Lines &^= bit
	}
	switch {
	case p.level(n) && level:
		p.IRR |= bit
	case p.level(n):
		p.IRR &^= bit
	case level && !was:
		p.IRR |= bit
	}
}

// ack is the interrupt acknowledge cycle for input n.
func (p *pic) ack(n uint8) {
	bit := uint8(1) << n
	if !p.level(n) {
		p.IRR &^= bit
	}
	if !p.AutoEOI {
		p.ISR |= bit
	} else if p.RotateAEOI {
		p.First = (n + 1) & 7
	}
}

// command is a write to the controller's even port.
func (p *pic) command(v uint8) {
	switch {
	case v&icw1 != 0:
		// The line levels are wires, and ELCR is not part of the 8259A.
		p.PICState = PICState{Lines: p.Lines, ELCR: p.ELCR, Base: p.Base, Step: 2,
			ICW4Follows: v&icw1ICW4 != 0, Single: v&icw1Single != 0, LevelAll: v&icw1Level != 0}
		for n := uint8(0); n < 8; n++ {
			if p.level(n) {
				p.IRR |= p.Lines & (1 << n)
			}
		}
	case v&ocw3 != 0:
		p.Poll = v&ocw3Poll != 0
		switch v & 3 {
		case 2:
			p.ReadISR = false
		case 3:
			p.ReadISR = true
		}
		switch v >> 5 & 3 {
		case 2:
			p.SpecialMask = false
		case 3:
			p.SpecialMask = true
		}
	default:
		p.ocw2(v>>5, v&7)
	}
}

// ocw2 ends interrupts and rotates priorities; cmd is bits R, SL, EOI.
func (p *pic) ocw2(cmd, n uint8) {
	switch cmd {
	case 0, 4: // rotation in automatic EOI mode off, on
		p.RotateAEOI = cmd == 4
	case 1, 5: // non-specific EOI, and rotate
		served := p.ISR
		if p.SpecialMask {
			served &^= p.IMR
		}
		if s, ok := p.highest(served); ok {
			p.ISR &^= 1 << s
			if cmd == 5 {
				p.First = (s + 1) & 7
			}
		}
	case 3, 7: // specific EOI, and rotate
		p.ISR &^= 1 << n
		if cmd == 7 {
			p.First = (n + 1) & 7
		}
	case 6: // set priority: n becomes the lowest
		p.First = (n + 1) & 7
	}
}

// data is a write to the controller's odd port.
func (p *pic) data(v uint8) {
	switch p.Step {
	case 0:
		p.IMR = v
	case 2:
		p.Base = v & 0xf8
		switch {
		case !p.Single:
			p.Step = 3
		case p.ICW4Follows:
			p.Step = 4
		default:
			p.Step = 0
		}
	case 3: // which input has the slave is fixed by the wiring
		p.Step = 0
		if p.ICW4Follows {
			p.Step = 4
		}
	case 4:
		p.AutoEOI = v&icw4AutoEOI != 0
		p.NestFully = v&icw4Nest != 0
		p.Step = 0
	}
}

func (pp *picPair) reset() {
	pp.master = pic{cascade: 1 << picCascade, elcr: 0xf8}
	pp.slave = pic{elcr: 0xde}
}

func (pp *picPair) setLine(irq uint8, level bool) {
	if irq >= 8 {
		pp.slave.set(irq-8, level)
	} else {
		pp.master.set(irq, level)
	}
	pp.update()
}

// update carries the slave's INT to the master and the master's to the APICs.
func (pp *picPair) update() {
	_, want := pp.slave.request()
	pp.master.set(picCascade, want)
	for i := range pp.d.apics {
		pp.d.apics[i].setLINT0(pp.intr())
	}
}

// intr is the master's INT output.
func (pp *picPair) intr() bool {
	_, ok := pp.master.request()
	return ok
}

// masked reports whether a request of irq ends in a mask.
func (pp *picPair) masked(irq uint8) bool {
	if irq < 8 {
		return pp.master.IMR>>irq&1 != 0
	}
	return pp.slave.IMR>>(irq-8)&1 != 0 || pp.master.IMR>>picCascade&1 != 0
}

// requested reports whether a request of irq waits.
func (pp *picPair) requested(irq uint8) bool {
	if irq < 8 {
		return pp.master.IRR>>irq&1 != 0
	}
	return pp.slave.IRR>>(irq-8)&1 != 0
}

// vector is what an acknowledge cycle would answer now.
func (pp *picPair) vector() uint8 {
	n, ok := pp.master.request()
	if !ok {
		return pp.master.Base + picSpurious
	}
	if n != picCascade {
		return pp.master.Base + n
	}
	if n, ok = pp.slave.request(); !ok {
		n = picSpurious
	}
	return pp.slave.Base + n
}

// acknowledge is the processor's INTA: the vector, and the request is in service.
func (pp *picPair) acknowledge() uint8 {
	v := pp.vector()
	if n, ok := pp.master.request(); ok {
		if n == picCascade {
			if s, ok := pp.slave.request(); ok {
				pp.slave.ack(s)
			}
		}
		pp.master.ack(n)
	}
	pp.update()
	return v
}

// controller returns the one behind a port: 20h and 21h, A0h and A1h, and the
// ELCR pair 4D0h, 4D1h.
func (pp *picPair) controller(port uint16) *pic {
	if port >= 0xa0 && port <= 0xa1 || port == 0x4d1 {
		return &pp.slave
	}
	return &pp.master
}

func (pp *picPair) in(port uint16, _ int) uint32 {
	p := pp.controller(port)
	switch {
	case port&0xffe == 0x4d0:
		return uint32(p.ELCR)
	case p.Poll:
		p.Poll = false
		n, ok := p.request()
		if !ok {
			return 0
		}
		p.ack(n)
		pp.update()
		return 0x80 | uint32(n)
	case port&1 != 0:
		return uint32(p.IMR)
	case p.ReadISR:
		return uint32(p.ISR)
	}
	return uint32(p.IRR)
}

func (pp *picPair) out(port uint16, _ int, v uint32) {
	p := pp.controller(port)
	switch {
	case port&0xffe == 0x4d0:
		p.ELCR = uint8(v) & p.elcr
	case port&1 != 0:
		p.data(uint8(v))
	default:
		p.command(uint8(v))
	}
	pp.update()
}
