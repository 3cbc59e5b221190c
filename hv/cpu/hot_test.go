package cpu

import (
	"math/rand/v2"
	"testing"

	"pvlab/hv/mem"
	"pvlab/hv/x86"
)

// hotCode is a run of random instructions among which the hot ones and those
// that look at flags are frequent, ended by one that leaves the block.
func hotCode(rng *rand.Rand) (code []byte) {
	modrm := func(digit int) byte { return 0xc0 | byte(digit)<<3 | byte(rng.IntN(8)) }
	register := func() byte {
		for {
			if r := byte(rng.IntN(8)); r != x86.RSP {
				return r
			}
		}
	}
	mem := func(reg byte) []byte { // disp8(%rsp), at times across the end of the page
		return []byte{0x44 | reg<<3, 0x24, byte(rng.IntN(128))}
	}
	imm := func() []byte {
		v := uint32(edges[rng.IntN(len(edges))])
		return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}
	}
	n := 2 + rng.IntN(20)
	for range n {
		rex := []byte{}
		if rng.IntN(2) == 0 {
			rex = []byte{0x48}
		}
		alu := byte(rng.IntN(8))
		rm := 0xc0 | register()<<3 | register()
		var b []byte
		switch rng.IntN(24) {
		case 0, 1, 2:
			b = []byte{alu<<3 | 1, rm}
		case 3, 4:
			b = []byte{0x83, 0xc0 | alu<<3 | register(), byte(rng.IntN(256))}
		case 5:
			b = append([]byte{0x81, 0xc0 | alu<<3 | register()}, imm()...)
		case 6:
			b = []byte{0x89, rm}
		case 7:
			b = []byte{0x85, rm}
		case 8:
			b = []byte{0xff, 0xc0 | byte(rng.IntN(2))<<3 | register()}
		case 9, 10:
			b = []byte{0xc1, 0xc0 | byte(rng.IntN(8))<<3 | register(), byte(rng.IntN(256))}
		case 11:
			b = append([]byte{0x8b}, mem(register())...)
		case 12:
			b = append([]byte{0x89}, mem(register())...)
		case 13:
			b = append([]byte{0x8d}, mem(register())...)
		case 14:
			b = []byte{0x0f, 0xb6, rm}
		case 15:
			b = append([]byte{0x0f, 0xb6}, mem(register())...)
		case 16:
			b = []byte{0x0f, 0x90 + byte(rng.IntN(16)), modrm(0)&^7 | register()} // SETcc
		case 17:
			rex, b = nil, []byte{0x50 | register()}
		case 18:
			rex, b = nil, []byte{0x58 | register()}
		case 19:
			rex, b = nil, []byte{0x70 + byte(rng.IntN(16)), byte(rng.IntN(4))} // Jcc, into the zeros at the end
		case 20:
			b = append([]byte{[]byte{0x03, 0x33, 0x3b, 0x39}[rng.IntN(4)]}, mem(register())...)
		case 21:
			b = append(append([]byte{0x83}, mem(7)...), byte(rng.IntN(256)))
		case 22:
			b = []byte{0xf7, 0xd0 | register()} // NOT
		case 23:
			rex, b = nil, []byte{0x6a, byte(rng.IntN(256))}
		}
		code = append(code, rex...)
		code = append(code, b...)
	}
	return append(code, 0xf4)
}

// TestHotBlocks: a block that runs whole does what its instructions do one by
// one, flags included, wherever it ends: the run loop and the functions of the
// operations are two accounts of one thing.
func TestHotBlocks(t *testing.T) {
	rounds := 60_000
	if testing.Short() {
		rounds = 5_000
	}
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := flatCPU(t, nil), flatCPU(t, nil)
	const stack = 0x1fff80 // its page is followed by one that is not mapped
	whole := 0
	reset := a.State // a jump into the middle of an instruction may change anything
	for round := range rounds {
		code := append(hotCode(rng), 0xf4, 0xf4, 0xf4, 0xf4)
		var start State
		for i, c := range []*CPU{a, b} {
			c.Mem.Write(0x10000, make([]byte, 256))
			c.Mem.Write(0x10000, code)
			c.Mem.Write64(0x1000, 0x2007) // tables as flatCPU has them, but for the second large page
			c.Mem.Write64(0x2000, 0x3007)
			c.Mem.Write64(0x3000, 0x0087)
			c.Mem.Write64(0x3008, 0)
			c.FlushTLB()
			if i == 0 {
				start = reset
				for r := range 16 {
					start.R[r] = edges[rng.IntN(len(edges))]
					if rng.IntN(2) == 0 {
						start.R[r] = rng.Uint64()
					}
				}
				start.R[x86.RSP] = stack - uint64(rng.IntN(64))
				start.RIP, start.Retired = 0x10000, 0
			}
			c.State = start
			c.SetFlags(start.R[3] & (x86.FlagsStatus | x86.FlagDF))
			c.StateChanged()
			for w := uint64(0); w < 64; w++ {
				c.Mem.Write64(0x1ffe00+8*w, start.R[1]*w)
			}
		}
		exA := a.Run(1000)
		if a.Retired > 1 {
			whole++
		}
		var exB Exit
		for exB.Kind == ExitBudget && b.Retired < a.Retired {
			exB = b.Run(1)
		}
		if a.Halted != b.Halted || exA.Kind != exB.Kind || exA.Fault != exB.Fault || a.R != b.R || a.RIP != b.RIP || a.Flags() != b.Flags() || a.Retired != b.Retired {
			t.Fatalf("round %d, code % x:\nwhole   %v %x rip %x flags %x, %d instructions\nstepped %v %x rip %x flags %x, %d",
				round, code, exA, a.R[:16], a.RIP, a.Flags(), a.Retired, exB, b.R[:16], b.RIP, b.Flags(), b.Retired)
		}
		for w := uint64(0); w < mem.PageSize/8; w++ {
			if at := 0x1ff000 + 8*w; a.Mem.Read64(at) != b.Mem.Read64(at) {
				t.Fatalf("round %d, code % x: memory differs at %#x", round, code, at)
			}
		}
	}
	if whole < rounds/2 {
		t.Errorf("only %d of %d blocks ran further than one instruction", whole, rounds)
	}
}

// TestDeadFlags: where flags are left out, and where something could see them.
func TestDeadFlags(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		dead []bool
	}{
		{"overwritten", []byte{0x01, 0xd8, 0x29, 0xd8, 0xf4}, []bool{true, false, false}},
		{"a load between may fault", []byte{0x01, 0xd8, 0x8b, 0x03, 0x29, 0xd8, 0xf4}, []bool{false, false, false, false}},
		{"read by SETC", []byte{0x01, 0xd8, 0x0f, 0x92, 0xc0, 0x29, 0xd8, 0xf4}, []bool{false, false, false, false}},
		{"INC keeps CF", []byte{0x01, 0xd8, 0xff, 0xc0, 0xf4}, []bool{false, false, false}},
		{"INC between", []byte{0x01, 0xd8, 0xff, 0xc0, 0x31, 0xd8, 0xf4}, []bool{true, true, false, false}},
		{"the last one stays", []byte{0x01, 0xd8, 0xeb, 0x00}, []bool{false, false}},
	} {
		cpu := flatCPU(t, c.code)
		b, ok := cpu.lookup()
		if !ok || len(b.insts) != len(c.dead) {
			t.Fatalf("%s: %d instructions", c.name, len(b.insts))
		}
		for i, want := range c.dead {
			if got := b.insts[i].Flags&FlagDead != 0; got != want {
				t.Errorf("%s: instruction %d: flags left out: %v, want %v", c.name, i, got, want)
			}
		}
	}
}
