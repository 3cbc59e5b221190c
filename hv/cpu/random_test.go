package cpu

import (
	"testing"

	"pvlab/hv/x86"
)

// TestRandom: RDRAND and RDSEED fill the register by its size, set CF alone,
// repeat from the same state and go on from each other.
func TestRandom(t *testing.T) {
	draw := func(code string, seed uint64) (uint64, uint64, *CPU) {
		c := flatCPU(t, append(unhex(t, code), 0x90))
		c.SeedRandom(seed)
		c.R[x86.RAX] = 0x1111_2222_3333_4444
		c.SetFlags(c.Flags() | x86.FlagsStatus)
		c.Run(1)
		return c.R[x86.RAX], c.Flags() & x86.FlagsStatus, c
	}
	for code, keeps := range map[string]uint64{
		"66 0f c7 f0": 0xffff_ffff_ffff_0000, // rdrand %ax
		"0f c7 f8":    0,                     // rdseed %eax
		"48 0f c7 f0": 0,
	} {
		v, flags, c := draw(code, 7)
		if flags != x86.FlagCF {
			t.Errorf("%s: flags %#x", code, flags)
		}
		if v&keeps != 0x1111_2222_3333_4444&keeps {
			t.Errorf("%s: %#x", code, v)
		}
		if again, _, _ := draw(code, 7); again != v {
			t.Errorf("%s: %#x, then %#x from the same seed", code, v, again)
		}
		if other, _, _ := draw(code, 8); other == v {
			t.Errorf("%s: %#x from two seeds", code, v)
		}
		if c.Random == 7 {
			t.Errorf("%s: the generator stands still", code)
		}
	}
}
