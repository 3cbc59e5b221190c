package dom

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// Due is the time at which a timer set to ns fires: Xen's times are signed, so
// that one which looks negative is long past. It is never 0, which stands for
// no timer.
func Due(ns uint64) uint64 {
	if int64(ns) <= 0 {
		return 1
	}
	return ns
}

// noDeadline is later than any timer.
const noDeadline = ^uint64(0)

// TSCScale gives the multiplier and shift by which a guest turns TSC ticks
// into nanoseconds: ns = (ticks << shift) * mul >> 32 (Xen public xen.h:
// vcpu_time_info; X/time.c:set_time_scale).
func TSCScale(hz uint64) (mul uint32, shift int8) {
	for hz > 2_000_000_000 {
		hz >>= 1
		shift--
	}
	for hz <= 1_000_000_000 {
		hz <<= 1
		shift++
	}
	return uint32(1_000_000_000 << 32 / hz), shift
}

func (d *Domain) initTime() {
	base := d.space.sharedInfo << mem.PageShift
	var b [12]byte
	binary.LittleEndian.PutUint32(b[0:], 2)
	binary.LittleEndian.PutUint32(b[4:], uint32(d.WallclockSec))
	d.Mem.Write(base+abi.SharedInfoWCVersion, b[:])
	binary.LittleEndian.PutUint32(b[0:], uint32(d.WallclockSec>>32))
	d.Mem.Write(base+abi.SharedInfoWCSecHi, b[:4])
	for _, v := range d.VCPU {
		v.UpdateTime()
		v.PeriodicLast = d.Now()
	}
}

// UpdateTime publishes the vCPU's system time in its vcpu_info, and in its
// time area if there is one.
func (v *VCPU) UpdateTime() {
	if v.InfoMFN == 0 {
		return
	}
	pa := v.InfoMFN<<mem.PageShift + v.InfoOffset + abi.VCPUInfoTime
	var b [abi.TimeInfoSize]byte
	v.Dom.Mem.Read(pa, b[:])
	version := binary.LittleEndian.Uint32(b[abi.TimeVersion:])
	v.timeInfo(&b, version+2)
	v.Dom.Mem.Write(pa, b[:])
	if v.TimeArea != 0 {
		v.updateAreas()
	}
}

func (v *VCPU) timeInfo(b *[abi.TimeInfoSize]byte, version uint32) {
	mul, shift := TSCScale(v.Dom.TSCHz)
	le := binary.LittleEndian
	clear(b[:])
	le.PutUint32(b[abi.TimeVersion:], version&^1)
	var tsc uint64
	if v.CPU.Bus != nil {
		tsc = v.CPU.Bus.TSC()
	}
	le.PutUint64(b[abi.TimeTSCTimestamp:], tsc)
	le.PutUint64(b[abi.TimeSystemTime:], v.Dom.Now())
	le.PutUint32(b[abi.TimeTSCToSysMul:], mul)
	b[abi.TimeTSCShift] = byte(shift)
}

// updateAreas writes the registered runstate and time areas through the page
// table that is loaded. In user mode, one that cannot be written waits for the
// kernel's page table (EVT-18); in kernel mode it is skipped silently.
func (v *VCPU) updateAreas() {
	v.AreaPending = !v.updateRunstate() || !v.updateTimeArea()
	v.AreaPending = v.AreaPending && !v.KernelMode
}

func (v *VCPU) updateTimeArea() bool {
	if v.TimeArea == 0 {
		return true
	}
	var b [abi.TimeInfoSize]byte
	v.timeInfo(&b, 2)
	n, _ := v.CopyToFault(v.TimeArea, b[:])
	return n != 0
}

// SetPeriodic sets the periodic timer's period in ns, 0 stops it. It counts
// from the last tick, so a shorter period may tick at once.
func (v *VCPU) SetPeriodic(period uint64) {
	v.Periodic = period
	v.catchUpPeriodic()
}

// catchUpPeriodic sends a tick that is due. A vCPU that does not run has no
// periodic timer; it gets one tick when it runs again
// (C/sched/core.c:vcpu_periodic_timer_work).
func (v *VCPU) catchUpPeriodic() {
	if v.Periodic == 0 {
		return
	}
	if now := v.Dom.Now(); now >= v.PeriodicLast+v.Periodic {
		v.PeriodicLast = now
		v.RaiseVIRQ(abi.VIRQTimer)
	}
}

// Advance fires all timers that are due at the present virtual time.
func (d *Domain) Advance() {
	if d.ShutDown {
		return
	}
	now := d.Now()
	for _, v := range d.VCPU {
		if v.Singleshot != 0 && now >= v.Singleshot {
			v.Singleshot = 0
			v.RaiseVIRQ(abi.VIRQTimer)
		}
		if v.Polling && v.PollAt != 0 && now >= v.PollAt {
			v.Unblock()
		}
		if !v.Blocked && !v.Down {
			v.catchUpPeriodic()
		}
	}
	for i, t := range d.Watchdog {
		if t != 0 && now >= t {
			d.Watchdog[i] = 0
			d.watchdogFired(i)
			return
		}
	}
}

// Due is the time of the next timer, whether its tick can change anything or
// not: before it Advance does nothing. All ones when there is none.
func (d *Domain) Due() uint64 {
	due := noDeadline
	for _, v := range d.VCPU {
		if v.Singleshot != 0 {
			due = min(due, v.Singleshot)
		}
		if v.Polling && v.PollAt != 0 {
			due = min(due, v.PollAt)
		}
		if v.Periodic != 0 && !v.Blocked && !v.Down {
			due = min(due, v.PeriodicLast+v.Periodic)
		}
	}
	for _, t := range d.Watchdog {
		if t != 0 {
			due = min(due, t)
		}
	}
	return due
}

// Deadline is the time of the next timer that can change anything: a tick of
// an unbound VIRQ, or of one that is still pending, cannot. False when there
// is none.
func (d *Domain) Deadline() (ns uint64, ok bool) {
	ns = noDeadline
	for _, v := range d.VCPU {
		if d.ShutDown {
			continue
		}
		if v.Polling && v.PollAt != 0 {
			ns = min(ns, v.PollAt)
		}
		p, bound := v.VIRQPort(abi.VIRQTimer)
		if !bound || d.deaf(p) {
			continue
		}
		if v.Singleshot != 0 {
			ns = min(ns, v.Singleshot)
		}
		if v.Periodic != 0 && !v.Blocked && !v.Down {
			ns = min(ns, v.PeriodicLast+v.Periodic)
		}
	}
	for _, t := range d.Watchdog {
		if t != 0 && !d.ShutDown {
			ns = min(ns, t)
		}
	}
	return ns, ns != noDeadline
}
