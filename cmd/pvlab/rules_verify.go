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
	"pvlab/hv"
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
		Short: "Run the demos of rules and compare them with real Xen",
		Long: `Each rule that has a demo is shown at work by a guest program: in the form that obeys it, and,
where the rule can be broken, in the form that breaks it. What it observes on the model must be
what real Xen 4.17 was recorded to do, or for the native rules (NAT, and ABI in part) plain QEMU.
With --xen the same programs run there now, and everything the judge compares must agree.

A rule that another rule's demo shows as well, such as most of HIST, runs that one.

Exit status 1 when something disagrees, 69 when --xen needs a package that is not installed.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.rulesVerify(&f, args) },
	}
	cmd.Flags().BoolVar(&f.xen, "xen", false, "compare with real Xen, and native rules with plain QEMU, run now")
	cmd.Flags().StringVar(&f.area, "area", "", "only this area")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "print what each demo observed")
	return cmd
}

func (a *app) rulesVerify(f *verifyFlags, ids []string) error {
	if err := checkArea(f.area); err != nil {
		return err
	}
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
	j, quirks, err := f.judge(ctx, demos)
	if err != nil {
		return err
	}
	t := demoTally{rules: map[string]bool{}}
	err = ruledemo.Verify(ctx, j, quirks, demos, func(r *ruledemo.Result) {
		verdict := t.count(r)
		if !f.verbose && verdict == agrees {
			return
		}
		fmt.Fprintf(a.out, "%-14s %s: %s\n", r.Demo, verdict, r.Model.Summary())
		for _, l := range r.Observed() {
			fmt.Fprintf(a.out, "    %s\n", l)
		}
		for i, d := range r.Differences {
			if i < 10 || f.verbose {
				fmt.Fprintf(a.out, "    differs: %s\n", d)
			}
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out, t.summary(f.xen))
	fmt.Fprintln(a.out, bookSummary())
	if t.differ+t.failed > 0 {
		return finding(exitFinding)
	}
	return nil
}

// judge opens the reference as far as the demos need it; nil when the
// recordings stand for it.
func (f *verifyFlags) judge(ctx context.Context, demos []ruledemo.Demo) (*judge.Judge, judge.Quirks, error) {
	if !f.xen {
		return nil, nil, nil
	}
	need := "qemu"
	for _, d := range demos {
		if d.Platform == hv.Xen {
			need = "xen"
		}
	}
	if err := judge.Need(need); err != nil {
		return nil, nil, err
	}
	j, err := judge.Open()
	if err != nil {
		return nil, nil, err
	}
	quirks, err := j.Probe(ctx)
	return j, quirks, err
}

const agrees = "agrees"

// demoTally counts results.
type demoTally struct {
	demos, agree, differ, failed, apart int
	rules                               map[string]bool // those that agree in all their demos
}

// count adds a result and says its verdict.
func (t *demoTally) count(r *ruledemo.Result) string {
	id := r.Demo.ID
	if _, seen := t.rules[id]; !seen {
		t.rules[id] = true
	}
	t.demos++
	switch {
	case r.Err != nil:
		t.failed++
		t.rules[id] = false
		return "failed: " + r.Err.Error()
	case r.Verdict == judge.Agree:
		t.agree++
		return agrees
	case r.Verdict == judge.NotComparable:
		t.apart++
		t.rules[id] = false
		return "not comparable"
	}
	t.differ++
	t.rules[id] = false
	return "DISAGREES"
}

func (t *demoTally) summary(xen bool) string {
	verified := 0
	for _, ok := range t.rules {
		if ok {
			verified++
		}
	}
	with := "what was recorded of real Xen and QEMU (--xen runs them now)"
	if xen {
		with = "real Xen and QEMU"
	}
	return fmt.Sprintf("%d demos of %d rules: %d agree with %s, %d disagree, %d not comparable, %d failed; %d rules verified",
		t.demos, len(t.rules), t.agree, with, t.differ, t.apart, t.failed, verified)
}

// bookSummary counts the pages by what shows them.
func bookSummary() string {
	var breakable, fact, shown, without int
	for _, r := range rules.All() {
		switch {
		case r.Kind == "breakable":
			breakable++
		case r.Kind == "fact":
			fact++
		case r.ShownBy != nil:
			shown++
		default:
			without++
		}
	}
	return fmt.Sprintf("the book has %d rules: %d breakable, %d facts, %d shown by another's demo, %d without a demo (docs/conformance.md says why)",
		len(rules.All()), breakable, fact, shown, without)
}

// chosen picks demos by rule ids (with or without ":bad") and area. A rule
// that another's demo shows stands for that one.
func chosen(all []ruledemo.Demo, ids []string, area string) ([]ruledemo.Demo, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		id = strings.ToUpper(id)
		r := rules.Get(strings.TrimSuffix(id, ":BAD"))
		switch {
		case r == nil:
			return nil, usagef("no rule %q: `pvlab rules` lists them", id)
		case r.ShownBy != nil:
			for _, by := range r.ShownBy {
				wanted[by] = true
			}
			continue
		case r.NoDemo != "" && len(ids) == 1:
			return nil, &exitError{exitFinding, fmt.Errorf("%s has no demo: %s", r.ID, r.NoDemo)}
		}
		wanted[id] = true
	}
	var demos []ruledemo.Demo
	for _, d := range all {
		in := len(ids) == 0 || wanted[d.ID] || wanted[strings.ToUpper(d.Form())]
		if in && (area == "" || strings.HasPrefix(d.ID, strings.ToUpper(area)+"-")) {
			demos = append(demos, d)
		}
	}
	switch {
	case len(demos) > 0:
	case area == "":
		return nil, &exitError{exitFinding, fmt.Errorf("no demo for %s", strings.Join(ids, " "))}
	case len(ids) == 0:
		return nil, &exitError{exitFinding, fmt.Errorf("no demo in area %s", area)}
	default:
		return nil, &exitError{exitFinding, fmt.Errorf("no demo for %s in area %s", strings.Join(ids, " "), area)}
	}
	return demos, nil
}
