package hypercall

import "pvlab/hypercall/abi"

// Support says how much of a hypercall or of one of its operations is built:
// one of the levels, or the error that Xen 4.17 answers whatever the arguments
// are (Always).
type Support int16

// Levels of support.
const (
	Full    Support = iota // all of it, as Xen 4.17
	Partial                // as the note says; the rest is Unmodelled
	Absent                 // known to Xen, not built: Unmodelled once the arguments are checked
)

// Always is the level of what Xen only ever answers with one error.
func Always(e abi.Errno) Support { return -Support(e) }

// Frequent errors.
const (
	NoSys  = -Support(abi.ENOSYS)
	Denied = -Support(abi.EPERM)
)

func (s Support) String() string {
	if s < 0 {
		return abi.Errno(-s).String()
	}
	return [...]string{"full", "partial", "absent"}[s]
}

// Built reports whether something is answered other than by one fixed error.
func (s Support) Built() bool { return s == Full || s == Partial }

// SubOp is one operation of a hypercall that has several.
type SubOp struct {
	Number uint64
	Name   string  // as in Xen's public headers
	Dom0   Support // for a dom0
	DomU   Support // for any other domain
	Note   string  // what is missing, or different from Xen

	run handler // nil where the row's handler does it itself
}

// place says where a call has the number of its operation.
type place uint8

const (
	nowhere  place = iota
	inArg          // the first argument
	inStruct       // the u32 to which the first argument points
	inList         // each element of a list has its own
)

// Ops are the operations of a call, in order of their numbers.
type Ops struct {
	At   place
	Mask uint64 // of the number's bits in the first argument
	List []SubOp
}

const (
	mask32 = 1<<32 - 1
	mask64 = 1<<64 - 1
)

// find gives the operation of a number, nil if Xen has none.
func (o *Ops) find(n uint64) *SubOp {
	for i := range o.List {
		if o.List[i].Number == n {
			return &o.List[i]
		}
	}
	return nil
}

// both makes operations whose support is the same for everybody.
func both(s Support, first uint64, names ...string) []SubOp {
	return each(s, s, first, names...)
}

// each makes operations with consecutive numbers.
func each(dom0, domU Support, first uint64, names ...string) []SubOp {
	var list []SubOp
	for i, n := range names {
		list = append(list, SubOp{Number: first + uint64(i), Name: n, Dom0: dom0, DomU: domU})
	}
	return list
}
