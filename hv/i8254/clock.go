package i8254

import (
	"math"
	"math/bits"
)

// nsPerSecond is the unit of virtual time.
const nsPerSecond = 1_000_000_000

// Never is an event time that does not come.
const Never = math.MaxUint64

// Scale returns n*mul/div rounded down, or the largest value where the
// quotient has no room.
func Scale(n, mul, div uint64) uint64 {
	hi, lo := bits.Mul64(n, mul)
	if hi >= div {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, div)
	return q
}

// TicksAt is how often a counter of hz cycles a second has counted after ns.
func TicksAt(ns, hz uint64) uint64 { return Scale(ns, hz, nsPerSecond) }

// TimeOf is the first moment at which TicksAt gives at least n.
func TimeOf(n, hz uint64) uint64 {
	hi, lo := bits.Mul64(n, nsPerSecond)
	var carry uint64
	lo, carry = bits.Add64(lo, hz-1, 0)
	hi += carry
	if hi >= hz {
		return Never
	}
	q, _ := bits.Div64(hi, lo, hz)
	return q
}
