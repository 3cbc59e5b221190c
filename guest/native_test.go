package guest_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pvlab/guest"
)

// runNatively boots an image by its PVH note on plain QEMU and returns what it
// printed on the serial line until it powered off.
func runNatively(t *testing.T, image, commandLine string, args ...string) string {
	t.Helper()
	const tool = "qemu-system-x86_64"
	if _, err := exec.LookPath(tool); err != nil {
		absent(t, "qemu", tool, "qemu-system-x86")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{
		"-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-no-reboot",
		"-display", "none", "-serial", "stdio", "-kernel", image, "-append", commandLine,
	}, args...)
	out, err := exec.CommandContext(ctx, tool, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", commandLine, err, out)
	}
	return string(out)
}

func selfTestNatively(t *testing.T, image string) {
	t.Helper()
	out := runNatively(t, image, "selftest")
	if !strings.Contains(out, "Test result: SUCCESS") {
		t.Errorf("the self-test did not succeed:\n%s", out)
	}
}

func TestSelfTestSucceedsNatively(t *testing.T) {
	selfTestNatively(t, "elf/bench.elf")
}

func TestASecondProcessorIsStarted(t *testing.T) {
	out := runNatively(t, "elf/bench.elf", "smp", "-smp", "2")
	for _, want := range []string{"CPU 1 runs", "IPI taken", "NMI taken"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// On bare metal there are no two extra words: who takes them off takes a part of
// the frame.
func TestCellsOnBareMetal(t *testing.T) {
	for _, cell := range []struct{ variant, vector, origin, want string }{
		{"native", "pf", "kernel", "survived intact"},
		{"native", "db", "user", "survived intact"},
		{"auto", "gp", "user", "survived intact"},
		{"chain", "bp", "kernel", "survived corrupt=r11,rcx"},
		{"poppop", "bp", "kernel", "PANIC: unexpected #GP"},
		{"badstack", "pf", "user", "PANIC: unexpected #DF"},
		{"unregistered", "bp", "kernel", "PANIC: unexpected #NP"},
	} {
		commandLine := guest.CellCommandLine(cell.variant, cell.vector, cell.origin)
		t.Run(commandLine, func(t *testing.T) {
			out := runNatively(t, "elf/bench.elf", commandLine)
			if !strings.Contains(out, "plan vec=") || !strings.Contains(out, cell.want) {
				t.Errorf("no %q in:\n%s", cell.want, out)
			}
		})
	}
}
