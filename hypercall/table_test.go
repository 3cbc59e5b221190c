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
		if (r.run != nil) != r.Support.Built() {
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

// TestOps: the operations of each call are in order, have the names of Xen's
// headers, and stand with a call that is built.
func TestOps(t *testing.T) {
	for _, r := range Rows() {
		if (len(r.Ops.List) == 0) != (r.Ops.At == nowhere) {
			t.Errorf("%s: %d operations, found at place %d", r.Name, len(r.Ops.List), r.Ops.At)
		}
		seen := map[string]bool{}
		for i, op := range r.Ops.List {
			if i > 0 && op.Number <= r.Ops.List[i-1].Number {
				t.Errorf("%s: %s is number %d, after %d", r.Name, op.Name, op.Number, r.Ops.List[i-1].Number)
			}
			if op.Name == "" || seen[op.Name] {
				t.Errorf("%s: operation %d is %q, as another", r.Name, op.Number, op.Name)
			}
			seen[op.Name] = true
			if op.Dom0 == Partial && op.Note == "" {
				t.Errorf("%s: %s is partial, but what is there?", r.Name, op.Name)
			}
			if got := r.Ops.find(op.Number); got == nil || got.Name != op.Name {
				t.Errorf("%s: operation %d found as %v", r.Name, op.Number, got)
			}
		}
	}
}
