package dev

// Intel 8254 "Programmable Interval Timer" data sheet, with the PC's wiring:
// counter 0 drives IRQ0 and is always enabled, counter 1 (once the DRAM
// refresh) too, counter 2 is the speaker's and gated by port 61h.

// pitHz is the input clock: 14.31818 MHz / 12.
const pitHz = 1193182

// Access modes of the control word.
const (
	pitLatch = 0
	pitLow   = 1
	pitHigh  = 2
	pitWord  = 3
)

// CounterState is one counter.
type CounterState struct {
	Mode, Access uint8
	BCD          bool
	Gate         bool
	// Loaded is false from the control word until the count is written: the
	// counter stands then.
	Loaded bool
	Count  uint32 // initial count, 1 to 65536
	Base   uint64 // virtual time (ns) at which Count began
	// Stopped is how many ticks had gone when the gate went low, with Held.
	Held    bool
	Stopped uint64

	Latched    uint16
	HasLatch   bool
	Status     uint8
	HasStatus  bool
	ReadHigh   bool // the next read of a word is the high byte
	WriteHigh  bool
	WrittenLow uint8
}

// PITState is the 8254 and the bits of port 61h that belong to it.
type PITState struct {
	Counter [3]CounterState
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
		p.Counter[i] = CounterState{Mode: 3, Gate: i != 2, Loaded: true, Count: 0x10000, Base: p.d.now}
	}
}

// ticks is how many clocks the counter has counted at now since Base.
func (c *CounterState) ticks(now uint64) uint64 {
	if !c.Loaded {
		return 0
	}
	if c.Held {
		return c.Stopped
	}
	return ticksAt(now-c.Base, pitHz)
}

// output is the OUT pin after t ticks.
func (c *CounterState) output(t uint64) bool {
	n := uint64(c.Count)
	switch c.Mode {
	case 0: // interrupt on terminal count
		return c.Loaded && t >= n
	case 1: // hardware one-shot: low while it runs
		return !c.Loaded || !c.triggered() || t >= n
	case 2: // rate generator: low for the last clock
		return !c.Loaded || c.Held || t%n != n-1
	case 3: // square wave
		return !c.Loaded || c.Held || t%n < (n+1)/2
	}
	return !c.Loaded || !c.triggered() || t != n // strobes
}

// triggered reports whether a counter of modes 1 and 5, which wait for a
// rising gate, has seen one; the others count anyway.
func (c *CounterState) triggered() bool { return c.Mode != 1 && c.Mode != 5 || !c.Held }

// value is the counting element after t ticks.
func (c *CounterState) value(t uint64) uint16 {
	n := uint64(c.Count)
	var v uint64
	switch c.Mode {
	case 2:
		v = n - t%n
	case 3: // counts down by two, twice a period
		v = n - 2*t%n
		if n&1 != 0 {
			v &^= 1
		}
	default: // goes on below zero
		v = n - t
	}
	if c.BCD {
		if t > n {
			v = 10000 - (t-n)%10000
		}
		v %= 10000
		return uint16(v/1000<<12 | v/100%10<<8 | v/10%10<<4 | v%10)
	}
	return uint16(v)
}

// load starts counting from a count as written; 0 means the largest.
func (c *CounterState) load(v uint16, now uint64) {
	n := uint32(v)
	if c.BCD {
		n = n>>12*1000 + n>>8&0xf*100 + n>>4&0xf*10 + n&0xf
	}
	if n == 0 {
		n = 0x10000
		if c.BCD {
			n = 10000
		}
	}
	c.Count, c.Base, c.Loaded = n, now, true
	c.Stopped = 0
	c.Held = !c.Gate || c.Mode == 1 || c.Mode == 5
}

// setGate drives the GATE pin.
func (c *CounterState) setGate(level bool, now uint64) {
	if level == c.Gate {
		return
	}
	c.Gate = level
	restarts := c.Mode != 0 && c.Mode != 4 // a rising gate begins the count anew
	oneShot := c.Mode == 1 || c.Mode == 5  // and a low one does not stop it
	switch {
	case !level && !oneShot:
		c.Stopped, c.Held = c.ticks(now), true
	case level && restarts:
		c.Base, c.Held = now, false
	case level:
		c.Base, c.Held = now-nsOfTick(c.Stopped, pitHz), false
	}
}

func (c *CounterState) latch(now uint64) {
	if !c.HasLatch {
		c.Latched, c.HasLatch = c.value(c.ticks(now)), true
	}
}

func (c *CounterState) latchStatus(now uint64) {
	if c.HasStatus {
		return
	}
	c.Status, c.HasStatus = c.Access<<4|c.Mode<<1, true
	if c.BCD {
		c.Status |= 1
	}
	if !c.Loaded {
		c.Status |= 1 << 6 // null count
	}
	if c.output(c.ticks(now)) {
		c.Status |= 1 << 7
	}
}

// control is a write to the control word register.
func (p *pit) control(v uint8) {
	now := p.d.now
	if v>>6 == 3 { // read-back command: bits are active low
		for i := range p.Counter {
			if v>>(i+1)&1 == 0 {
				continue
			}
			if v&(1<<5) == 0 {
				p.Counter[i].latch(now)
			}
			if v&(1<<4) == 0 {
				p.Counter[i].latchStatus(now)
			}
		}
		return
	}
	c := &p.Counter[v>>6]
	if v>>4&3 == pitLatch {
		c.latch(now)
		return
	}
	mode := v >> 1 & 7
	if mode > 5 {
		mode -= 4 // bit 2 does not count for modes 2 and 3
	}
	*c = CounterState{Mode: mode, Access: v >> 4 & 3, BCD: v&1 != 0, Gate: c.Gate, Count: 0x10000, Base: now}
	p.drive(v>>6 == 0)
}

func (p *pit) readCounter(c *CounterState) uint8 {
	if c.HasStatus {
		c.HasStatus = false
		return c.Status
	}
	v := c.Latched
	if !c.HasLatch {
		v = c.value(c.ticks(p.d.now))
	}
	high := c.Access == pitHigh
	if c.Access == pitWord {
		high = c.ReadHigh
		c.ReadHigh = !c.ReadHigh
	}
	if c.Access != pitWord || high {
		c.HasLatch = false
	}
	if high {
		return uint8(v >> 8)
	}
	return uint8(v)
}

func (p *pit) writeCounter(i int, v uint8) {
	c := &p.Counter[i]
	switch {
	case c.Access == pitLow:
		c.load(uint16(v), p.d.now)
	case c.Access == pitHigh:
		c.load(uint16(v)<<8, p.d.now)
	case !c.WriteHigh:
		c.WrittenLow, c.WriteHigh = v, true
		if c.Mode == 0 {
			c.Loaded = false // the first byte stops the count
		}
	default:
		c.WriteHigh = false
		c.load(uint16(v)<<8|uint16(c.WrittenLow), p.d.now)
	}
	p.drive(i == 0)
}

// drive sets IRQ0 after the programming of counter 0 changed.
func (p *pit) drive(is0 bool) {
	if !is0 {
		return
	}
	c := &p.Counter[0]
	p.Edges = c.ticks(p.d.now)
	p.d.setLine(0, c.output(p.Edges))
}

// rise is the tick, after t, at which the output next goes from low to high.
func (c *CounterState) rise(t uint64) uint64 {
	n := uint64(c.Count)
	if !c.Loaded || c.Held {
		return never
	}
	switch {
	case c.Mode == 2 || c.Mode == 3:
		return t - t%n + n
	case c.Mode == 4 && t <= n:
		return n + 1
	case c.Mode == 0 && t < n:
		return n
	}
	return never
}

// next is when IRQ0 next rises, if anybody hears it.
func (p *pit) next() uint64 {
	c := &p.Counter[0]
	t := c.rise(p.Edges)
	if t == never || !p.d.lineHeard(0) {
		return never
	}
	return after(c.Base, nsOfTick(t, pitHz))
}

// advance drives IRQ0 as counter 0 has gone on. Several edges gone by unseen
// are one: the interrupt controllers remember one.
func (p *pit) advance() {
	c := &p.Counter[0]
	t := c.ticks(p.d.now)
	if t == p.Edges {
		return
	}
	if t >= c.rise(p.Edges) {
		p.d.setLine(0, false)
		p.d.setLine(0, true)
	}
	p.d.setLine(0, c.output(t))
	p.Edges = t
}

func (p *pit) in(port uint16, _ int) uint32 {
	switch port {
	case 0x43: // write-only
		return 0
	case 0x61:
		return p.speakerPort()
	}
	return uint32(p.readCounter(&p.Counter[port&3]))
}

func (p *pit) out(port uint16, _ int, v uint32) {
	switch port {
	case 0x43:
		p.control(uint8(v))
	case 0x61:
		p.Counter[2].setGate(v&1 != 0, p.d.now)
		p.Speaker = v&2 != 0
	default:
		p.writeCounter(int(port&3), uint8(v))
	}
}

// refreshHz is the rate at which port 61h bit 4 toggles: once each 15 us.
const refreshHz = 66288

// speakerPort is port 61h: gate 2, speaker, refresh toggle, OUT 2.
func (p *pit) speakerPort() uint32 {
	c := &p.Counter[2]
	var v uint32
	if c.Gate {
		v |= 1
	}
	if p.Speaker {
		v |= 2
	}
	v |= uint32(ticksAt(p.d.now, refreshHz)&1) << 4
	if c.output(c.ticks(p.d.now)) {
		v |= 1 << 5
	}
	return v
}
