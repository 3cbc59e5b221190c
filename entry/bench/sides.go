package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"pvlab/entry/judge"
	"pvlab/hv"
	"pvlab/hv/image"
)

// model is the model's side.
type model struct {
	img      *image.Image
	platform hv.Platform
}

// maxSteps ends a run that has gone wrong: minutes at any speed.
const maxSteps = 1 << 40

func (s *model) run(ctx context.Context, cmdline string, ms *marks) error {
	con := &console{marks: ms}
	// As the peer is started, without page-table isolation.
	m, err := hv.New(s.img, hv.Config{Platform: s.platform, Dom0: s.platform == hv.Xen, NoXPTI: true, Memory: memMiB << 20,
		Cmdline: cmdline, Console: con})
	if err != nil {
		return err
	}
	defer m.Close()
	con.steps = m.Steps
	defer context.AfterFunc(ctx, func() { m.Stop() })()
	res, err := m.Run(maxSteps)
	if err != nil {
		return err
	}
	if res.Unmodelled != nil {
		return res.Unmodelled
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if res.End != hv.EndPowerOff {
		return fmt.Errorf("bench: the guest ended on the model: %v", res.End)
	}
	return nil
}

// console cuts what the model's guest prints into lines, each stamped when its
// end comes.
type console struct {
	marks *marks
	steps func() uint64
	open  []byte
}

func (c *console) Write(b []byte) (int, error) {
	n := len(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		c.marks.line(string(bytes.TrimRight(append(c.open, b[:i]...), "\r")), os.Getpid(), c.steps())
		c.open, b = c.open[:0], b[i+1:]
	}
	c.open = append(c.open, b...)
	return n, nil
}

// peer is the other side.
type peer struct {
	j       *judge.Judge
	r       judge.Run
	command []string
}

// peerTimeout is how long all loads together may take.
const peerTimeout = 10 * time.Minute

func newPeer(o Options, elf []byte) *peer {
	p := &peer{j: o.Peer, r: judge.Run{Platform: judge.Xen, Image: elf, MemMiB: memMiB, Timeout: peerTimeout}}
	if o.Platform == hv.Native {
		p.r.Platform = judge.Native
	}
	return p
}

func (p *peer) run(ctx context.Context, cmdline string, ms *marks) (err error) {
	r := p.r
	r.Cmdline = cmdline
	p.command, err = p.j.Timed(ctx, r, func(pid int, line string) { ms.line(line, pid, 0) })
	return err
}
