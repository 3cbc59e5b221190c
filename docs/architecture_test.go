// Package docs_test holds what is checked about the documents themselves.
package docs_test

import (
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// TestImportTable compares the table of docs/architecture.md with the imports
// of the tree, in both directions: no undeclared edge, no room left out, no
// room that is gone.
func TestImportTable(t *testing.T) {
	page, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]map[string]bool{}
	quoted := regexp.MustCompile("`([a-z0-9/]+)`")
	_, table, _ := strings.Cut(string(page), "| room | may import")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, line := range strings.Split(table, "\n") {
		names := quoted.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			continue
		}
		set := map[string]bool{}
		for _, n := range names[1:] {
			set[n[1]] = true
		}
		allowed[names[0][1]] = set
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "pvlab/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		room, ok := strings.CutPrefix(f[0], "pvlab/")
		if !ok || room == "docs" || strings.HasSuffix(room, "/elftest") {
			continue
		}
		seen[room] = true
		if allowed[room] == nil {
			t.Errorf("room %s is not in the table of docs/architecture.md", room)
			continue
		}
		for _, imp := range f[1:] {
			if r, ok := strings.CutPrefix(imp, "pvlab/"); ok && !allowed[room][r] {
				t.Errorf("%s imports %s, which docs/architecture.md does not allow", room, r)
			}
		}
	}
	var gone []string
	for room := range allowed {
		if !seen[room] {
			gone = append(gone, room)
		}
	}
	sort.Strings(gone)
	if len(gone) > 0 {
		t.Errorf("rooms in the table that do not exist: %v", gone)
	}
}
