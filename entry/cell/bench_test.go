package cell

import (
	"testing"

	"pvlab/hv"
)

// BenchmarkVerdict is one cell from the image's bytes to the verdict, without
// the start of a process.
func BenchmarkVerdict(b *testing.B) {
	for _, p := range Platforms {
		b.Run(p.String(), func(b *testing.B) {
			c := Cell{Variant: "poppop", Vector: "bp", Origin: "user", Platform: p}
			for b.Loop() {
				r, err := c.Run(Options{})
				if err != nil {
					b.Fatal(err)
				}
				r.Machine.Close()
			}
		})
	}
}

// BenchmarkExplain is the explanation of a kill, from the image's bytes on.
func BenchmarkExplain(b *testing.B) {
	c := Cell{Variant: "native", Vector: "gp", Origin: "kernel", Platform: hv.Xen}
	for b.Loop() {
		img, err := Load(nil)
		if err != nil {
			b.Fatal(err)
		}
		x, _, err := Explain(c, img, Options{})
		if err != nil {
			b.Fatal(err)
		}
		_ = x.Text()
	}
}
