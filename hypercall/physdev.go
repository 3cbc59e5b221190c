package hypercall

import (
	"pvlab/hv/dom"
	"pvlab/hypercall/abi"
	"pvlab/pagetable"
)

// physdevOp is hypercall 33 (BOOT-15, PRIV-13, EVT-23, EVT-24; X/physdev.c:
// do_physdev_op). The machine has no device that interrupts dom0: what is
// here is who owns which interrupt.
func physdevOp(c *Caller) (uint64, error) { return c.physdev(c.cmd32(0), c.args[1]) }

// physdevOpCompat is hypercall 19: {cmd u32, pad, union} in one structure of
// 24 bytes.
func physdevOpCompat(c *Caller) (uint64, error) {
	var b [24]byte
	if !c.copyIn(c.args[0], b[:]) {
		return ret(abi.EFAULT)
	}
	return c.physdev(uint64(le.Uint32(b[:])), c.args[0]+8)
}

// physdevArgSize is the size of each command's structure; 0 for a command
// that has none, or that Xen does not know.
var physdevArgSize = [...]int{
	abi.PhysdevIRQStatusQuery: 8, abi.PhysdevSetIOPL: 4, abi.PhysdevSetIOBitmap: 16, abi.PhysdevApicRead: 16,
	abi.PhysdevApicWrite: 16, abi.PhysdevAllocIRQVector: 8, abi.PhysdevIRQEOI: 4, abi.PhysdevMapPIRQ: 40,
	abi.PhysdevUnmapPIRQ: 8, abi.PhysdevManagePCIAdd: 2, abi.PhysdevManagePCIRemove: 2,
	abi.PhysdevPIRQEOIGMFNV1: 8, abi.PhysdevRestoreMSI: 2, abi.PhysdevManagePCIAddExt: 16, abi.PhysdevSetupGSI: 8,
	abi.PhysdevGetFreePIRQ: 8, abi.PhysdevPCIMMCFGReserved: 16, abi.PhysdevPCIDeviceAdd: 12,
	abi.PhysdevPCIDeviceRemove: 4, abi.PhysdevRestoreMSIExt: 4, abi.PhysdevPIRQEOIGMFNV2: 8, abi.PhysdevDbgpOp: 6,
	abi.PhysdevPrepareMSIX: 4, abi.PhysdevReleaseMSIX: 4,
}

func (c *Caller) physdev(cmd, arg uint64) (uint64, error) {
	if cmd == abi.PhysdevIRQUnmaskNotify {
		return ret(0) // for every PIRQ that waits for it: none
	}
	if cmd >= uint64(len(physdevArgSize)) || physdevArgSize[cmd] == 0 {
		return ret(abi.ENOSYS)
	}
	// Two look at the caller before they look at the argument.
	if !c.D.Privileged && (cmd == abi.PhysdevPCIMMCFGReserved || cmd == abi.PhysdevDbgpOp) {
		return ret(abi.EPERM)
	}
	var buf [40]byte
	b := buf[:physdevArgSize[cmd]]
	if !c.copyIn(arg, b) {
		return ret(abi.EFAULT)
	}
	switch cmd {
	case abi.PhysdevSetIOPL:
		iopl := le.Uint32(b)
		if iopl > 3 {
			return ret(abi.EINVAL)
		}
		c.V.IOPL = uint8(iopl)
		return ret(0)
	case abi.PhysdevSetIOBitmap:
		at, n := le.Uint64(b[0:]), le.Uint32(b[8:])
		if !dom.AddrOK(at) || n > 65536 {
			return ret(abi.EINVAL)
		}
		c.V.IOBitmap, c.V.IOBitmapLen = at, n
		return ret(0)
	case abi.PhysdevPIRQEOIGMFNV1, abi.PhysdevPIRQEOIGMFNV2:
		return ret(c.pirqEOIPage(le.Uint64(b), cmd == abi.PhysdevPIRQEOIGMFNV1))
	case abi.PhysdevApicRead, abi.PhysdevApicWrite, abi.PhysdevAllocIRQVector:
		return c.ioapic(cmd, arg, b)
	case abi.PhysdevManagePCIAdd, abi.PhysdevManagePCIRemove, abi.PhysdevManagePCIAddExt, abi.PhysdevPCIDeviceAdd,
		abi.PhysdevPCIDeviceRemove, abi.PhysdevRestoreMSI, abi.PhysdevRestoreMSIExt, abi.PhysdevPrepareMSIX,
		abi.PhysdevReleaseMSIX:
		return c.physdevPCI(cmd, arg, b)
	case abi.PhysdevPCIMMCFGReserved: // {address u64, segment u16, buses u8 and u8, flags u32}
		if le.Uint32(b[12:])&^1 != 0 {
			return ret(abi.EINVAL)
		}
		return ret(abi.ENODEV) // the machine has no such window
	case abi.PhysdevDbgpOp:
		return ret(0) // Xen uses no USB debug port
	}
	return c.physdevIRQ(cmd, arg, b)
}

// physdevIRQ are the commands about PIRQs.
func (c *Caller) physdevIRQ(cmd, arg uint64, b []byte) (uint64, error) {
	first := le.Uint32(b)
	switch cmd {
	case abi.PhysdevIRQEOI: // {irq u32}
		return ret(c.D.EOI(first))
	case abi.PhysdevIRQStatusQuery: // {irq u32, flags u32 out}
		if first >= c.D.NrPIRQs() {
			return ret(abi.EINVAL)
		}
		le.PutUint32(b[4:], abi.IRQStatusNeedsEOI)
		return c.give(arg, b)
	case abi.PhysdevMapPIRQ:
		return c.mapPIRQ(arg, b)
	case abi.PhysdevUnmapPIRQ: // {domid u16, pad, pirq int}
		if err := c.mayMap(uint16(first)); err != 0 {
			return ret(err)
		}
		return ret(c.D.UnmapPIRQ(int32(le.Uint32(b[4:]))))
	case abi.PhysdevSetupGSI: // {gsi int, triggering u8, polarity u8}; a bit of each counts
		return ret(c.D.SetupGSI(first, b[4]&1 != 0, b[5]&1 != 0))
	}
	// PHYSDEVOP_get_free_pirq: {type int, pirq u32 out}.
	pirq, err := c.D.AllocPIRQ(first == abi.MapPIRQGSI)
	if err != 0 {
		return ret(err)
	}
	le.PutUint32(b[4:], uint32(pirq))
	return c.give(arg, b)
}

// mayMap reports whether the caller may map PIRQs of a domain.
func (c *Caller) mayMap(id uint16) abi.Errno {
	switch {
	case !c.self(id):
		return c.otherDomain(id)
	case !c.D.Privileged:
		return abi.EPERM
	}
	return 0
}

// mapPIRQ: {domid u16, pad, type int, index int, pirq int, bus int, devfn int,
// entry_nr int, pad, table_base u64}; it is an output too, whatever happened.
func (c *Caller) mapPIRQ(arg uint64, b []byte) (uint64, error) {
	typ, index, pirq := le.Uint32(b[4:]), int32(le.Uint32(b[8:])), int32(le.Uint32(b[12:]))
	n, table := int32(le.Uint32(b[24:])), le.Uint64(b[32:])
	switch typ {
	case abi.MapPIRQMSISeg:
		typ = abi.MapPIRQMSI
		le.PutUint32(b[4:], typ)
	case abi.MapPIRQMultiMSI:
		if table != 0 {
			return ret(abi.EINVAL)
		}
	}
	err := c.mayMap(le.Uint16(b))
	if err == 0 {
		switch typ {
		case abi.MapPIRQGSI:
			var got int32
			if got, err = c.D.MapGSI(index, pirq); err == 0 {
				le.PutUint32(b[12:], uint32(got))
			}
		case abi.MapPIRQMSI, abi.MapPIRQMultiMSI:
			err = c.D.MapMSI(index, pirq, n, typ == abi.MapPIRQMultiMSI)
		default:
			err = abi.EINVAL
		}
	}
	if !c.copyOut(arg, b) {
		err = abi.EFAULT
	}
	return ret(err)
}

// ioapic are the commands about the I/O APIC: {apic_physbase u64, reg u32,
// value u32}, and {irq u32, vector u32} of alloc_irq_vector, which does
// nothing.
func (c *Caller) ioapic(cmd, arg uint64, b []byte) (uint64, error) {
	if !c.D.Privileged {
		return ret(abi.EPERM)
	}
	if cmd == abi.PhysdevAllocIRQVector {
		copy(b[4:], b[:4])
		return c.give(arg, b)
	}
	base, reg := le.Uint64(b), le.Uint32(b[8:])
	if cmd == abi.PhysdevApicWrite {
		err, ok := c.D.ApicWrite(base, reg, le.Uint32(b[12:]))
		if !ok {
			return c.unmodelled("PHYSDEVOP_apic_write to a pin that is not there, which crashes Xen 4.17 itself,")
		}
		return ret(err)
	}
	v, err := c.D.ApicRead(base, reg)
	if err == 0 {
		le.PutUint32(b[12:], v)
	}
	if !c.copyOut(arg, b) {
		err = abi.EFAULT
	}
	return ret(err)
}

// pirqEOIPage registers the page in which Xen would tell which PIRQs need an
// EOI; it can be done once. Version 1 lets an EOI unmask the port too.
func (c *Caller) pirqEOIPage(mfn uint64, unmask bool) abi.Errno {
	if c.D.Rules.GetPageAndType(mfn, c.D.Owner(), pagetable.TypeWritable) != 0 {
		return abi.EINVAL
	}
	if c.D.PIRQEOIMap != 0 {
		c.D.Rules.PutPageAndType(mfn)
		return abi.EBUSY
	}
	c.D.PIRQEOIMap = mfn
	c.D.IRQ.Unmask = c.D.IRQ.Unmask || unmask
	return 0
}
