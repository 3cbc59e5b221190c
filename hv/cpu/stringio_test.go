package cpu

import (
	"fmt"
	"testing"

	"pvlab/hv/x86"
)

// logBus counts up on In and notes every Out.
type logBus struct {
	quietBus
	next uint32
	log  []string
}

func (b *logBus) In(port uint16, size int) uint32 {
	b.next++
	b.log = append(b.log, fmt.Sprintf("in %#x/%d", port, size))
	return b.next
}

func (b *logBus) Out(port uint16, size int, v uint32) {
	b.log = append(b.log, fmt.Sprintf("out %#x/%d %#x", port, size, v))
}

// TestStringIO: INS and OUTS move between DX's port and memory, one element at
// a time, and ask for permission before anything else.
func TestStringIO(t *testing.T) {
	const data = 0x100000
	tests := []struct {
		about string
		code  []byte
		cpl   uint8
		rdi   uint64
		rcx   uint64
		log   string
		fault string
		left  uint64 // RCX afterwards
	}{
		{"rep insb", []byte{0xf3, 0x6c}, 0, data, 3, "[in 0x1f0/1 in 0x1f0/1 in 0x1f0/1]", "none", 0},
		{"insl; REX.W changes nothing", []byte{0x48, 0x6d}, 0, data, 7, "[in 0x1f0/4]", "none", 7},
		{"rep outsw", []byte{0x66, 0xf3, 0x6f}, 0, data, 2, "[out 0x1f0/2 0x2211 out 0x1f0/2 0x4433]", "none", 0},
		{"count 0", []byte{0xf3, 0x6e}, 0, data, 0, "[]", "none", 0},
		{"user without permission", []byte{0xf3, 0x6c}, 3, data, 3, "[]", "#GP[0x0]", 3},
		{"insb to a hole does not read the port", []byte{0x6c}, 0, 0x400000, 0, "[]", "#PF[0x2]", 0},
		{"rep insb into a hole stops there", []byte{0xf3, 0x6c}, 0, 0x3fffff, 2, "[in 0x1f0/1]", "#PF[0x2]", 1},
	}
	for _, tt := range tests {
		c := flatCPU(t, tt.code)
		bus := &logBus{}
		c.Bus = bus
		c.Mem.Write(data, []byte{0x11, 0x22, 0x33, 0x44})
		c.R[x86.RDX], c.R[x86.RCX], c.R[x86.RDI], c.R[x86.RSI] = 0x1f0, tt.rcx, tt.rdi, data
		c.setCPL(tt.cpl)
		fault := "none"
		for c.RIP == 0x10000 && fault == "none" {
			ex := c.Run(1)
			fault = ex.Fault.String()
		}
		if got := fmt.Sprint(bus.log); got != tt.log || fault != tt.fault || c.R[x86.RCX] != tt.left {
			t.Errorf("%s: %s, %s, rcx %d; want %s, %s, rcx %d", tt.about, got, fault, c.R[x86.RCX], tt.log, tt.fault, tt.left)
		}
		if tt.about == "rep insb" && c.Mem.Read64(data)&0xffffff != 0x030201 {
			t.Errorf("%s: memory %#x", tt.about, c.Mem.Read64(data))
		}
	}
}
