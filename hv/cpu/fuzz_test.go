package cpu

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"pvlab/hv/x86"
)

// quietBus is a world in which nothing happens.
type quietBus struct{ tsc uint64 }

func (*quietBus) In(uint16, int) uint32                    { return ^uint32(0) }
func (*quietBus) Out(uint16, int, uint32)                  {}
func (*quietBus) ReadPhys(uint64, int) uint64              { return ^uint64(0) }
func (*quietBus) WritePhys(uint64, int, uint64)            {}
func (*quietBus) ReadMSR(uint32) (uint64, bool)            { return 0, false }
func (*quietBus) WriteMSR(uint32, uint64) bool             { return false }
func (*quietBus) CPUID(uint32, uint32) (a, b, c, d uint32) { return }
func (b *quietBus) TSC() uint64                            { b.tsc++; return b.tsc }

// runAnything executes code from a state made of seed, in any mode and at CPL
// 0 or 3, and goes on past every exit. It must come to its end.
func runAnything(t testing.TB, seed uint64, code []byte) {
	rng := rand.New(rand.NewPCG(seed, 0))
	c := newModelCPU(t, Vendor(rng.IntN(2)))
	c.Bus = &quietBus{}
	g := randomCase{rng: rng, mode: Mode64, u: &setup64}
	s := cpuState{RIP: codeVA, Flags: rng.Uint64() & (x86.FlagsStatus | x86.FlagDF | x86.FlagTF | x86.FlagRF | x86.FlagAC | x86.FlagIOPL)}
	for i := range s.R {
		if s.R[i] = g.value(); g.chance(60) {
			s.R[i] = g.place()
		}
	}
	u := []*setup{&setup64, &setup32, &setup32segs, &setup16}[rng.IntN(4)]
	s.RIP = u.rip
	c.load(&s, u)
	if g.chance(50) {
		c.CPL = 0
		for i := range c.Seg {
			c.Seg[i].Attr &^= x86.AttrDPL
		}
	}
	if g.chance(20) {
		c.DR[7] = rng.Uint64() & 0xffff_0fff
		for i := range 4 {
			c.DR[i] = g.place()
		}
	}
	c.Intercept = Intercept(rng.IntN(4))
	c.StateChanged()
	c.Mem.Write(modelCodePA, code)
	if len(code) > 64 {
		c.Mem.Write(modelCodePA+0x1000, code[64:])
	}
	for exits := 0; exits < 20; exits++ {
		ex := c.Run(500)
		if c.R[zeroReg] != 0 {
			t.Fatal("the zero register was written")
		}
		switch ex.Kind {
		case ExitFault, ExitUnmodelled:
			c.RIP++
		case ExitSoftInt, ExitSyscall, ExitSysenter:
			c.RIP = ex.Next
		}
	}
}

// FuzzRun: whatever the bytes are, the CPU neither panics nor hangs.
func FuzzRun(f *testing.F) {
	f.Add(uint64(1), []byte{0xf3, 0x48, 0xa5, 0x48, 0xcf})
	f.Add(uint64(2), []byte{0x0f, 0x01, 0xf8, 0x0f, 0x05, 0x48, 0x0f, 0x07})
	f.Add(uint64(3), []byte{0x9d, 0x8e, 0xd0, 0x0f, 0x22, 0xc0, 0xeb, 0xf6})
	f.Fuzz(func(t *testing.T, seed uint64, code []byte) {
		runAnything(t, seed, code[:min(len(code), 0x2000)])
	})
}

// TestRandomCode does the same for a fixed set of random programs.
func TestRandomCode(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	rng := rand.New(rand.NewPCG(11, 11))
	for seed := range uint64(n) {
		code := make([]byte, 256)
		for i := 0; i+8 <= len(code); i += 8 {
			binary.LittleEndian.PutUint64(code[i:], rng.Uint64())
		}
		runAnything(t, seed, code)
	}
}
