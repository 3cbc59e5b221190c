package explain

// maxTrail is how many of the last instructions are remembered: a power of
// two, and more than a handler in C takes.
const maxTrail = 1 << 14

// Executed is one instruction of the trail.
type Executed struct {
	RIP  uint64
	RSP  uint64 // before it
	code [15]byte
	n    uint8
}

// Code is the instruction's bytes and what follows them, up to 15.
func (e *Executed) Code() []byte { return e.code[:e.n] }

// trail remembers the last instructions, as a ring. An instruction's place in
// the run is its index, counted from 0 over the whole run.
type trail struct {
	ring []Executed
	n    int
}

func (t *trail) add(s *Step) {
	if t.ring == nil {
		t.ring = make([]Executed, maxTrail)
	}
	e := &t.ring[t.n%maxTrail]
	e.RIP, e.RSP = s.RIP, s.RSP()
	e.n = uint8(copy(e.code[:], s.Code))
	t.n++
}

// between returns the instructions with index from up to, not including, to,
// as far as they are remembered; missing counts those that are not.
func (t *trail) between(from, to int) (list []Executed, missing int) {
	to = min(to, t.n)
	first := max(from, t.n-maxTrail, 0)
	if first >= to {
		return nil, max(to-from, 0)
	}
	list = make([]Executed, 0, to-first)
	for i := first; i < to; i++ {
		list = append(list, t.ring[i%maxTrail])
	}
	return list, first - from
}
