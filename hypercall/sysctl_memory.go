package hypercall

import "pvlab/hypercall/abi"

// pageOffline: {cmd, start, end u32, status}; a u32 for each frame. All frames
// of the machine are sound (C/page_alloc.c:query_page_offline, online_page).
func pageOffline(c *Caller) (uint64, error) {
	const (
		offline = iota + 1
		online
		query
		invalid = 0x01010101
		most    = 1 << 18 // more than Xen's heap had room for
	)
	r := &c.req
	cmd, start, end := r.u32(8), r.u32(12), r.u32(16)
	n := uint64(end) - uint64(start) + 1
	switch {
	case end < start:
		return ret(abi.EINVAL)
	case n > most:
		return ret(abi.ENOMEM)
	}
	status := make([]byte, 4*n)
	for i := range n {
		le.PutUint32(status[4*i:], invalid)
	}
	var result uint64
	for i := range n {
		switch {
		case cmd < offline || cmd > query, uint64(start)+i >= c.D.Mem.Frames():
			result = abi.EINVAL.Result()
			if cmd == online {
				result = uint64(uint32(result)) // it is unsigned there
			}
		case cmd == offline:
			return c.loud("offline")
		default:
			le.PutUint32(status[4*i:], 0)
		}
		if result != 0 {
			break
		}
	}
	if !c.copyOut(r.u64(24), status) {
		return ret(abi.EFAULT)
	}
	return value(result)
}
