package bench

import (
	"fmt"
	"strings"
	"time"
)

// marks reads the guest's console: `perf: begin NAME ROUNDS` and `perf: end
// NAME ROUNDS SUM`, and notes what the clock showed at each.
type marks struct {
	clock Clock
	name  string // of the load that runs, "" for none
	at    time.Duration
	insns uint64
	done  []span
	last  string // line
}

// span is one load from mark to mark.
type span struct {
	name  string
	sum   string
	time  time.Duration
	insns uint64
}

// line takes one line that has just come from the process pid, when insns
// instructions had retired.
func (m *marks) line(s string, pid int, insns uint64) {
	at := m.clock.now(pid)
	m.last = s
	var name, sum string
	var rounds uint64
	switch {
	case strings.HasPrefix(s, "perf: begin "):
		if n, _ := fmt.Sscanf(s, "perf: begin %s %d", &name, &rounds); n == 2 {
			m.name, m.at, m.insns = name, at, insns
		}
	case strings.HasPrefix(s, "perf: end "):
		if n, _ := fmt.Sscanf(s, "perf: end %s %d %s", &name, &rounds, &sum); n == 3 && name == m.name {
			m.done = append(m.done, span{name, sum, at - m.at, insns - m.insns})
			m.name = ""
		}
	}
}

// of is the span of a load that came to its end.
func (m *marks) of(name string) (span, bool) {
	for _, s := range m.done {
		if s.name == name {
			return s, true
		}
	}
	return span{}, false
}
