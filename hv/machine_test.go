package hv_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// boot places the bench guest on a machine. Console and hypervisor lines go
// to the returned buffer.
func boot(t testing.TB, cfg hv.Config) (*hv.Machine, *bytes.Buffer) {
	t.Helper()
	elf, err := guest.Image("bench")
	if err != nil {
		t.Fatal(err)
	}
	img, err := image.Load("bench", elf, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cfg.Console = &out
	cfg.Hypervisor = func(l string) { fmt.Fprintln(&out, l) }
	if cfg.Platform == hv.Xen {
		cfg.Dom0 = true
	}
	m, err := hv.New(img, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m, &out
}

func run(t testing.TB, m *hv.Machine, steps uint64) hv.Result {
	t.Helper()
	r, err := m.Run(steps)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var platforms = []hv.Platform{hv.Xen, hv.Native}

// TestSelfTest boots the bench guest's own self-test on both platforms, with
// both ways of keeping stale translations.
func TestSelfTest(t *testing.T) {
	for _, p := range platforms {
		for _, drop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/drop=%v", p, drop), func(t *testing.T) {
				m, out := boot(t, hv.Config{Platform: p, Cmdline: "selftest", DropTLB: drop})
				r := run(t, m, 100_000_000)
				if r.End != hv.EndPowerOff || !strings.Contains(out.String(), "Test result: SUCCESS") {
					t.Fatalf("%v\n%s", &r, out)
				}
			})
		}
	}
}

// TestEnds: each way for a guest to end, as the machine tells it.
func TestEnds(t *testing.T) {
	tests := []struct {
		cmdline string
		xen     hv.End
		native  hv.End
	}{
		{"hello", hv.EndPowerOff, hv.EndPowerOff},
		{"reboot", hv.EndReboot, hv.EndReboot},
		// Bare metal has no way to report a crash: the guest prints and powers off.
		{"crash", hv.EndGuestCrash, hv.EndPowerOff},
		{"idle", hv.EndBlocked, hv.EndBlocked},
		{"spin", hv.EndRunning, hv.EndRunning},
		{"cell=unregistered:bp:kernel", hv.EndKilled, hv.EndGuestCrash},
	}
	for _, tt := range tests {
		for _, p := range platforms {
			want := tt.xen
			if p == hv.Native {
				want = tt.native
			}
			if want == hv.EndGuestCrash {
				continue // decided by the guest's own handlers: a cell's business
			}
			t.Run(tt.cmdline+"/"+p.String(), func(t *testing.T) {
				m, out := boot(t, hv.Config{Platform: p, Cmdline: tt.cmdline})
				if r := run(t, m, 5_000_000); r.End != want {
					t.Errorf("ended %v, want %v\n%s", &r, want, out)
				}
			})
		}
	}
}

// TestDeterminism: the same arguments give the same output and step count,
// whether run at once, in odd pieces, or from a snapshot.
func TestDeterminism(t *testing.T) {
	for _, p := range platforms {
		t.Run(p.String(), func(t *testing.T) {
			cfg := hv.Config{Platform: p, Cmdline: "selftest"}
			m1, out1 := boot(t, cfg)
			r1 := run(t, m1, 100_000_000)

			m2, out2 := boot(t, cfg)
			var r2 hv.Result
			for n := uint64(1); ; n = n*7%9973 + 1 {
				if r2 = run(t, m2, n); r2.End != hv.EndRunning {
					break
				}
			}
			if r1.Steps != r2.Steps || out1.String() != out2.String() {
				t.Fatalf("in pieces: %d steps, at once %d\n%s\n---\n%s", r2.Steps, r1.Steps, out2, out1)
			}

			m3, out3 := boot(t, cfg)
			run(t, m3, r1.Steps/2)
			half := out3.String()
			s := m3.Snapshot()
			for range 2 {
				out3.Reset()
				out3.WriteString(half)
				r3 := run(t, m3, 100_000_000)
				if r3.Steps != r1.Steps || out3.String() != out1.String() {
					t.Fatalf("after a snapshot: %d steps, want %d\n%s", r3.Steps, r1.Steps, out3)
				}
				m3.Restore(s)
			}
		})
	}
}

// TestControlFromOutside stops, pauses and inspects a machine that runs in
// another goroutine.
func TestControlFromOutside(t *testing.T) {
	m, _ := boot(t, hv.Config{Platform: hv.Xen, Cmdline: "spin"})
	done := make(chan hv.Result)
	go func() {
		r, err := m.Run(1 << 62)
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	var first, second uint64
	for first == 0 {
		if err := m.Inspect(func() { first = m.Steps() }); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Pause(); err != nil {
		t.Fatal(err)
	}
	m.Inspect(func() { first = m.Steps() })
	m.Inspect(func() { second = m.Steps() })
	if first != second {
		t.Errorf("paused machine went from step %d to %d", first, second)
	}
	if err := m.Resume(); err != nil {
		t.Fatal(err)
	}
	for second == first {
		m.Inspect(func() { second = m.Steps() })
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.End != hv.EndStopped {
		t.Errorf("ended %v, want stopped", r.End)
	}
	m.Close()
	if _, err := m.Run(1); err != hv.ErrClosed {
		t.Errorf("Run after Close: %v", err)
	}
	if err := m.Inspect(func() {}); err != hv.ErrClosed {
		t.Errorf("Inspect after Close: %v", err)
	}
}

// atRound runs the guest's `snap` mode until its endless rounds begin.
func atRound(t testing.TB) *hv.Machine {
	m, _ := boot(t, hv.Config{Platform: hv.Xen, Memory: 128 << 20, Cmdline: "snap"})
	sym, ok := m.Image().Lookup("snap_round")
	if !ok {
		t.Fatal("the bench guest has no snap_round")
	}
	for m.CPU(0).RIP != sym.Addr {
		if r := run(t, m, 1); r.End != hv.EndRunning {
			t.Fatalf("ended before the first round: %v", &r)
		}
	}
	return m
}

// TestSnapshotRound: a restored machine repeats a round exactly.
func TestSnapshotRound(t *testing.T) {
	m := atRound(t)
	s := m.Snapshot()
	var regs [2][16]uint64
	for i := range regs {
		run(t, m, 1000)
		copy(regs[i][:], m.CPU(0).R[:16])
		m.Restore(s)
	}
	if regs[0] != regs[1] {
		t.Errorf("registers after the round differ: %x, %x", regs[0], regs[1])
	}
	if sym, _ := m.Image().Lookup("snap_round"); m.CPU(0).RIP != sym.Addr {
		t.Errorf("RIP after restore is %#x, want %#x", m.CPU(0).RIP, sym.Addr)
	}
}
