package probe

import "fmt"

// Slot is one word of a delivered frame: what it holds and where it lies in
// guest memory. Names are "rcx", "r11", "error", "rip", "cs", "rflags",
// "rsp", "ss"; a failsafe frame also has "ds", "es", "fs", "gs".
type Slot struct {
	Name  string
	Addr  uint64 // linear address of the slot's lowest byte
	Value uint64 // as stored
}

// Frame records one delivery of an event: where each slot was written and
// where the guest goes on. Slots are ordered by address, lowest first. The
// backing array belongs to the deliverer and is reused by its next delivery:
// keep a Clone.
type Frame struct {
	VCPU     int
	Vector   int
	Kind     string // "exception", "interrupt", "softint", "nmi", "event", "failsafe", "syscall", ...
	At       uint64 // linear address of the lowest slot: the handler's stack pointer
	Slots    []Slot
	FromUser bool   // the interrupted code ran in user mode
	Handler  uint64 // RIP the guest goes on at
	StackTop uint64 // stack pointer from which the frame was pushed, after alignment
}

// Clone returns a frame that shares nothing with f.
func (f *Frame) Clone() Frame {
	g := *f
	g.Slots = append([]Slot(nil), f.Slots...)
	return g
}

// Slot returns the slot with that name.
func (f *Frame) Slot(name string) (Slot, bool) {
	for _, s := range f.Slots {
		if s.Name == name {
			return s, true
		}
	}
	return Slot{}, false
}

// SlotAt returns the slot that holds the word at linear address addr.
func (f *Frame) SlotAt(addr uint64) (Slot, bool) {
	for _, s := range f.Slots {
		if s.Addr == addr {
			return s, true
		}
	}
	return Slot{}, false
}

func (s Slot) String() string { return fmt.Sprintf("%s=%#x at %#x", s.Name, s.Value, s.Addr) }
