package cpu

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pvlab/hv/x86"
)

// stringCPU has code at 0x10000 and the rest of 4 MiB as data, at CPL 0.
func stringCPU(t testing.TB, code ...byte) *CPU { return flatCPU(t, code) }

// TestRepeatRuns compares the fast path of REP MOVS and REP STOS with
// iterations one by one, which an armed but distant breakpoint enforces:
// overlaps at any distance, page crossings, all sizes, both directions.
func TestRepeatRuns(t *testing.T) {
	forms := []struct {
		name string
		code []byte
		size uint64
	}{
		{"rep movsb", []byte{0xf3, 0xa4}, 1},
		{"rep movsw", []byte{0x66, 0xf3, 0xa5}, 2},
		{"rep movsl", []byte{0xf3, 0xa5}, 4},
		{"rep movsq", []byte{0xf3, 0x48, 0xa5}, 8},
		{"addr32 rep movsb", []byte{0x67, 0xf3, 0xa4}, 1},
		{"rep stosb", []byte{0xf3, 0xaa}, 1},
		{"rep stosl", []byte{0xf3, 0xab}, 4},
		{"rep stosq", []byte{0xf3, 0x48, 0xab}, 8},
	}
	rng := rand.New(rand.NewPCG(3, 3))
	const lo, size = 0x100000, 0x20000
	initial := make([]byte, size)
	for i := range initial {
		initial[i] = byte(rng.Uint32())
	}
	for _, f := range forms {
		fast, slow := stringCPU(t, f.code...), stringCPU(t, f.code...)
		slow.DR[7] = 1 // an instruction breakpoint at 0
		slow.StateChanged()
		for range 60 {
			n := uint64(rng.IntN(9000)) / f.size
			src := lo + 0xa000 + uint64(rng.IntN(0x6000))
			dst := src + uint64(rng.IntN(80)) - 40
			if rng.IntN(2) == 0 {
				dst = lo + 0xa000 + uint64(rng.IntN(0x6000))
			}
			var flags uint64
			if rng.IntN(3) == 0 {
				flags = x86.FlagDF
			}
			for _, c := range []*CPU{fast, slow} {
				c.Mem.Write(lo, initial)
				c.R[x86.RSI], c.R[x86.RDI], c.R[x86.RCX], c.R[x86.RAX] = src, dst, n, 0x1122334455667788
				c.SetFlags(flags)
				c.RIP = 0x10000
				for c.RIP == 0x10000 {
					if ex := c.Run(1); ex.Kind != ExitBudget {
						t.Fatalf("%s: %v %v", f.name, ex.Kind, ex.Fault)
					}
				}
			}
			if fast.R != slow.R {
				t.Fatalf("%s: n %d src %#x dst %#x: registers %x, want %x", f.name, n, src, dst, fast.R[:8], slow.R[:8])
			}
			a, b := make([]byte, size), make([]byte, size)
			fast.Mem.Read(lo, a)
			slow.Mem.Read(lo, b)
			if !bytes.Equal(a, b) {
				t.Fatalf("%s: n %d src %#x dst %#x flags %#x: memory differs", f.name, n, src, dst, flags)
			}
		}
	}
}

// TestRepeatIsBounded: a long REP gives interrupts and the budget their turn,
// with registers telling how far it came.
func TestRepeatIsBounded(t *testing.T) {
	c := stringCPU(t, 0xf3, 0xaa) // rep stosb
	c.R[x86.RDI], c.R[x86.RCX] = 0x100000, 0x100000
	c.Run(3)
	did := 0x100000 - c.R[x86.RCX]
	if did == 0 || did > 3*repeatChunk || c.R[x86.RDI] != 0x100000+did || c.RIP != 0x10000 {
		t.Errorf("after a budget of 3: %d bytes done, rdi %#x, rip %#x", did, c.R[x86.RDI], c.RIP)
	}
	c.rflags |= x86.FlagIF
	c.Attn = AttnInterrupt
	if ex := c.Run(1000); ex.Kind != ExitInterrupt || c.RIP != 0x10000 {
		t.Errorf("pending interrupt: %v at %#x, want an interrupt at the instruction", ex.Kind, c.RIP)
	}
}

// TestRepeatTraps: with TF every iteration ends with a #DB, and a data
// breakpoint is reported after the iteration that hit it.
func TestRepeatTraps(t *testing.T) {
	c := stringCPU(t, 0xf3, 0xaa, 0x90) // rep stosb; nop
	c.R[x86.RDI], c.R[x86.RCX] = 0x100000, 3
	c.SetFlags(x86.FlagTF)
	for i := uint64(1); i <= 3; i++ {
		ex := c.Run(1)
		wantRIP := uint64(0x10000)
		if i == 3 {
			wantRIP = 0x10002
		}
		if ex.Kind != ExitFault || ex.Fault.Vector != x86.VectorDB || c.R[x86.RCX] != 3-i || c.RIP != wantRIP {
			t.Fatalf("iteration %d: %v %v, rcx %d, rip %#x", i, ex.Kind, ex.Fault, c.R[x86.RCX], c.RIP)
		}
	}

	c = stringCPU(t, 0xf3, 0xaa, 0x90)
	c.R[x86.RDI], c.R[x86.RCX] = 0x100000, 8
	c.DR[0], c.DR[7] = 0x100004, 1|1<<16 // write of one byte
	c.StateChanged()
	ex := c.Run(100)
	if ex.Kind != ExitFault || ex.Fault.Vector != x86.VectorDB || c.DR[6]&1 == 0 || c.R[x86.RDI] != 0x100005 {
		t.Errorf("breakpoint: %v %v, dr6 %#x, rdi %#x; want #DB after the fifth byte", ex.Kind, ex.Fault, c.DR[6], c.R[x86.RDI])
	}
}

// TestRepeatFault: a fault in the middle leaves the registers at the
// iteration that failed, and the instruction goes on from there.
func TestRepeatFault(t *testing.T) {
	c := stringCPU(t, 0xf3, 0x48, 0xab, 0x90) // rep stosq; nop
	const hole = 0x400000                     // beyond what is mapped
	c.R[x86.RDI], c.R[x86.RCX] = hole-24, 5
	ex := c.Run(100)
	if ex.Kind != ExitFault || ex.Fault != x86.PageFault(x86.PFWrite, hole) {
		t.Fatalf("%v %v", ex.Kind, ex.Fault)
	}
	if c.R[x86.RCX] != 2 || c.R[x86.RDI] != hole || c.RIP != 0x10000 {
		t.Errorf("rcx %d rdi %#x rip %#x", c.R[x86.RCX], c.R[x86.RDI], c.RIP)
	}
}

// TestRepeatOverItself: code that a REP overwrites behind itself is seen.
func TestRepeatOverItself(t *testing.T) {
	c := stringCPU(t, 0xf3, 0xaa, 0x90, 0x90) // rep stosb; nop; nop
	c.R[x86.RDI], c.R[x86.RCX], c.R[x86.RAX] = 0x10002, 1, 0xcc
	if ex := c.Run(100); ex.Kind != ExitSoftInt || ex.Soft != SoftINT3 || c.RIP != 0x10002 {
		t.Errorf("%v at %#x: the INT3 just written was not seen", ex.Kind, c.RIP)
	}
}
