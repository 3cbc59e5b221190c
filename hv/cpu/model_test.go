package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// TestModel2012: before TZCNT and LZCNT their F3 was ignored.
func TestModel2012(t *testing.T) {
	for _, tt := range []struct {
		code         string
		modern, then uint64
	}{
		{"f3 0f bc c1", 3, 3},         // tzcnt %ecx,%eax, or bsf
		{"f3 0f bd c1", 31 - 5, 5},    // lzcnt, or bsr
		{"66 f3 0f bd c1", 15 - 5, 5}, // of 16 bits
		{"f3 48 0f bd c1", 63 - 5, 5}, // of 64 bits
		{"f3 0f b8 c1", 2, 2},         // popcnt is older
	} {
		for m, want := range map[Model]uint64{ModelModern: tt.modern, Model2012: tt.then} {
			c := flatCPU(t, append(unhex(t, tt.code), 0x90))
			c.Policy.Model, c.absent = m, m.absent()
			c.R[x86.RCX] = 1<<5 | 1<<3
			c.Run(1)
			if c.R[x86.RAX] != want {
				t.Errorf("%s, model %d: %d, want %d", tt.code, m, c.R[x86.RAX], want)
			}
		}
	}
}
