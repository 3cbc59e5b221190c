package emul

import (
	"encoding/binary"

	"pvlab/hv/dom"
	"pvlab/hv/x86"
)

// Port accesses (PRIV-13). Whether the guest may use a port is decided by its
// virtual IOPL and I/O bitmap; what the port then answers by what the
// administrator granted: the first domain gets the machine's ports, on which
// this machine has nothing (all ones); other domains get all ones anyway.

const (
	portPITFirst, portPITLast = 0x40, 0x43
	portRTC                   = 0x70
	portPCIAddress            = 0xcf8
	portPCIData               = 0xcfc
	portCOM1                  = 0x3f8
)

// allowed is X/pv/emul-priv-op.c:guest_io_okay. Bytes of the bitmap that
// cannot be read deny (4.17).
func (i *inst) allowed(port uint16, size int) bool {
	v := i.v
	if ioplOK(v) {
		return true
	}
	if uint32(port)+uint32(size) > v.IOBitmapLen {
		return false
	}
	user := !v.KernelMode
	if user {
		v.ToggleTable()
	}
	b := [2]byte{0xff, 0xff}
	for k := range b {
		if !v.CopyFrom(v.IOBitmap+uint64(port)/8+uint64(k), b[k:k+1]) {
			b[k] = 0xff
			break
		}
	}
	if user {
		v.ToggleTable()
	}
	mask := uint16(1<<size-1) << (port & 7)
	return binary.LittleEndian.Uint16(b[:])&mask == 0
}

// direct reports a port that the first domain reaches itself, by the
// instruction run in a stub of Xen: such an instruction leaves early
// (DBG-05). Xen keeps the interrupt controllers, timers, RTC, PCI address and
// its console's serial port.
func direct(v *dom.VCPU, port uint16, size int) bool {
	if !v.Dom.Privileged {
		return false
	}
	last := uint32(port) + uint32(size) - 1
	over := func(first, end uint32) bool { return uint32(port) <= end && last >= first }
	switch {
	case port == portPCIAddress && size == 4,
		over(0x20, 0x21), over(0xa0, 0xa1), over(portPITFirst, portPITLast), over(dom.PortSpeaker, dom.PortSpeaker),
		over(portRTC, portRTC+1), over(portCOM1, portCOM1+7):
		return false
	}
	return true
}

// readPort is what Xen's own part of a port access answers.
func readPort(v *dom.VCPU, port uint16, size int) uint32 {
	d := v.Dom
	if port == portPCIAddress && size == 4 {
		return d.PCIAddr
	}
	var data uint32
	for k := range size {
		b := uint32(0xff)
		switch port + uint16(k) {
		case portRTC:
			b = uint32(d.RTCIndex)
		case dom.PortPITCounter2, dom.PortPITControl, dom.PortSpeaker:
			b = uint32(d.ReadPIT(port + uint16(k)))
		}
		data |= b << (8 * k)
	}
	return data
}

func writePort(v *dom.VCPU, port uint16, size int, data uint32) {
	d := v.Dom
	if port == portPCIAddress && size == 4 {
		d.PCIAddr = data
		return
	}
	for k := range size {
		b := uint8(data >> (8 * k))
		switch port + uint16(k) {
		case portRTC:
			d.RTCIndex = b & 0x7f
		case dom.PortPITCounter2, dom.PortPITControl, dom.PortSpeaker:
			d.WritePIT(port+uint16(k), b)
		}
	}
}

func (i *inst) port() uint16 {
	if i.decoded.code < 0xe8 {
		return uint16(i.decoded.imm)
	}
	return uint16(i.v.CPU.R[x86.RDX])
}

func (i *inst) in() outcome {
	port, size := i.port(), i.decoded.ioSize()
	if !i.allowed(port, size) {
		return unhandled
	}
	i.bpmatch = i.v.IOBreakpoint(port, size)
	c := i.v.CPU
	set := func(val uint32) {
		switch size {
		case 1:
			c.R[x86.RAX] = c.R[x86.RAX]&^0xff | uint64(val&0xff)
		case 2:
			c.R[x86.RAX] = c.R[x86.RAX]&^0xffff | uint64(val&0xffff)
		default:
			c.R[x86.RAX] = uint64(val)
		}
	}
	if direct(i.v, port, size) {
		set(0xffffffff)
		return skipped
	}
	set(readPort(i.v, port, size))
	return retired
}

func (i *inst) out() outcome {
	port, size := i.port(), i.decoded.ioSize()
	if !i.allowed(port, size) {
		return unhandled
	}
	i.bpmatch = i.v.IOBreakpoint(port, size)
	if direct(i.v, port, size) {
		return skipped
	}
	writePort(i.v, port, size, uint32(i.v.CPU.R[x86.RAX]))
	return retired
}

// stringPiece bounds how many elements one INS or OUTS moves before the guest
// may be interrupted.
const stringPiece = 1024

func (i *inst) ins() outcome  { return i.stringIO(x86.RDI, x86.ES, true) }
func (i *inst) outs() outcome { return i.stringIO(x86.RSI, x86.DS, false) }

// stringIO is INS and OUTS with or without REP. A buffer that cannot be
// reached gives a #PF at its first bad byte, with the elements before it done
// (PRIV-19).
func (i *inst) stringIO(ptr, seg int, input bool) outcome {
	c := i.v.CPU
	d := &i.decoded
	port, size := uint16(c.R[x86.RDX]), d.ioSize()
	if !i.allowed(port, size) {
		return unhandled
	}
	i.bpmatch = i.v.IOBreakpoint(port, size)
	mask := ^uint64(0)
	if !d.long != d.adsize {
		mask = 0xffffffff
	}
	if !input && d.seg >= 0 {
		seg = d.seg
	}
	base := uint64(0)
	if !d.long || seg == x86.FS || seg == x86.GS {
		base = c.Seg[seg].Base
	}
	count := uint64(1)
	if d.rep {
		count = c.R[x86.RCX] & mask
	}
	step := uint64(size)
	if c.Flags()&x86.FlagDF != 0 {
		step = -step
	}
	piece := stringPiece
	if c.Flags()&x86.FlagTF != 0 || i.bpmatch != 0 {
		piece = 1
	}
	for done := 0; count > 0; count-- {
		if done == piece {
			return again
		}
		at := base + c.R[ptr]&mask
		if out := i.element(port, size, at, input); out != retired {
			return out
		}
		c.R[ptr] = c.R[ptr]&^mask | (c.R[ptr]+step)&mask
		if d.rep {
			c.R[x86.RCX] = c.R[x86.RCX]&^mask | (c.R[x86.RCX]-1)&mask
		}
		done++
	}
	return retired
}

func (i *inst) element(port uint16, size int, at uint64, input bool) outcome {
	var b [4]byte
	bad := func(n int, f x86.Fault, code uint32) outcome {
		if f.Vector != x86.VectorPF {
			return i.gp0()
		}
		return i.raise(x86.PageFault(code, at+uint64(n)))
	}
	if input {
		val := uint32(0xffffffff)
		if !direct(i.v, port, size) {
			val = readPort(i.v, port, size)
		}
		binary.LittleEndian.PutUint32(b[:], val)
		if n, f := i.v.CopyToFault(at, b[:size]); f.Valid {
			return bad(n, f, x86.PFWrite)
		}
		return retired
	}
	if n, f := i.v.CopyFromFault(at, b[:size]); f.Valid {
		return bad(n, f, 0)
	}
	if !direct(i.v, port, size) {
		writePort(i.v, port, size, binary.LittleEndian.Uint32(b[:]))
	}
	return retired
}
