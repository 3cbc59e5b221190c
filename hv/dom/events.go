package dom

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

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
	v.wake()
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
