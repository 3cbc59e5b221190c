package dev

// PCI configuration mechanism #1 (PCI Local Bus Specification 2.1, section
// 3.2.2.3.2) and the functions of an i440FX PC that the model has: host
// bridge, PIIX3 ISA bridge, PIIX4 power management. None decodes memory or
// has base addresses. Absent functions read as all ones.

const (
	portPCIAddress = 0xcf8
	portPCIData    = 0xcfc

	pciEnable = 1 << 31

	// Function numbers on bus 0: device<<3 | function.
	pciHost = 0
	pciISA  = 1 << 3
	pciPM   = 1<<3 | 3

	pciCommand   = 0x04
	pciInterrupt = 0x3c
	pmBaseReg    = 0x40 // PIIX4: PMBASE
	pmMiscReg    = 0x80 // PIIX4: PMREGMISC
)

// pciRegister is a dword of configuration space: its value when nothing was
// written and the bits that can be.
type pciRegister struct {
	function uint8
	offset   uint8
	value    uint32
	writable uint32
}

// pciRegisters is sorted by function and offset. Values are those that the
// firmware leaves (read on QEMU 7.2); subsystem ids are QEMU's.
var pciRegisters = [...]pciRegister{
	{pciHost, 0x00, 0x12378086, 0},
	{pciHost, pciCommand, 0x00000103, 0x0103},
	{pciHost, 0x08, 0x06000002, 0},
	{pciHost, 0x2c, 0x11001af4, 0},
	{pciISA, 0x00, 0x70008086, 0},
	{pciISA, pciCommand, 0x02000103, 0x0103},
	{pciISA, 0x08, 0x06010000, 0},
	{pciISA, 0x0c, 0x00800000, 0}, // multi-function
	{pciISA, 0x2c, 0x11001af4, 0},
	{pciISA, 0x60, 0x0b0b0a0a, 0}, // PIRQ routing: no PCI device to route
	{pciPM, 0x00, 0x71138086, 0},
	{pciPM, pciCommand, 0x02800103, 0x0103},
	{pciPM, 0x08, 0x06800003, 0},
	{pciPM, 0x2c, 0x11001af4, 0},
	{pciPM, pciInterrupt, 0x00000109, 0xff},
	{pciPM, pmBaseReg, 0x00000001, 0xffc0},
	{pciPM, pmMiscReg, 0x00000000, 0x1},
}

// PCIState is the configuration address and what was written to each of
// pciRegisters.
type PCIState struct {
	Address uint32
	Values  [len(pciRegisters)]uint32
}

type pci struct {
	d *Devices
	PCIState
}

func (p *pci) reset() {
	p.PCIState = PCIState{}
	for i := range pciRegisters {
		p.Values[i] = pciRegisters[i].value
	}
	p.wire()
}

// present reports whether a function exists.
func present(function uint8) bool {
	return function == pciHost || function == pciISA || function == pciPM
}

// target splits the configuration address.
func (p *pci) target() (function, offset uint8, ok bool) {
	bus, function := uint8(p.Address>>16), uint8(p.Address>>8)
	return function, uint8(p.Address &^ 3), p.Address&pciEnable != 0 && bus == 0 && present(function)
}

// register returns the index of a dword of pciRegisters, or -1: it reads as
// zero.
func register(function, offset uint8) int {
	for i := range pciRegisters {
		if pciRegisters[i].function == function && pciRegisters[i].offset == offset {
			return i
		}
	}
	return -1
}

func (p *pci) in(port uint16, size int) uint32 {
	if port < portPCIData {
		return p.Address >> (8 * (port & 3))
	}
	f, off, ok := p.target()
	if !ok {
		return 0xffffffff
	}
	i := register(f, off)
	if i < 0 {
		return 0
	}
	return p.Values[i] >> (8 * (port & 3))
}

func (p *pci) out(port uint16, size int, v uint32) {
	if port < portPCIData {
		if size == 4 { // narrower writes are not to the address register
			p.Address = v & 0x80fffffc
		}
		return
	}
	f, off, ok := p.target()
	if !ok {
		return
	}
	shift := 8 * (port & 3)
	mask := uint32(1<<(8*size)-1) << shift
	i := register(f, off)
	switch {
	case i >= 0:
		mask &= pciRegisters[i].writable
		p.Values[i] = p.Values[i]&^mask | v<<shift&mask
		p.wire()
	case off >= 0x40: // the header's other registers are read-only zeros
		p.d.unmodelled("PCI configuration write to 00:%02x.%d register %#x", f>>3, f&7, off)
	}
}

// wire makes the power management block decode where its registers say.
func (p *pci) wire() {
	p.d.pm.Base = uint16(p.Values[register(pciPM, pmBaseReg)]) & 0xffc0
	p.d.pm.On = p.Values[register(pciPM, pmMiscReg)]&1 != 0
}
