package entry

import "pvlab/hv/probe"

// Slot and Frame are defined in package probe, so that a delivered frame can
// be an event.
type (
	Slot  = probe.Slot
	Frame = probe.Frame
)
