package judge

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
)

// Rebuild the probe with `go generate ./entry/judge`; a test holds the result
// against the source.
//
//go:generate cc -nostdlib -static -no-pie -fno-pic -s -Wl,--build-id=none -Wl,-T,probe/probe.ld -o probe/probe.elf probe/probe.S
//go:embed probe/probe.elf
var probeImage []byte

// Probe runs a small guest on plain QEMU (0.2 s) that raises one exception for
// each known fault, and returns the table with what this QEMU answers. It runs
// the same binary as all judgements, so a repaired fault shows as absent.
func (j *Judge) Probe(ctx context.Context) (Quirks, error) {
	o, err := j.Run(ctx, Run{Platform: Native, Image: probeImage, MemMiB: 32})
	if err != nil {
		return nil, err
	}
	return readProbe(o)
}

func readProbe(o Outcome) (Quirks, error) {
	answers := map[string]string{}
	for _, line := range o.Transcript {
		if name, answer, ok := strings.Cut(line, ": "); ok {
			answers[name] = answer
		}
	}
	quirks := knownQuirks()
	for i := range quirks {
		q := &quirks[i]
		if q.Here = answers[string(q.ID)]; q.Here == "" {
			return nil, fmt.Errorf("judge: the probe gave no answer for %s (it ended: %s)", q.ID, o.Summary())
		}
	}
	return quirks, nil
}

// QEMU tells which QEMU runs: its path, and what was repaired in it.
func (j *Judge) QEMU() string {
	var done []string
	for _, p := range patches {
		applied := true
		for _, id := range j.unapplied {
			applied = applied && id != p.quirk
		}
		if applied {
			done = append(done, string(p.quirk))
		}
	}
	if len(done) == 0 {
		return j.qemu + " (as packaged: no repair fits)"
	}
	return j.qemu + " (repaired: " + strings.Join(done, ", ") + ")"
}
