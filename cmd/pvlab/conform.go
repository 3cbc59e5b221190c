package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pvlab/entry/cell"
	"pvlab/entry/judge"
	"pvlab/hv"
)

type conformFlags struct {
	cells   string
	require []string
	json    bool
	verbose bool
}

func (a *app) conformCmd() *cobra.Command {
	f := conformFlags{}
	cmd := &cobra.Command{
		Use:   "conform",
		Short: "Compare the model with real Xen and plain QEMU, cell by cell",
		Long: `Run every cell (variant x vector x origin x platform) of the bench guest on real Xen 4.17
in QEMU, or natively on plain QEMU, and compare the outcome with the model's: how it ended,
registers, stack, page walk, transcript (docs/conformance.md says what is compared and masked).

Needs the packages qemu-system-x86 and xen-hypervisor-4.17-amd64. Exit status 1 when a cell
disagrees, 69 when a tool named by --require (or PVLAB_REQUIRE) is missing.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.conform(&f) },
	}
	cmd.Flags().StringVar(&f.cells, "cells", "", "only cells VARIANT:VECTOR:ORIGIN:PLATFORM that match this regular expression")
	cmd.Flags().StringSliceVar(&f.require, "require", nil, "tools that must be there: xen, qemu")
	cmd.Flags().BoolVar(&f.json, "json", false, "write one JSON line a cell on stdout")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "print every cell, not only those that do not agree")
	return cmd
}

// tally counts what conform saw.
type tally struct {
	total, agree, differ, notSeen, failed int
	notComparable                         []string
	fates                                 map[cell.Verdict]int
	model, real                           []time.Duration
}

func (a *app) conform(f *conformFlags) error {
	match, err := regexp.Compile(f.cells)
	if err != nil {
		return usagef("--cells: %v", err)
	}
	for _, t := range f.require {
		if t != "xen" && t != "qemu" {
			return usagef("--require %q: want xen or qemu", t)
		}
	}
	var cells []cell.Cell
	for _, c := range cell.All() {
		if match.MatchString(c.String()) {
			cells = append(cells, c)
		}
	}
	if len(cells) == 0 {
		return usagef("--cells %q matches no cell", f.cells)
	}
	cells, absent, err := a.judgeable(cells, f.require)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t := tally{fates: map[cell.Verdict]int{}}
	if len(cells) > 0 {
		if err := a.compare(ctx, f, cells, &t); err != nil {
			return err
		}
	}
	if !f.json {
		a.conformSummary(&t)
	}
	if absent != "" {
		fmt.Fprintln(a.errw, absent)
	}
	if t.differ+t.notSeen+t.failed > 0 {
		return finding(exitFinding)
	}
	return nil
}

// judgeable drops the cells whose reference is not installed and says so, or
// fails if it is required.
func (a *app) judgeable(cells []cell.Cell, require []string) (kept []cell.Cell, absent string, err error) {
	noXen, noQemu := judge.Available()
	for _, t := range append(require, strings.Split(os.Getenv(judge.RequireVar), ",")...) {
		if t == "xen" && noXen != nil {
			return nil, "", noXen
		}
		if t == "qemu" && noQemu != nil {
			return nil, "", noQemu
		}
	}
	for _, c := range cells {
		if noQemu == nil && (c.Platform == hv.Native || noXen == nil) {
			kept = append(kept, c)
		}
	}
	if n := len(cells) - len(kept); n > 0 {
		why := noQemu
		if why == nil {
			why = noXen
		}
		absent = fmt.Sprintf("%d comparisons did not run: %v", n, why)
	}
	return kept, absent, nil
}

func (a *app) compare(ctx context.Context, f *conformFlags, cells []cell.Cell, t *tally) error {
	j, err := judge.Open()
	if err != nil {
		return err
	}
	quirks, err := j.Probe(ctx)
	if err != nil {
		return err
	}
	progress := isTerminal(a.errw) && !f.json
	return cell.Conform(ctx, j, quirks, cells, func(c *cell.Comparison) {
		t.add(c)
		if f.json {
			_ = json.NewEncoder(a.out).Encode(conformLine(c))
			return
		}
		if progress {
			fmt.Fprintf(a.errw, "\r%d/%d %-50s", t.total, len(cells), c.Cell)
			if t.total == len(cells) {
				fmt.Fprintf(a.errw, "\r%60s\r", "")
			}
		}
		a.conformCell(f, c)
	})
}

func (t *tally) add(c *cell.Comparison) {
	t.total++
	switch {
	case c.Err != nil:
		t.failed++
		return
	case c.Judgement.Verdict == judge.Agree:
		t.agree++
		t.fates[c.Fate]++
	case c.Judgement.Verdict == judge.Disagree:
		t.differ++
	case c.Judgement.Verdict == judge.NotComparable:
		t.notComparable = append(t.notComparable, c.Cell.String())
	default:
		t.notSeen++
	}
	t.model = append(t.model, c.ModelTime)
	t.real = append(t.real, c.RealTime)
}

// conformCell prints what is worth saying about one cell.
func (a *app) conformCell(f *conformFlags, c *cell.Comparison) {
	switch {
	case c.Err != nil:
		fmt.Fprintf(a.out, "%-40s no comparison: %v\n", c.Cell, c.Err)
	case c.Judgement.Verdict == judge.Agree:
		if f.verbose {
			fmt.Fprintf(a.out, "%-40s agree          %s: %s\n", c.Cell, c.Fate, c.Real.Summary())
		}
	default:
		fmt.Fprintf(a.out, "%-40s %s\n", c.Cell, c.Judgement.Verdict)
		for _, q := range c.Quirks {
			fmt.Fprintf(a.out, "    QEMU fault %s: %s\n", q.ID, q.What)
		}
		for i, d := range c.Differences {
			if i == 20 && !f.verbose {
				fmt.Fprintf(a.out, "    ... and %d more (-v)\n", len(c.Differences)-i)
				break
			}
			fmt.Fprintf(a.out, "    %s\n", d)
		}
	}
}

func (a *app) conformSummary(t *tally) {
	fmt.Fprintf(a.out, "%d cells compared: %d agree, %d disagree, %d not comparable (QEMU faults), %d without the planned trap, %d failed to run\n",
		t.total, t.agree, t.differ, len(t.notComparable), t.notSeen, t.failed)
	for _, c := range t.notComparable {
		fmt.Fprintf(a.out, "  not comparable: %s\n", c)
	}
	fmt.Fprintf(a.out, "of those that agree: %d survive, %d live on corrupted, %d die (%d killed, %d by the kernel's own panic), %d hang, %d unclear\n",
		t.fates[cell.Survives], t.fates[cell.Corrupt], t.fates[cell.Killed]+t.fates[cell.Panics],
		t.fates[cell.Killed], t.fates[cell.Panics], t.fates[cell.Hangs], t.fates[cell.Unclear])
	if len(t.model) > 0 {
		m, r := median(t.model), median(t.real)
		fmt.Fprintf(a.out, "median time to a verdict: model %.2f ms, reference %.0f ms (%.0f times)\n",
			float64(m.Microseconds())/1000, float64(r.Milliseconds()), float64(r)/float64(max(m, 1)))
	}
}

func median(d []time.Duration) time.Duration {
	s := append([]time.Duration(nil), d...)
	sort.Slice(s, func(i, k int) bool { return s[i] < s[k] })
	return s[len(s)/2]
}

// conformJSON is one line of `conform --json`.
type conformJSON struct {
	Cell        string   `json:"cell"`
	Verdict     string   `json:"verdict"`
	Fate        string   `json:"fate"`
	Corrupt     []string `json:"corrupt,omitempty"`
	Differences []string `json:"differences,omitempty"`
	Quirks      []string `json:"qemu_faults,omitempty"`
	Error       string   `json:"error,omitempty"`
}

func conformLine(c *cell.Comparison) conformJSON {
	l := conformJSON{Cell: c.Cell.String(), Verdict: c.Judgement.Verdict.String(), Fate: c.Fate.String(), Corrupt: c.Corrupt}
	if c.Err != nil {
		l.Verdict, l.Error = "failed", c.Err.Error()
	}
	for _, d := range c.Differences {
		l.Differences = append(l.Differences, d.String())
	}
	for _, q := range c.Quirks {
		l.Quirks = append(l.Quirks, string(q.ID))
	}
	return l
}
