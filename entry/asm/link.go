package asm

import (
	"fmt"
	"sort"
	"strings"
)

// Linked is a stub's code and data as they lie in guest memory from Base.
type Linked struct {
	File    string
	Base    uint64
	Code    []byte
	Symbols map[string]uint64 // global symbols the object defines
	Lines   *Lines            // nil when the object has no line table
}

// Symbol names an address inside the code: the last global symbol at or before
// it, the alphabetically first of several. off is the distance.
func (l *Linked) Symbol(addr uint64) (name string, off uint64, ok bool) {
	if addr < l.Base || addr-l.Base >= uint64(len(l.Code)) {
		return "", 0, false
	}
	at := uint64(0)
	for n, v := range l.Symbols {
		if v < l.Base || v > addr || v < at || v == at && ok && n > name {
			continue
		}
		name, at, ok = n, v, true
	}
	return name, addr - at, ok
}

// UndefinedError names the symbols that neither the object nor its
// surroundings define, sorted.
type UndefinedError struct {
	File    string
	Symbols []string
}

func (e *UndefinedError) Error() string {
	return fmt.Sprintf("%s: undefined symbol: %s", e.File, strings.Join(e.Symbols, ", "))
}

// Link lays the sections of o out from base (code first), and resolves the
// symbols it does not define through resolve (nil: there are none). Weak and
// local undefined symbols are errors like any other. Errors: *UndefinedError,
// or *ObjectError for a value that does not fit.
func Link(o *Object, base uint64, resolve func(name string) (uint64, bool)) (*Linked, error) {
	secs := append([]Section(nil), o.Sections...)
	sort.SliceStable(secs, func(i, j int) bool { return secs[i].Exec && !secs[j].Exec })
	at := make(map[int]uint64, len(secs)) // section index -> address
	end := base
	for i := range secs {
		end = (end + secs[i].Align - 1) &^ (secs[i].Align - 1)
		at[secs[i].index] = end
		end += uint64(len(secs[i].Data))
	}
	l := &Linked{File: o.File, Base: base, Code: make([]byte, end-base), Symbols: make(map[string]uint64)}
	for i := range l.Code {
		l.Code[i] = 0xcc // gaps trap
	}

	addr, err := o.addresses(at, resolve, l.Symbols)
	if err != nil {
		return nil, err
	}
	for i := range secs {
		s := &secs[i]
		a := at[s.index]
		out := l.Code[a-base:][:len(s.Data)]
		copy(out, s.Data)
		for _, r := range s.Relocs {
			if err := r.apply(out, a, addr[r.Symbol]); err != nil {
				return nil, &ObjectError{o.File, fmt.Sprintf("relocation at %s+%#x for %s", s.Name, r.Offset, o.Symbols[r.Symbol].Name), err.Error()}
			}
		}
	}
	l.Lines = o.lines(addr)
	return l, nil
}

// addresses gives every symbol its address; symbols that no loaded section
// refers to may stay undefined.
func (o *Object) addresses(at map[int]uint64, resolve func(string) (uint64, bool), globals map[string]uint64) ([]uint64, error) {
	used := make([]bool, len(o.Symbols))
	for _, s := range o.Sections {
		for _, r := range s.Relocs {
			used[r.Symbol] = true
		}
	}
	addr := make([]uint64, len(o.Symbols))
	undefined := make(map[string]bool)
	for i, y := range o.Symbols {
		switch {
		case i == 0:
			continue
		case y.Abs:
			addr[i] = y.Value
		case y.Defined:
			base, ok := at[y.section]
			if !ok {
				if used[i] {
					return nil, &ObjectError{o.File, "symbol " + y.Name, "lies in a section that is not loaded"}
				}
				continue
			}
			addr[i] = base + y.Value
		default:
			v, ok := uint64(0), false
			if resolve != nil {
				v, ok = resolve(y.Name)
			}
			if !ok && used[i] {
				undefined[y.Name] = true
			}
			addr[i] = v
			continue
		}
		if y.Global && y.Name != "" {
			if _, twice := globals[y.Name]; twice {
				return nil, &ObjectError{o.File, "symbol " + y.Name, "is defined twice"}
			}
			globals[y.Name] = addr[i]
		}
	}
	if len(undefined) > 0 {
		names := make([]string, 0, len(undefined))
		for n := range undefined {
			names = append(names, n)
		}
		sort.Strings(names)
		return nil, &UndefinedError{o.File, names}
	}
	return addr, nil
}
