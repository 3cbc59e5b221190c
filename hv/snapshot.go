package hv

import (
	"slices"

	"pvlab/hv/cpu"
	"pvlab/hv/mem"
)

// Snapshot is a remembered state of a whole machine: memory (copy-on-write),
// vCPUs, hypervisor or devices, time, scheduling. Taking and restoring one
// costs what was touched in between.
type Snapshot struct {
	mem   *mem.Snapshot
	cpus  []cpu.State
	tlbs  []cpu.TLBState // only when stale translations are kept
	plat  any
	clock Clock
	sched scheduler
	input inputLog
	final *Result
	// unsure has no room behind it: what is noted after the snapshot does not
	// overwrite what was noted after another one.
	unsure []string
}

// Snapshot remembers the present state. Release it when done.
func (m *Machine) Snapshot() *Snapshot {
	s := &Snapshot{
		mem: m.mem.Snapshot(), cpus: make([]cpu.State, len(m.cpus)), plat: m.plat.save(),
		clock: m.clock, sched: m.sched, input: m.input, final: m.final,
		unsure: slices.Clip(m.unsure),
	}
	s.input.entries = s.input.entries[:len(s.input.entries):len(s.input.entries)]
	for i, c := range m.cpus {
		s.cpus[i] = c.State
	}
	if !m.cfg.DropTLB {
		s.tlbs = make([]cpu.TLBState, len(m.cpus))
		for i, c := range m.cpus {
			c.SaveTLB(&s.tlbs[i])
		}
	}
	return s
}

// Restore goes back to s, which stays valid.
func (m *Machine) Restore(s *Snapshot) {
	m.mem.Restore(s.mem)
	for i, c := range m.cpus {
		c.State = s.cpus[i]
		c.Attn = 0
		if s.tlbs != nil {
			c.LoadTLB(&s.tlbs[i])
		} else {
			c.FlushTLB()
		}
		c.StateChanged()
	}
	m.clock, m.sched, m.final = s.clock, s.sched, s.final
	m.input, m.unsure = s.input, s.unsure
	m.plat.load(s.plat) // which looks at the clock
}

// Replay goes back to s to run once more what has run since: the input that
// came meanwhile stays in the log, and no other is asked for.
func (m *Machine) Replay(s *Snapshot) {
	log := m.input.entries
	m.Restore(s)
	m.input.entries = log
	m.cfg.Input = nil
}

// Release frees what s holds of memory.
func (m *Machine) Release(s *Snapshot) { m.mem.Release(s.mem) }
