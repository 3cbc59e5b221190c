package hypercall

import (
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// physdevOp is hypercall 33 (BOOT-15, PRIV-13; X/physdev.c:do_physdev_op).
// There is no physical interrupt, so what routes them is not built.
func physdevOp(c *Caller) (uint64, error) { return c.physdev(c.cmd32(0), c.args[1]) }

// physdevOpCompat is hypercall 19: {cmd u32, pad, union} in one structure.
func physdevOpCompat(c *Caller) (uint64, error) {
	cmd, ok := c.V.Read32(c.args[0])
	if !ok {
		return ret(abi.EFAULT)
	}
	switch cmd {
	case abi.PhysdevIRQStatusQuery, abi.PhysdevSetIOPL, abi.PhysdevSetIOBitmap, abi.PhysdevApicRead,
		abi.PhysdevApicWrite, abi.PhysdevAllocIRQVector:
		return c.physdev(uint64(cmd), c.args[0]+8)
	}
	return ret(abi.ENOSYS)
}

func (c *Caller) physdev(cmd, arg uint64) (uint64, error) {
	var b [16]byte
	switch cmd {
	case abi.PhysdevSetIOPL:
		if !c.copyIn(arg, b[:4]) {
			return ret(abi.EFAULT)
		}
		iopl := le.Uint32(b[:])
		if iopl > 3 {
			return ret(abi.EINVAL)
		}
		c.V.IOPL = uint8(iopl)
		return ret(0)
	case abi.PhysdevSetIOBitmap:
		if !c.copyIn(arg, b[:]) {
			return ret(abi.EFAULT)
		}
		at, n := le.Uint64(b[0:]), le.Uint32(b[8:])
		if n > 65536 {
			return ret(abi.EINVAL)
		}
		c.V.IOBitmap, c.V.IOBitmapLen = at, n
		return ret(0)
	case abi.PhysdevPIRQEOIGMFNV1, abi.PhysdevPIRQEOIGMFNV2:
		if !c.copyIn(arg, b[:8]) {
			return ret(abi.EFAULT)
		}
		return ret(c.pirqEOIPage(le.Uint64(b[:])))
	case abi.PhysdevIRQEOI:
		if !c.copyIn(arg, b[:4]) {
			return ret(abi.EFAULT)
		}
		return ret(abi.EINVAL) // no PIRQ was ever bound
	case abi.PhysdevApicRead, abi.PhysdevApicWrite, abi.PhysdevAllocIRQVector:
		if !c.copyIn(arg, b[:8]) {
			return ret(abi.EFAULT)
		}
		if !c.D.Privileged {
			return ret(abi.EPERM)
		}
	case abi.PhysdevDbgpOp:
		if !c.D.Privileged {
			return ret(abi.EPERM)
		}
	}
	if cmd <= maxPhysdev {
		return c.subOp(cmd)
	}
	return ret(abi.ENOSYS)
}

// maxPhysdev is the highest command of 4.17.
const maxPhysdev = 31

// pirqEOIPage registers the page in which Xen would tell which PIRQs need an
// EOI; it can be done once.
func (c *Caller) pirqEOIPage(mfn uint64) abi.Errno {
	if c.D.Rules.GetPageAndType(mfn, c.D.Owner(), pagetable.TypeWritable) != 0 {
		return abi.EINVAL
	}
	if c.D.PIRQEOIMap != 0 {
		c.D.Rules.PutPageAndType(mfn)
		return abi.EBUSY
	}
	c.D.PIRQEOIMap = mfn
	return 0
}
