package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"sort"
	"time"

	"github.com/spf13/cobra"

	"pvlab/entry/judge"
	"pvlab/entry/random"
	"pvlab/hv/image"
)

type randomFlags struct {
	seed, first       uint64
	sequences, ops    int
	perBoot, most     int
	xen, shrink       bool
	deaths, tally     bool
	verbose           bool
	dropTLB, noAudit  bool
	family, imageFile string
	only              []int
}

func (a *app) randomCmd() *cobra.Command {
	f := randomFlags{}
	cmd := &cobra.Command{
		Use:   "random",
		Short: "Run sequences of random operations on the model and, with --xen, on real Xen",
		Long: `A guest issues hypercalls, page-table stores, faults and descriptor loads drawn from a seed -
right, nearly right and hostile ones - and logs each result and a digest of the state after it. With
--xen real Xen 4.17 in QEMU runs the same sequences, and the logs must agree. After each sequence the
model's page types and reference counts are recounted from scratch.

A sequence that differs is shrunk to few operations, which are printed with both machines' results.
Each sequence begins in the same state, so --first N --sequences 1 runs any of them again.

Exit status 1 when something differs, 69 when --xen needs a package that is not installed.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.random(&f) },
	}
	n := cmd.Flags()
	n.Uint64Var(&f.seed, "seed", 1, "seed of all sequences")
	n.Uint64Var(&f.first, "first", 0, "number of the first sequence")
	n.IntVar(&f.sequences, "sequences", 500, "how many sequences")
	n.IntVar(&f.ops, "ops", 200, "operations of a sequence")
	n.IntVar(&f.perBoot, "per-boot", 500, "sequences in one boot of the guest")
	n.IntVar(&f.most, "most", 5, "end after so many differences")
	n.BoolVar(&f.xen, "xen", false, "compare with real Xen")
	n.BoolVar(&f.shrink, "shrink", true, "shrink sequences that differ")
	n.BoolVar(&f.deaths, "deaths", false, "operations that may kill the domain, too")
	n.BoolVar(&f.tally, "tally", false, "print how often each result of each operation was seen, and which that the source can give were not")
	n.BoolVarP(&f.verbose, "verbose", "v", false, "print how far the run is after each boot, also where stderr is no terminal")
	n.BoolVar(&f.dropTLB, "drop-tlb", false, "the model keeps no stale translations")
	n.BoolVar(&f.noAudit, "no-audit", false, "no recount of page types after each sequence")
	n.StringVar(&f.family, "family", "", "only this family of operations")
	n.IntSliceVar(&f.only, "only", nil, "only these operations of the sequence --first, printed one by one")
	n.StringVar(&f.imageFile, "image", "", "another build of the guest image")
	return cmd
}

func (a *app) random(f *randomFlags) error {
	if f.sequences < 1 || f.ops < 1 || f.ops > 100_000 || f.perBoot < 1 || f.most < 1 {
		return usagef("--sequences, --ops, --per-boot and --most are at least 1, --ops at most 100000")
	}
	if f.first > math.MaxUint64-uint64(f.sequences) {
		return usagef("--first %d: no %d sequences from there on", f.first, f.sequences)
	}
	elf, img, err := randomImage(f.imageFile)
	if err != nil {
		return err
	}
	model := &random.Model{Image: img, DropTLB: f.dropTLB, NoAudit: f.noAudit}
	var real *random.Real
	if f.xen {
		if err := judge.Need("xen"); err != nil {
			return err
		}
		j, err := judge.Open()
		if err != nil {
			return err
		}
		real = &random.Real{Judge: j, ELF: elf}
	}
	if i := slices.IndexFunc(f.only, func(n int) bool { return n < 0 || n >= f.ops }); i >= 0 {
		return usagef("--only %d: want 0 to %d, by --ops", f.only[i], f.ops-1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait for the boot to end
	p := random.Plan{Seed: f.seed, First: f.first, Sequences: f.sequences, Ops: f.ops, PerBoot: f.perBoot,
		Deaths: f.deaths, Family: f.family, Most: f.most}
	if len(f.only) > 0 {
		short, err := p.Only(ctx, f.first, f.only, model, real)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(a.out, short)
		return err
	}
	began := time.Now()
	s, err := p.Run(ctx, model, real, func(s *random.Summary, found []random.Difference) error {
		for _, d := range found {
			fmt.Fprintf(a.out, "sequence %d of seed %d: %s\n", d.Sequence, f.seed, d.What)
			if !f.shrink {
				continue
			}
			short, err := p.Shrink(ctx, d.Sequence, model, real)
			if err != nil {
				return err
			}
			fmt.Fprint(a.out, short)
		}
		if f.verbose || isTerminal(a.errw) {
			fmt.Fprintf(a.errw, "%d sequences, %d differences, %s\n", s.Sequences, len(s.Differences), time.Since(began).Round(time.Second))
		}
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	a.randomSummary(f, s, time.Since(began))
	switch {
	case err != nil: // interrupted: the summary is of what was done
		return err
	case len(s.Differences) > 0:
		return finding(exitFinding)
	}
	return nil
}

// randomImage is the embedded guest, or another build of it, as bytes for real
// Xen and taken apart.
func randomImage(name string) ([]byte, *image.Image, error) {
	if name == "" {
		return random.Load(nil)
	}
	const limit = random.MemMiB << 20
	file, err := openInput(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	elf, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, nil, fileError(name, err)
	}
	if len(elf) > limit {
		return nil, nil, inputf("%s: size: more than the %d bytes of the guest's memory", name, limit)
	}
	img, err := image.Load(name, elf, limit)
	return elf, img, err
}

func (a *app) randomSummary(f *randomFlags, s *random.Summary, took time.Duration) {
	var results [][2]string
	calls := map[string]bool{}
	for k := range s.Tally {
		results = append(results, k)
		calls[k[0]] = true
	}
	sort.Slice(results, func(i, j int) bool {
		return results[i][0] < results[j][0] || results[i][0] == results[j][0] && results[i][1] < results[j][1]
	})
	if f.tally {
		for _, k := range results {
			fmt.Fprintf(a.out, "%-40s %-14s %d\n", k[0], k[1], s.Tally[k])
		}
		fmt.Fprint(a.out, s.Unseen())
	}
	done := "ran on the model"
	if f.xen {
		done = "agree with real Xen"
	}
	fmt.Fprintf(a.out, "%d sequences of %d operations %s, %d differ; %.1f%% of %d operations succeeded; "+
		"%d results of %d calls; %d boots, %s\n", s.Sequences, f.ops, done, len(s.Differences),
		100*float64(s.OK)/float64(max(s.Ops, 1)), s.Ops, len(results), len(calls), s.Boots, took.Round(100*time.Millisecond))
}
