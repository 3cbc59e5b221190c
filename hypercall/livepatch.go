package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// livepatch: {cmd u32, pad u32, union at 16}. No payload is loaded
// (C/livepatch.c:livepatch_op).
func livepatch(c *Caller) (uint64, error) {
	const (
		upload = iota
		get
		list
		action
		maxPayload = 2 << 20
	)
	r := &c.req
	var err abi.Errno
	switch cmd := r.u32(8); {
	case r.u32(12) != 0:
		err = abi.EINVAL
	case cmd == list:
		err = c.payloads()
	case cmd == upload:
		size := r.u64(32)
		switch {
		case c.payloadName() != 0, size == 0, size > maxPayload:
			err = abi.EINVAL
		case !dom.AddrOK(r.u64(40)):
			err = abi.EFAULT
		default:
			return c.loud("upload")
		}
	case cmd == get, cmd == action:
		if err = c.payloadName(); err == 0 {
			err = abi.ENOENT
		}
		if cmd == action && r.u32(44) != 0 {
			err = abi.EINVAL
		}
	default:
		return ret(abi.EOPNOTSUPP)
	}
	if c.back(0, r.size) != 0 { // also after an error
		err = abi.EFAULT
	}
	return ret(err)
}

// payloadName checks {name, size u16, pad u16[3]} at 16.
func (c *Caller) payloadName() abi.Errno {
	const most = 128
	r := &c.req
	n := r.u16(24)
	if n == 0 || n > most || r.u16(26)|r.u16(28)|r.u16(30) != 0 {
		return abi.EINVAL
	}
	var b [most]byte
	switch {
	case !c.copyIn(r.u64(16), b[:n]):
		return abi.EFAULT
	case b[n-1] != 0:
		return abi.EINVAL
	}
	return 0
}

// payloads: {version, idx, nr, pad, name_total_size, metadata_total_size u32,
// status, name, len, metadata, metadata_len}: none.
func (c *Caller) payloads() abi.Errno {
	const most = 1024
	r := &c.req
	n := r.u32(24)
	switch {
	case n > most:
		return abi.E2BIG
	case r.u32(28) != 0,
		n != 0 && !(dom.AddrOK(r.u64(40)) && dom.AddrOK(r.u64(56)) && dom.AddrOK(r.u64(72))):
		return abi.EINVAL
	}
	r.put32(16, 1) // version
	r.put32(24, 0)
	r.put64(32, 0)
	return 0
}
