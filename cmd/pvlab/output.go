package main

import (
	"io"
	"strconv"
	"strings"
	"unicode"
)

// checkedWriter is stdout. Most of what writes there does not look at errors
// (a guest's console goes on whatever becomes of its bytes), so the first one
// is kept, and the command fails at its end instead of passing half a result
// off as a whole one.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(b []byte) (int, error) {
	if w.err != nil {
		return len(b), nil
	}
	_, w.err = w.Writer.Write(b)
	return len(b), nil
}

// oneLine makes a message one line: file names and symbols may hold anything.
func oneLine(s string) string {
	s = strings.TrimSpace(s)
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if unprintable(c) {
			q := strconv.QuoteRuneToASCII(c)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func unprintable(c rune) bool { return c != ' ' && !unicode.IsPrint(c) }
