package cpu

import "pvlab/hv/x86"

// Hardware breakpoints (SDM vol. 3, "Debug Registers"): DR7 bits 2n, 2n+1
// enable breakpoint n; bits 16+4n.. its R/W condition (0 execute, 1 write, 2
// I/O, 3 read or write) and length (0: 1, 1: 2, 2: 8, 3: 4 bytes).

func (c *CPU) bpEnabled(n uint) bool    { return c.DR[7]>>(2*n)&3 != 0 }
func (c *CPU) bpCondition(n uint) uint8 { return uint8(c.DR[7] >> (16 + 4*n) & 3) }
func (c *CPU) bpLength(n uint) uint64   { return [4]uint64{1, 2, 8, 4}[c.DR[7]>>(18+4*n)&3] }

// updateDebug recomputes what depends on DR0-DR3 and DR7.
func (c *CPU) updateDebug() {
	c.armed, c.watch = false, false
	for n := uint(0); n < 4; n++ {
		if c.bpEnabled(n) {
			c.armed = true
			if c.bpCondition(n) != 0 {
				c.watch = true
			}
		}
	}
	c.dropTags() // pages with a data breakpoint must lose their fast tags
}

// execBreakpoint returns the DR6 bits of instruction breakpoints at RIP.
func (c *CPU) execBreakpoint() (bits uint64) {
	lin := c.RIP
	if c.mode != Mode64 {
		lin = (c.Seg[x86.CS].Base + c.RIP) & 0xffffffff
	}
	for n := uint(0); n < 4; n++ {
		if c.bpEnabled(n) && c.bpCondition(n) == 0 && c.DR[n] == lin {
			bits |= 1 << n
		}
	}
	return bits
}

// watched reports whether a data breakpoint lies in [lin, lin+size).
func (c *CPU) watched(lin, size uint64) bool {
	for n := uint(0); n < 4; n++ {
		if c.bpEnabled(n) && c.bpCondition(n) != 0 {
			a := c.DR[n] &^ (c.bpLength(n) - 1)
			if a < lin+size && lin < a+c.bpLength(n) {
				return true
			}
		}
	}
	return false
}

// noteAccess records data breakpoints hit by an access of the running
// instruction; called on the slow path only, which watched pages always take.
func (c *CPU) noteAccess(lin uint64, size int, a access) {
	if !c.watch {
		return
	}
	for n := uint(0); n < 4; n++ {
		cond := c.bpCondition(n)
		if !c.bpEnabled(n) || cond == 0 || cond == 2 || (cond == 1 && a != accWrite) {
			continue
		}
		l := c.bpLength(n)
		at := c.DR[n] &^ (l - 1)
		if at < lin+uint64(size) && lin < at+l {
			c.hit |= 1 << n
		}
	}
}
