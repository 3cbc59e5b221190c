package main

import (
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pvlab": func() {
		code := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		notePeak()
		os.Exit(code)
	}})
}

// TestScript runs testdata/script/*.txtar: each is a session at the command
// line with what it must print and how it must exit. `exit N pvlab ...` runs
// a command that must exit with status N; `refused 65 pvlab ...` asks for more:
// one line on stderr, nothing on stdout, soon and without much memory.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("NL", "no\nsuch") // a file name that scripts cannot write
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit": exitCmd, "refused": refusedCmd, "image": imageCmd,
		},
	})
}

// exitCmd is `exit N command...`.
func exitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit N command...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if ee, ok := err.(interface{ ExitCode() int }); ok {
		code = strconv.Itoa(ee.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != args[0] {
		ts.Fatalf("exit status %s, want %s", code, args[0])
	}
}
