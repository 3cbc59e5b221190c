package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"pvlab/docs/rules"
	"pvlab/entry/judge"
	"pvlab/entry/ruledemo"
)

type verifyFlags struct {
	xen     bool
	area    string
	verbose bool
}

func (a *app) rulesVerifyCmd() *cobra.Command {
	f := verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify [ID...]",
		Short: "Run the demos of rules on the model and, with --xen, on real Xen",
		Long: `Each rule that has a demo is shown at work by a guest program: in the form that obeys it, and,
where the rule can be broken, in the form that breaks it. With --xen the same programs run on real
Xen 4.17 in QEMU, and everything the judge compares must agree.

Exit status 1 when something disagrees, 69 when --xen needs a package that is not installed.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.rulesVerify(&f, args) },
	}
	cmd.Flags().BoolVar(&f.xen, "xen", false, "compare with real Xen")
	cmd.Flags().StringVar(&f.area, "area", "", "only this area")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "print what each demo observed")
	return cmd
}

func (a *app) rulesVerify(f *verifyFlags, ids []string) error {
	_, img, err := ruledemo.Load()
	if err != nil {
		return err
	}
	all, err := ruledemo.List(img)
	if err != nil {
		return err
	}
	demos, err := chosen(all, ids, f.area)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var j *judge.Judge
	var quirks judge.Quirks
	if f.xen {
		if err := judge.Need("xen"); err != nil {
			return err
		}
		if j, err = judge.Open(); err != nil {
			return err
		}
		if quirks, err = j.Probe(ctx); err != nil {
			return err
		}
	}
	var agree, differ, failed, apart, shown int
	shownRules := map[string]bool{}
	err = ruledemo.Verify(ctx, j, quirks, demos, func(r *ruledemo.Result) {
		verdict := "ran"
		switch {
		case r.Err != nil:
			failed++
			verdict = "failed: " + r.Err.Error()
		case !r.Compared:
			shown++
			shownRules[r.Demo.ID] = true
		case r.Judgement.Verdict == judge.Agree:
			agree++
			shownRules[r.Demo.ID] = true
			verdict = "agrees"
		case r.Judgement.Verdict == judge.NotComparable:
			apart++
			verdict = "not comparable"
		default:
			differ++
			verdict = "DISAGREES"
		}
		if f.verbose || r.Err != nil || r.Compared && r.Judgement.Verdict != judge.Agree {
			fmt.Fprintf(a.out, "%-14s %s: %s\n", r.Demo, verdict, r.Model.Summary())
			for _, l := range r.Observed() {
				fmt.Fprintf(a.out, "    %s\n", l)
			}
			for i, d := range r.Differences {
				if i < 10 || f.verbose {
					fmt.Fprintf(a.out, "    differs: %s\n", d)
				}
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%d demos of %d rules (the book has %d): ", len(demos), len(shownRules), len(rules.All()))
	if f.xen {
		fmt.Fprintf(a.out, "%d agree with real Xen, %d disagree, %d not comparable, %d failed\n", agree, differ, apart, failed)
	} else {
		fmt.Fprintf(a.out, "%d ran on the model, %d failed; --xen compares with real Xen\n", shown, failed)
	}
	if differ+failed > 0 {
		return finding(exitFinding)
	}
	return nil
}

// chosen picks demos by rule ids (with or without ":bad") and area.
func chosen(all []ruledemo.Demo, ids []string, area string) ([]ruledemo.Demo, error) {
	var demos []ruledemo.Demo
	for _, d := range all {
		in := len(ids) == 0
		for _, id := range ids {
			in = in || strings.EqualFold(id, d.ID) || strings.EqualFold(id, d.String())
		}
		if in && (area == "" || strings.HasPrefix(d.ID, strings.ToUpper(area)+"-")) {
			demos = append(demos, d)
		}
	}
	for _, id := range ids {
		if rules.Get(strings.TrimSuffix(strings.ToUpper(id), ":BAD")) == nil {
			return nil, usagef("no rule %q: `pvlab rules` lists them", id)
		}
	}
	if len(demos) == 0 {
		return nil, &exitError{exitFinding, fmt.Errorf("no demo for %s %s", strings.Join(ids, " "), area)}
	}
	return demos, nil
}
