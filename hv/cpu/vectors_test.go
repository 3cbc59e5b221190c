package cpu

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pvlab/hv/x86"
)

// Vectors are single instructions in testdata/vectors/*.txt, one a line:
//
//	ADD 64 4801d8 rax=1 rbx=ffffffffffffffff -> rax=0 fl=cf,pf,af,zf undef=
//
// name, mode, code; then what the start state has apart from zeros, then what
// changed. Memory is data: dataVA holds vectorData, and changed bytes are
// shown as [20000010]=ffee. "fl" are the status flags and df, "rip" is shown
// unless it is just after the instruction, a fault is "#PF@20003000" or "#DE";
// flags in "undef" are not compared.
type vector struct {
	name  string
	mode  Mode
	code  []byte
	start cpuState
	end   cpuState
	mem   []memChange
	fault outcome
	undef uint64
}

type memChange struct {
	at    uint64
	bytes []byte
}

// vectorData is what the data pages hold at the start of every vector: the
// numbers arithmetic likes least, in turn.
func vectorData() []byte {
	b := make([]byte, dataBytes+0x1000)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], edges[i/8%len(edges)])
	}
	return b
}

var flagNames = []struct {
	name string
	bit  uint64
}{{"cf", x86.FlagCF}, {"pf", x86.FlagPF}, {"af", x86.FlagAF}, {"zf", x86.FlagZF}, {"sf", x86.FlagSF}, {"df", x86.FlagDF}, {"of", x86.FlagOF}, {"ac", x86.FlagAC}}

func flagList(f uint64) string {
	var l []string
	for _, n := range flagNames {
		if f&n.bit != 0 {
			l = append(l, n.name)
		}
	}
	return strings.Join(l, ",")
}

func parseFlags(s string) (f uint64, err error) {
	for name := range strings.SplitSeq(s, ",") {
		i := slices.IndexFunc(flagNames, func(n struct {
			name string
			bit  uint64
		}) bool {
			return n.name == name
		})
		switch {
		case i >= 0:
			f |= flagNames[i].bit
		case name != "":
			return 0, fmt.Errorf("no flag %q", name)
		}
	}
	return f, nil
}

// String is the line of a vector.
func (v *vector) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %x", v.name, v.mode.Bits(), v.code)
	for r, x := range v.start.R {
		if x != 0 {
			fmt.Fprintf(&b, " %s=%x", x86.RegNames[r], x)
		}
	}
	if v.start.FSBase != 0 || v.start.GSBase != 0 {
		fmt.Fprintf(&b, " fs=%x gs=%x", v.start.FSBase, v.start.GSBase)
	}
	if v.start.Flags != 0 {
		fmt.Fprintf(&b, " fl=%s", flagList(v.start.Flags))
	}
	b.WriteString(" ->")
	if v.fault.what == "#PF" {
		fmt.Fprintf(&b, " #PF@%x", v.fault.addr)
	} else if v.fault.what != "" {
		b.WriteString(" " + v.fault.what)
	}
	for r, x := range v.end.R {
		if x != v.start.R[r] {
			fmt.Fprintf(&b, " %s=%x", x86.RegNames[r], x)
		}
	}
	if v.end.Flags != v.start.Flags {
		fmt.Fprintf(&b, " fl=%s", flagList(v.end.Flags))
	}
	if v.fault.what == "" && v.end.RIP != v.start.RIP+uint64(len(v.code)) {
		fmt.Fprintf(&b, " rip=%x", v.end.RIP)
	}
	for _, m := range v.mem {
		fmt.Fprintf(&b, " [%x]=%x", m.at, m.bytes)
	}
	if v.undef != 0 {
		fmt.Fprintf(&b, " undef=%s", flagList(v.undef))
	}
	return b.String()
}

func parseVector(line string) (v vector, err error) {
	f := strings.Fields(line)
	arrow := slices.Index(f, "->")
	if arrow < 3 {
		return v, fmt.Errorf("want: name mode code state -> state")
	}
	bits := map[string]Mode{"64": Mode64, "32": Mode32}
	var ok bool
	if v.mode, ok = bits[f[1]]; !ok {
		return v, fmt.Errorf("mode %q", f[1])
	}
	if v.code, err = hex.DecodeString(f[2]); err != nil {
		return v, err
	}
	v.name, v.start.RIP = f[0], codeVA
	for _, field := range f[3:arrow] {
		if err := v.field(field, &v.start); err != nil {
			return v, err
		}
	}
	v.end = v.start
	v.end.RIP += uint64(len(v.code))
	for _, field := range f[arrow+1:] {
		if strings.HasPrefix(field, "#") {
			name, at, _ := strings.Cut(field, "@")
			v.fault.what = name
			v.fault.addr, _ = strconv.ParseUint(at, 16, 64)
			v.end.RIP = v.start.RIP
			continue
		}
		if err := v.field(field, &v.end); err != nil {
			return v, err
		}
	}
	return v, nil
}

// field reads key=value into a state.
func (v *vector) field(s string, to *cpuState) (err error) {
	key, val, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("field %q", s)
	}
	switch {
	case key == "fl":
		to.Flags, err = parseFlags(val)
		return err
	case key == "undef":
		v.undef, err = parseFlags(val)
		return err
	case key[0] == '[':
		m := memChange{}
		if m.at, err = strconv.ParseUint(strings.Trim(key, "[]"), 16, 64); err == nil {
			m.bytes, err = hex.DecodeString(val)
		}
		v.mem = append(v.mem, m)
		return err
	}
	x, err := strconv.ParseUint(val, 16, 64)
	switch i := slices.Index(x86.RegNames[:], key); {
	case i >= 0:
		to.R[i] = x
	case key == "rip":
		to.RIP = x
	case key == "fs":
		to.FSBase = x
	case key == "gs":
		to.GSBase = x
	default:
		return fmt.Errorf("field %q", s)
	}
	return err
}

// after is the data the vector leaves behind.
func (v *vector) after() ([]byte, error) {
	b := vectorData()
	for _, m := range v.mem {
		if m.at < dataVA || m.at+uint64(len(m.bytes)) > dataVA+uint64(len(b)) {
			return nil, fmt.Errorf("address %#x is outside the data", m.at)
		}
		copy(b[m.at-dataVA:], m.bytes)
	}
	return b, nil
}

// compare describes how a run differs from the vector.
func (v *vector) compare(end cpuState, o outcome, data []byte) string {
	want, err := v.after()
	if err != nil {
		return err.Error()
	}
	got := *v
	got.end, got.fault, got.mem = end, o, changes(want, data)
	got.end.Flags = end.Flags&^v.undef | v.end.Flags&v.undef
	if got.end == v.end && o == v.fault && len(got.mem) == 0 {
		return ""
	}
	return "got " + got.String()
}

// changes lists the runs of bytes that differ.
func changes(before, after []byte) (l []memChange) {
	for i := 0; i < len(before); i++ {
		if before[i] == after[i] {
			continue
		}
		j := i
		for j < len(before) && before[j] != after[j] {
			j++
		}
		l = append(l, memChange{dataVA + uint64(i), slices.Clone(after[i:j])})
		i = j
	}
	return l
}

// eachVector calls f for every line of the vector files.
func eachVector(t *testing.T, f func(t *testing.T, where string, v *vector)) {
	files, _ := filepath.Glob("testdata/vectors/*.txt")
	if len(files) == 0 {
		t.Fatal("no vectors")
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		s := bufio.NewScanner(file)
		for n := 1; s.Scan(); n++ {
			line := strings.TrimSpace(s.Text())
			if line == "" || line[0] == '#' {
				continue
			}
			where := fmt.Sprintf("%s:%d", name, n)
			v, err := parseVector(line)
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			f(t, where, &v)
		}
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVectors runs all vectors on the model, as AMD's: that is where they were
// recorded.
func TestVectors(t *testing.T) {
	model := newModelCPU(t, AMD)
	data, n := vectorData(), 0
	eachVector(t, func(t *testing.T, where string, v *vector) {
		n++
		model.Mem.Write(modelCodePA, append(slices.Clone(v.code), make([]byte, 15)...))
		model.Mem.Write(modelCodePA+0x1000, data)
		model.load(&v.start, setupOf(v.mode))
		end := v.start
		o, err := model.run(&end, 64)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		got := make([]byte, len(data))
		model.Mem.Read(modelCodePA+0x1000, got)
		if d := v.compare(end, o, got); d != "" {
			t.Errorf("%s: %s\n%s", where, v, d)
		}
	})
	t.Logf("%d vectors", n)
}
