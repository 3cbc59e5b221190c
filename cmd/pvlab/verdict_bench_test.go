package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"pvlab/entry/cell"
	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
)

// BenchmarkVerdictAgainstXen measures, side by side, the time from the start
// of a process to the verdict of one variant: the built binary against the
// same cell on real Xen in QEMU. It reports both medians and their ratio.
func BenchmarkVerdictAgainstXen(b *testing.B) {
	if err := judge.Need("xen"); err != nil {
		b.Skip(err)
	}
	bin := filepath.Join(b.TempDir(), "pvlab")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	j, err := judge.Open()
	if err != nil {
		b.Fatal(err)
	}
	elf, err := guest.Image(cell.Image)
	if err != nil {
		b.Fatal(err)
	}
	for _, variant := range []string{"poppop", "native"} {
		c := cell.Cell{Variant: variant, Vector: "gp", Origin: "kernel", Platform: hv.Xen}
		b.Run(variant, func(b *testing.B) {
			var model, real []time.Duration
			for b.Loop() {
				start := time.Now()
				cmd := exec.Command(bin, "boot", "builtin:bench", "--dom0", "--mem", "256M", "--append", c.Cmdline())
				cmd.Stdin, _ = os.Open(os.DevNull)
				_ = cmd.Run() // a kill is an exit status
				model = append(model, time.Since(start))
				start = time.Now()
				if _, err := j.Run(context.Background(), c.RealRun(elf)); err != nil {
					b.Fatal(err)
				}
				real = append(real, time.Since(start))
			}
			m, r := middle(model), middle(real)
			b.ReportMetric(float64(m.Microseconds())/1000, "model-ms")
			b.ReportMetric(float64(r.Microseconds())/1000, "xen-ms")
			b.ReportMetric(float64(r)/float64(m), "times-faster")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func middle(d []time.Duration) time.Duration {
	sort.Slice(d, func(i, k int) bool { return d[i] < d[k] })
	return d[len(d)/2]
}
