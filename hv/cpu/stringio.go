package cpu

import "pvlab/hv/x86"

// INS and OUTS: a port in DX, permission as for IN and OUT.

func stringIORows() []row {
	ins, outs := repeated(ports, opIns, opIns, opIns, nil), repeated(ports, opOuts, opOuts, opOuts, nil)
	return []row{
		{m: map1, op: 0x6c, name: "INS", size: sizeB, attr: attrEnd, fn: ins},
		{m: map1, op: 0x6d, name: "INS", size: sizeIO, attr: attrEnd, fn: ins},
		{m: map1, op: 0x6e, name: "OUTS", size: sizeB, attr: attrEnd, fn: outs},
		{m: map1, op: 0x6f, name: "OUTS", size: sizeIO, attr: attrEnd, fn: outs},
	}
}

// opIns makes sure that the memory can be written before it reads the port,
// which may have side effects.
func opIns(c *CPU, in *Inst) status {
	port, size := uint16(c.R[x86.RDX]), int(in.Size)
	if !c.ioAllowed(port, size) {
		return stFault
	}
	lin := c.dest(in, true)
	if !c.checkWrite(x86.ES, lin, size) || !c.exact() {
		return stFault
	}
	if c.store(x86.ES, lin, size, uint64(c.portIn(port, size))) == stFault {
		return stFault
	}
	c.advance(in, x86.RDI)
	return stEnd
}

func opOuts(c *CPU, in *Inst) status {
	port, size := uint16(c.R[x86.RDX]), int(in.Size)
	if !c.ioAllowed(port, size) {
		return stFault
	}
	v, ok := c.load(in.Seg, c.source(in), size)
	if !ok || !c.exact() {
		return stFault
	}
	c.portOut(port, size, uint32(v))
	c.advance(in, x86.RSI)
	return stEnd
}
