package cpu

import "pvlab/hv/x86"

// updateMode recomputes what follows from CS, CR0, EFER and RFLAGS: how code
// is decoded (c.mode) and with whose eyes memory is seen (c.tlb). Every write
// to one of them must be followed by it (or by updateView, when only CPL or
// RFLAGS.AC changed).
func (c *CPU) updateMode() {
	cs := &c.Seg[x86.CS]
	switch {
	case c.Long() && cs.Attr&x86.AttrL != 0:
		c.mode = Mode64
	case cs.Attr&x86.AttrDB != 0:
		c.mode = Mode32
	default:
		c.mode = Mode16
	}
	if !c.Protected() {
		c.CPL = 0
	}
	c.updateView()
}

// updateView chooses the TLB array for explicit accesses (SDM vol. 3,
// "Determination of Access Rights"): SMAP is lifted by RFLAGS.AC, which at
// CPL 3 asks for alignment checks instead.
func (c *CPU) updateView() {
	ac := c.rflags&x86.FlagAC != 0
	v := viewKernel
	switch {
	case c.CPL == 3 && ac && c.CR0&x86.CR0AM != 0:
		v = viewUserAC
	case c.CPL == 3:
		v = viewUser
	case ac && c.CR4&x86.CR4SMAP != 0:
		v = viewKernelAC
	}
	c.tlb = &c.tlbs[v]
}

// setCPL changes the privilege level.
func (c *CPU) setCPL(cpl uint8) {
	c.CPL = cpl
	c.updateView()
}

// iopl is the I/O privilege level.
func (c *CPU) iopl() uint8 { return uint8(c.rflags >> 12 & 3) }

// except sets an exception without error code.
func (c *CPU) except(vector uint8) status {
	c.fault = x86.NoCode(vector)
	return stFault
}

// exceptCode sets an exception with an error code.
func (c *CPU) exceptCode(vector uint8, code uint32) status {
	c.fault = x86.WithCode(vector, code)
	return stFault
}

func (c *CPU) gp0() status { return c.exceptCode(x86.VectorGP, 0) }

// selCode is the error code that names a selector: RPL bits cleared.
func selCode(sel uint16) uint32 { return uint32(sel &^ 3) }
