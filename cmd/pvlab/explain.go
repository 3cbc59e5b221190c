package main

import (
	"fmt"

	"github.com/rs/zerolog"

	"pvlab/entry/cell"
	"pvlab/entry/explain"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/probe"
)

// explained is the explanation of one cell.
type explained struct {
	cell cell.Cell
	run  *cell.Run
	x    *explain.Explanation
}

// explainCell runs a cell again, under observation.
func explainCell(c cell.Cell, elf []byte, log zerolog.Logger) (*explained, error) {
	var rec *explain.Recorder
	r, err := c.Run(cell.Options{ELF: elf, Log: log, Prepare: func(m *hv.Machine) { rec = explain.Attach(m) }})
	if err != nil {
		return nil, err
	}
	defer r.Machine.Close()
	o := explain.Options{}
	if number := guest.VectorNumber(c.Vector); number >= 0 {
		handler := stubAddress(r.Machine, c)
		o.Focus = func(f *probe.Frame) bool { return f.Vector == number && (handler == 0 || f.Handler == handler) }
	}
	if r.Verdict == cell.Panics && c.Platform == hv.Native {
		o.How = "crash"
	}
	x, err := rec.Explain(r.Result, o)
	if err != nil {
		return nil, err
	}
	return &explained{c, r, x}, nil
}

// stubAddress is where the tested stub begins; 0 when the image does not say.
func stubAddress(m *hv.Machine, c cell.Cell) uint64 {
	s, ok := m.Image().Lookup(guest.StubSymbol(c.Variant, c.Platform.String(), c.Vector))
	if !ok {
		return 0
	}
	return s.Addr
}

func (e *explained) title() string {
	platform := "on bare x86-64"
	if e.cell.Platform == hv.Xen {
		platform = "under Xen"
	}
	return fmt.Sprintf("=== %s: variant %s, %s from %s mode, %s: %s ===", e.cell, e.cell.Variant,
		map[string]string{"pf": "page fault", "bp": "breakpoint", "db": "single step", "gp": "protection fault"}[e.cell.Vector],
		e.cell.Origin, platform, e.run.Verdict)
}

func (e *explained) text() string { return e.x.Text() }

// explain explains a death of `boot`: the run was recorded from its start.
func (s *session) explain(r hv.Result) {
	s.quiet = true
	x, err := s.rec.Explain(r, explain.Options{})
	s.quiet = false
	if err != nil {
		fmt.Fprintf(s.a.errw, "pvlab: no explanation: %v\n", err)
		return
	}
	if s.json != nil {
		s.emit(event{Event: "explanation", Detail: x})
		return
	}
	fmt.Fprint(s.a.errw, "\n", x.Text())
}
