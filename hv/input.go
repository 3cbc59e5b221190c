package hv

// Input is a source of console bytes. Each piece enters the log with the step
// at which it came. It is asked only when the guest has taken what came
// before, so that a source may be endless.
type Input interface {
	// Poll returns what has arrived by step, without waiting; called between
	// slices.
	Poll(step uint64) []byte
	// Wait waits for input; called when the guest sleeps until some comes. Nil
	// means that none ever will. It is called from a goroutine of its own, and
	// Poll is not called before it has returned.
	Wait() []byte
}

// question is a call of Input.Wait. Its answer is guarded by control.mu.
type question struct {
	answered bool
	answer   []byte
}

// inputLog holds console bytes from outside, stamped with the step at which
// the guest may see them, so that a run with the same log is the same run.
type inputLog struct {
	entries []inputEntry
	next    int // the first entry not handed over
	taken   int // bytes of it that were
}

type inputEntry struct {
	step uint64
	data []byte
}

func (l *inputLog) pending() bool { return l.next < len(l.entries) }

// due is the step of the next entry, and whether there is one.
func (l *inputLog) due() (step uint64, ok bool) {
	if !l.pending() {
		return 0, false
	}
	return l.entries[l.next].step, true
}

// Type queues console input for the guest, to be seen from step at on (0: at
// once), as soon as the guest's console has room for it. Input is seen in the
// order of the calls.
func (m *Machine) Type(at uint64, b []byte) {
	if len(b) == 0 {
		return
	}
	at = max(at, m.clock.Steps)
	if n := len(m.input.entries); n > 0 {
		at = max(at, m.input.entries[n-1].step)
	}
	m.input.entries = append(m.input.entries, inputEntry{at, append([]byte(nil), b...)})
}

// deliverInput hands due entries to the platform, as far as it takes them.
func (m *Machine) deliverInput() {
	l := &m.input
	if m.cfg.Input != nil && !l.pending() {
		m.poll()
	}
	for l.pending() && l.entries[l.next].step <= m.clock.Steps {
		rest := l.entries[l.next].data[l.taken:]
		n := m.plat.typed(rest)
		l.taken += n
		if n < len(rest) {
			return
		}
		l.next, l.taken = l.next+1, 0
	}
}

// await is called when no vCPU can run and no timer is armed: it waits for
// input if input could wake the guest.
func (m *Machine) await() bool {
	if step, ok := m.input.due(); ok {
		if step <= m.clock.Steps {
			return false // it has come, and the guest sleeps on without taking it
		}
		m.clock.Steps = step
		return true
	}
	if m.cfg.Input == nil || !m.plat.listens() {
		return false
	}
	if m.asking == nil {
		q := &question{}
		m.asking = q
		go func(in Input) {
			b := in.Wait()
			m.ctl.set(func() { q.answered, q.answer = true, b })
		}(m.cfg.Input)
	}
	if !m.ctl.wait(m.asking) {
		return true // somebody outside wants something first
	}
	return m.poll()
}

// poll takes what has come; false when nothing has, or ever will.
func (m *Machine) poll() bool {
	var b []byte
	if q := m.asking; q == nil {
		b = m.cfg.Input.Poll(m.clock.Steps)
	} else {
		if !m.ctl.answered(q) {
			return false
		}
		b, m.asking = q.answer, nil
	}
	m.Type(0, b)
	return len(b) != 0
}
