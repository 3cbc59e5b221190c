package ruledemo

import (
	"testing"

	"pvlab/docs/rules"
)

// TestBookAndImage: every demo belongs to a page that says the same kind, a
// breakable rule has both forms, and no page promises a demo that is not
// there.
func TestBookAndImage(t *testing.T) {
	good, bad := map[string]string{}, map[string]bool{}
	for _, d := range listDemos(t) {
		if d.Bad {
			bad[d.ID] = true
		} else {
			good[d.ID] = d.Kind
		}
	}
	for id, kind := range good {
		r := rules.Get(id)
		if r == nil {
			t.Errorf("demo %s: the book has no such page", id)
			continue
		}
		if r.Kind != kind {
			t.Errorf("%s: the page says %q, the image %q", id, r.Kind, kind)
		}
		if (kind == "breakable") != bad[id] {
			t.Errorf("%s is %s, bad form: %v", id, kind, bad[id])
		}
	}
	for _, r := range rules.All() {
		if r.Kind != "" && good[r.ID] == "" {
			t.Errorf("%s: the page says %s, the image has no demo", r.ID, r.Kind)
		}
	}
}
