package hypercall

import (
	"testing"

	"pvlab/hypercall/abi"
)

// TestRows: the table is in order, and a row has a handler exactly when
// something is built.
func TestRows(t *testing.T) {
	last := -1
	for _, r := range Rows() {
		if r.Number <= last || r.Number >= maxHypercall {
			t.Errorf("%s: number %d after %d", r.Name, r.Number, last)
		}
		last = r.Number
		if (r.run != nil) != (r.Support == Full || r.Support == Partial) {
			t.Errorf("%s: support %v, handler %v", r.Name, r.Support, r.run != nil)
		}
		if r.Support == Partial && r.Note == "" {
			t.Errorf("%s: partial, but of what?", r.Name)
		}
		if r.NArgs > 5 {
			t.Errorf("%s: %d arguments", r.Name, r.NArgs)
		}
	}
}

// TestNumbers: names by number, as the rule book has them (HC-13).
func TestNumbers(t *testing.T) {
	table := NewTable()
	for n, want := range map[uint64]string{
		abi.HypSetTrapTable: "set_trap_table", abi.HypIret: "iret", abi.HypMCA: "mca", 11: "unused",
		43: "unknown", 50: "unknown", 1 << 40: "unknown", ^uint64(0): "unknown",
	} {
		if got := table.Name(n); got != want {
			t.Errorf("hypercall %d: %q, want %q", n, got, want)
		}
	}
}
