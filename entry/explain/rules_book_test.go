package explain

import (
	"strings"
	"testing"

	"pvlab/docs/rules"
)

// TestRulesAreInTheBook: every rule that a verdict can name has its page.
func TestRulesAreInTheBook(t *testing.T) {
	for l := range strings.Lines(ruleText) {
		id, _, _ := strings.Cut(l, " ")
		if strings.HasPrefix(l, "#") {
			continue
		}
		if rules.Get(id) == nil {
			t.Errorf("%s has no page in docs/rules", id)
		}
	}
}
