// Package hv is the machine: it boots a guest image on one of two platforms
// (bare x86-64, or Xen PV), runs its virtual CPUs one at a time in slices of
// instructions, and sends every CPU exit to the room that knows what it means.
//
// The flow of a run: Machine.Run picks a vCPU (sched.go), lets cpu.Run go for
// a slice that ends at the next timer at the latest, and gives the exit to
// the platform (native.go, xen.go). Virtual time is the count of retired
// instructions (clock.go). Everything from outside - console input, stop
// requests - enters between slices (control.go, console.go). A Snapshot
// (snapshot.go) holds all that influences the future.
package hv
