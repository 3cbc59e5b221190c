// Package cpu executes x86-64 instructions: fetch, decode into cached blocks,
// execute, translate addresses. It knows no hypervisor and no device: Run
// goes on until something happens that the world outside must decide (an
// exception, INT n, SYSCALL where intercepted, HLT, the end of the budget)
// and says so with an Exit value. Exceptions are values, never Go panics.
//
// The flow: Run (run.go) looks up the block at RIP (block.go), which decode
// (decode*.go) fills from the instruction tables (one file a family); each
// decoded Inst carries an operation number, and exec[Op] is the Go function
// that does it. Functions reach guest memory through the TLB (tlb.go,
// access.go); a miss walks the tables (walk.go).
package cpu
