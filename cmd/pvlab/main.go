// Command pvlab boots x86-64 guest kernels natively and as Xen PV guests on a
// modelled machine, and explains why a wrong exception-entry sequence kills
// one.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// app is what every subcommand shares.
type app struct {
	in        io.Reader
	out, errw io.Writer
	logLevel  string
	logFormat string
	log       zerolog.Logger
}

// run is main without the process: the tests call it.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	checked := &checkedWriter{Writer: out}
	a := &app{in: in, out: checked, errw: errw, log: zerolog.Nop()}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(checked)
	root.SetErr(errw)
	err := root.Execute()
	if checked.err != nil && (err == nil || exitCode(err) < exitUsage) {
		err = &exitError{exitUnavailable, fmt.Errorf("stdout: %w", checked.err)}
	}
	if err == nil {
		return exitOK
	}
	var ee *exitError
	if errors.As(err, &ee) && ee.err == nil {
		return ee.code
	}
	code := exitCode(err)
	if code == exitDefect {
		fmt.Fprintf(errw, "pvlab: %v\n", err) // with registers and stack
	} else {
		fmt.Fprintf(errw, "pvlab: %s\n", oneLine(err.Error()))
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "pvlab",
		Short: "Boot guest kernels on a model of Xen PV and of bare x86-64, and explain the kill",
		Long: `pvlab runs real x86-64 guest machine code on a modelled machine: natively (ring 0,
IDT) and as a Xen PV guest (ring 3, bounce frames, hypercalls). It says why a wrong
exception-entry sequence kills a guest: which instruction, which frame slot, which rule.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return a.openLog()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q: `pvlab --help` lists them", args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.PersistentFlags().StringVar(&a.logLevel, "log-level", "warn", "log of the machine on stderr: trace, debug, info, warn, error, off")
	root.PersistentFlags().StringVar(&a.logFormat, "log-format", "console", "form of the log: console or json")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(a.bootCmd(), a.demoCmd(), a.frameCmd(), a.conformCmd(), a.randomCmd(), a.rulesCmd(), a.explainRuleCmd(), a.hypercallsCmd(), a.benchCmd(), a.versionCmd())
	return root
}

func (a *app) openLog() error {
	level, err := zerolog.ParseLevel(map[string]string{"off": "disabled"}[a.logLevel])
	if a.logLevel != "off" {
		level, err = zerolog.ParseLevel(a.logLevel)
	}
	if err != nil || a.logLevel == "" {
		return usagef("--log-level %q: want trace, debug, info, warn, error or off", a.logLevel)
	}
	var w io.Writer
	switch a.logFormat {
	case "json":
		w = a.errw
	case "console":
		// No time stamps: the log of a deterministic run is deterministic.
		w = zerolog.ConsoleWriter{Out: a.errw, NoColor: !isTerminal(a.errw), PartsExclude: []string{zerolog.TimestampFieldName}}
	default:
		return usagef("--log-format %q: want console or json", a.logFormat)
	}
	a.log = zerolog.New(w).Level(level)
	return nil
}

// noArgs and exactArgs report what is wrong with the arguments as usage errors.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, got %q", cmd.Name(), args[0])
	}
	return nil
}
