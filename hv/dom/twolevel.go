package dom

import (
	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// The 2-level ABI: pending and mask bits in shared_info, a selector of words
// in vcpu_info (C/event_2l.c).

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

// Raise makes port p pending for its vCPU, unless it is closed.
func (d *Domain) Raise(p uint64) {
	switch {
	case d.Ports[p].State == abi.EvtchnStatClosed:
	case d.FIFO.On:
		d.raiseFIFO(uint32(p))
	default:
		d.raise2L(p)
	}
}

// raise2L has three edges, each of which can swallow the notification
// (EVT-03; C/event_2l.c:evtchn_2l_set_pending).
func (d *Domain) raise2L(p uint64) {
	v := d.VCPU[d.Ports[p].VCPU]
	if pa, bit := d.sharedBit(abi.SharedInfoEvtchnPending, p); d.testAndSet(pa, bit) {
		return
	}
	if pa, bit := d.sharedBit(abi.SharedInfoEvtchnMask, p); d.Mem.Read64(pa)&bit == 0 {
		v.selectWord(p)
	}
	d.wakePollers(p)
}

// IsPending and IsMasked read a port's bits.
func (d *Domain) IsPending(p uint64) bool {
	if d.FIFO.On {
		return d.fifoBit(uint32(p), abi.FIFOPending)
	}
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnPending, p)
	return d.Mem.Read64(pa)&bit != 0
}

// IsMasked is the port's mask bit; without an event word it is masked.
func (d *Domain) IsMasked(p uint64) bool {
	if d.FIFO.On {
		return d.eventWord(uint32(p)) == 0 || d.fifoBit(uint32(p), abi.FIFOMasked)
	}
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnMask, p)
	return d.Mem.Read64(pa)&bit != 0
}

// deaf reports whether raising an open port now would change nothing.
func (d *Domain) deaf(p uint64) bool {
	if !d.FIFO.On || d.eventWord(uint32(p)) == 0 {
		return d.IsPending(p)
	}
	return d.IsPending(p) && (d.IsMasked(p) || d.fifoLinked(uint32(p)))
}

// ClearPending clears a port's pending bit, as closing it does.
func (d *Domain) ClearPending(p uint64) {
	if d.FIFO.On {
		d.clearFIFO(uint32(p), abi.FIFOPending)
		return
	}
	pa, bit := d.sharedBit(abi.SharedInfoEvtchnPending, p)
	d.Mem.Write64(pa, d.Mem.Read64(pa)&^bit)
}

// Unmask clears the mask of an open port and does what Raise had to leave
// undone (EVT-04).
func (d *Domain) Unmask(p uint64) {
	if d.FIFO.On {
		d.unmaskFIFO(uint32(p))
		return
	}
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
// byte when that was clear. A vCPU without a vcpu_info uses one that belongs
// to nobody.
func (v *VCPU) selectWord(p uint64) {
	if v.InfoMFN == 0 {
		return
	}
	pa := v.InfoMFN<<mem.PageShift + v.InfoOffset + abi.VCPUInfoPendingSel
	if !v.Dom.testAndSet(pa, 1<<(p/64)) {
		v.MarkPending()
	}
}
