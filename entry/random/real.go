package random

import (
	"context"
	"time"

	"pvlab/entry/judge"
)

// Real runs batches on real Xen.
type Real struct {
	Judge *judge.Judge
	ELF   []byte
}

// Run boots the image on real Xen.
func (x *Real) Run(ctx context.Context, b Batch) (*Report, error) {
	o, err := x.Judge.Run(ctx, judge.Run{
		Platform: judge.Xen, Image: x.ELF, Cmdline: b.Cmdline(), Initrd: b.Initrd(), MemMiB: MemMiB,
		Timeout: 20*time.Second + time.Duration(len(b.Jobs)*b.Ops)*2*time.Millisecond,
		Quiet:   15 * time.Second,
		// What Xen says about single calls is no part of the comparison, and
		// would take more time than the calls.
		Bulk: !b.Deaths,
	})
	if err != nil {
		return nil, err
	}
	r := &Report{Outcome: o}
	return r, r.read(o.Transcript)
}
