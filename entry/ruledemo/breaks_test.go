package ruledemo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// breakRow is one row of testdata/breaks: text of a source file of the model
// that is replaced in a build for TestEveryBreakIsSeen.
type breakRow struct {
	rules    []string
	file     string // from the top of the repository
	where    string // file and line of the row itself
	old, new string
}

// readBreaks reads all rows.
func readBreaks(t *testing.T) []breakRow {
	t.Helper()
	files, err := filepath.Glob("testdata/breaks/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/breaks: %v", err)
	}
	var rows []breakRow
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseBreaks(f, string(b))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, got...)
	}
	return rows
}

func parseBreaks(name, text string) (rows []breakRow, err error) {
	for i, l := range strings.Split(text, "\n") {
		at := fmt.Sprintf("%s:%d", name, i+1)
		rest, head := strings.CutPrefix(l, "== ")
		if head {
			f := strings.Fields(rest)
			if len(f) < 2 {
				return nil, fmt.Errorf("%s: want rules and a file", at)
			}
			rows = append(rows, breakRow{rules: f[:len(f)-1], file: f[len(f)-1], where: at})
			continue
		}
		if l == "" || l[0] == '#' {
			continue
		}
		if len(rows) == 0 || l[0] != '-' && l[0] != '+' {
			return nil, fmt.Errorf("%s: %q is no line of a row", at, l)
		}
		r := &rows[len(rows)-1]
		into := &r.old
		if l[0] == '+' {
			into = &r.new
		}
		if *into != "" {
			*into += "\n"
		}
		*into += l[1:]
	}
	for _, r := range rows {
		for _, id := range r.rules {
			if !strings.Contains(r.new, `broken.Is("`+id+`")`) {
				return nil, fmt.Errorf("%s: the replacement does not ask broken.Is(%q)", r.where, id)
			}
		}
	}
	return rows, nil
}

// brokenImport is the package that a broken source asks; it exists in the
// overlay only.
const brokenImport = "pvlab/entry/ruledemo/broken"

// brokenSource is that package.
const brokenSource = `// Package broken says which rule this run of a test build breaks.
package broken

import "os"

var rule = os.Getenv("` + breakEnv + `")

// Is reports whether the rule is to be broken.
func Is(id string) bool { return rule == id }
`

const breakEnv = "PVLAB_BREAK"

// applyBreaks puts the rows of one file into its text.
func applyBreaks(file, text string, rows []breakRow) (string, error) {
	type edit struct {
		from, to int
		row      *breakRow
	}
	var edits []edit
	for i := range rows {
		r := &rows[i]
		if n := strings.Count(text, r.old); n != 1 || r.old == "" {
			return "", fmt.Errorf("%s: mend the row of %s: its text stands %d times in %s, not once:\n%s",
				r.where, strings.Join(r.rules, ", "), n, file, r.old)
		}
		at := strings.Index(text, r.old)
		edits = append(edits, edit{at, at + len(r.old), r})
	}
	slices.SortFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out strings.Builder
	at := 0
	for _, e := range edits {
		if e.from < at {
			return "", fmt.Errorf("%s: this row and one before it want the same text of %s: make them one", e.row.where, file)
		}
		out.WriteString(text[at:e.from])
		out.WriteString(e.row.new)
		at = e.to
	}
	out.WriteString(text[at:])
	done := out.String()
	i := 0
	if !strings.HasPrefix(done, "package ") {
		i = strings.Index(done, "\npackage ") + 1
	}
	i += strings.IndexByte(done[i:], '\n')
	return done[:i] + "\nimport \"" + brokenImport + "\"" + done[i:], nil
}

func TestApplyBreaks(t *testing.T) {
	row := func(old, repl string) breakRow { return breakRow{[]string{"A-01"}, "f.go", "here", old, repl} }
	const text = "// A.\npackage a\n\nx := 1\ny := 2\n"
	got, err := applyBreaks("f.go", text, []breakRow{row("y := 2", "y := 3"), row("x := 1", "x := 4")})
	want := "// A.\npackage a\nimport \"" + brokenImport + "\"\n\nx := 4\ny := 3\n"
	if err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range [][]breakRow{{row("z", "")}, {row(":=", "")}, {row("x := 1", ""), row("1\ny", "")}} {
		if got, err := applyBreaks("f.go", text, bad); err == nil {
			t.Errorf("%q: %q", bad[len(bad)-1].old, got)
		}
	}
	if _, err := parseBreaks("f", "== A-01 x.go\n-a\n+b\n"); err == nil {
		t.Error("a row that breaks nothing")
	}
}
