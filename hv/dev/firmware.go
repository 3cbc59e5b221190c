package dev

import "pvlab/hv/i8254"

// handOver sets what the firmware (SeaBIOS) has changed when it starts a
// kernel by its PVH note, read on QEMU 7.2's "pc" machine with -nodefaults
// (TestFirmwareState reads it again). The processors other than the first
// wait for INIT and a start-up IPI.
func (d *Devices) handOver() {
	now := d.now
	// Both 8259As at the BIOS's vectors, with the timer, the keyboard and the
	// clock let through; a serial interrupt of the port's detection is still
	// requested.
	d.pic.master.PICState = PICState{Base: 0x08, IMR: 0xb8, IRR: 1 << uartIRQ, Lines: 1 << 0}
	d.pic.slave.PICState = PICState{Base: 0x70, IMR: 0x8e, ELCR: 0x0c} // PCI interrupts: 10, 11
	// The BIOS tick, 18.2 a second.
	d.pit.Counter[0] = i8254.Counter{Mode: 2, Access: pitWord, Gate: true, Loaded: true, Count: 0x10000, Base: now}
	d.pit.Edges = 0

	// "Virtual wire": the 8259s on LINT0, NMI on LINT1.
	bsp := &d.apics[0]
	bsp.SVR = svrEnable | 0xff
	bsp.LVT[lvtLINT0] = lvtLevel | modeExtINT<<8
	bsp.LVT[lvtLINT1] = lvtLevel | modeNMI<<8
	bsp.ICR = 0xc4610 // SIPI to all others: their start at 10000h

	d.kbc.Output = 0xfa
	d.kbc.Command = true
	d.pm.Status = pmTimerBit
	d.pci.Address = 0x8000005c
	d.pci.Values[register(pciPM, pmBaseReg)] = 0x601
	d.pci.Values[register(pciPM, pmMiscReg)] = 1
	d.pci.wire()

	d.cmos()
	d.pic.update()
}

// cmos fills the configuration memory with what the BIOS of a PC keeps there.
func (d *Devices) cmos() {
	set16 := func(i uint8, v uint64) { d.rtc.CMOS[i], d.rtc.CMOS[i+1] = uint8(v), uint8(v>>8) }
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	// Memory below 640 KiB, from 1 MiB up in KiB (to 64 MiB), from 16 MiB up
	// in 64 KiB (to 4 GiB), above 4 GiB in 64 KiB. QEMU's PC with 3.5 GiB or
	// more keeps 3 GiB of it below the hole.
	low := d.cfg.MemBytes
	var high uint64
	if low >= 7*gib/2 {
		low, high = 3*gib, d.cfg.MemBytes-3*gib
	}
	set16(0x15, min(low/kib, 640))
	extended := min((max(low, mib)-mib)/kib, 0xffff)
	set16(0x17, extended)
	set16(0x30, extended)
	set16(0x34, min((max(low, 16*mib)-16*mib)/(64*kib), 0xffff))
	set16(0x5b, high/(64*kib))
	d.rtc.CMOS[0x5d] = uint8(high / (64 * kib) >> 16)
	d.rtc.CMOS[0x14] = 0x06 // equipment: mouse port, coprocessor
	d.rtc.CMOS[0x38] = 0x30 // boot order of the BIOS
	d.rtc.CMOS[0x3d] = 0x12
	d.rtc.CMOS[0x5f] = uint8(d.cfg.CPUs - 1)
	d.rtc.CMOS[0x37] = 0x20 // century, a second copy
	d.rtc.CMOS[0x0f] = 0
}
