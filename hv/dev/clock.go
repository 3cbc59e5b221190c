package dev

import (
	"math"
	"math/bits"
)

// nsPerSecond is the unit of virtual time.
const nsPerSecond = 1_000_000_000

// never is an event time that does not come.
const never = math.MaxUint64

// scale returns n*mul/div rounded down, or the largest value where the
// quotient has no room.
func scale(n, mul, div uint64) uint64 {
	hi, lo := bits.Mul64(n, mul)
	if hi >= div {
		return math.MaxUint64
	}
	q, _ := bits.Div64(hi, lo, div)
	return q
}

// ticksAt is how often a counter of hz cycles a second has counted after ns.
func ticksAt(ns, hz uint64) uint64 { return scale(ns, hz, nsPerSecond) }

// nsOfTick is the first moment at which ticksAt gives at least n.
func nsOfTick(n, hz uint64) uint64 {
	hi, lo := bits.Mul64(n, nsPerSecond)
	var carry uint64
	lo, carry = bits.Add64(lo, hz-1, 0)
	hi += carry
	if hi >= hz {
		return never
	}
	q, _ := bits.Div64(hi, lo, hz)
	return q
}

// after is at+ns, or never where that has no room.
func after(at, ns uint64) uint64 {
	if sum := at + ns; sum >= at {
		return sum
	}
	return never
}
