package rules

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestPages: every page parses, belongs to a known area, and says where the
// rule comes from; ids run without a gap, since they are never reused.
func TestPages(t *testing.T) {
	known := map[string]bool{}
	for _, a := range areas {
		known[a.Name] = true
	}
	last := map[string]string{}
	for _, r := range All() {
		if !known[r.Area] {
			t.Errorf("%s: unknown area", r.ID)
		}
		if r.Tier != "core" && r.Tier != "second" {
			t.Errorf("%s: tier %q", r.ID, r.Tier)
		}
		if r.Source == "" && r.Since == "" {
			t.Errorf("%s: neither source nor since", r.ID)
		}
		ways := 0
		for _, has := range []bool{r.Kind != "", r.ShownBy != nil, r.NoDemo != ""} {
			if has {
				ways++
			}
		}
		if ways != 1 {
			t.Errorf("%s: want one of kind (it has a demo), demo: as ID, demo: none, REASON", r.ID)
		}
		if r.Kind != "" && r.Kind != "breakable" && r.Kind != "fact" {
			t.Errorf("%s: kind %q", r.ID, r.Kind)
		}
		for _, by := range r.ShownBy {
			if other := Get(by); other == nil || other.Kind == "" {
				t.Errorf("%s is shown by %q, which has no demo", r.ID, by)
			}
		}
		for _, l := range strings.Split(r.Page, "\n") {
			if len(l) > 120 && !strings.HasPrefix(l, "- ") {
				t.Errorf("%s: a line of %d characters", r.ID, len(l))
			}
		}
		if p := last[r.Area]; p >= r.ID {
			t.Errorf("%s comes after %s", r.ID, p)
		}
		last[r.Area] = r.ID
	}
	for _, a := range areas {
		if last[a.Name] == "" {
			t.Errorf("area %s has no page", a.Name)
		}
	}
}

// TestWithoutDemo: docs/conformance.md lists the rules without a demo, with the
// reasons that their pages give.
func TestWithoutDemo(t *testing.T) {
	b, err := os.ReadFile("../conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), "\n## Rules\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got, want []string
	for l := range strings.Lines(section) {
		if l, ok := strings.CutPrefix(strings.TrimSpace(l), "| "); ok && !strings.HasPrefix(l, "rule ") && !strings.HasPrefix(l, "---") {
			got = append(got, "| "+l)
		}
	}
	for _, r := range All() {
		if r.NoDemo != "" {
			want = append(want, "| "+r.ID+" | "+r.NoDemo+" |")
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table of docs/conformance.md has\n%s\nthe pages say\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestReferences: a rule that a page mentions exists.
func TestReferences(t *testing.T) {
	for _, r := range All() {
		for _, w := range strings.FieldsFunc(r.Page, func(c rune) bool {
			return !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
		}) {
			if idLine.MatchString("# "+w) && Get(w) == nil && known(w) {
				t.Errorf("%s mentions %s, which has no page", r.ID, w)
			}
		}
	}
}

// known reports whether w begins with an area of the book: "XSA-07" does not.
func known(w string) bool {
	area, _, _ := strings.Cut(w, "-")
	for _, a := range areas {
		if a.Name == area {
			return true
		}
	}
	return false
}
