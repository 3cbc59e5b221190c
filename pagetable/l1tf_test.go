package pagetable

import (
	"fmt"
	"testing"

	"pvlab/hypercall/abi"
)

// TestL1TF: which not-present entries end the domain, by whichever door they
// come (MM-19, CRASH-09). The processor has 36 address bits and caches 46.
func TestL1TF(t *testing.T) {
	for _, c := range []struct {
		name  string
		level Type
		e     Entry
		leaks bool
	}{
		{"nothing", TypeL1, 0, false},
		{"flags alone", TypeL1, 0xffe &^ Present, false},
		{"memory", TypeL1, Make(2, Writable), true},
		{"the last address", TypeL1, Make(1<<24-1, 0), true},
		{"beyond all addresses", TypeL1, Make(1<<24, 0), false},
		{"all bits", TypeL1, ^Present, false},
		{"beyond what is cached", TypeL1, 1 << 46, false},
		{"PS in an L1, which is PAT", TypeL1, PSE, false},
		{"PS in an L2", TypeL2, PSE, true},
		{"all bits in an L3", TypeL3, ^Present, true},
		{"memory in an L4", TypeL4, Make(2, 0), true},
	} {
		t.Run(fmt.Sprintf("L%d %s", c.level, c.name), func(t *testing.T) {
			build := func() (*Rules, *string) {
				r, said := newRules(t), new(string)
				t.Cleanup(r.M.Close)
				r.L1TF = &L1TF{Mask: 1<<46 - 1<<12, Safe: 1 << 36,
					Crash: func(level Type, e Entry) { *said += fmt.Sprintf("L%d %#x", level, uint64(e)) }}
				return r, said
			}
			want, err := "", abi.Errno(0)
			if c.leaks {
				want, err = fmt.Sprintf("L%d %#x", c.level, uint64(c.e)), abi.ERESTART
			}
			check := func(how string, got abi.Errno, said string) {
				t.Helper()
				if got != err || said != want {
					t.Errorf("%s: %v, %q; want %v, %q", how, got, said, err, want)
				}
			}
			r, said := build()
			r.put(10, 2, c.e)
			check("pin", r.Pin(10, dom1, c.level), *said)

			r, said = build()
			if err := r.Pin(10, dom1, c.level); err != 0 {
				t.Fatal(err)
			}
			_, got := r.Apply(10<<12+2*8, c.e, dom1, dom1, false)
			check("update", got, *said)
			if stored := r.entry(10, 2); (stored == c.e) == c.leaks && c.e != 0 {
				t.Errorf("update: the slot holds %#x", uint64(stored))
			}
			if err := NewAuditor(r).Audit(nil); err != nil {
				t.Error(err)
			}
		})
	}
}
