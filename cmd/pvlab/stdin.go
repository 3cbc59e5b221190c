package main

import (
	"io"
	"os"

	"pvlab/hv"
)

// Where the guest's console input comes from decides when it arrives. A file
// is typed from the start on. A pipe is read when the guest sleeps and waits
// for input, so that what is in it arrives at the same step in each run; for a
// guest that asks again and again instead, it is looked at every pollEvery
// instructions. A terminal is heard at once.

const (
	filePiece = 1 << 20
	pollEvery = 1 << 22 // far more than a shell needs to fill a pipe
)

// guestInput is the source of console input behind the process's stdin; nil
// for none.
func guestInput(in io.Reader) hv.Input {
	switch {
	case in == nil:
		return nil
	case isRegular(in):
		return fileInput{in}
	case readerIsTerminal(in):
		return &streamInput{ch: readStream(in)}
	}
	return &streamInput{ch: readStream(in), every: pollEvery, next: pollEvery}
}

// fileInput types a file.
type fileInput struct{ r io.Reader }

func (f fileInput) Poll(uint64) []byte { return f.Wait() }

func (f fileInput) Wait() []byte {
	b := make([]byte, filePiece)
	n, _ := io.ReadFull(f.r, b)
	return b[:n]
}

// streamInput passes on what comes in by and by.
type streamInput struct {
	ch    <-chan []byte
	every uint64 // steps between two looks; 0: always look
	next  uint64 // step of the next one
}

func (s *streamInput) Poll(step uint64) []byte {
	if step < s.next {
		return nil
	}
	s.next = step + s.every
	select {
	case b := <-s.ch:
		return b
	default:
		return nil
	}
}

func (s *streamInput) Wait() []byte { return <-s.ch }

// readStream reads r ahead, a piece at a time, until it ends.
func readStream(r io.Reader) <-chan []byte {
	ch := make(chan []byte, 16)
	go func() {
		defer close(ch)
		for {
			b := make([]byte, 4096)
			n, err := r.Read(b)
			if n > 0 {
				ch <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return ch
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
