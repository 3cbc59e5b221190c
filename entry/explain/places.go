package explain

import (
	"fmt"
	"strings"
	"unicode"
)

// Symbols names addresses of the guest. Both functions may be nil.
type Symbols struct {
	Name func(addr uint64) (name string, off uint64, ok bool)
	Line func(addr uint64) (file string, line int, ok bool)
}

// before asks s first, then t.
func (s *Symbols) before(t *Symbols) *Symbols {
	return &Symbols{
		Name: func(a uint64) (string, uint64, bool) {
			if s.Name != nil {
				if n, off, ok := s.Name(a); ok {
					return n, off, true
				}
			}
			return t.Name(a)
		},
		Line: func(a uint64) (string, int, bool) {
			if s.Line != nil {
				if f, l, ok := s.Line(a); ok {
					return f, l, true
				}
			}
			return t.Line(a)
		},
	}
}

// Place is an address with its names.
type Place struct {
	Addr   Word   `json:"addr"`
	Symbol string `json:"symbol,omitempty"`
	Offset uint64 `json:"offset,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

// At names an address.
func (s *Symbols) At(addr uint64) Place {
	p := Place{Addr: Word(addr)}
	if s.Name != nil {
		if n, off, ok := s.Name(addr); ok {
			p.Symbol, p.Offset = printable(n), off
		}
	}
	if s.Line != nil {
		if f, l, ok := s.Line(addr); ok {
			p.File, p.Line = printable(f), l
		}
	}
	return p
}

// function is the name of the function an address lies in, "" if unknown.
func (s *Symbols) function(addr uint64) string { return s.At(addr).Symbol }

// name is "symbol+0xoff", "" without a symbol.
func (p Place) name() string {
	if p.Symbol == "" || p.Offset == 0 {
		return p.Symbol
	}
	return fmt.Sprintf("%s+%#x", p.Symbol, p.Offset)
}

// String is "0xADDR <symbol+0xoff, file:line>".
func (p Place) String() string {
	in := p.name()
	if p.File != "" {
		if in != "" {
			in += ", "
		}
		in += fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if in == "" {
		return fmt.Sprintf("%#x", p.Addr)
	}
	return fmt.Sprintf("%#x <%s>", p.Addr, in)
}

func (s *Symbols) name(addr uint64) string { return s.At(addr).name() }

func (s *Symbols) text(addr uint64) string { return s.At(addr).String() }

// printable keeps what a guest's file calls things from commanding a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
