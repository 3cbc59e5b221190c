// Package random compares the model with real Xen by sequences of random
// operations: the guest image `random` issues hypercalls, page-table stores,
// faults and more, drawn from a seed, and logs each result and a digest of the
// state after it. What it logs depends on nothing but Xen's behaviour, so that the
// logs of two machines must agree. A sequence that differs is shrunk to few
// operations.
package random

import (
	"fmt"
	"strings"

	"pvlab/guest"
	"pvlab/hv/image"
)

// Image is the embedded guest.
const Image = guest.Random

// MemMiB is the memory of the guest, in MiB.
const MemMiB = 64

// Job is one sequence.
type Job struct {
	Sequence uint64
	// Leave lists operations left out, by number in the sequence.
	Leave map[int]bool
}

// Batch is what one boot of the image runs.
type Batch struct {
	Seed uint64
	Ops  int // operations of a sequence
	// Jobs are the sequences, in order.
	Jobs []Job
	// Verbose asks for each operation's line, State for the tables after it.
	Verbose, State bool
	// Deaths admits operations that may kill the domain.
	Deaths bool
	// Family is the only one whose operations are drawn; "" for all.
	Family string
}

// Range is the jobs of n whole sequences from first on.
func Range(first uint64, n int) []Job {
	jobs := make([]Job, n)
	for i := range jobs {
		jobs[i].Sequence = first + uint64(i)
	}
	return jobs
}

// consecutive reports whether the jobs are whole sequences one after the other,
// which the command line can say.
func (b *Batch) consecutive() bool {
	for i, j := range b.Jobs {
		if len(j.Leave) != 0 || j.Sequence != b.Jobs[0].Sequence+uint64(i) {
			return false
		}
	}
	return len(b.Jobs) > 0
}

// Cmdline is the guest's command line.
func (b *Batch) Cmdline() string {
	words := []string{fmt.Sprintf("seed=%d ops=%d", b.Seed, b.Ops)}
	if b.consecutive() {
		words = append(words, fmt.Sprintf("first=%d count=%d", b.Jobs[0].Sequence, len(b.Jobs)))
	}
	if b.State {
		words = append(words, "verbose=2")
	} else if b.Verbose {
		words = append(words, "verbose=1")
	}
	if b.Deaths {
		words = append(words, "deaths=1")
	}
	if b.Family != "" {
		words = append(words, "family="+b.Family)
	}
	return strings.Join(words, " ")
}

// Initrd is the list of jobs for the guest, nil if the command line tells them:
// a line each, the sequence's number and a 0 or 1 for each operation.
func (b *Batch) Initrd() []byte {
	if b.consecutive() {
		return nil
	}
	var text strings.Builder
	for _, j := range b.Jobs {
		fmt.Fprintf(&text, "%d ", j.Sequence)
		for i := range b.Ops {
			if j.Leave[i] {
				text.WriteByte('0')
			} else {
				text.WriteByte('1')
			}
		}
		text.WriteByte('\n')
	}
	return []byte(text.String())
}

// Load parses an image; nil means the embedded one.
func Load(elf []byte) ([]byte, *image.Image, error) {
	if elf == nil {
		var err error
		if elf, err = guest.Image(Image); err != nil {
			return nil, nil, err
		}
	}
	img, err := image.Load("builtin:"+Image, elf, MemMiB<<20)
	return elf, img, err
}
