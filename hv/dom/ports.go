package dom

import (
	"pvlab/hypercall/abi"
)

// Port is one event channel of the domain. What the FIFO ABI keeps of it
// outlives the channel (C/event_channel.c:evtchn_free).
type Port struct {
	State  uint8 // EvtchnStat*
	VIRQ   uint8
	Tools  uint8  // the other end is a service of the machine: Tool*
	VCPU   uint16 // the vCPU that is notified
	Remote uint16 // domain id of the other end
	Peer   uint32 // port of the other end when that is this domain; the number of a PIRQ

	Priority uint8 // queue that the next event goes to
	// Waits says that it was raised while its event word was not there.
	Waits bool
	// LastVCPU and LastPriority name the queue it was put on last.
	LastPriority uint8
	LastVCPU     uint16
}

// Services of the machine that hold the other end of a port.
const (
	ToolNone = iota
	ToolConsole
	ToolStore
)

// Ports that the toolstack opens for a domU before it starts.
const (
	StorePort   = 1
	ConsolePort = 2
)

// openToolPorts opens the xenstore and console channels of a domU.
func (d *Domain) openToolPorts() {
	d.Ports[StorePort] = Port{State: abi.EvtchnStatInterdomain, Tools: ToolStore}
	d.Ports[ConsolePort] = Port{State: abi.EvtchnStatInterdomain, Tools: ToolConsole}
}

// portBucket is how many channels become valid at a time: numbers up to the
// next multiple can be asked about, closed as they are.
const portBucket = 64

// domUPorts is the highest port number that the toolstack allows a domU.
const domUPorts = 1023

// maxPort is the highest number that a new channel can have.
func (d *Domain) maxPort() uint32 {
	n := uint32(abi.NrEventChannels - 1)
	if d.FIFO.On {
		n = abi.NrFIFOChannels - 1
	}
	if !d.Privileged {
		n = min(n, domUPorts)
	}
	return n
}

// FreePort finds the lowest port that is closed and on no queue, growing the
// table if needed. -ENOSPC when there is none (C/event_channel.c:
// get_free_port).
func (d *Domain) FreePort() (uint32, abi.Errno) {
	low := &d.LowestClosed
	for *low == 0 || int(*low) < len(d.Ports) && d.Ports[*low].State != abi.EvtchnStatClosed {
		*low++ // number 0 is nobody's
	}
	for p := *low; p <= d.maxPort(); p++ {
		if int(p) == len(d.Ports) {
			d.Ports = append(d.Ports, make([]Port, portBucket)...)
		}
		if d.Ports[p].State == abi.EvtchnStatClosed && !d.fifoLinked(p) {
			return p, 0
		}
	}
	return 0, abi.ENOSPC
}

// Open makes p the channel of a number from FreePort.
func (d *Domain) Open(port uint32, p Port) {
	c := &d.Ports[port]
	p.Priority, p.Waits, p.LastPriority, p.LastVCPU = c.Priority, c.Waits, c.LastPriority, c.LastVCPU
	if d.FIFO.On {
		p.Priority = abi.FIFOPriorityDefault
	}
	*c = p
}

// Port returns the channel, nil when the number is not valid.
func (d *Domain) Port(p uint64) *Port {
	if p >= uint64(len(d.Ports)) {
		return nil
	}
	return &d.Ports[p]
}

// Close frees a channel: a VIRQ or PIRQ is no longer bound, the other end of
// an interdomain one waits for a new partner.
func (d *Domain) Close(port uint32) {
	p := &d.Ports[port]
	switch p.State {
	case abi.EvtchnStatVIRQ:
		v := d.VCPU[p.VCPU]
		if GlobalVIRQ(p.VIRQ) {
			v = d.VCPU[0]
		}
		v.VIRQ[p.VIRQ] = 0
	case abi.EvtchnStatPIRQ:
		d.unbindPIRQ(p.Peer)
	case abi.EvtchnStatInterdomain:
		if p.Tools == ToolNone {
			peer := &d.Ports[p.Peer]
			peer.State, peer.Remote, peer.Peer = abi.EvtchnStatUnbound, d.ID, 0
		}
	}
	d.ClearPending(uint64(port))
	*p = Port{Priority: p.Priority, Waits: p.Waits, LastPriority: p.LastPriority, LastVCPU: p.LastVCPU}
	d.LowestClosed = min(d.LowestClosed, port)
}

// ResetPorts closes the channels from number next on, until preempt says that
// the rest has to wait; done tells whether all are closed. Then the domain is
// back on the 2-level ABI (C/event_channel.c:evtchn_reset).
func (d *Domain) ResetPorts(preempt func() bool) (done bool) {
	for p := max(d.NextReset, 1); int(p) < len(d.Ports); p++ {
		if d.Ports[p].State != abi.EvtchnStatClosed {
			d.Close(p)
		}
		if p%portBucket == 0 && preempt() {
			d.NextReset = p
			return false
		}
	}
	d.NextReset = 0
	if d.FIFO.On {
		d.dropFIFO()
	}
	return true
}
