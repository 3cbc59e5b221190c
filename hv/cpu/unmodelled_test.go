package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// TestUnmodelled: an instruction that is known to be missing ends the run by
// name, unless the processor would refuse it first (SDM vol. 3, "Emulation of
// x87 FPU or MMX/SSE Instructions").
func TestUnmodelled(t *testing.T) {
	const (
		x87 = "d9fe"     // fsin
		mmx = "0ffcc1"   // paddb %mm1,%mm0
		sse = "f20f58c1" // addsd %xmm1,%xmm0
		avx = "c5f458c2" // vaddps %ymm2,%ymm1,%ymm0
		s4a = "f30f2b00" // movntss %xmm0,(%rax)
		ud2 = "0f0b"     // ud2
		vmr = "0f78c1"   // vmread: this processor has no VMX
		em  = x86.CR0EM  // no coprocessor
		ts  = x86.CR0TS  // lazily switched state
		fx  = x86.CR4OSFXSR
		osx = x86.CR4OSXSAVE
	)
	tests := []struct {
		code     string
		cr0, cr4 uint64
		want     string // text of the missing instruction, or the fault
	}{
		{x87, 0, 0, "fsin"},
		{x87, ts, 0, "#NM"},
		{x87, em, 0, "#NM"},
		{mmx, em, 0, "#UD"},
		{mmx, ts, 0, "#NM"},
		{sse, 0, 0, "#UD"},
		{sse, em | ts, fx, "#UD"},
		{sse, ts, fx, "#NM"},
		{avx, 0, osx, "#UD"}, // XCR0 cannot enable it
		{avx, ts, osx, "#UD"},
		{s4a, 0, fx, "#UD"},
		{ud2, 0, 0, "#UD"},
		{vmr, 0, 0, "#UD"},
	}
	for _, tt := range tests {
		code := unhex(t, tt.code)
		c := flatCPU(t, append(code, 0x90))
		c.CR0 |= tt.cr0
		c.CR4 |= tt.cr4
		before := c.State
		ex := c.Run(10)
		got := ex.Fault.String()
		if u := ex.Unmodelled; u != nil {
			got = u.Text
			if u.RIP != 0x10000 || string(u.Bytes) != string(code) {
				t.Errorf("%s: reported % x at %#x", tt.code, u.Bytes, u.RIP)
			}
		}
		if got != tt.want {
			t.Errorf("%s with CR0 %#x CR4 %#x: %s, want %s", tt.code, tt.cr0, tt.cr4, got, tt.want)
		}
		if c.R != before.R || c.RIP != before.RIP {
			t.Errorf("%s: state changed", tt.code)
		}
	}
}
