package softfloat

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// interesting mixes corners of a format with random numbers.
func bits64(r *rand.Rand) uint64 {
	corners := []uint64{0, 1, 1 << 51, 1<<52 - 1, 1 << 52, 1<<52 + 1, 0x3ff << 52, 0x3ff<<52 + 1, 0x3fe<<52 | (1<<52 - 1),
		0x7fe<<52 | (1<<52 - 1), 0x7ff << 52, 0x7ff<<52 | 1, 0x7ff<<52 | 1<<51, 0x433 << 52, 0x43e << 52}
	x := corners[r.IntN(len(corners))]
	switch r.IntN(4) {
	case 0:
		x = r.Uint64()
	case 1: // near one
		x = 0x3ff<<52 + uint64(r.Int64N(1<<55)) - 1<<54
	case 2: // near the ends
		x = r.Uint64()&(1<<52-1) | uint64(r.IntN(3)+r.IntN(2)*0x7fb)<<52
	}
	return x | uint64(r.IntN(2))<<63
}

func bits32(r *rand.Rand) uint32 {
	x := bits64(r)
	switch r.IntN(3) {
	case 0:
		return r.Uint32()
	case 1:
		return uint32(x>>63)<<31 | uint32(x)&(1<<23-1) | uint32(r.IntN(3)+r.IntN(2)*0xfb)<<23
	}
	return math.Float32bits(float32(math.Float64frombits(x)))
}

// TestAsGo: rounded to nearest, results are those of the processor that runs
// this test, as Go has them.
func TestAsGo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	e := &Env{Mask: 0x3f}
	for range 400_000 {
		a, b := bits64(r), bits64(r)
		x, y := math.Float64frombits(a), math.Float64frombits(b)
		c, d := bits32(r), bits32(r)
		u, v := math.Float32frombits(c), math.Float32frombits(d)
		for _, tt := range []struct {
			name string
			got  uint64
			want float64
		}{
			{"+", e.Arith64(Add, a, b), x + y}, {"-", e.Arith64(Sub, a, b), x - y},
			{"*", e.Arith64(Mul, a, b), x * y}, {"/", e.Arith64(Div, a, b), x / y},
			{"sqrt", e.Sqrt64(a), math.Sqrt(x)}, {"round", e.Round64(a), math.RoundToEven(x)},
		} {
			if got := math.Float64frombits(tt.got); math.IsNaN(tt.want) != math.IsNaN(got) || !math.IsNaN(got) && tt.got != math.Float64bits(tt.want) {
				t.Fatalf("%x %s %x = %x, want %x", a, tt.name, b, tt.got, math.Float64bits(tt.want))
			}
		}
		for _, tt := range []struct {
			name string
			got  uint32
			want float32
		}{
			{"+", e.Arith32(Add, c, d), u + v}, {"-", e.Arith32(Sub, c, d), u - v},
			{"*", e.Arith32(Mul, c, d), u * v}, {"/", e.Arith32(Div, c, d), u / v},
			{"sqrt", e.Sqrt32(c), float32(math.Sqrt(float64(u)))}, {"narrow", e.F64to32(a), float32(x)},
		} {
			got := math.Float32frombits(tt.got)
			if nan := tt.want != tt.want; nan != (got != got) || !nan && tt.got != math.Float32bits(tt.want) {
				t.Fatalf("%x %s %x = %x, want %x", c, tt.name, d, tt.got, math.Float32bits(tt.want))
			}
		}
		want := Unordered
		switch {
		case x < y:
			want = Less
		case x > y:
			want = Greater
		case x == y:
			want = Equal
		}
		if got := e.Compare64(a, b, true); got != want {
			t.Fatalf("%x ? %x = %d, want %d", a, b, got, want)
		}
	}
}

// TestExtended compares 80-bit results with exact ones, in each rounding mode
// and precision.
func TestExtended(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	modes := []big.RoundingMode{Nearest: big.ToNearestEven, Down: big.ToNegativeInf, Up: big.ToPositiveInf, ToZero: big.ToZero}
	value := func(x F80) *big.Float {
		f := new(big.Float).SetPrec(64).SetUint64(x.Sig)
		f.SetMantExp(f, int(x.SE&0x7fff)-16383-63)
		if x.SE>>15 != 0 {
			f.Neg(f)
		}
		return f
	}
	for range 300_000 {
		e := &Env{X87: true, Mask: 0x3f, Round: Rounding(r.IntN(4)), Prec: []uint8{24, 53, 64}[r.IntN(3)]}
		rnd := func() F80 {
			sig := r.Uint64() | 1<<63
			if r.IntN(3) == 0 {
				sig &= ^uint64(0) << r.IntN(64)
			}
			return F80{sig | 1<<63, uint16(16383-70+r.IntN(140)) | uint16(r.IntN(2))<<15}
		}
		a, b := rnd(), rnd()
		want := new(big.Float).SetPrec(uint(e.Prec)).SetMode(modes[e.Round])
		x, y := value(a), value(b)
		op := Op(r.IntN(5))
		var got F80
		switch op {
		case Add:
			want.Add(x, y)
		case Sub:
			want.Sub(x, y)
		case Mul:
			want.Mul(x, y)
		case Div:
			want.Quo(x, y)
		default:
			a.SE &= 0x7fff
			// big.Float's root is rounded to nearest alone: its neighbours
			// tell the directed ones.
			got = e.Sqrt80(a)
			g := value(got)
			sq := new(big.Float).SetPrec(200).Mul(g, g)
			if c := sq.Cmp(value(a)); e.Round == Down && c > 0 || e.Round == ToZero && c > 0 || e.Round == Up && c < 0 || (c == 0) != (e.Flags&Inexact == 0) {
				t.Fatalf("sqrt %v in mode %d precision %d = %v, flags %#x", value(a), e.Round, e.Prec, g, e.Flags)
			}
			if e.Round == Nearest {
				root := new(big.Float).SetPrec(uint(e.Prec)).Sqrt(value(a))
				if root.Cmp(g) != 0 {
					t.Fatalf("sqrt %v precision %d = %v, want %v", value(a), e.Prec, g, root)
				}
			}
			continue
		}
		got = e.Arith80(op, a, b)
		if value(got).Cmp(want) != 0 || (want.Acc() != big.Exact) != (e.Flags&Inexact != 0) || want.Sign() != 0 && want.Signbit() != (got.SE>>15 != 0) {
			t.Fatalf("%v op %d %v in mode %d precision %d = %v flags %#x, want %v %v", x, op, y, e.Round, e.Prec, value(got), e.Flags, want, want.Acc())
		}
		if up := want.Acc() == big.Above && want.Sign() > 0 || want.Acc() == big.Below && want.Sign() < 0; up != e.RoundedUp {
			t.Fatalf("%v op %d %v in mode %d: rounded up %v", x, op, y, e.Round, e.RoundedUp)
		}
	}
}

// TestIntegers compares conversions with Go's where those are defined.
func TestIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200_000 {
		e := &Env{Mask: 0x3f, Round: ToZero}
		a := bits64(r)
		x := math.Float64frombits(a)
		if math.Abs(x) < 1<<31-1 {
			if got := e.F64toInt(a, 32); got != int64(int32(x)) || (e.Flags&Inexact != 0) != (math.Trunc(x) != x) {
				t.Fatalf("int32(%v) = %d, flags %#x", x, got, e.Flags)
			}
		} else if got := e.F64toInt(a, 32); x != -1<<31 && math.Trunc(x) != 1<<31-1 && math.Trunc(x) != -1<<31 && math.Trunc(x) != -(1<<31-1) && (got != -1<<31 || e.Flags != Invalid) {
			t.Fatalf("int32(%v) = %d, flags %#x", x, got, e.Flags)
		}
		e = &Env{Mask: 0x3f}
		v := int64(r.Uint64()) >> r.IntN(64)
		if got := e.IntTo64(v); got != math.Float64bits(float64(v)) {
			t.Fatalf("float64(%d) = %x", v, got)
		}
		if got := e.IntTo32(v); got != math.Float32bits(float32(v)) {
			t.Fatalf("float32(%d) = %x", v, got)
		}
		if got := e.F80toInt(e.IntTo80(v), 64); got != v {
			t.Fatalf("%d to extended and back = %d", v, got)
		}
		if w := e.F80to64(e.F64to80(a)); !math.IsNaN(x) && w != a {
			t.Fatalf("%x to extended and back = %x", a, w)
		}
	}
}
