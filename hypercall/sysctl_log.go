package hypercall

import "pvlab/hypercall/abi"

// What Xen has to say about itself: its console ring, trace buffers, debug keys.

// readConsole: {clear u8, incremental u8, index u32, buffer, count u32}.
func readConsole(c *Caller) abi.Errno {
	r := &c.req
	b, next := c.D.ReadRing(r.u32(12), r.u32(24), r.u8(9) != 0, false)
	if len(b) != 0 && !c.copyOut(r.u64(16), b) {
		return abi.EFAULT
	}
	if r.u8(8) != 0 {
		c.D.ReadRing(r.u32(12), r.u32(24), r.u8(9) != 0, true)
	}
	r.put32(24, uint32(len(b)))
	r.put32(12, next)
	return 0
}

// traceBuffers: {cmd u32, cpu_mask bitmap at 16, evt_mask u32, buffer_mfn u64,
// size u32}. None were made (C/trace.c:tb_control).
func traceBuffers(c *Caller) (uint64, error) {
	const (
		getInfo = iota
		setCPUMask
		setEventMask
		setSize
		enable
		disable
	)
	r, h := &c.req, &c.D.Host
	switch r.u32(8) {
	case getInfo:
		r.put32(32, h.TraceEvents)
		r.put64(40, 0)
		r.put32(48, 0)
	case setCPUMask:
		if _, err := c.bitmapIn(16, c.cpus()); err != 0 {
			return ret(err)
		}
	case setEventMask:
		h.TraceEvents = r.u32(32)
	case setSize:
		if r.u32(48) != 0 {
			return c.loud("set_size")
		}
		return ret(abi.EINVAL)
	case disable:
	default: // enable has nothing to write to
		return ret(abi.EINVAL)
	}
	return ret(c.back(0, r.size))
}

// knownKeys have a handler in Xen (C/keyhandler.c and others).
const knownKeys = "%*+-0ACDGHIMNQRSadeghimnoqrstuvwxz"

// debugKeys: {keys, nr_keys u32}. Keys that mean nothing are passed over.
func debugKeys(c *Caller) (uint64, error) {
	const most = 1 << 20 // without a key that means anything
	at, n := c.req.u64(8), uint64(c.req.u32(16))
	var b [256]byte
	for done := uint64(0); done < n; done += uint64(len(b)) {
		k := min(n-done, uint64(len(b)))
		got, f := c.V.CopyFromFault(at+done, b[:k])
		for _, key := range b[:got] {
			for i := range len(knownKeys) {
				if key == knownKeys[i] {
					return c.loud("key " + string(rune(key)))
				}
			}
		}
		if f.Valid {
			return ret(abi.EFAULT)
		}
		if done >= most {
			return c.loud("a million keys")
		}
	}
	return ret(0)
}
