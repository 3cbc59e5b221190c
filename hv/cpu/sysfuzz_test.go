package cpu

import (
	"math/rand/v2"
	"testing"

	"pvlab/hv/x86"
)

// Random bytes as kernel code, in every mode, with hostile registers and
// descriptor tables: nothing may panic or hang, whatever it does to the
// machine. FuzzKernelCode goes on from here.
func TestRandomKernelCode(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var code [64]byte
		for i := range code {
			code[i] = byte(rng.Uint32())
		}
		runHostile(t, code[:], rng.Uint64())
	}
}

func FuzzKernelCode(f *testing.F) {
	for _, s := range []string{"0f 01 14 25 00 00 03 00", "48 cf", "0f 22 c0", "ff 1c 25 00 00 03 00", "0f 30", "f3 a4", "48 0f 07"} {
		f.Add(unhex(f, s), uint64(0))
	}
	f.Fuzz(func(t *testing.T, code []byte, seed uint64) { runHostile(t, code, seed) })
}

// systemOpcodes are worth meeting more often than chance would have it.
var systemOpcodes = []string{
	"0f 01", "0f 00", "0f 20", "0f 21", "0f 22", "0f 23", "0f 30", "0f 32", "0f 05", "0f 07", "0f 34", "0f 35",
	"cf", "48 cf", "cb", "48 cb", "ca", "9a", "ea", "ff", "8e", "8c", "0f b2", "0f ae", "0f c7", "e4", "ee", "6c", "6e",
	"0f 02", "0f 03", "fa", "fb", "9d", "f4", "cd", "c4", "c5", "1f", "17", "0f a1", "63",
}

func runHostile(t testing.TB, code []byte, seed uint64) {
	if len(code) > 256 {
		code = code[:256]
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	b := newBox(t, Vendor(seed&1))
	interesting := []uint64{0, 3, boxData, boxStack, boxTarget, 1 << 47, ^uint64(0), 0xffff, 0x80000000,
		selCode64, selData3, selGate, selTSS, selLDT, boxGDT, boxPage, 1<<32 - 1}
	for _, mode := range []func(){func() { b.long(0) }, func() { b.long(3) }, func() { b.compat(0) },
		func() { b.legacy(0) }, func() { b.legacy(3) }, b.real} {
		mode()
		for i := range 16 {
			if b.R[i] = interesting[rng.IntN(len(interesting))]; rng.IntN(4) == 0 {
				b.R[i] = rng.Uint64()
			}
		}
		at := uint64(boxCode)
		b.Mem.Write(at, code)
		for range 8 { // system opcodes in between
			op := unhex(t, systemOpcodes[rng.IntN(len(systemOpcodes))])
			b.Mem.Write(at+uint64(rng.IntN(len(code)+1)), op)
		}
		for range 60 {
			ex := b.Run(20)
			if ex.Kind == ExitBudget {
				continue
			}
			// On to the next bytes, in a state that can run.
			b.RIP += uint64(1 + rng.IntN(4))
			b.Halted = false
			if rng.IntN(3) == 0 {
				b.IretTo(boxCode+uint64(rng.IntN(64)), interesting16(rng), rng.Uint64(), boxStack, interesting16(rng))
			}
			if b.RIP > boxSize {
				b.RIP = boxCode + uint64(rng.IntN(64))
			}
		}
		if b.R[zeroReg] != 0 {
			t.Fatal("the zero register is not zero")
		}
		if f := b.Flags(); f&^uint64(x86.FlagsDefined) != 0 || f&x86.FlagOne == 0 {
			t.Fatalf("RFLAGS %#x", f)
		}
	}
}

func interesting16(rng *rand.Rand) uint16 {
	return uint16(rng.IntN(gdtEnd / 8 * 8))
}
