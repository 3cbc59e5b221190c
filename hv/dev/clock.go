package dev

import (
	"math"

	"pvlab/hv/i8254"
)

// nsPerSecond is the unit of virtual time.
const nsPerSecond = 1_000_000_000

// never is an event time that does not come.
const never = math.MaxUint64

// ticksAt is how often a counter of hz cycles a second has counted after ns.
func ticksAt(ns, hz uint64) uint64 { return i8254.TicksAt(ns, hz) }

// nsOfTick is the first moment at which ticksAt gives at least n.
func nsOfTick(n, hz uint64) uint64 { return i8254.TimeOf(n, hz) }

// after is at+ns, or never where that has no room.
func after(at, ns uint64) uint64 {
	if sum := at + ns; sum >= at {
		return sum
	}
	return never
}

// scale returns n*mul/div rounded down.
func scale(n, mul, div uint64) uint64 { return i8254.Scale(n, mul, div) }
