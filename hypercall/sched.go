package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// schedOp is hypercall 29 (EVT-07 to EVT-09; C/sched/core.c:do_sched_op).
func schedOp(c *Caller) (uint64, error) {
	var b [16]byte
	arg := c.args[1]
	switch cmd := c.cmd32(0); cmd {
	case abi.SchedOpYield:
		c.V.Yielded = true
		return ret(0)
	case abi.SchedOpBlock:
		c.block()
		return ret(0)
	case abi.SchedOpShutdown, abi.SchedOpShutdownCode:
		if !c.copyIn(arg, b[:4]) {
			return ret(abi.EFAULT)
		}
		if cmd == abi.SchedOpShutdown {
			c.D.Shutdown(uint8(le.Uint32(b[:])))
		} else {
			c.D.LatchShutdown(uint8(le.Uint32(b[:])))
		}
		return ret(0)
	case abi.SchedOpPoll:
		if !c.copyIn(arg, b[:]) {
			return ret(abi.EFAULT)
		}
		return ret(c.poll(le.Uint64(b[0:]), uint64(le.Uint32(b[8:])), arg))
	case abi.SchedOpRemoteShutdown:
		if !c.copyIn(arg, b[:8]) {
			return ret(abi.EFAULT)
		}
		// {domain_id u16, pad, reason u32}; DOMID_SELF is nobody here.
		switch id := le.Uint16(b[:]); {
		case id != 0 && id != c.D.ID:
			return ret(abi.ESRCH)
		case !c.D.Privileged:
			return ret(abi.EPERM)
		}
		c.D.Shutdown(uint8(le.Uint32(b[4:])))
		return ret(0)
	case abi.SchedOpWatchdog:
		if !c.copyIn(arg, b[:8]) {
			return ret(abi.EFAULT)
		}
		return c.watchdog(le.Uint32(b[0:]), le.Uint32(b[4:]))
	case abi.SchedOpPinOverride:
		if !c.D.Privileged {
			return ret(abi.EPERM)
		}
		if !c.copyIn(arg, b[:4]) {
			return ret(abi.EFAULT)
		}
		return ret(c.V.PinOverride(int32(le.Uint32(b[:]))))
	}
	return ret(abi.ENOSYS)
}

// schedOpCompat is hypercall 6: the shutdown reason is the argument itself.
func schedOpCompat(c *Caller) (uint64, error) {
	switch c.cmd32(0) {
	case abi.SchedOpYield:
		c.V.Yielded = true
	case abi.SchedOpBlock:
		c.block()
	case abi.SchedOpShutdown:
		c.D.Shutdown(uint8(c.args[1]))
	default:
		return ret(abi.ENOSYS)
	}
	return ret(0)
}

func (c *Caller) block() {
	c.V.SetMask(0)
	c.V.Block()
}

// maxPollPorts is Xen's limit.
const maxPollPorts = 128

// poll is SCHEDOP_poll: {ports handle, nr_ports u32, pad, timeout u64}. It
// leaves the mask alone (EVT-08).
func (c *Caller) poll(ports, n, arg uint64) abi.Errno {
	timeout, ok := c.V.Read64(arg + 16)
	if !ok {
		return abi.EFAULT
	}
	if n > maxPollPorts {
		return abi.EINVAL
	}
	if !dom.AddrOK(ports) {
		return abi.EFAULT
	}
	if c.V.Deliverable() {
		return 0
	}
	var port uint32
	for i := uint64(0); i < n; i++ {
		if port, ok = c.V.Read32(ports + 4*i); !ok {
			return abi.EFAULT
		}
		if p := c.D.Port(uint64(port)); p == nil || p.State == abi.EvtchnStatClosed {
			return abi.EINVAL
		}
		if c.D.IsPending(uint64(port)) {
			return 0
		}
	}
	v := c.V
	v.Polling, v.PollPort, v.PollAt = true, -1, 0
	if timeout != 0 {
		v.PollAt = dom.Due(timeout)
	}
	if n == 1 {
		v.PollPort = int32(port)
	}
	v.Block()
	if !v.Blocked { // an NMI is due
		v.Polling, v.PollPort, v.PollAt = false, 0, 0
	}
	return 0
}

// watchdog sets, moves or stops one of the domain's two watchdog timers; id 0
// takes a free one and returns its number (C/sched/core.c:domain_watchdog).
func (c *Caller) watchdog(id, seconds uint32) (uint64, error) {
	const nsPerSec = 1_000_000_000
	at := c.D.Now() + uint64(seconds)*nsPerSec
	timers := &c.D.Watchdog
	if id > uint32(len(timers)) {
		return ret(abi.EINVAL)
	}
	if id == 0 {
		for i := range timers {
			if timers[i] == 0 {
				timers[i] = at
				return value(uint64(i + 1))
			}
		}
		return value(1<<32 - uint64(abi.ENOSPC)) // Xen loses the upper half here
	}
	if timers[id-1] == 0 {
		return ret(abi.EINVAL)
	}
	timers[id-1] = at
	if seconds == 0 {
		timers[id-1] = 0
	}
	return ret(0)
}

// setTimerOp is hypercall 15 (EVT-11; C/sched/core.c:do_set_timer_op).
func setTimerOp(c *Caller) (uint64, error) {
	const farFuture = 100_000_000 // what Xen makes of an absurd time
	now, at := c.D.Now(), c.args[0]
	offset := int64(at - now)
	switch {
	case at == 0:
		c.V.Singleshot = 0
	case int64(at) < 0 || offset > 0 && uint32(offset>>50) != 0:
		c.V.Singleshot = now + farFuture
	default:
		c.V.Singleshot = at
	}
	c.D.Advance() // a time in the past fires at once
	return ret(0)
}
