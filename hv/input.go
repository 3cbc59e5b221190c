package hv

// Input is a source of console bytes. Each piece enters the log with the step
// at which it came.
type Input interface {
	// Poll returns what has arrived, without waiting; called between slices.
	Poll() []byte
	// Wait waits for input; called when the guest sleeps until some comes. Nil
	// means that none ever will.
	Wait() []byte
}

// inputLog holds console bytes from outside, stamped with the step at which
// the guest may see them, so that a run with the same log is the same run.
type inputLog struct {
	entries []inputEntry
	next    int
}

type inputEntry struct {
	step uint64
	data []byte
}

// maxInput bounds the bytes of one Type call.
const maxInput = 1 << 20

func (l *inputLog) pending() bool { return l.next < len(l.entries) }

// Type queues console input for the guest, to be seen from step at on (0: at
// once). Input must be queued in the order of its steps; longer input than
// 1 MiB is cut.
func (m *Machine) Type(at uint64, b []byte) {
	b = append([]byte(nil), b[:min(len(b), maxInput)]...)
	at = max(at, m.clock.Steps)
	if n := len(m.input.entries); n > 0 {
		at = max(at, m.input.entries[n-1].step)
	}
	m.input.entries = append(m.input.entries, inputEntry{at, b})
}

// deliverInput hands due entries to the platform.
func (m *Machine) deliverInput() {
	if m.cfg.Input != nil {
		if b := m.cfg.Input.Poll(); len(b) > 0 {
			m.Type(0, b)
		}
	}
	for m.input.pending() && m.input.entries[m.input.next].step <= m.clock.Steps {
		m.plat.typed(m.input.entries[m.input.next].data)
		m.input.next++
	}
}

// await is called when no vCPU can run and no timer is armed: it waits for
// input if input could wake the guest.
func (m *Machine) await() bool {
	if m.input.pending() {
		m.clock.Steps = max(m.clock.Steps, m.input.entries[m.input.next].step)
		return true
	}
	if m.cfg.Input == nil || !m.plat.listens() {
		return false
	}
	b := m.cfg.Input.Wait()
	if len(b) == 0 {
		return false
	}
	m.Type(0, b)
	return true
}
