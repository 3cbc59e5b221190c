package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
)

// multicall is hypercall 13: entries {op, result, args[6]} of which five
// arguments count (HC-11, HC-12; C/multicall.c:do_multicall).
func multicall(c *Caller) (uint64, error) {
	if c.multi {
		return ret(abi.EINVAL)
	}
	list, n := c.args[0], c.cmd32(1)
	if !dom.AddrOK(list) { // also if it is empty
		return ret(abi.EFAULT)
	}
	var i uint64
	for ; i < n && c.more(i); i++ {
		at := list + i*abi.MulticallSize
		var b [abi.MulticallSize]byte
		if !c.copyIn(at, b[:]) {
			return ret(abi.EFAULT)
		}
		op := le.Uint64(b[abi.MulticallOp:])
		for j := range c.args {
			c.args[j] = le.Uint64(b[abi.MulticallArgs+8*j:])
		}
		wasKernel := c.V.KernelMode
		c.multi = true
		res, err := c.call(op)
		c.multi = false
		if err != nil {
			return 0, err
		}
		if len(c.next) != 0 {
			// The entry is continued: its arguments go back and the batch
			// starts over with it.
			for j, a := range c.next {
				le.PutUint64(b[abi.MulticallArgs+8*j:], a)
			}
			c.next = nil
			if !c.copyOut(at, b[:]) {
				return ret(abi.EFAULT)
			}
			return c.proceed(at, n-i)
		}
		if op == abi.HypIret {
			// Nothing after an iret runs. The result is an int in Xen: RAX
			// gets its low half, sign-extended.
			c.V.Write64(at+abi.MulticallResult, res)
			return value(uint64(int64(int32(res))))
		}
		if c.D.ShutDown {
			return ret(0)
		}
		le.PutUint64(b[abi.MulticallResult:], res)
		if !c.copyOut(at+abi.MulticallResult, b[abi.MulticallResult:abi.MulticallResult+8]) {
			return ret(abi.EFAULT)
		}
		if wasKernel && !c.V.KernelMode {
			i++
			break
		}
	}
	if i < n {
		return c.proceed(list+i*abi.MulticallSize, n-i)
	}
	return ret(0)
}
