//go:build !linux

package judge

import (
	"errors"
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func terminateGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

func socketPair() (ours, theirs *os.File, err error) {
	return nil, nil, errors.New("judge: the oracles run on Linux only")
}
