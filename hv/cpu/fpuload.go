package cpu

import "encoding/binary"

// LoadFPU sets the x87 and SSE state from the 512 bytes of an FXSAVE64 image,
// as XRSTOR does after a hypervisor has cleared the reserved bits of MXCSR;
// nil is the initial state (SDM vol. 1, "Initial state of the x87 FPU",
// "XRSTOR").
func (c *CPU) LoadFPU(image *[512]byte) {
	c.resetFPU()
	c.setFX16(fxFCW, fcwInit)
	if image == nil {
		return
	}
	c.takeX87(image, 8)
	c.setMXCSR(binary.LittleEndian.Uint32(image[fxMXCSR:]) & mxcsrMask)
	copy(c.FX[fxXMM:], image[fxXMM:fxXMM+16*16])
}
