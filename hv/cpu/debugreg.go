package cpu

import "pvlab/hv/x86"

// MOV to and from debug registers (SDM vol. 3, "Debug Registers").

const (
	dr6Writable = 0xe00f // B0-B3, BD, BS, BT
	dr7Writable = 0xffff23ff
)

// debugReg gives the register that in names: 4 and 5 are 6 and 7 unless
// CR4.DE makes them #UD.
func (c *CPU) debugReg(in *Inst) (n uint8, st status) {
	n = in.Reg
	if n > 7 || (n == 4 || n == 5) && c.CR4&x86.CR4DE != 0 {
		return 0, c.except(x86.VectorUD)
	}
	if c.CPL != 0 {
		return 0, c.gp0()
	}
	if n == 4 || n == 5 {
		n += 2
	}
	if c.DR[7]&x86.DR7GD != 0 {
		// A fault-class #DB; the handler may use the registers again.
		c.DR[6] |= x86.DR6BD
		c.DR[7] &^= x86.DR7GD
		c.fault = x86.Fault{Vector: x86.VectorDB, Valid: true, Addr: x86.DR6BD}
		return 0, stFault
	}
	return n, stOK
}

func opMovFromDR(c *CPU, in *Inst) status {
	n, st := c.debugReg(in)
	if st != stOK {
		return st
	}
	c.R[in.RM] = truncate(c.DR[n], int(in.Size))
	return stOK
}

func opMovToDR(c *CPU, in *Inst) status {
	n, st := c.debugReg(in)
	if st != stOK {
		return st
	}
	v := truncate(c.R[in.RM], int(in.Size))
	if n >= 6 && v>>32 != 0 {
		return c.gp0()
	}
	c.SetDR(int(n), v)
	return stEnd
}

// SetDR writes debug register n (0-3, 6, 7), fixing reserved bits.
func (c *CPU) SetDR(n int, v uint64) {
	switch n {
	case 6:
		v = v&dr6Writable | x86.DR6Init
	case 7:
		v = v&dr7Writable | x86.DR7Init
	}
	c.DR[n] = v
	c.updateDebug()
}

// ioBreakpoint notes I/O breakpoints on [port, port+size) (R/W condition 2,
// with CR4.DE).
func (c *CPU) ioBreakpoint(port uint16, size int) {
	if !c.watch || c.CR4&x86.CR4DE == 0 {
		return
	}
	for n := uint(0); n < 4; n++ {
		l := c.bpLength(n)
		at := c.DR[n] &^ (l - 1)
		if c.bpEnabled(n) && c.bpCondition(n) == 2 && at < uint64(port)+uint64(size) && uint64(port) < at+l {
			c.hit |= 1 << n
		}
	}
}
