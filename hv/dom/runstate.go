package dom

import (
	"encoding/binary"

	"pvlab/hypercall/abi"
)

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
