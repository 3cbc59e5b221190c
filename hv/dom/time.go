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

// RunstateInfo is the vCPU's struct vcpu_runstate_info as of now.
func (v *VCPU) RunstateInfo() [abi.RunstateInfoSize]byte {
	times := v.RunstateTime
	times[v.Runstate] += v.Dom.Now() - v.RunstateEntry
	return v.runstateInfo(&times)
}

func (v *VCPU) runstateInfo(times *[4]uint64) [abi.RunstateInfoSize]byte {
	var b [abi.RunstateInfoSize]byte
	le := binary.LittleEndian
	le.PutUint32(b[abi.RunstateState:], v.Runstate)
	le.PutUint64(b[abi.RunstateEntryTime:], v.RunstateEntry)
	for i, t := range times {
		le.PutUint64(b[abi.RunstateTime+8*i:], t)
	}
	return b
}

// RegisterRunstate sets the area and fills it once, through the caller's page
// table: for the caller itself with what was accounted when it was scheduled
// last, for another vCPU as of now (C/domain.c:common_vcpu_op).
func (v *VCPU) RegisterRunstate(caller *VCPU, addr uint64) {
	v.RunstateArea = addr
	b := v.RunstateInfo()
	if v == caller {
		b = v.runstateInfo(&v.RunstateTime)
	}
	caller.CopyTo(addr, b[:])
}

// updateRunstate writes the area after a change of the state. With VMASST
// runstate_update_flag the top byte of the entry time says meanwhile that it
// is being written. False when not a byte could be written
// (X/domain.c:update_runstate_area).
func (v *VCPU) updateRunstate() bool {
	if v.RunstateArea == 0 {
		return true
	}
	b := v.runstateInfo(&v.RunstateTime)
	flagged := v.Dom.Is(abi.VMAssistRunstateUpdateFlag)
	const top = abi.RunstateEntryTime + 7
	if flagged {
		b[top] |= byte(abi.RunstateUpdate >> 56)
		v.CopyTo(v.RunstateArea+top, b[top:top+1])
	}
	n, _ := v.CopyToFault(v.RunstateArea, b[:])
	if flagged {
		b[top] &^= byte(abi.RunstateUpdate >> 56)
		v.CopyTo(v.RunstateArea+top, b[top:top+1])
	}
	return n != 0
}

// setRunstate accounts the time of the state left (C/sched/core.c:
// vcpu_runstate_change).
func (v *VCPU) setRunstate(s uint32) {
	if v.Runstate == s {
		return
	}
	if now := v.Dom.Now(); now > v.RunstateEntry {
		v.RunstateTime[v.Runstate] += now - v.RunstateEntry
		v.RunstateEntry = now
	}
	v.Runstate = s
}

// SchedIn notes that the vCPU starts to run. Xen updates the areas whenever a
// processor changes from or to the vCPU, be it for no other.
func (v *VCPU) SchedIn() {
	if v.Runstate != abi.RunstateRunning {
		v.setRunstate(abi.RunstateRunning)
		v.updateAreas()
		v.catchUpPeriodic()
	}
}

// SchedOut notes that a running vCPU stops: it is blocked, down, or another
// one has the processor.
func (v *VCPU) SchedOut() {
	if v.Runstate != abi.RunstateRunning {
		return
	}
	switch {
	case v.Blocked:
		v.setRunstate(abi.RunstateBlocked)
	case v.Down:
		v.setRunstate(abi.RunstateOffline)
	default:
		v.setRunstate(abi.RunstateRunnable)
	}
	v.updateRunstate()
}

// wake is what becomes of the state of a vCPU that does not run when a reason
// not to run has gone (C/sched/core.c:vcpu_wake).
func (v *VCPU) wake() {
	switch {
	case !v.Blocked && !v.Down:
		if v.Runstate >= abi.RunstateBlocked {
			v.setRunstate(abi.RunstateRunnable)
		}
	case !v.Blocked && v.Runstate == abi.RunstateBlocked:
		v.setRunstate(abi.RunstateOffline)
	}
}

// Up makes an initialised vCPU run, TakeDown stops one.
func (v *VCPU) Up() {
	if v.Down {
		v.Down = false
		v.wake()
	}
}

// TakeDown stops the vCPU until Up.
func (v *VCPU) TakeDown() {
	if v.Down {
		return
	}
	v.Down = true
	v.Kicked = true // leave the guest, if it is in it
	switch {
	case v.Runstate == abi.RunstateRunnable:
		v.setRunstate(abi.RunstateOffline)
	case !v.running:
		v.SchedOut()
	}
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
