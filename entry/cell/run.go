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
	Booted
	Cell    Cell
	Verdict Verdict
	Corrupt []string // what changed, when the verdict is Corrupt
}

// Booted is a finished run of a guest on the model.
type Booted struct {
	Machine *hv.Machine // as it ended; Close it
	Result  hv.Result
	Outcome judge.Outcome
	Text    string // console and hypervisor lines in order
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
	b, err := Boot(img, c.Config(), o)
	if err != nil {
		return nil, fmt.Errorf("cell %s: %w", c, err)
	}
	r := &Run{Cell: c, Booted: *b}
	r.Verdict, r.Corrupt = Judge(&r.Outcome)
	return r, nil
}

// Boot runs a guest on the model as the judge runs it on the reference, to
// its end or MaxSteps.
func Boot(img *image.Image, cfg hv.Config, o Options) (*Booted, error) {
	var text bytes.Buffer
	cfg.DropTLB, cfg.AsReference, cfg.Log = o.DropTLB, o.AsReference, o.Log
	cfg.Console = &text
	cfg.Hypervisor = func(line string) {
		// Xen does not end a line that the guest left open.
		text.WriteString(line)
		text.WriteByte('\n')
	}
	m, err := hv.New(img, cfg)
	if err != nil {
		return nil, err
	}
	traps := watchTraps(m)
	if o.Prepare != nil {
		o.Prepare(m)
	}
	r, err := m.Run(MaxSteps)
	if err != nil {
		m.Close()
		return nil, err
	}
	b := &Booted{Machine: m, Result: r, Text: text.String()}
	b.Outcome = Outcome(m, r, b.Text)
	b.Outcome.Traps = traps.seen
	return b, nil
}
