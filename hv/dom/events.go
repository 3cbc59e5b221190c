package dom

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// Port is one event channel of the domain.
type Port struct {
	State  uint8 // EvtchnStat*
	VCPU   uint16
	VIRQ   uint8
	Remote uint16 // domain id of the other end
	Peer   uint16 // port of the other end when that is this domain
	Tools  uint8  // the other end is a service of the machine: Tool*
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

// FreePort finds the lowest closed port, growing the table if needed.
func (d *Domain) FreePort() (uint16, abi.Errno) {
	for p := 1; p < abi.NrEventChannels; p++ {
		if p == len(d.Ports) {
			d.Ports = append(d.Ports, make([]Port, portBucket)...)
		}
		if d.Ports[p].State == abi.EvtchnStatClosed {
			return uint16(p), 0
		}
	}
	return 0, abi.ENOSPC
}

// portBucket is how many channels become valid at a time: numbers up to the
// next multiple can be asked about, closed as they are.
const portBucket = 64

// Port returns the channel, nil when the number is not valid.
func (d *Domain) Port(p uint64) *Port {
	if p >= uint64(len(d.Ports)) {
		return nil
	}
	return &d.Ports[p]
}

func (d *Domain) sharedBit(base uint64, n uint64) (pa uint64, bit uint64) {
	return d.space.sharedInfo<<mem.PageShift + base + n/64*8, 1 << (n % 64)
}

// testAndSet sets a bit of shared memory and reports whether it was set.
func (d *Domain) testAndSet(pa, bit uint64) bool {
	w := d.Mem.Read64(pa)
	if w&bit != 0 {
		return true
	}
	d.Mem.Write64(pa, w|bit)
	return false
}

// IsPending and IsMasked read a port's bits in shared_info.
func (d *Domain) IsPending(p uint64) bool {
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnPending, p)
	return d.Mem.Read64(pa)&bit != 0
}

// IsMasked is the port's mask bit.
func (d *Domain) IsMasked(p uint64) bool {
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnMask, p)
	return d.Mem.Read64(pa)&bit != 0
}

// ClearPending clears a port's pending bit, as closing it does.
func (d *Domain) ClearPending(p uint64) {
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnPending, p)
	d.Mem.Write64(pa, d.Mem.Read64(pa)&^bit)
}

// Raise makes port p pending for its vCPU: three edges, each of which can
// swallow the notification (EVT-03; C/event_2l.c:evtchn_2l_set_pending).
func (d *Domain) Raise(p uint64) {
	v := d.VCPU[d.Ports[p].VCPU]
	if pa, bit := d.sharedBit(abi.SharedInfoEvtchnPending, p); d.testAndSet(pa, bit) {
		return
	}
	if !d.IsMasked(p) {
		v.selectWord(p)
	}
	d.wakePollers(p)
}

// Unmask clears the port's mask and does what Raise had to leave undone
// (EVT-04).
func (d *Domain) Unmask(p uint64) {
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnMask, p)
	w := d.Mem.Read64(pa)
	if w&bit == 0 {
		return
	}
	d.Mem.Write64(pa, w&^bit)
	if d.IsPending(p) {
		d.VCPU[d.Ports[p].VCPU].selectWord(p)
	}
}

// selectWord sets the selector bit of the port's word, and the vCPU's pending
// byte when that was clear.
func (v *VCPU) selectWord(p uint64) {
	if v.InfoMFN == 0 {
		return
	}
	pa := v.InfoMFN<<mem.PageShift + v.InfoOffset + abi.VCPUInfoPendingSel
	if !v.Dom.testAndSet(pa, 1<<(p/64)) {
		v.MarkPending()
	}
}

// MarkPending sets bit 0 of evtchn_upcall_pending and kicks the vCPU if it was
// clear; the other bits of the byte are the guest's (EVT-03;
// X/domain.c:vcpu_mark_events_pending).
func (v *VCPU) MarkPending() {
	if v.InfoMFN == 0 || v.Pending()&1 != 0 {
		return
	}
	v.Dom.Mem.PrepareWrite(v.InfoMFN)
	v.Dom.Mem.Frame(v.InfoMFN)[v.InfoOffset+abi.VCPUInfoUpcallPending] |= 1
	v.Kicked = true
	v.Unblock()
}

// Unblock makes a blocked vCPU runnable; its poll is over.
func (v *VCPU) Unblock() {
	if !v.Blocked {
		return
	}
	v.Blocked = false
	v.PollPort, v.Polling, v.PollAt = 0, false, 0
	v.setRunstate(abi.RunstateRunnable)
	v.catchUpPeriodic()
}

func (d *Domain) wakePollers(p uint64) {
	for _, v := range d.VCPU {
		if v.polls(p) {
			v.Unblock()
		}
	}
}

// polls reports whether SCHEDOP_poll of the vCPU ends when port p is raised.
func (v *VCPU) polls(p uint64) bool {
	return v.Polling && (v.PollPort <= 0 || uint64(v.PollPort) == p)
}

// Block stops the vCPU until an event is deliverable (EVT-07); the caller has
// cleared the mask. It does nothing when one already is.
func (v *VCPU) Block() {
	if v.Deliverable() || v.NMIPending && v.AsyncMask&AsyncNMI == 0 {
		return
	}
	v.Blocked = true
	v.setRunstate(abi.RunstateBlocked)
}

// RaiseVIRQ raises a virtual IRQ of the vCPU, if it is bound.
func (v *VCPU) RaiseVIRQ(virq uint8) {
	if p, ok := v.VIRQPort(virq); ok {
		v.Dom.Raise(p)
	}
}

// VIRQPort is the port a virtual IRQ of this vCPU is bound to; global ones
// are vCPU 0's.
func (v *VCPU) VIRQPort(virq uint8) (uint64, bool) {
	p := v.VIRQ[virq]
	return uint64(p), p != 0
}

// Close frees a channel: a VIRQ is no longer bound, the other end of an
// interdomain one waits for a new partner.
func (d *Domain) Close(port uint64) {
	p := &d.Ports[port]
	switch p.State {
	case abi.EvtchnStatVIRQ:
		v := d.VCPU[p.VCPU]
		if GlobalVIRQ(p.VIRQ) {
			v = d.VCPU[0]
		}
		v.VIRQ[p.VIRQ] = 0
	case abi.EvtchnStatInterdomain:
		if p.Tools == ToolNone {
			peer := &d.Ports[p.Peer]
			peer.State, peer.Remote, peer.Peer = abi.EvtchnStatUnbound, d.ID, 0
		}
	}
	d.ClearPending(port)
	d.Ports[port] = Port{}
}

// GlobalVIRQ reports whether a VIRQ belongs to the host, not to a vCPU
// (C/event_channel.c:get_virq_type).
func GlobalVIRQ(virq uint8) bool {
	switch virq {
	case abi.VIRQTimer, abi.VIRQDebug, abi.VIRQXenoprof, abi.VIRQXenPMU:
		return false
	}
	return true
}

// SendNMI makes an NMI pending (CB-11).
func (v *VCPU) SendNMI() {
	if !v.NMIPending {
		v.NMIPending = true
		v.Kicked = true
		v.Unblock()
	}
}

// MoveInfo puts the vCPU's vcpu_info at an offset of one of the guest's
// frames, with its present contents and everything marked pending (EVT-16;
// C/domain.c:map_vcpu_info). -EINVAL when the frame cannot be writable.
func (v *VCPU) MoveInfo(mfn, offset uint64) abi.Errno {
	d := v.Dom
	if d.Rules.GetPageAndType(mfn, d.owner(), pagetable.TypeWritable) != 0 {
		return abi.EINVAL
	}
	var b [abi.VCPUInfoSize]byte
	if v.InfoMFN != 0 {
		copy(b[:], v.info())
	} else {
		b[abi.VCPUInfoUpcallMask] = 1
	}
	binary.LittleEndian.PutUint64(b[abi.VCPUInfoPendingSel:], ^uint64(0))
	d.Mem.Write(mfn<<mem.PageShift+offset, b[:])
	v.InfoMFN, v.InfoOffset, v.InfoMoved = mfn, offset, true
	v.MarkPending()
	v.UpdateTime()
	return 0
}
