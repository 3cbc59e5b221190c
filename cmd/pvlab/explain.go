package main

import (
	"fmt"

	"github.com/rs/zerolog"

	"pvlab/entry/cell"
	"pvlab/entry/explain"
	"pvlab/guest"
	"pvlab/hv"
)

// explained is the explanation of one cell.
type explained struct {
	cell    cell.Cell
	shown   string // the cell's name as the user knows it
	verdict cell.Verdict
	x       *explain.Explanation
}

// explainCell runs a cell again, under observation.
func explainCell(c cell.Cell, g *demoGuest, log zerolog.Logger) (*explained, error) {
	x, verdict, err := cell.Explain(c, g.img, cell.Options{Log: log, Symbols: g.symbols})
	if err != nil {
		return nil, err
	}
	shown := c.Variant
	if shown == guest.User {
		shown = g.stub
	}
	return &explained{c, shown, verdict, x}, nil
}

// vectorWords name the tested exceptions in words.
var vectorWords = map[string]string{"pf": "page fault", "bp": "breakpoint", "db": "single step", "gp": "protection fault"}

func (e *explained) title() string {
	platform := "on bare x86-64"
	if e.cell.Platform == hv.Xen {
		platform = "under Xen"
	}
	return fmt.Sprintf("=== %s: %s from %s mode, %s: %s ===", e.shown, vectorWords[e.cell.Vector], e.cell.Origin, platform, e.verdict)
}

func (e *explained) text() string { return e.x.Text() }

// explain explains a death of `boot`: the run was recorded from its start. A
// crash that the guest reported itself is explained when it came from the way
// the guest entered or left a handler; of others it has told all there is.
func (s *session) explain(r hv.Result) {
	s.quiet = true
	x, err := s.rec.Explain(r, explain.Options{})
	s.quiet = false
	if err != nil {
		fmt.Fprintf(s.a.errw, "pvlab: no explanation: %v\n", err)
		return
	}
	if r.End == hv.EndGuestCrash && x.Cause == nil {
		return
	}
	if s.json != nil {
		s.emit(event{Event: "explanation", Detail: x})
		return
	}
	fmt.Fprint(s.a.errw, "\n", x.Text())
}
