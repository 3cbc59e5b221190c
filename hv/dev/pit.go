package dev

import "pvlab/hv/i8254"

// Intel 8254 "Programmable Interval Timer" data sheet, with the PC's wiring:
// counter 0 drives IRQ0 and is always enabled, counter 1 (once the DRAM
// refresh) too, counter 2 is the speaker's and gated by port 61h.

const pitHz = i8254.Hz

// Access mode of the control word: low byte, then high byte.
const pitWord = i8254.Word

// PITState is the 8254 and the bits of port 61h that belong to it.
type PITState struct {
	Counter [3]i8254.Counter
	Speaker bool   // port 61h bit 1
	Edges   uint64 // ticks of counter 0 up to which IRQ0 has been driven
}

type pit struct {
	d *Devices
	PITState
}

func (p *pit) reset() {
	p.PITState = PITState{}
	for i := range p.Counter {
		p.Counter[i] = i8254.Counter{Mode: 3, Gate: i != 2, Loaded: true, Count: 0x10000, Base: p.d.now}
	}
}

// control is a write to the control word register.
func (p *pit) control(v uint8) {
	if v>>6 == 3 { // read-back command
		for i := range p.Counter {
			if v>>(i+1)&1 != 0 {
				p.Counter[i].ReadBack(v, p.d.now)
			}
		}
		return
	}
	if p.Counter[v>>6].Control(v, p.d.now) {
		p.drive(v>>6 == 0)
	}
}

func (p *pit) writeCounter(i int, v uint8) {
	p.Counter[i].Write(v, p.d.now)
	p.drive(i == 0)
}

// drive sets IRQ0 after the programming of counter 0 changed.
func (p *pit) drive(is0 bool) {
	if !is0 {
		return
	}
	c := &p.Counter[0]
	p.Edges = c.Ticks(p.d.now)
	p.d.setLine(0, c.Output(p.Edges))
}

// next is when IRQ0 next rises, if anybody hears it.
func (p *pit) next() uint64 {
	c := &p.Counter[0]
	t := c.Rise(p.Edges)
	if t == never || !p.d.lineHeard(0) {
		return never
	}
	return after(c.Base, nsOfTick(t, pitHz))
}

// advance drives IRQ0 as counter 0 has gone on. Several edges gone by unseen
// are one: the interrupt controllers remember one.
func (p *pit) advance() {
	c := &p.Counter[0]
	t := c.Ticks(p.d.now)
	if t == p.Edges {
		return
	}
	if t >= c.Rise(p.Edges) {
		p.d.setLine(0, false)
		p.d.setLine(0, true)
	}
	p.d.setLine(0, c.Output(t))
	p.Edges = t
}

func (p *pit) in(port uint16, _ int) uint32 {
	switch port {
	case 0x43: // write-only
		return 0
	case 0x61:
		return uint32(p.Counter[2].SpeakerPort(p.Speaker, p.d.now))
	}
	return uint32(p.Counter[port&3].Read(p.d.now))
}

func (p *pit) out(port uint16, _ int, v uint32) {
	switch port {
	case 0x43:
		p.control(uint8(v))
	case 0x61:
		p.Counter[2].SetGate(v&1 != 0, p.d.now)
		p.Speaker = v&2 != 0
	default:
		p.writeCounter(int(port&3), uint8(v))
	}
}
