package rules

import (
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
