package hypercall

import (
	"encoding/binary"

	"pvlab/hv/mem"
	"pvlab/hypercall/abi"
)

// FillPage writes a hypercall page: 128 stubs of 32 bytes on a ground of INT3
// (HC-02). Slot 23 does not return: it is jumped to (HC-03).
//
//	push %rcx; push %r11;            mov $n,%eax;  syscall; pop %r11; pop %rcx; ret
//	push %rcx; push %r11; push %rax; mov $23,%eax; syscall
func FillPage(page []byte) {
	const slot = 32
	page = page[:mem.PageSize]
	for i := range page {
		page[i] = 0xcc
	}
	for n := 0; n < abi.HypercallSlots; n++ {
		code := append(page[n*slot:n*slot], 0x51, 0x41, 0x53)
		if n == abi.HypIret {
			code = append(code, 0x50)
		}
		code = append(code, 0xb8)
		code = binary.LittleEndian.AppendUint32(code, uint32(n))
		code = append(code, 0x0f, 0x05)
		if n != abi.HypIret {
			copy(page[n*slot+len(code):], []byte{0x41, 0x5b, 0x59, 0xc3})
		}
	}
}
