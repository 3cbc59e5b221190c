// Package i8254 is one counter of the 8254 programmable interval timer (Intel
// data sheet), counting in virtual time: a value, without clock or wires of
// its own. The bare machine has three, and domain 0 under Xen reaches the
// third.
package i8254

// Hz is the PC's input clock: 14.31818 MHz / 12.
const Hz = 1193182

// Access modes of the control word.
const (
	latchCount = 0
	lowByte    = 1
	highByte   = 2
	Word       = 3
)

// Counter is one counter.
type Counter struct {
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

// Ticks is how many clocks the counter has counted at now since Base.
func (c *Counter) Ticks(now uint64) uint64 {
	if !c.Loaded {
		return 0
	}
	if c.Held {
		return c.Stopped
	}
	return TicksAt(now-c.Base, Hz)
}

// Output is the OUT pin after t ticks.
func (c *Counter) Output(t uint64) bool {
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
func (c *Counter) triggered() bool { return c.Mode != 1 && c.Mode != 5 || !c.Held }

// value is the counting element after t ticks.
func (c *Counter) value(t uint64) uint16 {
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
func (c *Counter) load(v uint16, now uint64) {
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

// SetGate drives the GATE pin.
func (c *Counter) SetGate(level bool, now uint64) {
	if level == c.Gate {
		return
	}
	c.Gate = level
	restarts := c.Mode != 0 && c.Mode != 4 // a rising gate begins the count anew
	oneShot := c.Mode == 1 || c.Mode == 5  // and a low one does not stop it
	switch {
	case !level && !oneShot:
		c.Stopped, c.Held = c.Ticks(now), true
	case level && restarts:
		c.Base, c.Held = now, false
	case level:
		c.Base, c.Held = now-TimeOf(c.Stopped, Hz), false
	}
}

// Latch keeps the count for the next reads.
func (c *Counter) Latch(now uint64) {
	if !c.HasLatch {
		c.Latched, c.HasLatch = c.value(c.Ticks(now)), true
	}
}

// LatchStatus keeps the status for the next read.
func (c *Counter) LatchStatus(now uint64) {
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
	if c.Output(c.Ticks(now)) {
		c.Status |= 1 << 7
	}
}

// Rise is the tick, after t, at which the output next goes from low to high.
func (c *Counter) Rise(t uint64) uint64 {
	n := uint64(c.Count)
	if !c.Loaded || c.Held {
		return Never
	}
	switch {
	case c.Mode == 2 || c.Mode == 3:
		return t - t%n + n
	case c.Mode == 4 && t <= n:
		return n + 1
	case c.Mode == 0 && t < n:
		return n
	}
	return Never
}

// Control is a control word for this counter: a new mode, after which it stands
// until a count is written, or the order to latch the count.
func (c *Counter) Control(v uint8, now uint64) (set bool) {
	if v>>4&3 == latchCount {
		c.Latch(now)
		return false
	}
	mode := v >> 1 & 7
	if mode > 5 {
		mode -= 4 // bit 2 does not count for modes 2 and 3
	}
	*c = Counter{Mode: mode, Access: v >> 4 & 3, BCD: v&1 != 0, Gate: c.Gate, Count: 0x10000, Base: now}
	return true
}

// ReadBack is a read-back command that has selected this counter; its two
// bits are active low.
func (c *Counter) ReadBack(v uint8, now uint64) {
	if v&(1<<5) == 0 {
		c.Latch(now)
	}
	if v&(1<<4) == 0 {
		c.LatchStatus(now)
	}
}

// Read is a read of the counter's port.
func (c *Counter) Read(now uint64) uint8 {
	if c.HasStatus {
		c.HasStatus = false
		return c.Status
	}
	v := c.Latched
	if !c.HasLatch {
		v = c.value(c.Ticks(now))
	}
	high := c.Access == highByte
	if c.Access == Word {
		high = c.ReadHigh
		c.ReadHigh = !c.ReadHigh
	}
	if c.Access != Word || high {
		c.HasLatch = false
	}
	if high {
		return uint8(v >> 8)
	}
	return uint8(v)
}

// Write is a write to the counter's port.
func (c *Counter) Write(v uint8, now uint64) {
	switch {
	case c.Access == lowByte:
		c.load(uint16(v), now)
	case c.Access == highByte:
		c.load(uint16(v)<<8, now)
	case !c.WriteHigh:
		c.WrittenLow, c.WriteHigh = v, true
		if c.Mode == 0 {
			c.Loaded = false // the first byte stops the count
		}
	default:
		c.WriteHigh = false
		c.load(uint16(v)<<8|uint16(c.WrittenLow), now)
	}
}

// refreshHz is the rate at which port 61h bit 4 toggles: once each 15 us.
const refreshHz = 66288

// SpeakerPort is port 61h as it reads when c is counter 2: gate, speaker,
// refresh toggle, OUT.
func (c *Counter) SpeakerPort(speaker bool, now uint64) (v uint8) {
	if c.Gate {
		v |= 1
	}
	if speaker {
		v |= 2
	}
	v |= uint8(TicksAt(now, refreshHz)&1) << 4
	if c.Output(c.Ticks(now)) {
		v |= 1 << 5
	}
	return v
}
