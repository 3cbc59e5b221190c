package hv_test

import (
	"bytes"
	"fmt"
	"sort"
	"testing"
	"time"

	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// BenchmarkSnapshot is the cost of one trial: snapshot, 1,000 instructions
// that write 8 pages, change 2 page-table entries and take one bounce, and
// restore, in the booted bench guest with 128 MiB. Decoding is included,
// since a restore drops the code of the pages it puts back.
func BenchmarkSnapshot(b *testing.B) {
	m := atRound(b)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		s := m.Snapshot()
		if _, err := m.Run(1000); err != nil {
			b.Fatal(err)
		}
		m.Restore(s)
		m.Release(s)
		took = append(took, time.Since(start))
	}
	sort.Slice(took, func(i, k int) bool { return took[i] < took[k] })
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
}

// BenchmarkIntegerLoop is the guest's plain integer loop, in instructions a
// second, on each platform.
func BenchmarkIntegerLoop(b *testing.B) {
	for _, p := range platforms {
		b.Run(p.String(), func(b *testing.B) {
			m, _ := boot(b, hv.Config{Platform: p, Cmdline: "loop=1000000000000"})
			run(b, m, 1_000_000) // past the boot
			const piece = 10_000_000
			n := 0
			for b.Loop() {
				run(b, m, piece)
				n++
			}
			b.ReportMetric(float64(n)*piece/b.Elapsed().Seconds()/1e6, "Minsn/s")
		})
	}
}

// BenchmarkInt3 is int3 round trips a second through the good stub: a bounce
// frame and the iret hypercall under Xen, IDT and IRETQ natively.
func BenchmarkInt3(b *testing.B) {
	for _, p := range platforms {
		b.Run(p.String(), func(b *testing.B) {
			m, _ := boot(b, hv.Config{Platform: p, Cmdline: "int3=1000000000"})
			trips := 0
			watchBreakpoints(m, &trips)
			for trips == 0 {
				run(b, m, 1000)
			}
			trips = 0
			for b.Loop() {
				run(b, m, 100_000)
			}
			b.ReportMetric(float64(trips)/b.Elapsed().Seconds(), "trips/s")
		})
	}
}

// BenchmarkLoad is one round of a load of the perf image under Xen, b.N times
// between its two marks; `pvlab bench --peer` has what real Xen takes for it,
// without page-table isolation on either side.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{
		"hypercall", "remap", "fault", "selfipi", "int3", "probe", "priv", "syscall",
		"loop", "chase", "copy", "crc32", "sha256", "calls", "sort", "interp", "string",
	} {
		b.Run(name, func(b *testing.B) { benchLoad(b, name) })
	}
}

func benchLoad(b *testing.B, name string) {
	elf, err := guest.Image(guest.Perf)
	if err != nil {
		b.Fatal(err)
	}
	img, err := image.Load("perf", elf, 256<<20)
	if err != nil {
		b.Fatal(err)
	}
	var m *hv.Machine
	seen := map[string]bool{}
	console := lineFunc(func(line []byte) {
		for _, mark := range []string{"perf: begin", "perf: end"} {
			if bytes.HasPrefix(line, []byte(mark)) {
				seen[mark] = true
				if err := m.Stop(); err != nil {
					b.Error(err)
				}
			}
		}
	})
	m, err = hv.New(img, hv.Config{Dom0: true, NoXPTI: true, Memory: 256 << 20, Console: console,
		Cmdline: fmt.Sprintf("run=%s:%d", name, b.N)})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	until := func(mark string) {
		for !seen[mark] {
			if r, err := m.Run(1 << 50); err != nil || r.End != hv.EndStopped {
				b.Fatalf("no %q: %v, %v", mark, r.End, err)
			}
		}
	}
	until("perf: begin")
	began := m.Steps()
	b.ReportAllocs()
	b.ResetTimer()
	until("perf: end")
	b.StopTimer()
	b.ReportMetric(float64(m.Steps()-began)/float64(b.N), "insns/op")
	b.ReportMetric(float64(m.Steps()-began)/b.Elapsed().Seconds()/1e6, "Minsn/s")
}

// lineFunc is a console that calls itself with each piece written: the guest
// prints whole lines.
type lineFunc func(line []byte)

func (f lineFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
