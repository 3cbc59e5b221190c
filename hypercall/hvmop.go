package hypercall

import (
	"slices"

	"pvlab/hypercall/abi"
)

// hvm_op is hypercall 34, which is for HVM domains, of which there is none: what
// a PV domain is answered (X/hvm/hvm.c:do_hvm_op).
func hvmOp(c *Caller) (uint64, error) { return c.operation(c.args[0], abi.ENOSYS) }

func hvmOps() Ops {
	every := func(n uint64, name string, s Support, run handler) SubOp { return SubOp{n, name, s, s, "", run} }
	no := abi.EINVAL
	return Ops{inArg, mask64, []SubOp{
		every(0, "HVMOP_set_param", Full, answer(hvmParam)),
		every(1, "HVMOP_get_param", Full, answer(hvmParam)),
		every(5, "HVMOP_flush_tlbs", Always(no), nil),
		every(9, "HVMOP_pagetable_dying", Full, answer(hvmDying)),
		every(10, "HVMOP_get_time", Full, hvmTime),
		every(11, "HVMOP_xentrace", Full, answer(hvmTrace)),
		every(15, "HVMOP_get_mem_type", Full, answer(hvmMemType)),
		every(23, "HVMOP_set_evtchn_upcall_vector", Always(no), nil),
		every(24, "HVMOP_guest_request_vm_event", Full, answer(hvmRequest)),
		every(25, "HVMOP_altp2m", Always(abi.EOPNOTSUPP), nil),
	}}
}

// hvmDomain reads a structure of n bytes that begins with a domain id, which
// must be of a domain.
func (c *Caller) hvmDomain(b []byte) (id uint16, err abi.Errno) {
	if !c.copyIn(c.args[1], b) {
		return 0, abi.EFAULT
	}
	if id = le.Uint16(b); id == abi.DomIDSelf {
		id = c.D.ID
	}
	return id, 0
}

// hvmParam: {domid u16, pad, index u32, value u64}.
func hvmParam(c *Caller) abi.Errno {
	const params = 39
	var b [16]byte
	id, err := c.hvmDomain(b[:])
	switch {
	case err != 0:
		return err
	case le.Uint32(b[4:]) >= params:
		return abi.EINVAL
	case !c.exists(id):
		return abi.ESRCH
	}
	return abi.EINVAL
}

// hvmDying: {domid u16, pad u16[3], gpa u64}.
func hvmDying(c *Caller) abi.Errno {
	var b [16]byte
	id, err := c.hvmDomain(b[:])
	switch {
	case err != 0:
		return err
	case !c.exists(id):
		return abi.ESRCH
	case id != c.D.ID:
		return abi.EOPNOTSUPP
	}
	return abi.EINVAL
}

func hvmTime(c *Caller) (uint64, error) {
	var b [8]byte
	le.PutUint64(b[:], c.D.Now())
	return c.give(c.args[1], b[:])
}

// hvmTrace: {event u16, extra_bytes u16, extra[28]}. Nothing is traced.
func hvmTrace(c *Caller) abi.Errno {
	const maxExtra, eventMask = 28, 0xfff
	var b [32]byte
	switch {
	case !c.copyIn(c.args[1], b[:]):
		return abi.EFAULT
	case le.Uint16(b[2:]) > maxExtra, le.Uint16(b[0:])&^eventMask != 0:
		return abi.EINVAL
	}
	return 0
}

// hvmMemType: {domid u16, mem_type u16, pad u16[2], pfn u64}.
func hvmMemType(c *Caller) abi.Errno {
	var b [16]byte
	id, err := c.hvmDomain(b[:])
	switch {
	case err != 0:
		return err
	case !c.exists(id):
		return abi.ESRCH
	case id != c.D.ID && !c.D.Privileged:
		return abi.EPERM
	}
	return abi.EINVAL
}

// hvmRequest: nobody monitors the domain.
func hvmRequest(c *Caller) abi.Errno {
	if c.args[1] != 0 {
		return abi.EINVAL
	}
	return 0
}

// dmOp is hypercall 41, for device models of HVM domains, of which there is
// none (C/dm.c:do_dm_op, X/hvm/dm.c:dm_op).
func dmOp(c *Caller) (uint64, error) {
	const (
		maxBufs = 2
		bufSize = 16
	)
	id, n := uint16(c.args[0]), c.cmd32(1)
	switch {
	case n == 0:
		return ret(abi.ENODATA)
	case n > maxBufs:
		return ret(abi.E2BIG)
	}
	var b [maxBufs * bufSize]byte
	switch {
	case !c.copyIn(c.args[2], b[:n*bufSize]):
		return ret(abi.EFAULT)
	case id == c.D.ID:
		return ret(abi.EPERM)
	case id == 0:
		return ret(abi.EINVAL) // dom0, a PV domain
	}
	return ret(abi.ESRCH)
}

// xenprof_op is hypercall 31. The processor has no counters that Xen knows, so
// nobody becomes the primary profiler (C/xenoprof.c:do_xenoprof_op).
func xenoprofOp(c *Caller) (uint64, error) { return c.operation(c.cmd32(0), abi.EINVAL) }

func xenoprofOps() Ops {
	return Ops{inArg, mask32, slices.Concat(
		[]SubOp{{0, "XENOPROF_init", Full, Full, "", answer(xenoprofInit)}},
		both(Denied, 1, "XENOPROF_reset_active_list", "XENOPROF_reset_passive_list", "XENOPROF_set_active", "XENOPROF_set_passive",
			"XENOPROF_reserve_counters", "XENOPROF_counter", "XENOPROF_setup_events"),
		[]SubOp{{8, "XENOPROF_enable_virq", Full, Full, "", answer(xenoprofEnable)}},
		both(Denied, 9, "XENOPROF_start", "XENOPROF_stop", "XENOPROF_disable_virq", "XENOPROF_release_counters", "XENOPROF_shutdown"),
		[]SubOp{{14, "XENOPROF_get_buffer", Partial, Partial, "the argument is read; a buffer is loud", xenoprofBuffer}},
		both(Denied, 15, "XENOPROF_set_backtrace", "XENOPROF_get_ibs_caps", "XENOPROF_ibs_counter"),
	)}
}

// xenoprofInit: {num_events i32, is_primary i32, cpu_type[64]}.
func xenoprofInit(c *Caller) abi.Errno {
	var b [72]byte
	if !c.copyIn(c.args[1], b[:]) {
		return abi.EFAULT
	}
	return abi.ENODEV
}

func xenoprofEnable(c *Caller) abi.Errno {
	c.D.Print("xenoprof_reset_buf: ERROR - Unexpected Xenoprof NULL pointer ")
	return abi.EPERM
}

// xenoprofBuffer: {max_samples, nbuf, bufsize i32, buf_gmaddr u64}.
func xenoprofBuffer(c *Caller) (uint64, error) {
	var b [24]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	return c.loud("a buffer")
}
