package ruledemo

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// breakRow is one row of testdata/breaks: text of a source file of the model
// that is replaced in a build for TestEveryBreakIsSeen.
type breakRow struct {
	rules    []string
	place    string // a file or a whole package, from the top of the repository
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
				return nil, fmt.Errorf("%s: want rules and a place", at)
			}
			rows = append(rows, breakRow{rules: f[:len(f)-1], place: f[len(f)-1], where: at})
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

// applyBreaks puts the rows into the texts of the files and returns those that
// change. The errors say which row to mend.
func applyBreaks(files map[string]string, rows []breakRow) (map[string]string, error) {
	type edit struct {
		from, to int
		row      *breakRow
	}
	edits := map[string][]edit{}
	var errs []error
	for i := range rows {
		r := &rows[i]
		var in string
		n := 0
		for file, text := range files {
			if r.old != "" && (file == r.place || path.Dir(file) == r.place) {
				if k := strings.Count(text, r.old); k > 0 {
					n += k
					in = file
				}
			}
		}
		if n != 1 {
			errs = append(errs, fmt.Errorf("%s: mend the row of %s: its text stands %d times in %s, not once:\n%s",
				r.where, strings.Join(r.rules, ", "), n, r.place, r.old))
			continue
		}
		at := strings.Index(files[in], r.old)
		edits[in] = append(edits[in], edit{at, at + len(r.old), r})
	}
	out := map[string]string{}
	for file, es := range edits {
		slices.SortFunc(es, func(a, b edit) int { return a.from - b.from })
		text := files[file]
		var b strings.Builder
		at := 0
		for _, e := range es {
			if e.from < at {
				errs = append(errs, fmt.Errorf("%s: this row and one before it want the same text of %s: make them one", e.row.where, file))
				continue
			}
			b.WriteString(text[at:e.from])
			b.WriteString(e.row.new)
			at = e.to
		}
		b.WriteString(text[at:])
		out[file] = importBroken(b.String())
	}
	return out, errors.Join(errs...)
}

// importBroken adds the import behind the package clause.
func importBroken(text string) string {
	i := 0
	if !strings.HasPrefix(text, "package ") {
		i = strings.Index(text, "\npackage ") + 1
	}
	i += strings.IndexByte(text[i:], '\n')
	return text[:i] + "\nimport \"" + brokenImport + "\"" + text[i:]
}

func TestApplyBreaks(t *testing.T) {
	row := func(place, old, repl string) breakRow { return breakRow{[]string{"A-01"}, place, "here", old, repl} }
	files := map[string]string{"p/f.go": "// A.\npackage a\n\nx := 1\ny := 2\n", "p/g.go": "package a\nz := 5\n", "q/f.go": "z"}
	got, err := applyBreaks(files, []breakRow{row("p/f.go", "y := 2", "y := 3"), row("p", "x := 1", "x := 4"), row("p", "z", "u")})
	imp := "import \"" + brokenImport + "\"\n"
	want := map[string]string{"p/f.go": "// A.\npackage a\n" + imp + "\nx := 4\ny := 3\n", "p/g.go": "package a\n" + imp + "u := 5\n"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range [][]breakRow{{row("p/f.go", "z", "")}, {row("p", ":=", "")}, {row("p", "", "")},
		{row("p", "x := 1", ""), row("p", "1\ny", "")}} {
		if got, err := applyBreaks(files, bad); err == nil {
			t.Errorf("%q: %q", bad[len(bad)-1].old, got)
		}
	}
	if _, err := parseBreaks("f", "== A-01 x.go\n-a\n+b\n"); err == nil {
		t.Error("a row that breaks nothing")
	}
}
