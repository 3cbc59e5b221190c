package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// A run ended by ctrl-C is no defect of pvlab: it ends with 130, as shells
// have it for SIGINT.
func TestInterrupted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sends a signal")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pvlab := filepath.Join(t.TempDir(), "pvlab") // TestMain goes by the name
	if err := os.Symlink(self, pvlab); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"rules", "verify", "-v"},
		{"random", "-v", "--per-boot", "1", "--ops", "5", "--sequences", "100000"},
	} {
		cmd := exec.Command(pvlab, args...)
		// Both print as they go, one on stdout and one on stderr.
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		out := bufio.NewReader(r)
		if _, err := out.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
			t.Errorf("pvlab %v: exit %d after SIGINT, want %d", args, got, exitInterrupted)
		}
	}
}
