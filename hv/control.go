package hv

import (
	"errors"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/sync"
)

// ErrClosed is returned by operations on a closed machine.
var ErrClosed = errors.New("machine is closed")

// control lets other goroutines stop, pause and inspect a running machine.
// The run loop holds state while it executes and offers it between slices.
type control struct {
	// gate is held by every caller from outside; Close waits for them.
	gate   sync.Gate
	closed sync.Once // several may close at once

	// state protects everything of the machine that is not control.
	state sync.Mutex

	// asked is non-zero when the run loop should look at the fields below.
	asked atomic.Uint32

	mu      sync.Mutex
	cond    *sync.Cond
	waiting int  // +checklocks:mu, goroutines that want state
	paused  bool // +checklocks:mu
	stop    bool // +checklocks:mu
	closing bool // +checklocks:mu, for good: no Run goes on
}

func (c *control) init() { c.cond = sync.NewCond(&c.mu) }

// between is called by the run loop, which holds state, between slices. It
// hands state to whoever waits and reports whether to stop.
//
// Preconditions: c.state is held.
// Postconditions: c.state is held.
func (c *control) between() (stop bool) {
	if c.asked.Load() == 0 {
		return false
	}
	c.mu.Lock()
	for (c.waiting > 0 || c.paused) && !c.stop && !c.closing {
		c.state.Unlock()
		c.cond.Wait()
		c.mu.Unlock()
		c.state.Lock()
		c.mu.Lock()
	}
	stop = c.stop || c.closing
	c.stop = false
	c.update()
	c.mu.Unlock()
	return stop
}

// wait is called by the run loop when the guest sleeps until console input
// comes: it offers state until q is answered (true) or between has to look.
//
// Preconditions: c.state is held.
// Postconditions: c.state is held.
func (c *control) wait(q *question) bool {
	c.mu.Lock()
	c.state.Unlock()
	for !q.answered && c.asked.Load() == 0 {
		c.cond.Wait()
	}
	answered := q.answered
	c.mu.Unlock()
	c.state.Lock()
	return answered
}

func (c *control) answered(q *question) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return q.answered
}

// update recomputes asked.
//
// +checklocks:c.mu
func (c *control) update() {
	v := uint32(0)
	if c.waiting > 0 || c.paused || c.stop || c.closing {
		v = 1
	}
	c.asked.Store(v)
}

func (c *control) set(f func()) {
	c.mu.Lock()
	f()
	c.update()
	c.cond.Broadcast()
	c.mu.Unlock()
}

// Stop makes the current or next Run return with EndStopped at the next slice
// boundary. Safe from any goroutine.
func (m *Machine) Stop() error {
	if !m.ctl.gate.Enter() {
		return ErrClosed
	}
	defer m.ctl.gate.Leave()
	m.ctl.set(func() { m.ctl.stop = true })
	return nil
}

// Pause holds the machine between two slices until Resume. Safe from any
// goroutine.
func (m *Machine) Pause() error { return m.setPaused(true) }

// Resume ends a Pause. Safe from any goroutine.
func (m *Machine) Resume() error { return m.setPaused(false) }

func (m *Machine) setPaused(p bool) error {
	if !m.ctl.gate.Enter() {
		return ErrClosed
	}
	defer m.ctl.gate.Leave()
	m.ctl.set(func() { m.ctl.paused = p })
	return nil
}

// Inspect runs f while the machine stands still between two slices (or is not
// running). f must not call Run, Stop, Pause, Inspect or Close. Safe from any
// goroutine.
func (m *Machine) Inspect(f func()) error {
	if !m.ctl.gate.Enter() {
		return ErrClosed
	}
	defer m.ctl.gate.Leave()
	m.ctl.set(func() { m.ctl.waiting++ })
	m.ctl.state.Lock()
	defer func() {
		m.ctl.state.Unlock()
		m.ctl.set(func() { m.ctl.waiting-- })
	}()
	f()
	return nil
}

// Close stops a running machine, waits for everyone inside, and gives the
// memory back. Later calls fail with ErrClosed. Safe from any goroutine.
func (m *Machine) Close() {
	if !m.ctl.gate.Enter() {
		return
	}
	m.ctl.set(func() { m.ctl.closing = true })
	m.ctl.gate.Leave()
	m.ctl.closed.Do(func() {
		m.ctl.gate.Close()
		m.mem.Close()
	})
}
