package hypercall

import "pvlab/hypercall/abi"

// consoleIO is hypercall 18 (drivers/char/console.c:do_console_io). A release
// build refuses all of it to a domU.
func consoleIO(c *Caller) (uint64, error) {
	if !c.D.Privileged {
		return ret(abi.EPERM)
	}
	count, buf := uint32(c.args[1]), c.args[2]
	switch c.cmd32(0) {
	case abi.ConsoleIOWrite:
		return c.consoleWrite(buf, count)
	case abi.ConsoleIORead:
		if count > 1<<31-1 {
			return ret(abi.E2BIG)
		}
		b := c.D.TakeTyped(int(min(count, maxConsoleRead)))
		if len(b) != 0 && !c.copyOut(buf, b) {
			return ret(abi.EFAULT)
		}
		return value(uint64(len(b)))
	}
	return ret(abi.ENOSYS)
}

const (
	maxConsoleRead = 16 << 10 // Xen's receive ring
	consoleChunk   = 127      // bytes Xen copies at a time: what a fault cuts off
)

func (c *Caller) consoleWrite(buf uint64, count uint32) (uint64, error) {
	var b [consoleChunk]byte
	for n := uint64(0); count > 0; n++ {
		if !c.more(n) {
			return c.proceed(abi.ConsoleIOWrite, uint64(count), buf)
		}
		k := min(count, consoleChunk)
		if !c.copyIn(buf, b[:k]) {
			return ret(abi.EFAULT)
		}
		if c.D.Console != nil {
			c.D.Console(b[:k])
		}
		buf += uint64(k)
		count -= k
	}
	return ret(0)
}
