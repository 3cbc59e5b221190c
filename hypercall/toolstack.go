package hypercall

import (
	"slices"

	"pvlab/hypercall/abi"
)

// The calls with which dom0's tools run the host and its domains. None of
// their operations is built; what Xen refuses before it looks at the
// operation, and operations it does not know, are answered.

// Versions of the interfaces of 4.17, which change with the structures.
const (
	platformOpVersion = 0x03000001
	sysctlVersion     = 0x15
	domctlVersion     = 0x15
	mcaVersion        = 0x01ecc003
)

// toolRequest is what the structures of these calls begin with: {cmd u32,
// interface_version u32}, behind that for a domctl {domain u16}.
type toolRequest struct {
	cmd    uint64
	domain uint16
}

// request reads the structure of size bytes that argument 0 points to.
func (c *Caller) request(size int, version uint32) (toolRequest, abi.Errno) {
	var b [152]byte
	if !c.copyIn(c.args[0], b[:size]) {
		return toolRequest{}, abi.EFAULT
	}
	if le.Uint32(b[4:]) != version {
		return toolRequest{}, abi.EACCES
	}
	return toolRequest{uint64(le.Uint32(b[0:])), le.Uint16(b[8:])}, 0
}

// hostOp is platform_op and sysctl, which look at the caller's right last.
func hostOp(version uint32) handler {
	return func(c *Caller) (uint64, error) {
		const size = 136
		req, err := c.request(size, version)
		switch {
		case err != 0:
			return ret(err)
		case !c.D.Privileged:
			return ret(abi.EPERM)
		}
		return c.subOp(req.cmd)
	}
}

// domctl is hypercall 36 (C/domctl.c:do_domctl).
func domctl(c *Caller) (uint64, error) {
	const (
		size          = 144
		createdomain  = 1
		getdomaininfo = 5
	)
	req, err := c.request(size, domctlVersion)
	switch {
	case err != 0:
		return ret(err)
	case c.D.Privileged:
		return c.subOp(req.cmd)
	case req.domain != 0 && req.domain != c.D.ID && req.cmd != createdomain && req.cmd != getdomaininfo:
		return ret(abi.ESRCH) // there are two domains, itself and dom0
	}
	return ret(abi.EPERM)
}

// pagingDomctlCont is hypercall 49, with which Xen continues one domctl
// (X/mm/paging.c:do_paging_domctl_cont).
func pagingDomctlCont(c *Caller) (uint64, error) {
	const (
		size     = 144
		shadowOp = 10
	)
	req, err := c.request(size, domctlVersion)
	switch {
	case err == abi.EFAULT:
		return ret(err)
	case err != 0 || req.cmd != shadowOp:
		return ret(abi.EOPNOTSUPP)
	}
	return c.subOp(req.cmd)
}

// mca is hypercall 48 (X/cpu/mcheck/mce.c:do_mca).
func mca(c *Caller) (uint64, error) {
	const size = 152
	if !c.D.Privileged {
		return ret(abi.EPERM)
	}
	req, err := c.request(size, mcaVersion)
	if err != 0 {
		return ret(err)
	}
	return c.subOp(req.cmd)
}

// kexecOp is hypercall 37. An unknown command succeeds
// (C/kexec.c:do_kexec_op_internal).
func kexecOp(c *Caller) (uint64, error) {
	const known = 7
	switch cmd := c.args[0]; {
	case !c.D.Privileged:
		return ret(abi.EPERM)
	case cmd < known:
		return c.subOp(cmd)
	}
	return ret(0)
}

// hypfsOp is hypercall 42: command, path, its length with the NUL, buffer, its
// size (C/hypfs.c:do_hypfs_op).
func hypfsOp(c *Caller) (uint64, error) {
	const (
		getVersion = 0
		version    = 1
		maxPath    = 1024
	)
	cmd, path, n := c.cmd32(0), c.args[1], c.args[2]
	switch {
	case !c.D.Privileged:
		return ret(abi.EPERM)
	case cmd == getVersion:
		if path|n|c.args[3]|c.args[4] != 0 {
			return ret(abi.EINVAL)
		}
		return value(version)
	case n > maxPath:
		return ret(abi.EINVAL)
	}
	b := make([]byte, n)
	if !c.copyIn(path, b) {
		return ret(abi.EFAULT)
	}
	if n == 0 || slices.Index(b, 0) != int(n)-1 {
		return ret(abi.EINVAL)
	}
	return c.subOp(cmd)
}

// dmOp is hypercall 41, for device models of HVM domains, of which there is
// none (C/dm.c:do_dm_op, X/hvm/dm.c:dm_op).
func dmOp(c *Caller) (uint64, error) {
	const (
		maxBufs = 3
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

// hvmOp is hypercall 34 (X/hvm/hvm.c:do_hvm_op).
func hvmOp(c *Caller) (uint64, error) {
	known := []uint64{0, 1, 5, 9, 10, 11, 15, 23, 24, 25}
	if !slices.Contains(known, c.args[0]) {
		return ret(abi.ENOSYS)
	}
	return c.subOp(c.args[0])
}

// xenoprofOp is hypercall 31. Nobody is the primary profiler before an init of
// dom0's (C/xenoprof.c:do_xenoprof_op).
func xenoprofOp(c *Caller) (uint64, error) {
	const last = 17
	anybody := []uint64{0, 8, 11, 14} // init, enable_virq, disable_virq, get_buffer
	switch op := c.cmd32(0); {
	case op > last:
		return ret(abi.EINVAL)
	case !slices.Contains(anybody, op):
		return ret(abi.EPERM)
	default:
		return c.subOp(op)
	}
}
