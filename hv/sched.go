package hv

import (
	"pvlab/hv/cpu"
	"pvlab/hv/x86"
)

// The scheduler alone decides which vCPU runs and for how long. With one vCPU
// a slice is bounded by the next timer only; with several its length comes
// from the seed, down to one instruction, so that every interleaving is
// reachable and each is repeatable.
//
// Each vCPU has a processor to itself, or shares one (Config.PCPUs). Sharing
// changes what Xen does when another vCPU gets the processor: it loads that
// one's segments.

const (
	maxSlice   = 1 << 20 // instructions between two looks at the outside world
	sliceRange = 2000    // with several vCPUs: 1 to this many instructions
	// maxIdle is how many timers in a row may fire without a vCPU becoming
	// ready: then nothing ever will, however long the timers go on.
	maxIdle = 1 << 18
	// maxTime is 146 years in nanoseconds; what waits for later waits for ever.
	maxTime = 1 << 62
)

type scheduler struct {
	current int
	left    uint64 // of the current slice
	rng     uint64 // splitmix64 state
	running bool
	began   uint64 // Retired of the current vCPU when cpu.Run was entered
	// on is the vCPU that each processor ran last, plus 1; only kept when
	// vCPUs share processors.
	on [MaxVCPUs]int16
}

func (s *scheduler) seed(v uint64) { s.rng = v }

// next is splitmix64 (Steele, Lea, Flood 2014).
func (s *scheduler) next() uint64 {
	s.rng += 0x9e3779b97f4a7c15
	z := s.rng
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// pick chooses the vCPU of the next slice; false when none is ready.
func (m *Machine) pick() bool {
	s := &m.sched
	if (s.left > 0 || m.whole(s.current)) && m.plat.ready(s.current) {
		s.left = max(s.left, 1)
		return true
	}
	n := len(m.cpus)
	for i := 1; i <= n; i++ {
		v := (s.current + i) % n
		if m.plat.ready(v) {
			s.current = v
			s.left = maxSlice
			if n > 1 {
				s.left = 1 + s.next()%sliceRange
			}
			return true
		}
	}
	return false
}

// whole reports whether a vCPU that shares its processor is at a point where
// no interrupt could take it away: behind an instruction that holds them off.
func (m *Machine) whole(v int) bool {
	c := m.cpus[v]
	return m.cfg.PCPUs < len(m.cpus) && (c.Shadow != cpu.ShadowNone || c.PendingDB != 0)
}

// occupy gives vCPU v its processor, taking it from the one that had it.
func (m *Machine) occupy(v int) {
	if m.cfg.PCPUs == len(m.cpus) {
		return
	}
	on := &m.sched.on[v%m.cfg.PCPUs]
	prev := int(*on) - 1
	if prev == v {
		return
	}
	*on = int16(v + 1)
	if prev >= 0 {
		m.plat.switched(prev, v)
	}
}

// Run executes up to steps instructions of the whole machine, or to its end.
// EndRunning means that the guest could go on. A defect of pvlab found on the
// way is returned as an error with the state of the CPU.
func (m *Machine) Run(steps uint64) (r Result, err error) {
	if !m.ctl.gate.Enter() {
		return Result{}, ErrClosed
	}
	defer m.ctl.gate.Leave()
	m.ctl.state.Lock()
	defer m.ctl.state.Unlock()
	defer func() {
		if p := recover(); p != nil {
			m.sched.running = false
			err = m.defect(p)
		}
	}()
	return m.run(steps), nil
}

// Step executes one instruction of the machine, with what the platform does
// about it.
func (m *Machine) Step() (Result, error) { return m.Run(1) }

func (m *Machine) run(steps uint64) Result {
	limit := m.clock.Steps + steps
	if limit < m.clock.Steps {
		limit = ^uint64(0)
	}
	for idle := 0; m.final == nil; {
		if m.ctl.between() {
			return m.result(Result{End: EndStopped})
		}
		if m.clock.Steps >= limit {
			return m.result(Result{End: EndRunning})
		}
		m.deliverInput()
		m.plat.advance(m.clock.Now())
		if !m.pick() {
			if t, ok := m.plat.deadline(); ok && t < maxTime && idle < maxIdle {
				m.clock.JumpTo(t)
				idle++
				continue
			}
			if m.await() {
				continue
			}
			m.finish(Result{End: EndBlocked})
			break
		}
		idle = 0
		m.slice(limit)
	}
	return *m.final
}

// slice runs the current vCPU once, to the next timer at the latest.
func (m *Machine) slice(limit uint64) {
	v := m.sched.current
	c := m.cpus[v]
	m.occupy(v)
	if out := m.plat.enter(v); m.settle(out) {
		return
	}
	n := min(m.sched.left, limit-m.clock.Steps)
	n = min(n, m.clock.StepsUntil(m.plat.until()))
	if step, ok := m.input.due(); ok && step > m.clock.Steps {
		n = min(n, step-m.clock.Steps)
	}
	m.sched.began, m.sched.running = c.Retired, true
	ex := c.RunFor(n)
	m.sched.running = false
	done := c.Retired - m.sched.began
	m.clock.Steps += done
	m.sched.left -= min(done, m.sched.left)
	if m.onExit != nil && ex.Kind != cpu.ExitBudget {
		m.onExit(v, ex)
	}
	switch ex.Kind {
	case cpu.ExitStop:
		ex.Kind = cpu.ExitBudget
	case cpu.ExitUnmodelled:
		m.finish(Result{End: EndUnmodelled, VCPU: v, Unmodelled: ex.Unmodelled})
		return
	}
	m.settle(m.plat.exit(v, ex))
}

// settle does what the platform asks; true when the slice is over.
func (m *Machine) settle(out outcome) bool {
	if out.end != nil {
		r := *out.end
		r.VCPU = m.sched.current
		m.finish(r)
		return true
	}
	if out.yield {
		m.sched.left = 0
		return true
	}
	return false
}

func (m *Machine) finish(r Result) {
	r = m.result(r)
	m.final = &r
	m.log.Info().Stringer("end", r.End).Uint64("steps", r.Steps).Int("vcpu", r.VCPU).
		Str("rip", hex(m.cpus[r.VCPU].RIP)).Str("rsp", hex(m.cpus[r.VCPU].R[x86.RSP])).Msg("guest ended")
}

func (m *Machine) result(r Result) Result {
	r.Steps = m.clock.Steps
	r.Unsure = m.unsure
	return r
}
