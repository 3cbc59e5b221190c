package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hv/x86"
	"pvlab/hypercall/abi"
)

// setTrapTable is hypercall 0 (FRAME-17, FRAME-26; X/pv/callback.c:
// do_set_trap_table). A bad address leaves the earlier entries installed.
func setTrapTable(c *Caller) (uint64, error) {
	addr := c.args[0]
	if addr == 0 {
		c.V.Trap = [256]abi.TrapInfo{}
		return ret(0)
	}
	var b [abi.TrapInfoSize]byte
	for n := uint64(0); c.more(n); n++ {
		if !c.copyIn(addr, b[:]) {
			return ret(abi.EFAULT)
		}
		ti := abi.DecodeTrapInfo(b[:])
		if ti.Address == 0 {
			return ret(0)
		}
		if !dom.Canonical(ti.Address) {
			return ret(abi.EINVAL)
		}
		ti.CS |= 3 // kept, but never loaded (FRAME-10)
		c.V.Trap[ti.Vector] = ti
		addr += abi.TrapInfoSize
	}
	return c.proceed(addr)
}

// setCallbacks is hypercall 4: three registrations whose errors are dropped,
// with flags 0 (CB-02).
func setCallbacks(c *Caller) (uint64, error) {
	c.register(abi.CallbackEvent, 0, c.args[0])
	c.register(abi.CallbackFailsafe, 0, c.args[1])
	c.register(abi.CallbackSyscall, 0, c.args[2])
	return ret(0)
}

// callbackOp is hypercall 30: {type u16, flags u16, pad, address u64} (CB-01;
// X/pv/callback.c:do_callback_op).
func callbackOp(c *Caller) (uint64, error) {
	var b [16]byte
	switch c.cmd32(0) {
	case abi.CallbackOpRegister:
		if !c.copyIn(c.args[1], b[:]) {
			return ret(abi.EFAULT)
		}
		return ret(c.register(le.Uint16(b[0:]), le.Uint16(b[2:]), le.Uint64(b[8:])))
	case abi.CallbackOpUnregister:
		if !c.copyIn(c.args[1], b[:4]) {
			return ret(abi.EFAULT)
		}
		switch le.Uint16(b[0:]) {
		case abi.CallbackNMI:
			c.V.Trap[x86.VectorNMI] = abi.TrapInfo{}
			return ret(0)
		case abi.CallbackEvent, abi.CallbackFailsafe, abi.CallbackSyscall, abi.CallbackSyscall32, abi.CallbackSysenter:
			return ret(abi.EINVAL)
		}
	}
	return ret(abi.ENOSYS)
}

func (c *Caller) register(typ, flags uint16, addr uint64) abi.Errno {
	v := c.V
	if !dom.Canonical(addr) {
		return abi.EINVAL
	}
	masks := flags&abi.CallbackMaskEvents != 0
	switch typ {
	case abi.CallbackEvent:
		v.Event = addr
	case abi.CallbackFailsafe:
		v.Failsafe, v.FailsafeMasks = addr, masks
	case abi.CallbackSyscall:
		v.Syscall, v.SyscallMasks = addr, masks
	case abi.CallbackSyscall32:
		v.Syscall32, v.Syscall32Masks = addr, masks
	case abi.CallbackSysenter:
		v.Sysenter, v.SysenterMasks = addr, masks
	case abi.CallbackNMI:
		return c.registerNMI(addr)
	default:
		return abi.ENOSYS
	}
	return 0
}

// registerNMI makes vector 2 a masking gate (FRAME-12, CB-11).
func (c *Caller) registerNMI(addr uint64) abi.Errno {
	if !dom.Canonical(addr) {
		return abi.EINVAL
	}
	c.V.Trap[x86.VectorNMI] = abi.TrapInfo{Vector: x86.VectorNMI, Flags: abi.TrapMaskEvents, CS: abi.FlatKernelCS, Address: addr}
	return 0
}

// nmiOp is hypercall 28: {handler_address u64, pad u64} (CB-13).
func nmiOp(c *Caller) (uint64, error) {
	switch c.cmd32(0) {
	case abi.NMIOpRegisterCallback:
		var b [16]byte
		if !c.copyIn(c.args[1], b[:]) {
			return ret(abi.EFAULT)
		}
		return ret(c.registerNMI(le.Uint64(b[:])))
	case abi.NMIOpUnregisterCallback:
		c.V.Trap[x86.VectorNMI] = abi.TrapInfo{}
		return ret(0)
	}
	return ret(abi.ENOSYS)
}

// stackSwitch is hypercall 3; the selector is kept and never loaded
// (FRAME-10).
func stackSwitch(c *Caller) (uint64, error) {
	c.V.KernelSS, c.V.KernelSP = c.args[0]|3, c.args[1]
	return ret(0)
}

// iret is hypercall 23.
func iret(c *Caller) (uint64, error) {
	rax, _ := c.X.Iret()
	return value(rax)
}
