package hv_test

import (
	"pvlab/hv"
	"pvlab/hv/cpu"
	"pvlab/hv/x86"
)

// watchBreakpoints counts the INT3 the guest executes.
func watchBreakpoints(m *hv.Machine, n *int) {
	m.OnExit(func(_ int, ex *cpu.Exit) {
		if ex.Kind == cpu.ExitSoftInt && ex.Vector == x86.VectorBP {
			*n++
		}
	})
}
