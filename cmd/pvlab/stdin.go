package main

import (
	"io"
	"os"
)

// Where the guest's console input comes from decides when it arrives. A file
// is typed at the start, a pipe is read when the guest sleeps and waits for
// input (so that both are deterministic), a terminal when somebody types.

const inputPiece = 4096

type noPoll struct{}

func (noPoll) Poll() []byte { return nil }

type pipeInput struct {
	noPoll
	r io.Reader
}

func (p pipeInput) Wait() []byte {
	buf := make([]byte, inputPiece)
	n, _ := p.r.Read(buf)
	return buf[:n]
}

type terminalInput struct{ ch chan []byte }

func (t terminalInput) Poll() []byte {
	select {
	case b := <-t.ch:
		return b
	default:
		return nil
	}
}

func (t terminalInput) Wait() []byte { return <-t.ch }

// readTerminal passes on what is typed until the input ends.
func readTerminal(r io.Reader) terminalInput {
	t := terminalInput{make(chan []byte, 16)}
	go func() {
		defer close(t.ch)
		for {
			buf := make([]byte, 256)
			n, err := r.Read(buf)
			if n > 0 {
				t.ch <- buf[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return t
}

// isRegular reports whether r is a plain file.
func isRegular(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode().IsRegular()
}
