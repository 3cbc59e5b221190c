package cell

import (
	"pvlab/entry/explain"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
	"pvlab/hv/probe"
)

// Explain runs the cell under observation and explains how it ended; the
// frame that matters is the first one delivered to the tested stub.
func Explain(c Cell, img *image.Image, o Options) (*explain.Explanation, Verdict, error) {
	var rec *explain.Recorder
	prepare := o.Prepare
	o.Prepare = func(m *hv.Machine) {
		if prepare != nil {
			prepare(m)
		}
		rec = explain.Attach(m)
	}
	r, err := c.RunImage(img, o)
	if err != nil {
		return nil, Unclear, err
	}
	defer r.Machine.Close()
	eo := explain.Options{Symbols: o.Symbols}
	if number := guest.VectorNumber(c.Vector); number >= 0 {
		stub, _ := img.Lookup(guest.StubSymbol(c.Variant, c.Platform.String(), c.Vector))
		eo.Focus = func(f *probe.Frame) bool { return f.Vector == number && (stub.Addr == 0 || f.Handler == stub.Addr) }
	}
	if r.Verdict == Panics && c.Platform == hv.Native {
		eo.How = "crash" // bare metal cannot tell it from a power-off
	}
	x, err := rec.Explain(r.Result, eo)
	return x, r.Verdict, err
}
