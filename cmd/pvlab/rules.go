package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pvlab/docs/rules"
)

type rulesFlags struct{ area, search string }

func (a *app) rulesCmd() *cobra.Command {
	f := rulesFlags{}
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List the rules of the book: what Xen asks of a PV guest",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.rules(&f) },
	}
	cmd.AddCommand(a.rulesVerifyCmd())
	cmd.Flags().StringVar(&f.area, "area", "", "only this area: BOOT, HC, FRAME, ...")
	cmd.Flags().StringVar(&f.search, "search", "", "only rules whose page has this text, in any case")
	return cmd
}

func (a *app) rules(f *rulesFlags) error {
	if err := checkArea(f.area); err != nil {
		return err
	}
	area := strings.ToUpper(f.area)
	n := 0
	for _, ar := range rules.Areas() {
		head := false
		for _, r := range rules.All() {
			if r.Area != ar.Name || area != "" && r.Area != area ||
				!strings.Contains(strings.ToLower(r.Page), strings.ToLower(f.search)) {
				continue
			}
			if !head {
				head = true
				fmt.Fprintf(a.out, "%s - %s\n", ar.Name, ar.Title)
			}
			fmt.Fprintf(a.out, "  %-9s %s\n", r.ID, cut(r.Statement, 100))
			n++
		}
	}
	if n == 0 {
		return &exitError{exitFinding, fmt.Errorf("no rule has %q", f.search)}
	}
	return nil
}

// checkArea refuses an area that the book does not have, in any case; "" is all.
func checkArea(area string) error {
	var names []string
	for _, a := range rules.Areas() {
		names = append(names, a.Name)
	}
	if area != "" && !slices.Contains(names, strings.ToUpper(area)) {
		return usagef("--area %q: want one of %s", area, strings.Join(names, ", "))
	}
	return nil
}

func (a *app) explainRuleCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "Print a page of the rule book",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("explain takes one rule id such as FRAME-05")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, r := range rules.All() {
				ids = append(ids, r.ID+"\t"+r.Statement)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			r := rules.Get(strings.ToUpper(args[0]))
			if r == nil {
				return usagef("no rule %q: `pvlab rules` lists them", args[0])
			}
			fmt.Fprint(a.out, r.Page)
			return nil
		},
	}
}
