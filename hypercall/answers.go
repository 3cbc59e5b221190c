package hypercall

import "pvlab/hypercall/abi"

// Answers are what an operation may come to when a dom0 asks for it, as its
// source says: more perhaps than any arguments bring about.
type Answers struct {
	Call, Op string // Op is "" for a call without operations
	// Succeeds is false for what Xen only ever refuses.
	Succeeds bool
	Partial  bool // what is not built is loud
	Errnos   []abi.Errno
}

// EveryAnswer lists the operations of all calls, in order of the table.
func EveryAnswer() []Answers {
	errnos := errnosOf()
	var list []Answers
	add := func(call, op string, s Support) {
		list = append(list, Answers{call, op, s == Full || s == Partial, s == Partial || s == Absent, errnos[[2]string{call, op}]})
	}
	for _, r := range Rows() {
		if len(r.Ops.List) == 0 {
			add(r.Name, "", r.Support)
		}
		for _, op := range r.Ops.List {
			add(r.Name, op.Name, op.Dom0)
		}
	}
	return list
}
