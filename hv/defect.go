package hv

import (
	"fmt"
	"runtime/debug"
	"strings"

	"pvlab/hv/x86"
)

// Defect is a broken invariant of pvlab itself: never the guest's fault.
type Defect struct {
	What  any
	CPU   string // registers of the vCPU that ran
	Stack string
}

func (d *Defect) Error() string {
	return fmt.Sprintf("defect of pvlab, please report it: %v\n%s%s", d.What, d.CPU, d.Stack)
}

func (m *Machine) defect(p any) error {
	c := m.cpus[m.sched.current]
	var b strings.Builder
	fmt.Fprintf(&b, "vcpu %d after %d steps: rip %#x", m.sched.current, m.clock.Steps, c.RIP)
	for i, n := range x86.RegNames {
		if i%4 == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, " %3s %016x", n, c.R[i])
	}
	b.WriteByte('\n')
	return &Defect{What: p, CPU: b.String(), Stack: string(debug.Stack())}
}
