package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pvlab/entry/bench"
	"pvlab/entry/judge"
	"pvlab/hv"
)

type benchFlags struct {
	peer, json      bool
	runs            int
	span            time.Duration
	platform, clock string
}

func (a *app) benchCmd() *cobra.Command {
	f := benchFlags{}
	var list strings.Builder
	for _, l := range bench.Loads() {
		fmt.Fprintf(&list, "  %-10s %s\n", l.Name, l.What)
	}
	cmd := &cobra.Command{
		Use:   "bench [NAME...]",
		Short: "Measure the model, and with --peer real Xen or plain QEMU beside it",
		Long: `A guest program does rounds of a load between two marks on its console; the time is the host's.
With --peer the same image runs, by turns, on real Xen 4.17 (without page-table isolation and
speculation controls) or plain QEMU, both under QEMU's TCG, and the ratio is printed: above 1 the
model is the faster one. What the loads compute must agree. Each figure is the median of --runs.

A round of each load is:
` + list.String() + `
Exit status 1 when model and peer computed different things, 69 when --peer needs a package that is
not installed.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.bench(&f, args) },
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.peer, "peer", false, "measure real Xen (or plain QEMU) by turns with the model")
	fl.IntVar(&f.runs, "runs", 5, "how often each side is measured")
	fl.DurationVar(&f.span, "span", 250*time.Millisecond, "how long a load runs each time")
	fl.BoolVar(&f.json, "json", false, "print JSON")
	fl.StringVar(&f.platform, "platform", "xen", "xen or native")
	fl.StringVar(&f.clock, "clock", "wall", "wall, or cpu: processor time, for a machine with other work")
	return cmd
}

func (a *app) bench(f *benchFlags, names []string) error {
	o := bench.Options{Names: names, Runs: f.runs, Span: f.span}
	var err error
	if o.Platform, err = hv.ParsePlatform(f.platform); err != nil {
		return usagef("--platform: %v", err)
	}
	if o.Clock, err = bench.ParseClock(f.clock); err != nil {
		return usagef("--clock: %v", err)
	}
	if f.runs < 1 || f.runs > 1000 {
		return usagef("--runs %d: want 1 to 1000", f.runs)
	}
	if f.span < time.Millisecond || f.span > time.Minute {
		return usagef("--span %v: want 1ms to 1m", f.span)
	}
	if f.peer {
		need := "xen"
		if o.Platform == hv.Native {
			need = "qemu"
		}
		if err := judge.Need(need); err != nil {
			return err
		}
		if o.Peer, err = judge.Open(); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := bench.Run(ctx, o)
	var unknown *bench.UnknownLoad
	if errors.As(err, &unknown) {
		return usagef("%v", err)
	}
	if err != nil {
		return err
	}
	if f.json {
		err = printBenchJSON(a.out, r)
	} else {
		printBench(a.out, r)
	}
	if err != nil {
		return err
	}
	for i := range r.Rows {
		if r.Rows[i].Differs() {
			return finding(exitFinding)
		}
	}
	return nil
}

// printBench prints rounds a second and nanoseconds a round; millions of
// instructions a second are the model's, which counts them.
func printBench(w io.Writer, r *bench.Report) {
	peer := r.Command != nil
	name := map[hv.Platform]string{hv.Xen: "real Xen", hv.Native: "QEMU"}[r.Platform]
	fmt.Fprintf(w, "%-10s %12s %10s %8s", "load", "model /s", "ns", "Minsn/s")
	if peer {
		fmt.Fprintf(w, " %12s %10s %8s", name+" /s", "ns", "ratio")
	}
	fmt.Fprintln(w)
	for i := range r.Rows {
		row := &r.Rows[i]
		m := row.Model.PerSecond()
		fmt.Fprintf(w, "%-10s %12.0f %10.0f %8.1f", row.Name, m, 1e9/m, m*row.Model.Insns/1e6)
		if peer {
			p := row.Peer.PerSecond()
			fmt.Fprintf(w, " %12.0f %10.0f %8.2f", p, 1e9/p, row.Ratio())
		}
		if row.Differs() {
			fmt.Fprintf(w, "  DIFFERS: %s, %s %s", row.Model.Sum, name, row.Peer.Sum)
		}
		fmt.Fprintln(w)
	}
	if !peer {
		return
	}
	for _, k := range []bench.Kind{bench.Compute, bench.Wide, bench.Hypervisor} {
		if g := r.GeoMean(k); g != 0 {
			fmt.Fprintf(w, "%s: geometric mean %.3f\n", k, g)
		}
	}
	fmt.Fprintf(w, "peer: %s\n", quoted(r.Command))
}

// quoted is a command as a shell takes it.
func quoted(command []string) string {
	words := make([]string, len(command))
	for i, s := range command {
		words[i] = s
		if strings.ContainsAny(s, " \"$'") {
			words[i] = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

type benchSideJSON struct {
	Rounds    uint64    `json:"rounds"`
	Seconds   []float64 `json:"seconds"`
	PerSecond float64   `json:"per_second"`
	Insns     float64   `json:"instructions_per_round,omitempty"`
	Sum       string    `json:"sum"`
}

type benchRowJSON struct {
	Name  string         `json:"name"`
	Kind  bench.Kind     `json:"kind"`
	Round string         `json:"round"`
	Model benchSideJSON  `json:"model"`
	Peer  *benchSideJSON `json:"peer,omitempty"`
	Ratio float64        `json:"ratio,omitempty"`
}

type benchJSON struct {
	Platform string         `json:"platform"`
	Peer     []string       `json:"peer_command,omitempty"`
	Loads    []benchRowJSON `json:"loads"`
}

func printBenchJSON(w io.Writer, r *bench.Report) error {
	side := func(s *bench.Side) benchSideJSON {
		return benchSideJSON{s.Rounds, s.Seconds, s.PerSecond(), s.Insns, s.Sum}
	}
	out := benchJSON{Platform: r.Platform.String(), Peer: r.Command, Loads: []benchRowJSON{}}
	for i := range r.Rows {
		row := &r.Rows[i]
		j := benchRowJSON{Name: row.Name, Kind: row.Kind, Round: row.What, Model: side(&row.Model), Ratio: row.Ratio()}
		if r.Command != nil {
			p := side(&row.Peer)
			j.Peer = &p
		}
		out.Loads = append(out.Loads, j)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
