package explain

import "fmt"

// OriginKind says what is known about where a word came from.
type OriginKind uint8

// Kinds of origin.
const (
	Unknown       OriginKind = iota // was there before tracking began, or came from an instruction not followed
	Slot                            // a slot of a delivered frame
	Live                            // a register as the interrupted code had it
	Scratch                         // rcx or r11 as the entry itself left them (FRAME-02)
	Constant                        // an immediate operand
	ReturnAddress                   // stored by CALL
	Flags                           // stored by PUSHF
	Computed                        // result of an instruction that does more than move
	numOriginKinds
)

var originKinds = [numOriginKinds]string{"unknown", "slot", "live", "scratch", "constant", "return-address", "flags", "computed"}

func (k OriginKind) String() string { return originKinds[k] }

// MarshalText gives the kind's name in JSON.
func (k OriginKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Origin is where the content of a register or of a memory word came from.
// Plain moves carry it along; arithmetic marks it changed.
type Origin struct {
	Kind  OriginKind
	Frame int    // number of the frame, from 1 (Slot, Live, Scratch)
	Name  string // slot or register
	// Maker is the instruction that made the value (Constant, ReturnAddress,
	// Flags, Computed).
	Maker uint64
	// Stored is the last instruction that stored it to memory, 0 if none did
	// since it was made.
	Stored uint64
	// Changed is the last instruction that altered part of the value in
	// place, 0 if it is as it was.
	Changed uint64
}

// IsSlot reports whether the word came, changed or not, from the slot of that
// name in frame number f (any frame when f is 0).
func (o Origin) IsSlot(f int, name string) bool {
	return o.Kind == Slot && o.Name == name && (f == 0 || o.Frame == f)
}

func (o Origin) stored(at uint64) Origin  { o.Stored = at; return o }
func (o Origin) changed(at uint64) Origin { o.Changed = at; return o }

// words tells the origin as part of a sentence. place writes an address.
func (o Origin) words(place func(uint64) string) string {
	s := ""
	switch o.Kind {
	case Slot:
		s = fmt.Sprintf("the slot that holds %s", o.Name)
	case Live:
		s = fmt.Sprintf("%s of the interrupted code", o.Name)
	case Scratch:
		s = fmt.Sprintf("%s as the entry left it", o.Name)
	case Constant:
		s = "a constant of " + place(o.Maker)
	case ReturnAddress:
		s = "the return address of the call at " + place(o.Maker)
	case Flags:
		s = "the flags stored by " + place(o.Maker)
	case Computed:
		s = "a value computed at " + place(o.Maker)
	default:
		return "a word that was there before"
	}
	if o.Stored != 0 && o.Kind != Slot && o.Stored != o.Maker {
		s += ", stored by " + place(o.Stored)
	}
	if o.Changed != 0 {
		s += ", changed at " + place(o.Changed)
	}
	return s
}
