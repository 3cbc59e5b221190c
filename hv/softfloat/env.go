package softfloat

// Flags are the exception bits, placed as in MXCSR and the x87 status word.
type Flags uint8

// Exceptions.
const (
	Invalid   Flags = 1 << iota // IE
	Denormal                    // DE: an operand is denormal
	DivByZero                   // ZE
	Overflow                    // OE
	Underflow                   // UE
	Inexact                     // PE
)

// Rounding is a rounding mode, numbered as in the RC fields.
type Rounding uint8

// Rounding modes.
const (
	Nearest Rounding = iota // to even
	Down
	Up
	ToZero
)

// Env is what an instruction computes under, and what comes of it.
type Env struct {
	Round Rounding
	Mask  Flags // set bits are masked exceptions
	DAZ   bool  // SSE: denormal operands are zeros
	FTZ   bool  // SSE: tiny results are zeros, where underflow is masked
	X87   bool  // NaN operands and unmasked overflow as on the x87
	// Quick is for callers: nothing but Inexact could be told of an operation
	// on plain numbers rounded to nearest, and that is known already.
	Quick bool
	// Prec is the x87's precision control in bits: 24, 53 or 64. Results in
	// the 80-bit format are rounded to it.
	Prec uint8

	// Narrow says that an operand was denormal in the narrower format it came
	// from.
	Narrow bool

	Flags     Flags // raised so far
	RoundedUp bool  // the last rounding increased the magnitude (x87: C1)
}

func (e *Env) raise(f Flags) { e.Flags |= f }

// unmasked reports an exception of f that is raised and not masked.
func (e *Env) unmasked(f Flags) bool { return e.Flags&f&^e.Mask != 0 }

// F80 is a number in double extended format: sign and exponent (bias 16383),
// and the significand with its explicit integer bit.
type F80 struct {
	Sig uint64
	SE  uint16
}

// class of a number.
type class uint8

const (
	zero class = iota
	finite
	infinite
	quiet
	signalling
	unsupported // x87: pseudo-NaN, pseudo-infinity, unnormal
)

// num is an unpacked number. A finite one is sig/2^63 * 2^exp with bit 63 of
// sig set; of a NaN, sig is the payload, the quiet bit is bit 62.
type num struct {
	class  class
	neg    bool
	denorm bool // it was denormal in its format
	exp    int32
	sig    uint64
}

func (n *num) nan() bool { return n.class >= quiet }

const (
	intBit   = 1 << 63
	quietBit = 1 << 62
)

// format is a binary format.
type format struct {
	prec       uint8 // significant bits, the integer bit counted
	emin, emax int32 // exponents of the smallest and largest normal number
}

var (
	f32 = format{24, -126, 127}
	f64 = format{53, -1022, 1023}
	f80 = format{64, -16382, 16383}
)
