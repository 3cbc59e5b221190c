package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// vcpuOp is hypercall 24 (EVT-10, EVT-11, EVT-14 to EVT-16;
// C/domain.c:common_vcpu_op, X/domain.c:do_vcpu_op).
func vcpuOp(c *Caller) (uint64, error) {
	cmd, id, arg := c.cmd32(0), c.cmd32(1), c.args[2]
	if id >= uint64(len(c.D.VCPU)) {
		return ret(abi.ENOENT)
	}
	v := c.D.VCPU[id]
	switch cmd {
	case abi.VCPUOpInitialise:
		return ret(c.initialise(v, arg))
	case abi.VCPUOpUp:
		if !v.Initialised {
			return ret(abi.EINVAL)
		}
		v.Up()
		return ret(0)
	case abi.VCPUOpDown:
		return ret(c.vcpuDown(v))
	case abi.VCPUOpIsUp:
		if v.Down {
			return value(0)
		}
		return value(1)
	case abi.VCPUOpGetRunstateInfo:
		b := v.RunstateInfo()
		return c.give(arg, b[:])
	case abi.VCPUOpRegisterRunstateArea, abi.VCPUOpRegisterVCPUTimeArea:
		addr, ok := c.V.Read64(arg)
		if !ok || !dom.AddrOK(addr) {
			return ret(abi.EFAULT)
		}
		if cmd == abi.VCPUOpRegisterRunstateArea {
			v.RegisterRunstate(c.V, addr)
		} else {
			v.TimeArea = addr
			v.UpdateTime()
		}
		return ret(0)
	case abi.VCPUOpRegisterVCPUInfo:
		var b [16]byte
		if !c.copyIn(arg, b[:]) {
			return ret(abi.EFAULT)
		}
		return ret(c.registerInfo(v, le.Uint64(b[0:]), uint64(le.Uint32(b[8:]))))
	case abi.VCPUOpSendNMI:
		if arg != 0 {
			return ret(abi.EINVAL)
		}
		v.SendNMI()
		return ret(0)
	case abi.VCPUOpGetPhysID:
		if !c.D.Privileged || !v.Pinned() {
			return ret(abi.EINVAL)
		}
		// APIC id u32, ACPI's number u32: of the processor that has the
		// vCPU's number, all ones where there is none.
		id := uint32(v.ID)
		if v.ID >= c.D.PCPUs {
			id = ^uint32(0)
		}
		var b [8]byte
		le.PutUint32(b[0:], id)
		le.PutUint32(b[4:], id)
		return c.give(arg, b[:])
	}
	return c.vcpuTimer(v, cmd, arg)
}

func (c *Caller) vcpuTimer(v *dom.VCPU, cmd, arg uint64) (uint64, error) {
	const (
		minPeriod = 1_000_000 // 1 ms
		maxDelta  = 1<<63 - 1 // STIME_DELTA_MAX
	)
	switch cmd {
	case abi.VCPUOpSetPeriodicTimer:
		ns, ok := c.V.Read64(arg)
		if !ok {
			return ret(abi.EFAULT)
		}
		if ns < minPeriod || ns > maxDelta {
			return ret(abi.EINVAL)
		}
		v.SetPeriodic(ns)
	case abi.VCPUOpStopPeriodicTimer:
		v.SetPeriodic(0)
	case abi.VCPUOpSetSingleshotTimer:
		if v != c.V {
			return ret(abi.EINVAL)
		}
		ns, ok := c.V.Read64(arg)
		if !ok || !c.readable(arg+8, 8) {
			return ret(abi.EFAULT)
		}
		v.Singleshot = dom.Due(ns)
		if ns < c.D.Now() {
			v.Singleshot = 0
			v.RaiseVIRQ(abi.VIRQTimer)
		}
		c.D.Advance()
	case abi.VCPUOpStopSingleshotTimer:
		if v != c.V {
			return ret(abi.EINVAL)
		}
		v.Singleshot = 0
	default:
		return ret(abi.ENOSYS)
	}
	return ret(0)
}

func (c *Caller) readable(addr uint64, n int) bool {
	var b [8]byte
	return c.copyIn(addr, b[:n])
}

// give copies a result structure out.
func (c *Caller) give(addr uint64, b []byte) (uint64, error) {
	if !c.copyOut(addr, b) {
		return ret(abi.EFAULT)
	}
	return ret(0)
}

// vcpuDown takes a vCPU down; the last one powers the domain off (EVT-15).
func (c *Caller) vcpuDown(v *dom.VCPU) abi.Errno {
	for _, o := range c.D.VCPU {
		if o != v && !o.Down {
			v.TakeDown()
			return 0
		}
	}
	c.D.Shutdown(abi.ShutdownPoweroff)
	return 0
}

// registerInfo moves a vCPU's vcpu_info into a page of the guest and marks
// everything pending (EVT-16; C/domain.c:map_vcpu_info, with 4.17's errnos).
func (c *Caller) registerInfo(v *dom.VCPU, mfn, offset uint64) abi.Errno {
	const align = 8
	if offset > 4096-abi.VCPUInfoSize || offset%align != 0 {
		return abi.ENXIO
	}
	if v.InfoMoved || v != c.V && !v.Down {
		return abi.EINVAL
	}
	return v.MoveInfo(mfn, offset)
}
