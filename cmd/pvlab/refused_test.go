package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// What a refusal may cost: the processor's time, which a busy machine does not
// change much, and KiB of resident memory.
const (
	refusalTime   = 2 * time.Second
	refusalMemory = 64 << 10
)

// refusedCmd is `refused N command...`: a command that must exit with status
// N, say so in one line on stderr, and neither take long nor much memory.
func refusedCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refused N command...")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	peak := ts.MkAbs(".peak")
	cmd.Env = append(cmd.Environ(), "PATH="+ts.Getenv("PATH"), peakFile+"="+peak)
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errw
	err = cmd.Run()
	took := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		ts.Fatalf("%v", err)
	}
	_, _ = ts.Stderr().Write(errw.Bytes()) // for the script's stderr command
	if code := cmd.ProcessState.ExitCode(); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit status %d, want %s", code, args[0])
	}
	if text := errw.String(); !strings.HasPrefix(text, "pvlab: ") || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("stderr is not one line of pvlab's")
	}
	if out.Len() > 0 {
		ts.Fatalf("stdout has %q", out.String())
	}
	if took > refusalTime {
		ts.Fatalf("took %v, at most %v wanted", took, refusalTime)
	}
	if text, err := os.ReadFile(peak); err == nil {
		kib, err := strconv.Atoi(string(text))
		ts.Check(err)
		if kib > refusalMemory {
			ts.Fatalf("took %d KiB of memory, at most %d wanted", kib, refusalMemory)
		}
	}
}

// peakFile names the environment variable with the file to which the pvlab of
// the scripts writes its peak memory. (What the kernel tells a parent includes
// the parent's own size at the fork.)
const peakFile = "PVLAB_TEST_PEAK"

// notePeak writes the most resident memory this process had, in KiB, where
// the system tells.
func notePeak() {
	file := os.Getenv(peakFile)
	status, err := os.ReadFile("/proc/self/status")
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if file == "" || err != nil || !ok {
		return
	}
	_ = os.WriteFile(file, []byte(strings.Fields(rest)[0]), 0o600)
}
