package abi

import "encoding/binary"

// hypercallSlotSize is in bytes.
const hypercallSlotSize = 32

// FillHypercallPage writes the hypercall page into page, 4,096 bytes (HC-02,
// HC-03; X/pv/hypercall.c:pv_ring3_init_hypercall_page). Slot n is
//
//	push %rcx; push %r11; mov $n,%eax; syscall; pop %r11; pop %rcx; ret
//
// but for slot 23, iret, which saves RAX too and has no way back. All other
// bytes are 0xcc.
func FillHypercallPage(page []byte) {
	for i := range page {
		page[i] = 0xcc
	}
	for n := range HypercallSlots {
		slot := page[n*hypercallSlotSize:]
		if n == HypIret {
			copy(slot, "\x51\x41\x53\x50\xb8....\x0f\x05")
			binary.LittleEndian.PutUint32(slot[5:], uint32(n))
			continue
		}
		copy(slot, "\x51\x41\x53\xb8....\x0f\x05\x41\x5b\x59\xc3")
		binary.LittleEndian.PutUint32(slot[4:], uint32(n))
	}
}
