package judge

import (
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gvisor.dev/gvisor/pkg/sync"
)

//go:embed mask.txt
var maskText string

// mask is mask.txt, read.
type mask struct {
	text []textMask
	bits map[string]uint64
}

type textMask struct {
	pattern     *regexp.Regexp
	replacement string
}

var theMask = sync.OnceValue(func() *mask {
	m, err := parseMask(maskText)
	if err != nil {
		panic(err) // embedded: a test reads it
	}
	return m
})

// maskFields are the fields that a bits rule may name.
var maskFields = []string{"walk.entry", "regs.cr3"}

// parseMask reads the rules; errors name the line.
func parseMask(src string) (*mask, error) {
	m := &mask{bits: map[string]uint64{}}
	for i, line := range strings.Split(src, "\n") {
		bad := func(why string) error { return fmt.Errorf("mask.txt:%d: %s", i+1, why) }
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch kind {
		case "text":
			pattern, replacement, ok := strings.Cut(rest, " => ")
			if !ok {
				return nil, bad("no ` => `")
			}
			re, err := regexp.Compile(pattern)
			if err != nil {
				return nil, bad(err.Error())
			}
			m.text = append(m.text, textMask{re, replacement})
		case "bits":
			f := strings.Fields(rest)
			if len(f) != 2 {
				return nil, bad("want FIELD HEX")
			}
			known := false
			for _, name := range maskFields {
				known = known || name == f[0]
			}
			if !known {
				return nil, bad("no field " + f[0])
			}
			bits, err := strconv.ParseUint(f[1], 16, 64)
			if err != nil {
				return nil, bad(err.Error())
			}
			m.bits[f[0]] = bits
		default:
			return nil, bad("no rule " + kind)
		}
	}
	return m, nil
}

// line masks one line of Xen's.
func (m *mask) line(s string) string {
	for _, t := range m.text {
		s = t.pattern.ReplaceAllString(s, t.replacement)
	}
	return s
}

// value clears the masked bits of a field.
func (m *mask) value(field string, v uint64) uint64 { return v &^ m.bits[field] }
