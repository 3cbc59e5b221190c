package dev

// Messages between APICs (SDM vol. 3, "Issuing Interprocessor Interrupts").

// Delivery modes of ICR, LVT and I/O APIC redirection entries.
const (
	modeFixed  = 0
	modeLowest = 1
	modeSMI    = 2
	modeNMI    = 4
	modeINIT   = 5
	modeSIPI   = 6 // ICR only
	modeExtINT = 7 // LVT and I/O APIC only
)

const (
	icrLogical = 1 << 11
	icrAssert  = 1 << 14
	icrLevel   = 1 << 15

	shortNone   = 0
	shortSelf   = 1
	shortAll    = 2
	shortOthers = 3

	broadcast8  = 0xff
	broadcast32 = 0xffffffff
)

// message is an interrupt on its way to local APICs.
type message struct {
	dest      uint32
	logical   bool
	wide      bool // dest is a 32-bit x2APIC destination
	shorthand uint8
	mode      uint8
	vector    uint8
	level     bool // trigger mode
}

// sendICR sends what the ICR describes. Delivery takes no time: the status
// bit always reads as idle.
func (a *APIC) sendICR() {
	icr := a.ICR
	m := message{
		dest:      uint32(icr >> 56),
		logical:   icr&icrLogical != 0,
		shorthand: uint8(icr >> 18 & 3),
		mode:      uint8(icr >> 8 & 7),
		vector:    uint8(icr),
	}
	if a.x2() {
		m.dest, m.wide = uint32(icr>>32), true
	}
	switch m.mode {
	case modeFixed, modeLowest:
		if m.vector < 16 {
			a.error(esrSendVector)
			return
		}
	case modeNMI, modeSIPI:
	case modeINIT:
		// The de-assert form only synchronises arbitration ids, of which no
		// processor since the P6 has any.
		if icr&icrLevel != 0 && icr&icrAssert == 0 {
			return
		}
	default:
		a.d.unmodelled("local APIC %d: IPI with delivery mode %d", a.ID, m.mode)
		return
	}
	if m.mode != modeFixed && (m.shorthand == shortSelf || m.shorthand == shortAll) {
		// Not a valid combination (table "Valid Combinations for the ... Local
		// xAPIC Interrupt Command Register"); sent as QEMU and KVM do.
		a.d.cfg.Log.Warn().Int("cpu", a.cpu).Uint64("icr", icr).
			Msg("IPI: this delivery mode is undefined with a shorthand that includes the sender")
	}
	a.d.send(m, a)
}

// send delivers m to every local APIC it addresses; from is nil for the
// I/O APIC.
func (d *Devices) send(m message, from *APIC) {
	if m.mode == modeLowest {
		var best *APIC
		for i := range d.apics {
			a := &d.apics[i]
			if a.swEnabled() && a.addressed(m, from) && (best == nil || a.ppr()>>4 < best.ppr()>>4) {
				best = a
			}
		}
		if best != nil {
			best.accept(m.vector, m.level)
		}
		return
	}
	for i := range d.apics {
		if a := &d.apics[i]; a.addressed(m, from) {
			a.receive(m)
		}
	}
}

// addressed reports whether a is a destination of m ("Determining IPI
// Destination").
func (a *APIC) addressed(m message, from *APIC) bool {
	switch {
	case !a.Enabled():
		return false
	case m.shorthand == shortSelf:
		return a == from
	case m.shorthand == shortAll:
		return true
	case m.shorthand == shortOthers:
		return a != from
	case m.wide && m.dest == broadcast32, !m.wide && m.dest == broadcast8:
		return true
	case !m.logical:
		return m.dest == a.ID
	case a.x2():
		ldr, _ := a.read(regLDR)
		return m.dest>>16 == uint32(ldr)>>16 && m.dest&uint32(ldr)&0xffff != 0
	}
	mda, ldr := uint8(m.dest), uint8(a.LDR>>24)
	if a.DFR>>28 == 0xf { // flat model
		return mda&ldr != 0
	}
	return mda>>4 == ldr>>4 && mda&ldr&0xf != 0 // cluster model
}

func (a *APIC) receive(m message) {
	switch m.mode {
	case modeFixed:
		a.accept(m.vector, m.level)
	case modeNMI:
		a.d.cfg.Signals.NMI(a.cpu)
	case modeINIT:
		a.receiveInit()
	case modeSIPI:
		a.d.cfg.Signals.Startup(a.cpu, m.vector)
	}
}

func (a *APIC) receiveInit() {
	a.init()
	a.update()
	a.d.cfg.Signals.Init(a.cpu)
}
