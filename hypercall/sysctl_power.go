package hypercall

import "pvlab/hypercall/abi"

// Power management: what the tools see while dom0 has told Xen nothing about
// frequencies and idle states (D/acpi/pmstat.c).

// pmStatistics: {type u32, cpuid u32, union at 16}.
func pmStatistics(c *Caller) (uint64, error) {
	const (
		px, cx   = 0x10, 0x20
		maxCx    = cx | 1
		cxStat   = cx | 2
		resetCx  = cx | 3
		category = 0xf0
	)
	r := &c.req
	typ := r.u32(8)
	switch {
	case r.u32(12) >= c.cpus():
		return ret(abi.EINVAL)
	case typ&category == px:
		return ret(abi.EINVAL) // nobody gave the states
	case typ&category != cx:
		return ret(abi.ENODEV)
	case typ == maxCx:
		r.put32(16, 2)
	case typ == cxStat:
		if err := c.idleStates(); err != 0 {
			return ret(err)
		}
	case typ != resetCx:
		c.D.Print("not defined sub-hypercall @ do_get_pm_info")
		return ret(abi.ENOSYS)
	}
	return ret(c.back(0, r.size))
}

// idleStates: {nr u32, last u32, idle_time u64, triggers, residencies, nr_pc
// u32, nr_cc u32, ...}: C0 and C1 (X/acpi/cpu_idle.c:pmstat_get_cx_stat).
func (c *Caller) idleStates() abi.Errno {
	const states = 2
	r := &c.req
	idle := c.idleTime(r.u32(12))
	n := min(r.u32(16), states)
	var usage, time [8 * states]byte
	for i := range states {
		le.PutUint64(usage[8*i:], 1)
	}
	le.PutUint64(time[0:], c.D.Now()-idle)
	le.PutUint64(time[8:], idle)
	if !c.copyOut(r.u64(32), usage[:8*n]) || !c.copyOut(r.u64(40), time[:8*n]) {
		return abi.EFAULT
	}
	r.put32(16, states)
	r.put32(20, 0)
	r.put64(24, idle)
	r.put64(48, 0)
	return 0
}

// pmOp: {cmd u32, cpuid u32, union at 16}.
func pmOp(c *Caller) (uint64, error) {
	const (
		setSMT         = 0x21
		getLimit       = 0x22
		setLimit       = 0x23
		enableTurbo    = 0x26
		disableTurbo   = 0x27
		category, freq = 0xf0, 0x10
	)
	r, h := &c.req, &c.D.Host
	cmd, cpu := r.u32(8), r.u32(12)
	switch {
	case cmd == setSMT && cpu != 0, (cmd == getLimit || cmd == setLimit) && cpu >= uint32(len(h.CStateLimit)):
		return ret(abi.EINVAL)
	case cmd == setSMT:
		was := h.SMTSaving
		h.SMTSaving = r.u32(16) != 0
		r.put32(16, 0)
		if was {
			r.put32(16, 1)
		}
	case cmd == getLimit:
		r.put32(16, h.CStateLimit[cpu])
	case cmd == setLimit:
		h.CStateLimit[cpu] = r.u32(16)
	case cpu >= c.cpus(), cmd&category == freq:
		return ret(abi.EINVAL)
	case cmd == enableTurbo, cmd == disableTurbo:
		return ret(abi.EACCES)
	default:
		c.D.Print("not defined sub-hypercall @ do_pm_op")
		return ret(abi.ENOSYS)
	}
	return ret(c.back(0, r.size))
}
