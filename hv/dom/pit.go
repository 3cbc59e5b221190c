package dom

import "pvlab/hv/i8254"

// PIT is what the first domain reaches of the machine's 8254: counter 2 with
// its gate and the speaker bit of port 61h. Xen keeps the other counters
// (X/time.c:hwdom_pit_access).
type PIT struct {
	Counter i8254.Counter
	Speaker bool
}

// startPIT is counter 2 as the firmware leaves it.
func startPIT() PIT { return PIT{Counter: i8254.Counter{Mode: 3, Loaded: true, Count: 0x10000}} }

// Ports of the 8254 that Xen looks at itself.
const (
	PortPITCounter2 = 0x42
	PortPITControl  = 0x43
	PortSpeaker     = 0x61
)

// ReadPIT is a byte read from one of the three ports. A domU has no 8254: all
// ones.
func (d *Domain) ReadPIT(port uint16) uint8 {
	switch {
	case !d.Privileged:
		return 0xff
	case port == PortPITCounter2:
		return d.PIT.Counter.Read(d.Now())
	case port == PortSpeaker:
		return d.PIT.Counter.SpeakerPort(d.PIT.Speaker, d.Now())
	}
	return 0 // of the control port
}

// WritePIT is a byte written there. What is meant for the other counters goes
// to emulated ones whose ports the domain cannot read.
func (d *Domain) WritePIT(port uint16, v uint8) {
	c, now := &d.PIT.Counter, d.Now()
	switch {
	case !d.Privileged:
	case port == PortPITCounter2:
		c.Write(v, now)
	case port == PortSpeaker:
		c.SetGate(v&1 != 0, now)
		d.PIT.Speaker = v&2 != 0
	case v>>6 == 2:
		c.Control(v, now)
	case v>>6 == 3 && v&8 != 0:
		c.ReadBack(v, now)
	}
}
