package explain

import (
	_ "embed"
	"strings"
)

//go:embed rules.txt
var ruleText string

// RuleTitle is the sentence of a rule, "" for an unknown id.
func RuleTitle(id string) string {
	if id == "" {
		return ""
	}
	for l := range strings.Lines(ruleText) {
		if rest, ok := strings.CutPrefix(l, id+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
