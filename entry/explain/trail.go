package explain

// trail remembers the last instructions, as a ring.
type trail struct {
	ring [maxTrail]Executed
	n    int
}

func (t *trail) add(e Executed) {
	t.ring[t.n%maxTrail] = e
	t.n++
}

// last returns up to k instructions, oldest first.
func (t *trail) last(k int) []Executed {
	k = min(k, t.n, maxTrail)
	out := make([]Executed, 0, k)
	for i := t.n - k; i < t.n; i++ {
		out = append(out, t.ring[i%maxTrail])
	}
	return out
}
