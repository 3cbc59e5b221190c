package hypercall

import "pvlab/hypercall/abi"

// kexec_op is hypercall 37 (C/kexec.c:do_kexec_op_internal): kernels to start
// after a reboot (type 0) or a crash of Xen (type 1). No image can be loaded,
// and no memory is kept for one of a crash.
func kexecOps() Ops {
	return Ops{inArg, mask64, []SubOp{
		{0, "KEXEC_CMD_kexec", Full, Denied, "no image is ever loaded", answer(kexecStart)},
		{1, "KEXEC_CMD_kexec_load_v1", Partial, Denied, "the argument is read; an image is loud", kexecLoadV1},
		{2, "KEXEC_CMD_kexec_unload_v1", Full, Denied, "", answer(kexecUnload(loadV1Size))},
		{3, "KEXEC_CMD_kexec_get_range", Partial, Denied, "of Xen's image and its notes: loud", kexecRange},
		{4, "KEXEC_CMD_kexec_load", Partial, Denied, "arguments are checked; an image is loud", kexecLoad},
		{5, "KEXEC_CMD_kexec_unload", Full, Denied, "", answer(kexecUnload(1))},
		{6, "KEXEC_CMD_kexec_status", Full, Denied, "", kexecStatus},
	}}
}

// kexecOp: an unknown command succeeds.
func kexecOp(c *Caller) (uint64, error) {
	if !c.D.Privileged {
		return ret(abi.EPERM)
	}
	return c.operation(c.args[0], 0)
}

const (
	kexecTypes = 2
	loadV1Size = 160 // struct xen_kexec_load_v1
)

// kexecStart: {type u32}.
func kexecStart(c *Caller) abi.Errno {
	switch typ, ok := c.V.Read32(c.args[1]); {
	case !ok:
		return abi.EFAULT
	case typ >= kexecTypes:
		return abi.EINVAL
	}
	return abi.ENOENT
}

// kexecUnload reads a structure of that size with the type in its first byte
// (of the old form: its first word). Unloading turns to the other slot, even of
// nothing.
func kexecUnload(size int) func(c *Caller) abi.Errno {
	return func(c *Caller) abi.Errno {
		var b [loadV1Size]byte
		if !c.copyIn(c.args[1], b[:size]) {
			return abi.EFAULT
		}
		typ := b[0]
		if size > 1 {
			typ = uint8(le.Uint32(b[:])) // into a byte, as Xen does
		}
		if typ >= kexecTypes {
			return abi.EINVAL
		}
		slot := &c.D.Host.KexecSlot[typ]
		*slot = !*slot
		return 0
	}
}

// kexecStatus: {type u8}. It tells which slot is used, not whether it is.
func kexecStatus(c *Caller) (uint64, error) {
	var b [1]byte
	switch {
	case !c.copyIn(c.args[1], b[:]):
		return ret(abi.EFAULT)
	case b[0] >= kexecTypes:
		return ret(abi.EINVAL)
	case c.D.Host.KexecSlot[b[0]]:
		return value(1)
	}
	return value(0)
}

func kexecLoadV1(c *Caller) (uint64, error) {
	var b [loadV1Size]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	return c.loud("an image")
}

// kexecRange: {range i32, nr i32, size u64, start u64}.
func kexecRange(c *Caller) (uint64, error) {
	const (
		crash     = 0
		xen       = 1
		processor = 2
		vmcore    = 6
	)
	var b [24]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	switch le.Uint32(b[0:]) {
	case crash:
		clear(b[8:])
		return c.give(c.args[1], b[:])
	case processor:
		if le.Uint32(b[4:]) >= c.cpus() {
			return ret(abi.ERANGE)
		}
	case xen, vmcore:
		return c.loud("Xen's own memory")
	}
	return ret(abi.EINVAL)
}

// kexecLoad: {type u8, arch u16 at 2, nr_segments u32, segments, entry u64};
// {buf, buf_size u64, dest u64, dest_size u64} each (C/kimage.c:kimage_alloc).
func kexecLoad(c *Caller) (uint64, error) {
	const (
		maxSegments = 16
		size        = 32
		pageMask    = 1<<12 - 1
	)
	var b [24]byte
	if !c.copyIn(c.args[1], b[:]) {
		return ret(abi.EFAULT)
	}
	typ, arch, n := b[0], le.Uint16(b[2:]), le.Uint32(b[4:])
	if n >= maxSegments {
		return ret(abi.EINVAL)
	}
	var seg [maxSegments * size]byte
	if !c.copyIn(le.Uint64(b[8:]), seg[:n*size]) {
		return ret(abi.EFAULT)
	}
	field := func(i, k int) uint64 { return le.Uint64(seg[i*size+8*k:]) }
	switch typ {
	case 0:
	case 1: // no memory is kept where one could start
		return ret(abi.EADDRNOTAVAIL)
	default:
		return ret(abi.EINVAL)
	}
	for i := range int(n) {
		start, end := field(i, 2), field(i, 2)+field(i, 3)
		if (start|end)&pageMask != 0 {
			return ret(abi.EADDRNOTAVAIL)
		}
	}
	for i := range int(n) {
		for j := range i {
			if field(i, 2)+field(i, 3) > field(j, 2) && field(i, 2) < field(j, 2)+field(j, 3) {
				return ret(abi.EINVAL)
			}
		}
	}
	for i := range int(n) {
		if field(i, 1) > field(i, 3) {
			return ret(abi.EINVAL)
		}
	}
	if n == 0 && arch != elf386 && arch != elfX8664 {
		return ret(abi.EINVAL)
	}
	return c.loud("an image")
}

// Architectures of an image (ELF's e_machine).
const (
	elf386   = 3
	elfX8664 = 62
)
