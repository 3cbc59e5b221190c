package hv

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pvlab/guest"
	"pvlab/hv/image"
)

// observed is a machine with everything that it said since the last Reset.
type observed struct {
	*Machine
	said transcript
}

func observe(t *testing.T, cfg Config) *observed { return observeImage(t, "bench", cfg) }

func observeImage(t *testing.T, name string, cfg Config) *observed {
	t.Helper()
	elf, err := guest.Image(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Load(name, elf, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	o := &observed{}
	cfg.Console = &o.said
	cfg.Hypervisor = func(l string) { fmt.Fprintln(&o.said, l) }
	if o.Machine, err = New(img, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// run runs n steps and returns what the machine is after them, and what it
// said meanwhile.
func (o *observed) run(t *testing.T, n uint64) (Digest, string) {
	t.Helper()
	o.said.Reset()
	if _, err := o.Run(n); err != nil {
		t.Fatal(err)
	}
	return DigestOf(o.Machine), o.said.String()
}

// TestSnapshotHasAll: after a restore a machine goes on exactly as it did
// after the snapshot, in every register, byte of memory, piece of the
// hypervisor's and the devices' state, and word on the console - as does a
// machine of which no snapshot was taken. Timers tick, several vCPUs run, and
// input waits.
func TestSnapshotHasAll(t *testing.T) {
	for _, base := range []Config{{Platform: Xen, Dom0: true}, {Platform: Xen}, {Platform: Native}} {
		for _, cmdline := range []string{"selftest", "smp", "cell=native:gp:user", "nohandlers"} {
			for _, drop := range []bool{false, true} {
				cfg := base
				cfg.Cmdline, cfg.DropTLB, cfg.VCPUs, cfg.Memory, cfg.Seed = cmdline, drop, 4, 8<<20, 7
				name := fmt.Sprintf("%v dom0=%v %s drop=%v", cfg.Platform, cfg.Dom0, cmdline, drop)
				t.Run(name, func(t *testing.T) { snapshotHasAll(t, "bench", cfg) })
			}
		}
	}
}

// TestSnapshotHasEvents: the same with the FIFO ABI, PIRQs, PCI devices, and
// vCPUs that share a processor and go in and out of it.
func TestSnapshotHasEvents(t *testing.T) {
	for _, test := range []struct {
		rule         string
		vcpus, pcpus int
	}{{"EVT-20", 1, 0}, {"EVT-22", 1, 0}, {"EVT-23", 1, 0}, {"EVT-24", 1, 0}, {"EVT-27", 34, 1}, {"EVT-28", 2, 0}, {"CB-08", 2, 1}} {
		t.Run(test.rule, func(t *testing.T) {
			snapshotHasAll(t, "rules", Config{Platform: Xen, Dom0: true, VCPUs: test.vcpus, PCPUs: test.pcpus,
				Cmdline: "rule=" + test.rule, Memory: 16 << 20, Seed: 11})
		})
	}
}

func snapshotHasAll(t *testing.T, image string, cfg Config) {
	observe := func(t *testing.T, cfg Config) *observed { return observeImage(t, image, cfg) }
	plain := observe(t, cfg)
	plain.Type(30_000, []byte("typed early\n"))
	plain.Type(400_000, []byte("typed late\n"))
	r, err := plain.Run(3_000_000)
	if err != nil {
		t.Fatal(err)
	}
	length := r.Steps // of the guest's life, or of as much as is looked at

	rng := rand.New(rand.NewPCG(length, 0))
	for range 4 {
		n, m := rng.Uint64N(length), 1+rng.Uint64N(min(length, 200_000))
		a, b := observe(t, cfg), observe(t, cfg)
		for _, o := range []*observed{a, b} {
			o.Type(30_000, []byte("typed early\n"))
			o.Type(400_000, []byte("typed late\n"))
			o.run(t, n)
		}
		want, wantSaid := b.run(t, m)
		s := a.Snapshot()
		at := DigestOf(a.Machine)
		for round := range 3 {
			got, said := a.run(t, m)
			if d := want.Diff(got); d != "" {
				t.Fatalf("%d steps, snapshot, %d steps, round %d: different in %s", n, m, round, d)
			}
			if said != wantSaid {
				t.Fatalf("%d steps, snapshot, %d steps, round %d: said %q, want %q", n, m, round, said, wantSaid)
			}
			if round == 1 { // from another snapshot's side
				s2 := a.Snapshot()
				a.run(t, m/2)
				a.Restore(s2)
				a.run(t, m/3)
				a.Release(s2)
			}
			a.Restore(s)
			if d := at.Diff(DigestOf(a.Machine)); d != "" {
				t.Fatalf("%d steps, snapshot, %d steps, restored: different in %s", n, m, d)
			}
		}
		a.Release(s)
	}
}
