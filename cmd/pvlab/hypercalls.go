package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pvlab/hypercall"
)

func (a *app) hypercallsCmd() *cobra.Command {
	var markdown bool
	cmd := &cobra.Command{
		Use:   "hypercalls [CALL]",
		Short: "List the hypercalls of the model: support and differences from Xen",
		Long: `hypercalls lists the calls of Xen 4.17's table with what the model does of each. With
a name or a number it lists the operations of that call, for a dom0 and for a domU.
"partial" and "absent" are loud: the run stops and names what it needed.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("hypercalls takes one call, got %q", args)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case markdown && len(args) != 0:
				return usagef("--markdown is of all calls")
			case markdown:
				fmt.Fprint(a.out, hypercall.Markdown())
				return nil
			case len(args) == 1:
				return a.hypercallOps(args[0])
			}
			for _, r := range hypercall.Rows() {
				fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("%3d  %-30s %-12s %s", r.Number, r.Name, r.Support, r.Note), " "))
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, r := range hypercall.Rows() {
				names = append(names, r.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print docs/hypercalls.md")
	return cmd
}

// hypercallOps lists the operations of one call.
func (a *app) hypercallOps(name string) error {
	for _, r := range hypercall.Rows() {
		if r.Name != name && strconv.Itoa(r.Number) != name {
			continue
		}
		fmt.Fprintf(a.out, "%d  %s: %s", r.Number, r.Name, r.Support)
		if r.Note != "" {
			fmt.Fprintf(a.out, " (%s)", r.Note)
		}
		fmt.Fprintln(a.out)
		if len(r.Ops.List) != 0 {
			fmt.Fprintf(a.out, "%4s  %-38s %-12s %-12s\n", "", "", "dom0", "domU")
		}
		for _, op := range r.Ops.List {
			fmt.Fprintln(a.out, strings.TrimRight(fmt.Sprintf("%4d  %-38s %-12s %-12s %s", op.Number, op.Name, op.Dom0, op.DomU, op.Note), " "))
		}
		return nil
	}
	return usagef("no hypercall %q: `pvlab hypercalls` lists them", name)
}
