package cpu

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"pvlab/hv/x86"
)

var vectorCases = flag.Int("vectorcases", 60000, "random MMX, SSE and x87 instructions to compare with the host's CPU, in each mode")

// TestVectorAgainstRealCPU is TestAgainstRealCPU for the instructions with x87,
// MMX and SSE state.
func TestVectorAgainstRealCPU(t *testing.T) {
	for _, u := range []*setup{&setup64, &setup32} {
		t.Run(u.name, func(t *testing.T) { compareVectors(t, u) })
	}
}

// vectorRows are the rows of the families with x87, MMX and SSE state.
func vectorRows(r *realCPU, mode Mode) (rows []*row) {
	for _, fam := range vectorFamilies() {
		for i := range fam {
			f := needsFeature(fam[i].name)
			if meet(fam[i].modes, modeSel(1)<<mode) && (f == "" || r.flags[f]) {
				rows = append(rows, &fam[i])
			}
		}
	}
	return rows
}

func vectorFamilies() [][]row {
	return [][]row{sseMoveRows(), packedRows(), vectorShiftRows(), shuffleRows(), extractRows(), cryptoRows(), ssefpRows(), x87Rows()}
}

// fxState is the part of the FXSAVE area that is compared.
type fxState [512]byte

func (r *realCPU) setFX(f *fxState) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, 15 /* SETFPREGS */, uintptr(r.pid), 0, uintptr(unsafe.Pointer(f)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func (r *realCPU) getFX(f *fxState) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, 14 /* GETFPREGS */, uintptr(r.pid), 0, uintptr(unsafe.Pointer(f)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// fx makes a start state.
func (g *randomCase) fx() (f fxState) {
	le := binary.LittleEndian
	le.PutUint16(f[fxFCW:], 0x37f)
	le.PutUint32(f[fxMXCSR:], mxcsrInit)
	if g.chance(50) {
		le.PutUint32(f[fxMXCSR:], mxcsrInit|uint32(g.rng.IntN(4))<<13|uint32(g.rng.IntN(2))<<15|uint32(g.rng.IntN(2))<<6|uint32(g.rng.IntN(64)))
	}
	if g.chance(20) {
		m := le.Uint32(f[fxMXCSR:])
		le.PutUint32(f[fxMXCSR:], m&^(uint32(g.rng.IntN(64))<<7))
	}
	if g.chance(30) {
		le.PutUint16(f[fxFSW:], uint16(g.rng.IntN(8))<<11)
	}
	f[fxFTW] = uint8(g.rng.Uint32())
	for i := fxST; i < fxXMM; i += 16 {
		le.PutUint64(f[i:], g.value())
		le.PutUint16(f[i+8:], uint16(g.rng.Uint32()))
	}
	for i := fxXMM; i < fxEnd; i += 8 {
		le.PutUint64(f[i:], g.operand())
	}
	return f
}

// operand is a word that integer and floating-point elements find interesting.
func (g *randomCase) operand() uint64 {
	f32 := func() uint64 {
		exps := []uint32{0, 0, 1, 0x7e, 0x7f, 0x80, 0x95, 0x9e, 0xfe, 0xff, 0xff, g.rng.Uint32() & 0xff}
		v := exps[g.rng.IntN(len(exps))]<<23 | g.rng.Uint32()&0x8007ffff
		switch g.rng.IntN(4) {
		case 0:
			v &= 0xff800000
		case 1:
			v |= 1 << 22
		}
		return uint64(v)
	}
	switch g.rng.IntN(5) {
	case 0:
		return f32() | f32()<<32
	case 1:
		exps := []uint64{0, 0, 1, 0x3fe, 0x3ff, 0x400, 0x41e, 0x432, 0x43e, 0x7fe, 0x7ff, 0x7ff, g.rng.Uint64() & 0x7ff}
		v := exps[g.rng.IntN(len(exps))]<<52 | g.rng.Uint64()&(1<<63|1<<51-1)
		switch g.rng.IntN(4) {
		case 0:
			v &= 0xfff << 52
		case 1:
			v |= 1 << 51
		}
		return v
	}
	return g.value()
}

func compareVectors(t *testing.T, u *setup) {
	real := newRealCPU(t)
	model := newModelCPU(t, hostVendor())
	model.CR4 |= x86.CR4OSFXSR | x86.CR4OSXMMEXCPT
	rows := vectorRows(real, u.mode)
	g := &randomCase{rng: rand.New(rand.NewPCG(*realSeed, 77+uint64(u.mode))), mode: u.mode, u: u, c: model.CPU}
	bad, outcomes := map[string]int{}, map[string]int{}
	for n := range *vectorCases {
		if n%64 == 0 {
			for i := 0x1000; i+8 <= len(real.mem); i += 8 {
				binary.LittleEndian.PutUint64(real.mem[i:], g.operand())
			}
			model.Mem.Write(modelCodePA+0x1000, real.mem[0x1000:])
		}
		r := rows[n%len(rows)]
		code := g.bytes(r)
		start := g.state(r, code)
		if strings.HasPrefix(r.name, "MASKMOV") {
			start.R[x86.RDI] = g.place()
		}
		start.Flags &^= x86.FlagAC
		fx := g.fx()
		model.FX = fx
		if err := real.setFX(&fx); err != nil {
			t.Fatal(err)
		}
		diff, out := compareOne(real, model, u, r, code, start)
		outcomes[out.what]++
		var after fxState
		if err := real.getFX(&after); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(r.name, "RCP") || strings.HasPrefix(r.name, "RSQRT") {
			alike((*fxState)(&model.FX), &after)
		}
		diff += compareFX((*fxState)(&model.FX), &after, &fx)
		if diff != "" {
			bad[r.name]++
			if bad[r.name] <= 2 {
				t.Errorf("case %d: %s % x\n%s", n, r.name, code, diff)
			}
			if len(bad) > 15 {
				t.Fatal("too many kinds of difference")
			}
		}
	}
	for name, n := range bad {
		t.Logf("%s: %d differences", name, n)
	}
	t.Logf("%d rows, outcomes: %v", len(rows), outcomes)
	if outcomes[""] < *vectorCases/2 {
		t.Errorf("only %d of %d instructions ended without a fault", outcomes[""], *vectorCases)
	}
}

// alike makes single-precision elements equal that are within the error which
// the approximating instructions are allowed: 1.5 * 2^-12 of the exact value
// for either (SDM vol. 2, RCPPS).
func alike(got, want *fxState) {
	le := binary.LittleEndian
	for at := fxXMM; at < fxEnd; at += 4 {
		a, b := math.Float32frombits(le.Uint32(got[at:])), math.Float32frombits(le.Uint32(want[at:]))
		const tiny = 0x1p-126 * (1 + 3.0/4096) // may be flushed to zero by one of them
		if d := math.Abs(float64(a) - float64(b)); d <= 3.0/4096*math.Abs(float64(b)) || d <= tiny && math.Abs(float64(a)) <= tiny && math.Abs(float64(b)) <= tiny {
			copy(got[at:at+4], want[at:at+4])
		}
	}
}

func compareFX(got, want, before *fxState) string {
	le := binary.LittleEndian
	var d strings.Builder
	word := func(name string, at int) {
		if a, b := le.Uint16(got[at:]), le.Uint16(want[at:]); a != b {
			fmt.Fprintf(&d, "  %s: model %#x, real %#x, before %#x\n", name, a, b, le.Uint16(before[at:]))
		}
	}
	word("FCW", fxFCW)
	word("FSW", fxFSW)
	word("FTW", fxFTW)
	word("MXCSR", fxMXCSR)
	for i := range 8 {
		at := fxST + 16*i
		if string(got[at:at+10]) != string(want[at:at+10]) {
			fmt.Fprintf(&d, "  st%d: model %x %x, real %x %x, before %x %x\n", i, le.Uint16(got[at+8:]), le.Uint64(got[at:]),
				le.Uint16(want[at+8:]), le.Uint64(want[at:]), le.Uint16(before[at+8:]), le.Uint64(before[at:]))
		}
	}
	for i := range 16 {
		at := fxXMM + 16*i
		if string(got[at:at+16]) != string(want[at:at+16]) {
			fmt.Fprintf(&d, "  xmm%d: model %016x:%016x, real %016x:%016x, before %016x:%016x\n", i, le.Uint64(got[at+8:]), le.Uint64(got[at:]),
				le.Uint64(want[at+8:]), le.Uint64(want[at:]), le.Uint64(before[at+8:]), le.Uint64(before[at:]))
		}
	}
	return d.String()
}
