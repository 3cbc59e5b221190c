package cell

import (
	"bytes"
	"fmt"

	"github.com/rs/zerolog"

	"pvlab/entry/explain"
	"pvlab/entry/judge"
	"pvlab/guest"
	"pvlab/hv"
	"pvlab/hv/image"
)

// Options change how a cell is run.
type Options struct {
	// ELF replaces the embedded image: one with a user's stub composed in.
	ELF     []byte
	DropTLB bool
	// AsReference is hv.Config.AsReference: for comparisons with the judge.
	AsReference bool
	Log         zerolog.Logger
	// Symbols names addresses of a user's stub in explanations.
	Symbols *explain.Symbols
	// Prepare is called with the machine before its first instruction.
	Prepare func(*hv.Machine)
}

// Run is a finished cell.
type Run struct {
	Cell    Cell
	Machine *hv.Machine // as it ended; Close it
	Result  hv.Result
	Outcome judge.Outcome
	Verdict Verdict
	Corrupt []string // what changed, when the verdict is Corrupt
	Text    string   // console and hypervisor lines in order
}

// Load parses the guest image of the cells.
func Load(elf []byte) (*image.Image, error) {
	if elf == nil {
		var err error
		if elf, err = guest.Image(Image); err != nil {
			return nil, err
		}
	}
	return image.Load("builtin:"+Image, elf, Memory)
}

// Config is how the machine of a cell is built: as the judge boots it.
func (c Cell) Config() hv.Config {
	return hv.Config{Platform: c.Platform, Dom0: c.Platform == hv.Xen, Memory: Memory, Cmdline: c.Cmdline()}
}

// Run runs the cell on the model.
func (c Cell) Run(o Options) (*Run, error) {
	img, err := Load(o.ELF)
	if err != nil {
		return nil, err
	}
	return c.RunImage(img, o)
}

// RunImage is Run with the image already parsed.
func (c Cell) RunImage(img *image.Image, o Options) (*Run, error) {
	var text bytes.Buffer
	cfg := c.Config()
	cfg.DropTLB, cfg.AsReference, cfg.Log = o.DropTLB, o.AsReference, o.Log
	cfg.Console = &text
	cfg.Hypervisor = func(line string) {
		if n := text.Len(); n > 0 && text.Bytes()[n-1] != '\n' {
			text.WriteByte('\n')
		}
		text.WriteString(line)
		text.WriteByte('\n')
	}
	m, err := hv.New(img, cfg)
	if err != nil {
		return nil, fmt.Errorf("cell %s: %w", c, err)
	}
	traps := watchTraps(m)
	if o.Prepare != nil {
		o.Prepare(m)
	}
	r, err := m.Run(MaxSteps)
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("cell %s: %w", c, err)
	}
	run := &Run{Cell: c, Machine: m, Result: r, Text: text.String()}
	run.Outcome = Outcome(m, r, run.Text)
	run.Outcome.Traps = traps.seen
	run.Verdict, run.Corrupt = Judge(&run.Outcome)
	return run, nil
}
