package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// TestVendorDifferences are the corners of ordinary instructions in which
// AMD's processors (seen on family 19h) and Intel's (as documented) differ.
func TestVendorDifferences(t *testing.T) {
	type result struct {
		fault         string
		rip, rcx, rdi uint64
	}
	const rip, data, hole = 0x10000, 0x100000, 0x400000
	tests := []struct {
		about      string
		code       string
		rcx, rdi   uint64
		intel, amd result
	}{
		{"66 on a near branch", "66e9 0000 0000", 0, 0,
			result{"none", rip + 6, 0, 0}, result{"none", 4, 0, 0}},
		{"0F 0D with a register", "0f0dc8", 0, 0,
			result{"none", rip + 3, 0, 0}, result{"#UD", rip, 0, 0}},
		{"REPNE on LOOPE, ZF clear", "f2e110", 2, 0,
			result{"none", rip + 3, 1, 0}, result{"none", rip + 0x13, 1, 0}},
		{"16-bit MOVSXD at the end of memory", "66630f", 0, hole - 2,
			result{"none", rip + 3, 0, hole - 2}, result{"#PF[0x0]", rip, 0, hole - 2}},
		{"REP STOS, 32-bit addresses, ECX = 0", "67f3aa", 1 << 32, 1<<32 | data,
			result{"none", rip + 3, 0, data}, result{"none", rip + 3, 1 << 32, 1<<32 | data}},
	}
	for _, tt := range tests {
		for _, v := range []Vendor{Intel, AMD} {
			want := tt.intel
			if v == AMD {
				want = tt.amd
			}
			c := flatCPU(t, unhex(t, tt.code))
			c.Vendor = v
			c.R[x86.RCX], c.R[x86.RDI] = tt.rcx, tt.rdi
			ex := c.Run(1)
			got := result{ex.Fault.String(), c.RIP, c.R[x86.RCX], c.R[x86.RDI]}
			if got != want {
				t.Errorf("%s, vendor %d: %+x, want %+x", tt.about, v, got, want)
			}
		}
	}
}

// TestTooLong: sixteen bytes are #GP(0), on whatever page they begin.
func TestTooLong(t *testing.T) {
	code := []byte{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90}
	for _, at := range []uint64{0x10000, 0x11ff8} {
		c := flatCPU(t, nil)
		c.Mem.Write(at, code)
		c.RIP = at
		if ex := c.Run(1); ex.Fault != x86.WithCode(x86.VectorGP, 0) || c.RIP != at {
			t.Errorf("at %#x: %v, rip %#x", at, ex.Fault, c.RIP)
		}
	}
}
