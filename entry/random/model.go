package random

import (
	"bytes"
	"fmt"

	"pvlab/entry/cell"
	"pvlab/hv"
	"pvlab/hv/image"
)

// stepsPerOp bounds a run on the model: an operation and its digest take some ten
// thousand instructions, seldom more.
const stepsPerOp = 100_000

// Model runs batches on the model.
type Model struct {
	Image *image.Image
	// DropTLB is hv.Config.DropTLB.
	DropTLB bool
	// NoAudit leaves the recount of types and references after each sequence out.
	NoAudit bool
}

// console keeps the guest's lines, and has the invariants checked at the end of
// each sequence.
type console struct {
	text    bytes.Buffer
	m       *hv.Machine
	audited int // bytes of text looked at
	broken  error
	noAudit bool
}

var sequenceLine = []byte("sequence ")

func (c *console) Write(b []byte) (int, error) {
	c.text.Write(b)
	if c.noAudit || c.broken != nil || !bytes.HasSuffix(b, []byte("\n")) {
		return len(b), nil
	}
	for c.audited < c.text.Len() {
		line, _, whole := bytes.Cut(c.text.Bytes()[c.audited:], []byte("\n"))
		if !whole {
			break
		}
		c.audited += len(line) + 1
		if !bytes.HasPrefix(line, sequenceLine) {
			continue
		}
		if err := c.m.Domain().Audit(); err != nil {
			c.broken = fmt.Errorf("after %q: %w", line, err)
			return len(b), c.m.Stop()
		}
	}
	return len(b), nil
}

// Run boots the image on the model.
func (m *Model) Run(b Batch) (*Report, error) {
	c := &console{noAudit: m.NoAudit}
	machine, err := hv.New(m.Image, hv.Config{
		Platform: hv.Xen, Dom0: true, Memory: MemMiB << 20, Cmdline: b.Cmdline(), Initrd: b.Initrd(),
		AsReference: true, DropTLB: m.DropTLB, Console: c,
		Hypervisor: func(line string) { c.text.WriteString(line + "\n") },
	})
	if err != nil {
		return nil, err
	}
	defer machine.Close()
	c.m = machine
	answers := watchAnswers(machine)
	res, err := machine.Run(uint64(len(b.Jobs)+1) * uint64(b.Ops+10) * stepsPerOp)
	if err != nil {
		return nil, err
	}
	r := &Report{Outcome: cell.Outcome(machine, res, c.text.String()), Broken: c.broken, Answers: answers}
	if r.Broken == nil && res.Unmodelled != nil {
		r.Broken = res.Unmodelled
	}
	return r, r.read(r.Outcome.Transcript)
}
