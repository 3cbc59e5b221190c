package hypercall

import (
	"pvlab/hypercall/abi"
)

// What the calls of dom0's tools have in common: one structure {cmd u32,
// interface_version u32, union}, read at the start and given back, wholly or
// in part, by the operations that answer.

// Versions of the interfaces of 4.17, which change with the structures.
const (
	platformOpVersion = 0x03000001
	sysctlVersion     = 0x15
	domctlVersion     = 0x15
	mcaVersion        = 0x01ecc003
)

// Sizes of the structures.
const (
	platformOpSize = 136
	sysctlSize     = 136
	domctlSize     = 144
	mcaSize        = 152
)

// request is the structure of the call being made.
type request struct {
	at   uint64 // its address
	size int
	b    [mcaSize]byte
}

func (r *request) cmd() uint64        { return uint64(r.u32(0)) }
func (r *request) u8(off int) uint8   { return r.b[off] }
func (r *request) u16(off int) uint16 { return le.Uint16(r.b[off:]) }
func (r *request) u32(off int) uint32 { return le.Uint32(r.b[off:]) }
func (r *request) u64(off int) uint64 { return le.Uint64(r.b[off:]) }

func (r *request) put32(off int, v uint32) { le.PutUint32(r.b[off:], v) }
func (r *request) put64(off int, v uint64) { le.PutUint64(r.b[off:], v) }

// read takes the structure in that argument 0 points to.
func (c *Caller) read(size int, version uint32) abi.Errno {
	r := &c.req
	r.at, r.size = c.args[0], size
	if !c.copyIn(r.at, r.b[:size]) {
		return abi.EFAULT
	}
	if r.u32(4) != version {
		return abi.EACCES
	}
	return 0
}

// back gives n bytes of the structure back from offset off on.
func (c *Caller) back(off, n int) abi.Errno {
	if !c.copyOut(c.req.at+uint64(off), c.req.b[off:off+n]) {
		return abi.EFAULT
	}
	return 0
}

// hostCall is platform_op or sysctl, which look at the caller's right last.
func hostCall(size int, version uint32) handler {
	return func(c *Caller) (uint64, error) {
		switch err := c.read(size, version); {
		case err != 0:
			return ret(err)
		case !c.D.Privileged:
			return ret(abi.EPERM)
		}
		return c.operation(c.req.cmd(), abi.ENOSYS)
	}
}

// operation does one operation of the table, unknown is the answer where Xen
// has none.
func (c *Caller) operation(n uint64, unknown abi.Errno) (uint64, error) {
	op := c.table[min(c.number, maxHypercall)].Ops.find(n)
	if op == nil {
		return ret(unknown)
	}
	support := op.DomU
	if c.D.Privileged {
		support = op.Dom0
	}
	switch {
	case support < 0:
		return ret(abi.Errno(-support))
	case op.run == nil:
		return c.unmodelled(op.Name)
	}
	return op.run(c)
}

// loud is Unmodelled for a case of an operation.
func (c *Caller) loud(what string) (uint64, error) {
	if op := c.table[min(c.number, maxHypercall)].Ops.find(c.opNumber()); op != nil {
		what = op.Name + ", " + what
	}
	return c.unmodelled(what)
}

// opNumber is that of the operation under way.
func (c *Caller) opNumber() uint64 {
	if o := &c.table[min(c.number, maxHypercall)].Ops; o.At != inStruct {
		return c.args[0] & o.Mask
	}
	return c.req.cmd()
}

// answer is a handler without a value.
func answer(f func(c *Caller) abi.Errno) handler {
	return func(c *Caller) (uint64, error) { return ret(f(c)) }
}

// giving is a handler whose whole structure goes back when it succeeds.
func giving(f func(c *Caller) abi.Errno) handler {
	return func(c *Caller) (uint64, error) {
		err := f(c)
		if err == 0 {
			err = c.back(0, c.req.size)
		}
		return ret(err)
	}
}

// cpus is how many processors the machine has, vcpus how many vCPUs the domain.
func (c *Caller) cpus() uint32 { return uint32(c.D.PCPUs) }

func (c *Caller) vcpus() uint32 { return uint32(len(c.D.VCPU)) }

// A struct xenctl_bitmap is {bitmap handle, nr_bits u32}. Xen copies whole
// bytes of it.

// bitmapIn reads the first 64 bits of the bitmap described at off, of which n
// exist.
func (c *Caller) bitmapIn(off int, n uint32) (bits uint64, err abi.Errno) {
	at, have := c.req.u64(off), c.req.u32(off+8)
	bytes := min(uint64(have)+7, uint64(n)+7) / 8
	var b [8]byte
	if bytes != 0 && !c.copyIn(at, b[:bytes]) {
		return 0, abi.EFAULT
	}
	bits = le.Uint64(b[:])
	if have < 64 {
		bits &= 1<<have - 1
	}
	return bits & lowBits(n), 0
}

// bitmapOut writes bits, of which n exist, and zero bytes as far as the
// bitmap described at off goes.
func (c *Caller) bitmapOut(off int, bits uint64, n uint32) abi.Errno {
	at, have := c.req.u64(off), c.req.u32(off+8)
	var b [8]byte
	le.PutUint64(b[:], bits&lowBits(n))
	bytes := (uint64(have) + 7) / 8
	k := min(bytes, uint64(n+7)/8)
	if k != 0 && !c.copyOut(at, b[:k]) {
		return abi.EFAULT
	}
	var zero [256]byte
	for ; k < bytes; k += min(bytes-k, uint64(len(zero))) {
		if !c.copyOut(at+k, zero[:min(bytes-k, uint64(len(zero)))]) {
			return abi.EFAULT
		}
	}
	return 0
}

func lowBits(n uint32) uint64 {
	if n >= 64 {
		return ^uint64(0)
	}
	return 1<<n - 1
}
