package judge

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// maxConsole bounds the serial text kept of one run.
const maxConsole = 16 << 20

// machine is one running QEMU.
type machine struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string   // serial lines without their line end; closed at its end
	ended  chan struct{} // closed when QEMU has gone
	traps  *trapLog
	stderr bytes.Buffer // read it after ended
	extra  *os.File     // our end of the socket passed as fd 4, or nil
}

// startMachine starts QEMU with args, in a process group of its own, with the
// serial line on stdio and the trap log on a pipe. With qmp, fd 4 of the child
// is one end of a socket pair, the other one is m.extra.
func startMachine(qemu string, args []string, qmp bool, keep func(Trap) bool) (*machine, error) {
	logR, logW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer logW.Close()
	args = append(args, "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio")
	if keep != nil {
		args = append(args, "-d", "int,cpu_reset", "-D", "/dev/fd/3")
	}
	m := &machine{
		cmd:   exec.Command(qemu, args...),
		lines: make(chan string, 256),
		ended: make(chan struct{}),
	}
	m.cmd.ExtraFiles = []*os.File{logW}
	if qmp {
		ours, theirs, err := socketPair()
		if err != nil {
			logR.Close()
			return nil, err
		}
		defer theirs.Close()
		m.extra = ours
		m.cmd.ExtraFiles = append(m.cmd.ExtraFiles, theirs)
	}
	m.cmd.Stderr = &m.stderr
	ownGroup(m.cmd)
	m.stdin, err = m.cmd.StdinPipe()
	stdout, err2 := m.cmd.StdoutPipe()
	if err = errors.Join(err, err2); err == nil {
		err = m.cmd.Start()
	}
	if err != nil {
		logR.Close()
		m.closeExtra()
		return nil, fmt.Errorf("judge: start of %s: %w", qemu, err)
	}
	m.traps = newTrapLog(logR, keep)
	read := make(chan struct{})
	go func() {
		defer close(read)
		readLines(stdout, m.lines)
	}()
	go func() {
		<-read // Wait closes the pipe: read it empty first
		m.cmd.Wait()
		logW.Close()
		m.traps.wait()
		logR.Close()
		close(m.ended)
	}()
	return m, nil
}

// readLines sends the lines of r, the last one also without a line end. The
// channel takes what maxConsole allows; the rest is read and dropped, so that a
// guest that prints for ever can still end.
func readLines(r io.Reader, lines chan<- string) {
	defer close(lines)
	br := bufio.NewReaderSize(r, 1<<14)
	left := maxConsole
	for {
		s, err := br.ReadSlice('\n')
		if left -= len(s); left > 0 && len(s) > 0 {
			lines <- strings.Trim(string(s), "\r\n")
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// stop ends QEMU with its whole group, and returns when it has gone. Lines not
// yet taken are lost.
func (m *machine) stop() {
	m.stdin.Close()
	go func() {
		for range m.lines {
		}
	}()
	defer m.closeExtra()
	select {
	case <-m.ended: // its process id may be another's by now
		return
	default:
	}
	terminateGroup(m.cmd)
	select {
	case <-m.ended:
	case <-time.After(3 * time.Second):
		killGroup(m.cmd)
		<-m.ended
	}
}

func (m *machine) closeExtra() {
	if m.extra != nil {
		m.extra.Close()
	}
}

// failure is the error for a QEMU that ended without telling anything.
func (m *machine) failure(what string, console []string) error {
	<-m.ended
	msg := strings.TrimSpace(m.stderr.String())
	if n := len(console); msg == "" && n > 0 {
		msg = strings.Join(console[max(0, n-5):], " | ")
	}
	return fmt.Errorf("judge: %s: %s", what, msg)
}
