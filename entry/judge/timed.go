package judge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// timedXen is what the peer of a measurement has on Xen's command line beside
// xenCmdline: no page-table isolation and no speculation controls, which in
// QEMU cost each trap several times what it costs without them.
const timedXen = xenCmdline + " xpti=no spec-ctrl=no"

// Timed runs a guest that measures itself against the clock of whoever looks
// on: it calls line with each line of the guest's serial console the moment it
// comes, and with QEMU's process id. Unlike Run nothing is logged on the way,
// since that would cost more than what is measured. It returns the full
// command line of QEMU. The error tells that the guest did not come to its end.
func (j *Judge) Timed(ctx context.Context, r Run, line func(pid int, s string)) (command []string, err error) {
	r = r.withDefaults()
	dir, err := os.MkdirTemp("", "pvlab-judge-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	image := filepath.Join(dir, "image")
	if err := os.WriteFile(image, r.Image, 0o600); err != nil {
		return nil, err
	}
	args := []string{"-accel", "tcg"}
	switch {
	case r.Platform == Native:
		args = append(args, "-cpu", "max", "-m", strconv.Itoa(r.MemMiB), "-kernel", image, "-append", r.Cmdline)
	case j.xenErr != nil:
		return nil, j.xenErr
	default:
		args = append(args, "-cpu", cpuUnderXen, "-m", strconv.Itoa(r.MemMiB+hostMiB),
			"-kernel", j.xen, "-append", fmt.Sprintf(timedXen, r.MemMiB, r.VCPUs),
			"-initrd", strings.ReplaceAll(strings.TrimSpace(image+" "+r.Cmdline), ",", ",,"))
	}
	args = append(args, "-smp", strconv.Itoa(r.VCPUs), "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio")
	command = append([]string{j.qemu}, args...)
	ctx, cancel := context.WithTimeoutCause(ctx, bootTime+r.Timeout, errors.New("no end within the time allowed"))
	defer cancel()
	return command, runTimed(ctx, exec.Command(j.qemu, args...), line)
}

func runTimed(ctx context.Context, cmd *exec.Cmd, line func(pid int, s string)) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	ownGroup(cmd)
	stdin, err := cmd.StdinPipe() // held open: QEMU takes its end for a hang-up
	if err != nil {
		return err
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("judge: start of %s: %w", cmd.Path, err)
	}
	read := make(chan string, 1)
	go func() { read <- readTimed(stdout, cmd.Process.Pid, line) }()
	var final string
	select {
	case final = <-read:
	case <-ctx.Done():
	}
	killGroup(cmd)
	if ctx.Err() != nil {
		<-read
	}
	cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("judge: %w", context.Cause(ctx))
	case reXenDied.MatchString(final):
		return fmt.Errorf("judge: Xen refused the guest or died: %s", final)
	case strings.TrimSpace(stderr.String()) != "":
		return fmt.Errorf("judge: QEMU: %s", strings.TrimSpace(stderr.String()))
	}
	return nil
}

// readTimed reads lines up to the one that ends a run under Xen, which it
// returns, or to the end of QEMU.
func readTimed(r io.Reader, pid int, line func(pid int, s string)) string {
	in := bufio.NewScanner(io.LimitReader(r, maxConsole))
	for in.Scan() {
		s := strings.Trim(in.Text(), "\r\n")
		line(pid, s)
		if reFinal.MatchString(s) || reXenDied.MatchString(s) {
			return s
		}
	}
	return ""
}
