package hv_test

import (
	"testing"

	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
	"pvlab/hv/probe"
)

// allTraps is every load of the perf image that goes through Xen, some rounds
// of each.
const allTraps = "run=hypercall:50,int3:50,probe:50,fault:200,remap:50,selfipi:50,priv:50,syscall:50"

// TestWatchedRunIsTheSame: an observer changes nothing. A frame that somebody
// looks at is stored word by word, others in one go; stepping takes yet
// another way through the processor. All must come to the same state.
func TestWatchedRunIsTheSame(t *testing.T) {
	elf, err := guest.Image(guest.Perf)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Load("perf", elf, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	const steps = 105_000 // in the middle of the last load
	state := func(prepare func(m *hv.Machine), piece uint64) hv.Digest {
		m, err := hv.New(img, hv.Config{Dom0: true, Memory: 64 << 20, Cmdline: allTraps})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		prepare(m)
		for m.Steps() < steps {
			if r, err := m.Run(min(piece, steps-m.Steps())); err != nil || r.End != hv.EndRunning {
				t.Fatalf("after %d instructions: %v, %v", m.Steps(), r.End, err)
			}
		}
		return hv.DigestOf(m)
	}
	frames := 0
	plain := state(func(*hv.Machine) {}, steps)
	watched := state(func(m *hv.Machine) {
		p := m.Probes()
		p.Frame = append(p.Frame, func(*probe.Frame) { frames++ })
	}, steps)
	if frames < 300 {
		t.Errorf("%d frames were seen, want 300 or more", frames)
	}
	if diff := plain.Diff(watched); diff != "" {
		t.Errorf("a run whose frames are watched differs in: %s", diff)
	}
	// The clock of a run in pieces is the same, the rest of the slice is not.
	stepped := state(func(*hv.Machine) {}, 1)
	delete(plain, "schedule")
	if diff := plain.Diff(stepped); diff != "" {
		t.Errorf("a stepped run differs in: %s", diff)
	}
}
