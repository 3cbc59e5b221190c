package main

import (
	"fmt"

	"pvlab/hv"
	"pvlab/hv/disasm"
	"pvlab/hv/x86"
)

// traceSet is what --trace asked for.
type traceSet struct{ entry, hypercall, insn bool }

func parseTrace(names []string) (t traceSet, err error) {
	for _, n := range names {
		switch n {
		case "entry":
			t.entry = true
		case "hypercall":
			t.hypercall = true
		case "insn":
			t.insn = true
		default:
			return t, usagef("--trace %q: want entry, hypercall or insn", n)
		}
	}
	return t, nil
}
